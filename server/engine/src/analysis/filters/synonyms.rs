//! `synonym`, `synonym_graph` and `flatten_graph`.

use super::synonym_map::{SynonymMap, Synonyms};
use super::synonym_rules::{read_solr, read_wordnet};
use crate::analysis::chain::{End, Expander, ExpanderFactory, Filter, Queue};
use crate::analysis::section::Section;
use crate::analysis::token::{TokenKind, Word};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tandem_common::{Error, Result};

/// Synonyms before their rules are read.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct SynonymSettings {
    rules: Vec<String>,
    wordnet: bool,
    expand: bool,
    lenient: bool,
    graph: bool,
}

impl SynonymSettings {
    /// Reads the settings.
    ///
    /// # Errors
    /// No rules.
    pub(super) fn read(section: &Section<'_>, graph: bool) -> Result<SynonymSettings> {
        let Some(rules) = section.words("synonyms")? else {
            return Err(Error::illegal_argument("synonym requires either `synonyms` or `synonyms_path` to be configured"));
        };
        Ok(SynonymSettings {
            rules,
            wordnet: section.text("format") == Some("wordnet"),
            expand: section.flag("expand", true)?,
            lenient: section.flag("lenient", false)?,
            graph,
        })
    }

    /// Reads the rules by what stands before the filter in its analyzer: `read` gives the words of a text, each with the
    /// places that it is after the one before.
    ///
    /// # Errors
    /// `Failed to build synonyms`.
    pub(in crate::analysis) fn build(&self, read: impl Fn(&str) -> Vec<Word>) -> Result<Filter> {
        let words = |text: &str| {
            let words = read(text);
            let plain = !words.is_empty() && words.iter().all(|word| word.increment == 1);
            plain.then(|| words.into_iter().map(|word| word.text).collect())
        };
        let mut map = SynonymMap::new();
        let good = if self.wordnet {
            read_wordnet(&self.rules, self.expand, self.lenient, &words, &mut map)
        } else {
            self.rules.iter().all(|line| read_solr(line, self.expand, &words, &mut map) || self.lenient)
        };
        if !good {
            return Err(Error::illegal_argument("Failed to build synonyms"));
        }
        let map = Arc::new(map);
        Ok(if self.graph { Filter::expand(SynonymGraph(map)) } else { Filter::expand(FlatSynonyms(map)) })
    }
}

/// Synonyms side by side: those of several words lie over the words behind.
#[derive(Debug)]
struct FlatSynonyms(Arc<SynonymMap>);

impl ExpanderFactory for FlatSynonyms {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(FlatAtWork { map: &self.0, ahead: VecDeque::new(), skip: 0, keeps: false, future: VecDeque::new(), last: (0, 0) })
    }
}

/// A word of a synonym that is to come: its end, if it is a whole synonym, and how many places it spans.
struct Future {
    text: String,
    end: Option<usize>,
    length: usize,
}

struct FlatAtWork<'a> {
    map: &'a SynonymMap,
    ahead: VecDeque<Word>,
    /// How many of the words ahead belong to a match, and whether they stay.
    skip: usize,
    keeps: bool,
    /// What lies over the next words.
    future: VecDeque<Vec<Future>>,
    last: (usize, usize),
}

