//! What languages need: their analyzers, stemmers and stop words.
//!
//! *What it is*: a catalogue of languages and one of stemmers. · *Types to know*: `Stemmer`, [`analyzer`]. · **Invariants**:
//! everything here is data or a pure function of a word; a stemmer leaves words alone that are marked so, and never makes
//! a word empty. · *How it fails*: a stemmer that does not exist is an error when the index is made. · *How it is tested*:
//! tables of words beside the code, with what OpenSearch makes of them.

mod analyzers;
mod arabic;
mod endings;
mod indic;
mod light;
mod light_romance;
mod minimal;
mod porter;
mod small;
mod stemmers;
mod stop;

pub(super) use analyzers::{NAMES as ANALYZERS, analyzer};
pub(super) use stemmers::filter;
pub(super) use stop::{has_stop_words, stop_words};

use super::filters::letters::Elision;
use std::sync::Arc;

/// The articles that French puts before a vowel.
const FRENCH_ARTICLES: &[&str] = &["l", "m", "t", "qu", "n", "s", "j", "d", "c", "jusqu", "quoiqu", "lorsqu", "puisqu"];
/// The same of Catalan.
const CATALAN_ARTICLES: &[&str] = &["d", "l", "m", "n", "s", "t"];
/// The same of Irish.
const IRISH_ARTICLES: &[&str] = &["d", "m", "b"];
/// The same of Italian.
const ITALIAN_ARTICLES: &[&str] = &[
    "c", "l", "all", "dall", "dell", "nell", "sull", "coll", "pell", "gl", "agl", "dagl", "degl", "negl", "sugl", "un", "m", "t", "s", "v",
    "d",
];

fn elision(articles: &[&str]) -> Elision {
    Elision { articles: Arc::new(articles.iter().map(|article| (*article).to_owned()).collect()), ignore_case: true }
}

/// What `elision` is without settings.
pub(super) fn french_elision() -> Elision {
    elision(FRENCH_ARTICLES)
}
