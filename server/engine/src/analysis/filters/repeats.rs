//! Filters that look at words they have seen before, or at all of them: `unique`, `remove_duplicates`, `keyword_repeat`,
//! `limit`, `fingerprint`.

use crate::analysis::chain::{End, Expander, ExpanderFactory, Queue, utf16_length};
use crate::analysis::token::{TokenKind, Word};
use std::cmp::Ordering;
use std::collections::HashSet;

/// Each word once, or once in each place.
#[derive(Clone, Copy, Debug)]
pub(in crate::analysis) struct Unique {
    pub(in crate::analysis) only_on_same_position: bool,
}

struct UniqueAtWork {
    only_on_same_position: bool,
    seen: HashSet<String>,
}

impl ExpanderFactory for Unique {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(UniqueAtWork { only_on_same_position: self.only_on_same_position, seen: HashSet::new() })
    }
}

impl Expander for UniqueAtWork {
    fn push(&mut self, word: Word, out: &mut Queue) {
        if self.only_on_same_position {
            if word.increment > 0 {
                self.seen.clear();
            } else if self.seen.contains(&word.text) {
                return;
            }
            self.seen.insert(word.text.clone());
            out.push_back(word);
        } else if self.seen.insert(word.text.clone()) {
            out.push_back(word);
        }
    }
}

/// Each word twice: once to be kept from stemmers.
#[derive(Debug)]
pub(in crate::analysis) struct KeywordRepeat;

struct KeywordRepeatAtWork;

impl ExpanderFactory for KeywordRepeat {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(KeywordRepeatAtWork)
    }
}

impl Expander for KeywordRepeatAtWork {
    fn push(&mut self, word: Word, out: &mut Queue) {
        out.push_back(Word { keyword: true, ..word.clone() });
        out.push_back(Word { keyword: false, increment: 0, ..word });
    }
}

/// The first words.
#[derive(Clone, Copy, Debug)]
pub(in crate::analysis) struct Limit {
    pub(in crate::analysis) words_max: usize,
}

struct LimitAtWork {
    left: usize,
}

impl ExpanderFactory for Limit {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(LimitAtWork { left: self.words_max })
    }
}

impl Expander for LimitAtWork {
    fn push(&mut self, word: Word, out: &mut Queue) {
        if self.left > 0 {
            self.left -= 1;
            out.push_back(word);
        }
    }

    fn is_done(&self) -> bool {
        self.left == 0
    }
}

/// All words of a text in order, each once, as one.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct Fingerprint {
    pub(in crate::analysis) separator: char,
    /// A longer result is left out, in UTF-16 units.
    pub(in crate::analysis) output_max: usize,
}

struct FingerprintAtWork<'a> {
    settings: &'a Fingerprint,
    words: HashSet<String>,
    units: usize,
}

impl ExpanderFactory for Fingerprint {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(FingerprintAtWork { settings: self, words: HashSet::new(), units: 0 })
    }
}

/// Java's order of texts: by UTF-16 units.
pub(in crate::analysis) fn java_order(first: &str, second: &str) -> Ordering {
    first.encode_utf16().cmp(second.encode_utf16())
}

impl Expander for FingerprintAtWork<'_> {
    fn push(&mut self, word: Word, _out: &mut Queue) {
        if self.units > self.settings.output_max || self.words.contains(&word.text) {
            return;
        }
        self.units += usize::from(!self.words.is_empty()) + utf16_length(&word.text);
        self.words.insert(word.text);
    }

    fn finish(&mut self, out: &mut Queue, end: &mut End) {
        if self.words.is_empty() || self.units > self.settings.output_max {
            return;
        }
        let mut words: Vec<String> = self.words.drain().collect();
        words.sort_by(|first, second| java_order(first, second));
        let text = words.join(self.settings.separator.encode_utf8(&mut [0; 4]));
        out.push_back(Word { text, end: end.offset, kind: TokenKind::FINGERPRINT, ..Word::default() });
    }
}