impl FlatAtWork<'_> {
    fn step(&mut self, out: &mut Queue) {
        if self.skip == 0
            && let Some((length, synonyms)) = self.map.longest_match(self.ahead.iter().map(|word| word.text.as_str()))
        {
            let end = self.ahead.get(length - 1).map_or(0, |word| word.end);
            for output in &synonyms.outputs {
                let is_single = output.len() == 1;
                for (place, text) in output.iter().enumerate() {
                    while self.future.len() <= place {
                        self.future.push_back(Vec::new());
                    }
                    let spans = if is_single && synonyms.keeps_original { length } else { 1 };
                    if let Some(there) = self.future.get_mut(place) {
                        there.push(Future { text: text.clone(), end: is_single.then_some(end), length: spans });
                    }
                }
            }
            (self.skip, self.keeps) = (length, synonyms.keeps_original);
        }
        let Some(word) = self.ahead.pop_front() else { return };
        let stays = self.skip == 0 || self.keeps;
        self.skip = self.skip.saturating_sub(1);
        self.last = (word.start, word.end);
        let mut increment = 1;
        let like = word.clone();
        if stays {
            out.push_back(word);
            increment = 0;
        }
        for future in self.future.pop_front().unwrap_or_default() {
            let end = future.end.unwrap_or(like.end);
            out.push_back(synonym(future.text, increment, future.length, like.start, end));
            increment = 0;
        }
    }
}

fn synonym(text: String, increment: usize, length: usize, start: usize, end: usize) -> Word {
    Word { text, increment, length, start, end, kind: TokenKind::SYNONYM, keyword: false }
}

impl Expander for FlatAtWork<'_> {
    fn push(&mut self, word: Word, out: &mut Queue) {
        self.ahead.push_back(word);
        if self.ahead.len() >= self.map.longest.max(1) {
            self.step(out);
        }
    }

    fn finish(&mut self, out: &mut Queue, _end: &mut End) {
        while !self.ahead.is_empty() {
            self.step(out);
        }
        for place in std::mem::take(&mut self.future) {
            let mut increment = 1;
            for future in place {
                let end = future.end.unwrap_or(self.last.1);
                out.push_back(synonym(future.text, increment, future.length, self.last.0, end));
                increment = 0;
            }
        }
    }
}

/// Synonyms as paths of a graph.
#[derive(Debug)]
struct SynonymGraph(Arc<SynonymMap>);

impl ExpanderFactory for SynonymGraph {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(GraphAtWork { map: &self.0, ahead: VecDeque::new(), last_node: None, next_node: 0 })
    }
}

struct GraphAtWork<'a> {
    map: &'a SynonymMap,
    ahead: VecDeque<Word>,
    /// The node from which the last word went; `None` before the first.
    last_node: Option<usize>,
    /// The node at which the next word begins.
    next_node: usize,
}

impl GraphAtWork<'_> {
    fn give(&mut self, mut word: Word, from: usize, to: usize, out: &mut Queue) {
        // The first word of all stands at place 0, one after the beginning.
        word.increment = self.last_node.map_or(from + 1, |last| from - last.min(from));
        word.length = to - from.min(to);
        self.last_node = Some(from);
        out.push_back(word);
    }

    fn step(&mut self, out: &mut Queue) {
        let Some((length, synonyms)) = self.map.longest_match(self.ahead.iter().map(|word| word.text.as_str())) else {
            if let Some(word) = self.ahead.pop_front() {
                let from = self.last_node.map_or(word.increment.saturating_sub(1), |last| last + word.increment);
                self.last_node = Some(from);
                self.next_node = from + word.length;
                out.push_back(word);
            }
            return;
        };
        let synonyms: Synonyms = synonyms.clone();
        let words: Vec<Word> = self.ahead.drain(..length).collect();
        let (start, end) = (words.first().map_or(0, |word| word.start), words.last().map_or(0, |word| word.end));
        let mut paths: Vec<Vec<Word>> =
            synonyms.outputs.iter().map(|output| output.iter().map(|text| synonym(text.clone(), 1, 1, start, end)).collect()).collect();
        if synonyms.keeps_original {
            // Last, or offsets would go backwards.
            paths.push(words);
        }
        let from = self.next_node;
        let to = from + 1 + paths.iter().map(|path| path.len() - 1).sum::<usize>();
        let (mut node, mut rest) = (from, Vec::new());
        for path in paths {
            let count = path.len();
            let mut path = path.into_iter();
            let Some(first) = path.next() else { continue };
            let first_to = if count == 1 { to } else { node + 1 };
            self.give(first, from, first_to, out);
            if count > 1 {
                rest.push((first_to, path));
                node += count - 1;
            }
        }
        for (mut node, path) in rest {
            let mut path = path.peekable();
            while let Some(word) = path.next() {
                let next = if path.peek().is_some() { node + 1 } else { to };
                self.give(word, node, next, out);
                node = next;
            }
        }
        self.next_node = to;
    }
}

