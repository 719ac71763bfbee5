//! The way of a text through an analyzer: a tokenizer that cuts, and filters that change, drop or add words, one word
//! at a time, so that a long text with many small tokens never stands in memory as a whole.

use super::analyzer::Analyzer;
use super::char_filters::Corrections;
use super::token::Word;
use std::borrow::Cow;
use std::collections::VecDeque;

/// Where a tokenizer stands in a text.
pub(super) trait Cut: Send {
    /// Fills `word` with the next one: offsets are bytes of `text`. False at the end.
    fn next(&mut self, text: &str, word: &mut Word) -> bool;
}

/// Cuts texts; one for all of them.
pub(super) trait Tokenizer: Send + Sync + std::fmt::Debug {
    /// Starts a text.
    fn start(&self) -> Box<dyn Cut + '_>;
}

/// What becomes of a word.
pub(super) enum Fate {
    Kept,
    /// Left out, its place stays empty.
    Dropped,
}

/// A filter that looks at one word and remembers nothing.
pub(super) trait WordFilter: Send + Sync + std::fmt::Debug {
    /// Changes the word, or says that it goes.
    fn apply(&self, word: &mut Word) -> Fate;
}

/// What an expander has to say about the words after the one it got.
pub(super) type Queue = VecDeque<Word>;

/// A filter at work on one text that keeps, adds or reorders words.
pub(super) trait Expander: Send {
    /// Takes a word and puts what is ready into `out`.
    fn push(&mut self, word: Word, out: &mut Queue);
    /// Puts what is left into `out`.
    fn finish(&mut self, _out: &mut Queue, _end: &mut End) {}
    /// Whether it wants no more words.
    fn is_done(&self) -> bool {
        false
    }
}

/// What lies after the last word.
pub(super) struct End {
    /// Positions that were left empty.
    pub(super) trailing: usize,
    /// The end of the text, in UTF-16 units of the original.
    pub(super) offset: usize,
}

/// Starts expanders, one per text.
pub(super) trait ExpanderFactory: Send + Sync + std::fmt::Debug {
    /// Starts a text.
    fn start(&self) -> Box<dyn Expander + '_>;
}

/// One filter of an analyzer.
#[derive(Clone, Debug)]
pub(super) enum Filter {
    Word(std::sync::Arc<dyn WordFilter>),
    Expand(std::sync::Arc<dyn ExpanderFactory>),
    /// Several filters in a row under one name.
    Both(Vec<Filter>),
}

impl Filter {
    pub(super) fn word(filter: impl WordFilter + 'static) -> Filter {
        Filter::Word(std::sync::Arc::new(filter))
    }

    pub(super) fn expand(filter: impl ExpanderFactory + 'static) -> Filter {
        Filter::Expand(std::sync::Arc::new(filter))
    }
}

/// A filter at work.
pub(super) enum Stage<'t> {
    Word(&'t dyn WordFilter),
    Expand { expander: Box<dyn Expander + 't>, queue: Queue, finished: bool },
}

impl<'t> Stage<'t> {
    /// The filters, started for one text.
    pub(super) fn start(filters: &'t [Filter]) -> Vec<Stage<'t>> {
        let mut stages = Vec::with_capacity(filters.len());
        for filter in filters {
            match filter {
                Filter::Word(filter) => stages.push(Stage::Word(&**filter)),
                Filter::Expand(factory) => {
                    stages.push(Stage::Expand { expander: factory.start(), queue: Queue::new(), finished: false });
                }
                Filter::Both(inner) => stages.extend(Stage::start(inner)),
            }
        }
        stages
    }
}

/// A text on its way through the first part of an analyzer.
pub(super) struct Chain<'t> {
    source: Source<'t>,
    stages: Vec<Stage<'t>>,
    trailing: usize,
}

struct Source<'t> {
    text: Cow<'t, str>,
    cut: Box<dyn Cut + 't>,
    /// `None` where a byte is a unit and nothing was changed before the tokenizer.
    offsets: Option<Offsets>,
}

/// Turns bytes of the text that is cut into UTF-16 units of the original text.
struct Offsets {
    corrections: Vec<Corrections>,
    /// A byte and its unit: tokens come nearly in order, so that counting goes on from here.
    byte: usize,
    unit: usize,
}

