//! Filters that join neighbours: `shingle`, `common_grams`.

use super::words::WordSet;
use crate::analysis::chain::{End, Expander, ExpanderFactory, Queue};
use crate::analysis::token::{TokenKind, Word};
use std::collections::VecDeque;

/// Runs of `min` to `max` words in one.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct Shingles {
    pub(in crate::analysis) min: usize,
    pub(in crate::analysis) max: usize,
    pub(in crate::analysis) unigrams: bool,
    pub(in crate::analysis) unigrams_if_no_shingles: bool,
    pub(in crate::analysis) separator: String,
    /// Stands for a place that is empty.
    pub(in crate::analysis) filler: String,
}

struct ShinglesAtWork<'a> {
    settings: &'a Shingles,
    /// The words that may still begin a run, and whether each is a filler.
    window: VecDeque<(Word, bool)>,
    any_shingle: bool,
}

impl ExpanderFactory for Shingles {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(ShinglesAtWork { settings: self, window: VecDeque::new(), any_shingle: false })
    }
}

impl ShinglesAtWork<'_> {
    fn add(&mut self, word: Word, is_filler: bool, out: &mut Queue) {
        self.window.push_back((word, is_filler));
        if self.window.len() >= self.settings.max {
            self.give(out, false);
        }
    }

    /// Every run that begins with the first word of the window, which then goes.
    fn give(&mut self, out: &mut Queue, unigrams: bool) {
        let Some((first, first_is_filler)) = self.window.front() else { return };
        let mut given = 0;
        let mut one = |text: String, end: usize, kind: TokenKind, length: usize| {
            let increment = usize::from(given == 0);
            given += 1;
            out.push_back(Word { increment, length, end, kind, ..first.with_text(text) });
        };
        if (self.settings.unigrams || unigrams) && !first_is_filler {
            one(first.text.clone(), first.end, first.kind, 1);
        }
        let (mut text, mut all_fillers) = (String::new(), true);
        for (number, (word, is_filler)) in self.window.iter().enumerate().take(self.settings.max) {
            if number > 0 {
                text.push_str(&self.settings.separator);
            }
            text.push_str(&word.text);
            all_fillers &= is_filler;
            let size = number + 1;
            if size >= self.settings.min && size > 1 && !all_fillers {
                let length = if self.settings.unigrams { size } else { (size + 1).saturating_sub(self.settings.min).max(1) };
                one(text.clone(), word.end, TokenKind::SHINGLE, length);
                self.any_shingle = true;
            }
        }
        self.window.pop_front();
    }

    fn fillers(&mut self, empty: usize, offset: usize, like: &Word, out: &mut Queue) {
        for _ in 0..empty.min(self.settings.max.saturating_sub(1)) {
            let filler = Word { start: offset, end: offset, ..like.with_text(self.settings.filler.clone()) };
            self.add(filler, true, out);
        }
    }
}

impl Expander for ShinglesAtWork<'_> {
    fn push(&mut self, word: Word, out: &mut Queue) {
        self.fillers(word.increment.saturating_sub(1), word.start, &word, out);
        self.add(word, false, out);
    }

    fn finish(&mut self, out: &mut Queue, end: &mut End) {
        if self.window.iter().any(|(_, is_filler)| !is_filler) {
            self.fillers(end.trailing, end.offset, &Word::default(), out);
        }
        let too_few = !self.any_shingle && self.window.len() < self.settings.min && self.settings.unigrams_if_no_shingles;
        while self.window.iter().any(|(_, is_filler)| !is_filler) {
            self.give(out, too_few);
        }
    }
}

/// Common words joined to their neighbours.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct CommonGrams {
    pub(in crate::analysis) common: WordSet,
}

struct CommonGramsAtWork<'a> {
    common: &'a WordSet,
    /// The word before, with where it starts and whether it is common.
    before: Option<(String, usize, bool)>,
}

impl ExpanderFactory for CommonGrams {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(CommonGramsAtWork { common: &self.common, before: None })
    }
}

impl Expander for CommonGramsAtWork<'_> {
    fn push(&mut self, word: Word, out: &mut Queue) {
        let is_common = self.common.contains(&word.text);
        let start = word.start;
        if let Some((before, before_start, before_is_common)) = self.before.take()
            && (before_is_common || is_common)
        {
            let text = format!("{before}_{}", word.text);
            let gram = Word { increment: 0, length: 2, start: before_start, kind: TokenKind::GRAM, ..word.with_text(text) };
            out.push_back(gram);
        }
        self.before = Some((word.text.clone(), start, is_common));
        out.push_back(word);
    }
}

/// Of the words that `common_grams` has joined only the joined ones.
#[derive(Debug)]
pub(in crate::analysis) struct OnlyGrams;

struct OnlyGramsAtWork {
    previous: Option<Word>,
    given: Option<TokenKind>,
}

impl ExpanderFactory for OnlyGrams {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(OnlyGramsAtWork { previous: None, given: None })
    }
}

impl OnlyGramsAtWork {
    fn give(&mut self, mut word: Word, out: &mut Queue) {
        if word.kind == TokenKind::GRAM {
            // A gram stands for its first word alone now.
            (word.increment, word.length) = (1, 1);
        }
        self.given = Some(word.kind);
        out.push_back(word);
    }
}

impl Expander for OnlyGramsAtWork {
    fn push(&mut self, word: Word, out: &mut Queue) {
        let is_gram = word.kind == TokenKind::GRAM;
        if let Some(previous) = self.previous.replace(word)
            && !is_gram
        {
            self.give(previous, out);
        }
    }

    fn finish(&mut self, out: &mut Queue, _end: &mut End) {
        if let Some(previous) = self.previous.take()
            && self.given != Some(TokenKind::GRAM)
        {
            self.give(previous, out);
        }
    }
}
