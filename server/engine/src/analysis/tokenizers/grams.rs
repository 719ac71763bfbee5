//! `ngram` and `edge_ngram`: every piece of some lengths.

use super::runs::Group;
use crate::analysis::chain::{Cut, Tokenizer};
use crate::analysis::token::{TokenKind, Word};

/// Pieces of `min` to `max` characters.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct Grams {
    pub(in crate::analysis) min: usize,
    pub(in crate::analysis) max: usize,
    /// Only pieces at the beginning of a run.
    pub(in crate::analysis) only_edges: bool,
    /// The characters that pieces are made of; none for all.
    pub(in crate::analysis) groups: Vec<Group>,
    /// Further ones.
    pub(in crate::analysis) characters: Vec<char>,
}

impl Grams {
    fn belongs(&self, letter: char) -> bool {
        self.groups.is_empty() && self.characters.is_empty()
            || self.characters.contains(&letter)
            || self.groups.iter().any(|group| group.contains(letter))
    }
}

struct GramsCut<'a> {
    grams: &'a Grams,
    /// Where the pieces begin, and where the last one of them ended, with its length in characters.
    start: usize,
    end: usize,
    length: usize,
    /// Whether a character of a run stands before `start`.
    inside: bool,
}

impl Tokenizer for Grams {
    fn start(&self) -> Box<dyn Cut + '_> {
        Box::new(GramsCut { grams: self, start: 0, end: 0, length: 0, inside: false })
    }
}

impl Cut for GramsCut<'_> {
    fn next(&mut self, text: &str, word: &mut Word) -> bool {
        loop {
            // One character more, if there is one and pieces may still grow.
            let next = text.get(self.end..).and_then(|rest| rest.chars().next());
            match next {
                Some(letter) if self.length < self.grams.max && self.grams.belongs(letter) && !(self.grams.only_edges && self.inside) => {
                    self.end += letter.len_utf8();
                    self.length += 1;
                    if self.length >= self.grams.min {
                        word.set(text.get(self.start..self.end).unwrap_or_default(), self.start, self.end, TokenKind::WORD);
                        return true;
                    }
                }
                _ => {
                    // On to the next beginning.
                    let Some(first) = text.get(self.start..).and_then(|rest| rest.chars().next()) else { return false };
                    self.inside = self.grams.belongs(first);
                    self.start += first.len_utf8();
                    (self.end, self.length) = (self.start, 0);
                }
            }
        }
    }
}