impl Offsets {
    fn unit_of(&mut self, text: &str, byte: usize) -> usize {
        if byte < self.byte {
            self.unit = self.unit.saturating_sub(utf16_length(text.get(byte..self.byte).unwrap_or_default()));
        } else {
            self.unit += utf16_length(text.get(self.byte..byte).unwrap_or_default());
        }
        self.byte = byte;
        self.corrections.iter().rev().fold(self.unit, |unit, corrections| corrections.original(unit))
    }
}

/// How many UTF-16 units a text has.
pub(super) fn utf16_length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(char::len_utf16).sum() }
}

impl<'t> Chain<'t> {
    /// Starts a text. Without `with_offsets` they may be left in bytes where no filter looks at them.
    pub(super) fn new(analyzer: &'t Analyzer, text: &'t str, with_offsets: bool) -> Chain<'t> {
        let mut text = Cow::Borrowed(text);
        let mut corrections = Vec::new();
        for filter in &analyzer.char_filters {
            let filtered = filter.apply(&text);
            text = Cow::Owned(filtered.text);
            corrections.push(filtered.corrections);
        }
        let stages = Stage::start(&analyzer.filters);
        let wanted = with_offsets || stages.iter().any(|stage| matches!(stage, Stage::Expand { .. }));
        let counted = wanted && !(corrections.is_empty() && text.is_ascii());
        let offsets = counted.then_some(Offsets { corrections, byte: 0, unit: 0 });
        Chain { source: Source { text, cut: analyzer.tokenizer.start(), offsets }, stages, trailing: 0 }
    }

    /// The next word. False at the end.
    pub(super) fn next(&mut self, word: &mut Word) -> bool {
        pull(&mut self.source, &mut self.stages, word, &mut self.trailing)
    }

    /// After the last word: the positions left empty at the end, and the end of the original text in UTF-16 units.
    pub(super) fn end(&mut self) -> (usize, usize) {
        (self.trailing, self.source.end())
    }
}

/// Where words come from.
trait Feed {
    /// The next word. False at the end.
    fn next(&mut self, word: &mut Word) -> bool;
    /// The end of the text, in UTF-16 units of the original.
    fn end(&mut self) -> usize;
}

/// Words that are there already.
struct Ready {
    words: std::vec::IntoIter<Word>,
    end: usize,
}

impl Feed for Ready {
    fn next(&mut self, word: &mut Word) -> bool {
        self.words.next().map(|next| *word = next).is_some()
    }

    fn end(&mut self) -> usize {
        self.end
    }
}

/// What some filters make of some words.
pub(super) fn run(filters: &[Filter], words: Vec<Word>) -> Vec<Word> {
    let mut ready = Ready { end: words.last().map_or(0, |word| word.end), words: words.into_iter() };
    let (mut stages, mut trailing, mut out, mut word) = (Stage::start(filters), 0, Vec::new(), Word::default());
    while pull(&mut ready, &mut stages, &mut word, &mut trailing) {
        out.push(std::mem::take(&mut word));
    }
    out
}

impl Feed for Source<'_> {
    fn end(&mut self) -> usize {
        let Source { text, offsets, .. } = self;
        let end = text.len();
        offsets.as_mut().map_or(end, |offsets| offsets.unit_of(text, end))
    }

    fn next(&mut self, word: &mut Word) -> bool {
        let Source { text, cut, offsets } = self;
        if !cut.next(text, word) {
            return false;
        }
        if let Some(offsets) = offsets {
            word.start = offsets.unit_of(text, word.start);
            word.end = offsets.unit_of(text, word.end);
        }
        true
    }
}

fn pull<F: Feed>(source: &mut F, stages: &mut [Stage<'_>], word: &mut Word, trailing: &mut usize) -> bool {
    let Some((stage, before)) = stages.split_last_mut() else { return source.next(word) };
    match stage {
        Stage::Word(filter) => {
            let mut skipped = 0;
            while pull(source, before, word, trailing) {
                match filter.apply(word) {
                    Fate::Kept => {
                        word.increment += skipped;
                        return true;
                    }
                    Fate::Dropped => skipped += word.increment,
                }
            }
            *trailing += skipped;
            false
        }
        Stage::Expand { expander, queue, finished } => loop {
            if let Some(ready) = queue.pop_front() {
                *word = ready;
                return true;
            }
            if *finished {
                return false;
            }
            if !expander.is_done() && pull(source, before, word, trailing) {
                expander.push(std::mem::take(word), queue);
            } else {
                *finished = true;
                let mut end = End { trailing: *trailing, offset: source.end() };
                expander.finish(queue, &mut end);
                *trailing = end.trailing;
            }
        },
    }
}
