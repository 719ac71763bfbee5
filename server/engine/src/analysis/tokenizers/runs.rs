//! Tokenizers that take the longest run of characters of a sort: `whitespace`, `letter`, `lowercase`, `char_group`; and
//! `keyword`, which takes everything.

use crate::analysis::chain::{Cut, Tokenizer};
use crate::analysis::charset::{is_blank, is_digit, is_letter, is_punctuation, is_symbol};
use crate::analysis::token::{TokenKind, Word};

/// The whole text.
#[derive(Clone, Copy, Debug)]
pub(in crate::analysis) struct Keyword;

struct KeywordCut(bool);

impl Tokenizer for Keyword {
    fn start(&self) -> Box<dyn Cut + '_> {
        Box::new(KeywordCut(false))
    }
}

impl Cut for KeywordCut {
    fn next(&mut self, text: &str, word: &mut Word) -> bool {
        if self.0 {
            return false;
        }
        self.0 = true;
        word.set(text, 0, text.len(), TokenKind::WORD);
        true
    }
}

/// Which characters belong to a word.
#[derive(Clone, Debug)]
pub(in crate::analysis) enum Sort {
    /// All but blanks.
    NoBlanks,
    /// Letters.
    Letters,
    /// All but those of these groups and these characters.
    Not { groups: Vec<Group>, characters: Vec<char> },
}

/// A group of characters that settings name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::analysis) enum Group {
    Letter,
    Digit,
    Whitespace,
    Punctuation,
    Symbol,
}

impl Group {
    pub(in crate::analysis) fn contains(self, letter: char) -> bool {
        match self {
            Group::Letter => is_letter(letter),
            Group::Digit => is_digit(letter),
            Group::Whitespace => is_blank(letter),
            Group::Punctuation => is_punctuation(letter),
            Group::Symbol => is_symbol(letter),
        }
    }
}

impl Sort {
    fn belongs(&self, letter: char) -> bool {
        match self {
            Sort::NoBlanks => !is_blank(letter),
            Sort::Letters => is_letter(letter),
            Sort::Not { groups, characters } => !characters.contains(&letter) && !groups.iter().any(|group| group.contains(letter)),
        }
    }
}

/// Runs of characters of one sort.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct Runs {
    pub(in crate::analysis) sort: Sort,
    /// Longer runs are cut in pieces, in UTF-16 units.
    pub(in crate::analysis) length_max: usize,
}

struct RunsCut<'a> {
    runs: &'a Runs,
    at: usize,
}

impl Tokenizer for Runs {
    fn start(&self) -> Box<dyn Cut + '_> {
        Box::new(RunsCut { runs: self, at: 0 })
    }
}

impl Cut for RunsCut<'_> {
    fn next(&mut self, text: &str, word: &mut Word) -> bool {
        let rest = text.get(self.at..).unwrap_or_default();
        let Some(before) = rest.find(|letter| self.runs.sort.belongs(letter)) else { return false };
        let start = self.at + before;
        let rest = text.get(start..).unwrap_or_default();
        let (mut end, mut units) = (text.len(), 0);
        for (byte, letter) in rest.char_indices() {
            if units >= self.runs.length_max || !self.runs.sort.belongs(letter) {
                end = start + byte;
                break;
            }
            units += letter.len_utf16();
        }
        self.at = end;
        word.set(text.get(start..end).unwrap_or_default(), start, end, TokenKind::WORD);
        true
    }
}
