//! Filters that cut words in pieces of some lengths: `ngram`, `edge_ngram`.

use crate::analysis::chain::{Expander, ExpanderFactory, Queue};
use crate::analysis::token::Word;

/// Pieces of `min` to `max` characters.
#[derive(Clone, Copy, Debug)]
pub(in crate::analysis) struct Grams {
    pub(in crate::analysis) min: usize,
    pub(in crate::analysis) max: usize,
    /// Only pieces at the beginning.
    pub(in crate::analysis) only_edges: bool,
    /// A word that is no piece of itself comes too.
    pub(in crate::analysis) preserve_original: bool,
}

struct GramsAtWork {
    grams: Grams,
    /// Positions since the last piece.
    increment: usize,
}

impl ExpanderFactory for Grams {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(GramsAtWork { grams: *self, increment: 0 })
    }
}

impl Expander for GramsAtWork {
    fn push(&mut self, word: Word, out: &mut Queue) {
        let Grams { min, max, only_edges, preserve_original } = self.grams;
        self.increment += word.increment;
        let mut bounds: Vec<usize> = word.text.char_indices().map(|(byte, _)| byte).collect();
        bounds.push(word.text.len());
        let length = bounds.len() - 1;
        if length < min {
            if preserve_original {
                out.push_back(Word { increment: std::mem::take(&mut self.increment), ..word });
            }
            return;
        }
        let starts = if only_edges { 1 } else { length + 1 - min };
        for (number, start) in bounds.iter().take(starts).enumerate() {
            for end in bounds.iter().skip(number + min).take(max + 1 - min) {
                let piece = word.text.get(*start..*end).unwrap_or_default();
                out.push_back(Word { increment: std::mem::take(&mut self.increment), ..word.with_text(piece) });
            }
        }
        if preserve_original && length > max {
            out.push_back(Word { increment: std::mem::take(&mut self.increment), ..word });
        }
    }
}
