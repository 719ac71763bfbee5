//! `word_delimiter` and `word_delimiter_graph`: words cut at signs, at changes of case and between letters and digits.

use super::subwords::{Subwords, Types};
use super::words::WordSet;
use crate::analysis::chain::{Expander, ExpanderFactory, Queue};
use crate::analysis::token::Word;

/// What the filters give.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct WordDelimiter {
    pub(in crate::analysis) types: Types,
    pub(in crate::analysis) protected: WordSet,
    pub(in crate::analysis) word_parts: bool,
    pub(in crate::analysis) number_parts: bool,
    pub(in crate::analysis) join_words: bool,
    pub(in crate::analysis) join_numbers: bool,
    pub(in crate::analysis) join_all: bool,
    pub(in crate::analysis) preserve_original: bool,
    /// Parts have offsets of their own.
    pub(in crate::analysis) adjust_offsets: bool,
    /// Words that stemmers leave alone are left alone.
    pub(in crate::analysis) ignore_keywords: bool,
    /// Parts span as many positions as they do: `word_delimiter_graph`.
    pub(in crate::analysis) graph: bool,
}

const ALPHA: u8 = Types::ALPHA;
const DIGIT: u8 = Types::DIGIT;

impl WordDelimiter {
    fn gives_parts(&self, kind: u8) -> bool {
        self.word_parts && kind & ALPHA != 0 || self.number_parts && kind & DIGIT != 0
    }

    fn joins(&self, kind: u8) -> bool {
        self.join_words && kind & ALPHA != 0 || self.join_numbers && kind & DIGIT != 0
    }
}

/// Neighbouring parts in one.
#[derive(Default)]
struct Joined {
    text: String,
    kind: u8,
    count: usize,
    start: usize,
    end: usize,
    position: usize,
}

impl Joined {
    fn append(&mut self, part: &str, kind: u8, start: usize, end: usize, position: usize) {
        if self.count == 0 {
            (self.kind, self.start, self.position) = (kind, start, position);
        }
        self.text.push_str(part);
        self.end = end;
        self.count += 1;
    }
}

/// A part, ready to be given; units are counted within the word.
struct Part {
    text: String,
    from: usize,
    to: usize,
    start: usize,
    end: usize,
}

impl ExpanderFactory for WordDelimiter {
    fn start(&self) -> Box<dyn Expander + '_> {
        if self.graph {
            Box::new(GraphAtWork { settings: self, increment: 0, last_start: 0 })
        } else {
            Box::new(FlatAtWork { settings: self, increment: 0, first: true, has_output: false, after_original: true })
        }
    }
}

struct GraphAtWork<'a> {
    settings: &'a WordDelimiter,
    increment: usize,
    last_start: usize,
}

impl GraphAtWork<'_> {
    fn parts(&self, subwords: &mut Subwords<'_>, word: &Word) -> Vec<Part> {
        let settings = self.settings;
        let (mut parts, mut position, mut last_count) = (Vec::new(), 0, 0);
        let (mut joined, mut all) = (Joined::default(), Joined::default());
        let flush = |joined: &mut Joined, position: &mut usize, last_count: &mut usize, parts: &mut Vec<Part>| {
            if joined.count == 0 {
                return;
            }
            // Where no parts are given the joined word takes the place.
            if *position == joined.position {
                *position += 1;
            }
            *last_count = joined.count;
            let Joined { text, kind, count, start, end, position: from } = std::mem::take(joined);
            if count != 1 || !settings.gives_parts(kind) {
                parts.push(Part { text, from, to: *position, start, end });
            }
        };
        let is_single = subwords.is_single_word();
        while let Some((start, end)) = subwords.current() {
            let text = subwords.text(start, end);
            let kind = subwords.kind();
            if is_single {
                parts.push(Part { text, from: position, to: position + 1, start: subwords.unit(start), end: subwords.unit(end) });
                position += 1;
                break;
            }
            if joined.count > 0 && joined.kind & kind == 0 {
                flush(&mut joined, &mut position, &mut last_count, &mut parts);
            }
            let (unit_start, unit_end) = (subwords.unit(start), subwords.unit(end));
            if settings.joins(kind) {
                joined.append(&text, kind, unit_start, unit_end, position);
            }
            if settings.join_all {
                all.append(&text, kind, unit_start, unit_end, position);
            }
            if settings.gives_parts(kind) {
                parts.push(Part { text, from: position, to: position + 1, start: unit_start, end: unit_end });
                position += 1;
            }
            subwords.advance();
        }
        flush(&mut joined, &mut position, &mut last_count, &mut parts);
        if all.count > last_count {
            if position == all.position {
                position += 1;
            }
            parts.push(Part { text: all.text, from: all.position, to: position, start: all.start, end: all.end });
        }
        if settings.preserve_original {
            position = position.max(1);
            let length = crate::analysis::chain::utf16_length(&word.text);
            // Before what is as long and begins in the same place.
            parts.insert(0, Part { text: word.text.clone(), from: 0, to: position, start: 0, end: length });
        }
        // The longer first; what is alike stays in order.
        parts.sort_by(|a, b| a.from.cmp(&b.from).then(b.to.cmp(&a.to)).then(a.start.cmp(&b.start)));
        parts
    }
}

