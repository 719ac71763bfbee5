//! `cjk_bigram`: characters of Chinese, Japanese and Korean in pairs.

use crate::analysis::chain::{End, Expander, ExpanderFactory, Queue, utf16_length};
use crate::analysis::token::{TokenKind, Word};

/// Joins neighbouring characters of these kinds.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct CjkBigram {
    pub(in crate::analysis) kinds: Vec<TokenKind>,
    pub(in crate::analysis) unigrams: bool,
}

struct CjkBigramAtWork<'a> {
    settings: &'a CjkBigram,
    /// The last character of a run, and whether a pair has it already.
    pending: Option<(char, usize, usize)>,
    is_paired: bool,
    last_end: Option<usize>,
}

impl ExpanderFactory for CjkBigram {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(CjkBigramAtWork { settings: self, pending: None, is_paired: false, last_end: None })
    }
}

impl CjkBigramAtWork<'_> {
    fn single(&mut self, out: &mut Queue) {
        if let Some((letter, start, end)) = self.pending
            && (self.settings.unigrams || !self.is_paired)
        {
            out.push_back(Word { text: letter.into(), start, end, kind: TokenKind::SINGLE, ..Word::default() });
        }
    }

    /// The run is over for what is not its neighbour.
    fn flush(&mut self, out: &mut Queue) {
        self.single(out);
        self.pending = None;
        self.is_paired = false;
    }
}

impl Expander for CjkBigramAtWork<'_> {
    fn push(&mut self, word: Word, out: &mut Queue) {
        if !self.settings.kinds.contains(&word.kind) {
            // What stands between two characters parts them, unless it takes no room.
            self.flush(out);
            out.push_back(word);
            return;
        }
        if self.last_end != Some(word.start) {
            self.flush(out);
        }
        self.last_end = Some(word.end);
        let is_plain = word.end - word.start.min(word.end) == utf16_length(&word.text);
        let mut at = word.start;
        for letter in word.text.chars() {
            let next = at + letter.len_utf16();
            let (start, end) = if is_plain { (at, next) } else { (word.start, word.end) };
            at = next;
            if let Some((before, before_start, _)) = self.pending {
                if self.settings.unigrams {
                    self.single(out);
                }
                let text = [before, letter].iter().collect();
                let (increment, length) = if self.settings.unigrams { (0, 2) } else { (1, 1) };
                out.push_back(Word { text, increment, length, start: before_start, end, kind: TokenKind::DOUBLE, keyword: false });
                self.is_paired = true;
            }
            self.pending = Some((letter, start, end));
        }
    }

    fn finish(&mut self, out: &mut Queue, _end: &mut End) {
        self.flush(out);
    }
}
