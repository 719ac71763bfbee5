//! `path_hierarchy`: `/a/b` gives `/a` and `/a/b`; in reverse `/a/b` and `a/b` and `b`.

use crate::analysis::chain::{Cut, Tokenizer};
use crate::analysis::token::{TokenKind, Word};

/// Paths and the paths above them.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct PathHierarchy {
    pub(in crate::analysis) delimiter: char,
    pub(in crate::analysis) replacement: char,
    /// How many parts are left out.
    pub(in crate::analysis) skip: usize,
    pub(in crate::analysis) reverse: bool,
}

impl Tokenizer for PathHierarchy {
    fn start(&self) -> Box<dyn Cut + '_> {
        Box::new(PathCut { path: self, cuts: None, next: 0 })
    }
}

struct PathCut<'a> {
    path: &'a PathHierarchy,
    /// The ranges to give, once they are known.
    cuts: Option<Vec<(usize, usize)>>,
    next: usize,
}

impl PathHierarchy {
    /// The ranges of the parts, from the beginning: each with the delimiter before it.
    fn forward(&self, text: &str) -> Vec<(usize, usize)> {
        let mut ends: Vec<usize> = text.match_indices(self.delimiter).map(|(at, _)| at).filter(|at| *at > 0).collect();
        if !text.is_empty() {
            ends.push(text.len());
        }
        let start = match self.skip {
            0 => 0,
            skip => match ends.get(skip - 1) {
                Some(end) if *end < text.len() => *end,
                _ => return Vec::new(),
            },
        };
        ends.into_iter().skip(self.skip).map(|end| (start, end)).collect()
    }

    /// The ranges of the parts, from the end: each with the delimiter after it.
    fn backward(&self, text: &str) -> Vec<(usize, usize)> {
        let mut bounds = vec![0];
        bounds.extend(text.match_indices(self.delimiter).map(|(at, found)| at + found.len()));
        if bounds.last().is_some_and(|last| *last < text.len()) {
            bounds.push(text.len());
        }
        let Some(last) = (bounds.len() - 1).checked_sub(self.skip) else { return Vec::new() };
        let Some(end) = bounds.get(last).copied() else { return Vec::new() };
        bounds.into_iter().take(last).map(|start| (start, end)).collect()
    }
}

impl Cut for PathCut<'_> {
    fn next(&mut self, text: &str, word: &mut Word) -> bool {
        let path = self.path;
        let cuts = self.cuts.get_or_insert_with(|| if path.reverse { path.backward(text) } else { path.forward(text) });
        let Some((start, end)) = cuts.get(self.next).copied() else { return false };
        self.next += 1;
        let piece = text.get(start..end).unwrap_or_default();
        word.set(piece, start, end, TokenKind::WORD);
        if path.replacement != path.delimiter {
            word.text = piece.chars().map(|letter| if letter == path.delimiter { path.replacement } else { letter }).collect();
        }
        true
    }
}