impl Expander for GraphAtWork<'_> {
    fn push(&mut self, word: Word, out: &mut Queue) {
        let settings = self.settings;
        if settings.ignore_keywords && word.keyword {
            out.push_back(word);
            return;
        }
        self.increment += word.increment;
        let mut subwords = Subwords::new(&word.text, &settings.types);
        if subwords.is_whole() || settings.protected.contains(&word.text) {
            out.push_back(Word { increment: std::mem::take(&mut self.increment), ..word });
            return;
        }
        if subwords.current().is_none() {
            if settings.preserve_original {
                out.push_back(Word { increment: std::mem::take(&mut self.increment), ..word });
            }
            return;
        }
        let parts = self.parts(&mut subwords, &word);
        let is_plain = word.end - word.start.min(word.end) == crate::analysis::chain::utf16_length(&word.text);
        let mut position = 0;
        for part in parts {
            let (start, end) =
                if is_plain && settings.adjust_offsets { (word.start + part.start, word.start + part.end) } else { (word.start, word.end) };
            let start = start.max(self.last_start);
            self.last_start = start;
            out.push_back(Word {
                increment: std::mem::take(&mut self.increment) + part.from - position,
                length: part.to - part.from,
                start,
                end: end.max(start),
                ..word.with_text(part.text)
            });
            position = part.from;
        }
    }
}

struct FlatAtWork<'a> {
    settings: &'a WordDelimiter,
    increment: usize,
    /// Nothing has been given yet.
    first: bool,
    has_output: bool,
    after_original: bool,
}

impl FlatAtWork<'_> {
    fn position(&mut self, joined: bool) -> usize {
        let increment = self.increment;
        if self.has_output {
            self.increment = 0;
            return if joined { 0 } else { increment.max(1) };
        }
        self.has_output = true;
        if !self.after_original {
            self.after_original = true;
            return 0;
        }
        self.increment = 0;
        increment.max(1)
    }

    fn part(&mut self, word: &Word, text: String, joined: bool, start: usize, end: usize) -> Word {
        let is_plain = word.end - word.start.min(word.end) == crate::analysis::chain::utf16_length(&word.text);
        let increment = self.position(joined);
        if joined {
            self.increment = 0;
        }
        let (start, end) = if is_plain { (word.start + start, word.start + end) } else { (word.start, word.end) };
        Word { increment, length: 1, start, end, ..word.with_text(text) }
    }

    fn flush(&mut self, joined: &mut Joined, last_count: &mut usize, word: &Word, ready: &mut Vec<Word>) {
        *last_count = joined.count;
        let Joined { text, kind, count, start, end, .. } = std::mem::take(joined);
        if count > 0 && (count != 1 || !self.settings.gives_parts(kind)) {
            ready.push(self.part(word, text, true, start, end));
        }
    }
}

impl Expander for FlatAtWork<'_> {
    fn push(&mut self, word: Word, out: &mut Queue) {
        let settings = self.settings;
        if settings.ignore_keywords && word.keyword {
            out.push_back(word);
            return;
        }
        self.increment += word.increment;
        let mut subwords = Subwords::new(&word.text, &settings.types);
        if subwords.is_whole() || settings.protected.contains(&word.text) {
            self.first = false;
            out.push_back(Word { increment: std::mem::take(&mut self.increment), ..word });
            return;
        }
        if subwords.current().is_none() && !settings.preserve_original {
            if word.increment == 1 && !self.first {
                self.increment -= 1;
            }
            return;
        }
        self.has_output = false;
        self.after_original = !settings.preserve_original;
        if settings.preserve_original {
            self.first = false;
            out.push_back(Word { increment: std::mem::take(&mut self.increment), ..word.clone() });
        }
        let mut ready = Vec::new();
        let (mut joined, mut all, mut last_count) = (Joined::default(), Joined::default(), 0);
        if subwords.is_single_word() {
            if let Some((start, end)) = subwords.current() {
                let is_plain = word.end - word.start.min(word.end) == crate::analysis::chain::utf16_length(&word.text);
                let (unit_start, unit_end) = (subwords.unit(start), subwords.unit(end));
                let mut part = self.part(&word, subwords.text(start, end), false, unit_start, unit_end);
                if !is_plain && word.start + unit_start <= word.end {
                    part.start = word.start + unit_start;
                }
                self.first = false;
                out.push_back(part);
            }
            return;
        }
        while let Some((start, end)) = subwords.current() {
            let kind = subwords.kind();
            if joined.count > 0 && joined.kind & kind == 0 {
                self.flush(&mut joined, &mut last_count, &word, &mut ready);
                self.has_output = false;
            }
            let text = subwords.text(start, end);
            let (unit_start, unit_end) = (subwords.unit(start), subwords.unit(end));
            if settings.joins(kind) {
                joined.append(&text, kind, unit_start, unit_end, 0);
            }
            if settings.join_all {
                all.append(&text, kind, unit_start, unit_end, 0);
            }
            if settings.gives_parts(kind) {
                ready.push(self.part(&word, text, false, unit_start, unit_end));
            }
            subwords.advance();
        }
        if joined.count > 0 {
            self.flush(&mut joined, &mut last_count, &word, &mut ready);
        }
        if all.count > last_count {
            ready.push(self.part(&word, all.text, true, all.start, all.end));
        }
        ready.sort_by(|a, b| a.start.cmp(&b.start).then(b.increment.cmp(&a.increment)));
        for mut part in ready {
            if self.first && part.increment == 0 {
                part.increment = 1;
            }
            self.first = false;
            out.push_back(part);
        }
    }
}
