//! What some languages need besides a stemmer of the usual kind.

use crate::analysis::chain::Filter;
use crate::analysis::char_filters::{CharFilter, Corrections, Filtered};
use crate::analysis::filters::cjk_bigrams;

/// The words that the `cjk` analyzer leaves out.
pub(super) const CJK_STOP_WORDS: &[&str] = &[
    "a", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of", "on", "or", "s", "such",
    "t", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with", "www",
];

/// Pairs of every script.
pub(super) fn cjk_bigram() -> Filter {
    cjk_bigrams()
}

/// Persian writes some endings behind a joint without width: it parts words.
#[derive(Debug)]
pub(super) struct HalfSpaces;

impl CharFilter for HalfSpaces {
    fn apply(&self, text: &str) -> Filtered {
        Filtered { text: text.replace('\u{200C}', " "), corrections: Corrections::default() }
    }
}