impl Expander for GraphAtWork<'_> {
    fn push(&mut self, word: Word, out: &mut Queue) {
        self.ahead.push_back(word);
        if self.ahead.len() >= self.map.longest.max(1) {
            self.step(out);
        }
    }

    fn finish(&mut self, out: &mut Queue, _end: &mut End) {
        while !self.ahead.is_empty() {
            self.step(out);
        }
    }
}

/// Makes a graph flat, as an index needs it: nodes lie as far from the beginning as their longest path is long.
#[derive(Debug)]
pub(super) struct FlattenGraph;

impl ExpanderFactory for FlattenGraph {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(FlattenAtWork { node: None, reaches: 0, held: Vec::new(), last: 0, base: 0 })
    }
}

struct FlattenAtWork {
    /// The node from which the last word went.
    node: Option<usize>,
    /// The furthest node that a held word leads to.
    reaches: usize,
    /// Words with the nodes that they lead from and to.
    held: Vec<(usize, usize, Word)>,
    /// The flat place of the last word given, counted from 1.
    last: usize,
    /// The flat place of the first node that is held.
    base: usize,
}

impl FlattenAtWork {
    fn flush(&mut self, out: &mut Queue) {
        let held = std::mem::take(&mut self.held);
        let Some(first) = held.iter().map(|(from, ..)| *from).min() else { return };
        let mut flat: BTreeMap<usize, usize> = BTreeMap::from([(first, self.base)]);
        let mut order: Vec<(usize, usize)> = held.iter().map(|(from, to, _)| (*from, *to)).collect();
        order.sort_unstable();
        for (from, to) in order {
            let place = flat.get(&from).copied().unwrap_or(self.base) + 1;
            let known = flat.entry(to).or_insert(place);
            *known = place.max(*known);
        }
        let place = |node: &usize| flat.get(node).copied().unwrap_or(0);
        let mut starts: BTreeMap<usize, usize> = BTreeMap::new();
        let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
        for (from, to, word) in &held {
            let start = starts.entry(place(from)).or_insert(word.start);
            *start = word.start.max(*start);
            let end = ends.entry(place(to)).or_insert(word.end);
            *end = word.end.min(*end);
        }
        let mut words: Vec<(usize, usize, usize, Word)> =
            held.into_iter().map(|(from, to, word)| (place(&from), from, place(&to), word)).collect();
        words.sort_by_key(|(place, from, ..)| (*place, *from));
        for (from, _, to, mut word) in words {
            word.increment = from + 1 - self.last.min(from + 1);
            word.length = (to - from.min(to)).max(1);
            word.start = starts.get(&from).copied().unwrap_or(word.start);
            word.end = ends.get(&to).copied().unwrap_or(word.end).max(word.start);
            self.last = from + 1;
            out.push_back(word);
        }
        self.base = flat.get(&self.reaches).copied().unwrap_or(self.base);
    }
}

impl Expander for FlattenAtWork {
    fn push(&mut self, word: Word, out: &mut Queue) {
        let from = self.node.map_or(word.increment.saturating_sub(1), |node| node + word.increment);
        if self.held.is_empty() && self.node.is_none() {
            self.base = from;
        } else if from >= self.reaches && !self.held.is_empty() {
            self.flush(out);
            // Empty places in a row are one.
            self.base += (from - self.reaches).min(1);
        }
        self.node = Some(from);
        self.reaches = self.reaches.max(from + word.length);
        self.held.push((from, from + word.length, word));
    }

    fn finish(&mut self, out: &mut Queue, _end: &mut End) {
        self.flush(out);
    }
}
