//! Filters that know lists of words or kinds: `stop`, `keep`, `keep_types`, `keyword_marker`, `stemmer_override`.

use crate::analysis::chain::{Fate, WordFilter};
use crate::analysis::charset::lowercase;
use crate::analysis::java_regex::JavaRegex;
use crate::analysis::token::Word;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tandem_common::{Error, Result};

/// A set of words, perhaps whatever their case.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct WordSet {
    words: Arc<HashSet<String>>,
    ignore_case: bool,
    longest: usize,
}

impl WordSet {
    pub(in crate::analysis) fn new(words: impl IntoIterator<Item = impl Into<String>>, ignore_case: bool) -> WordSet {
        let small = |word: String| if ignore_case { word.chars().map(lowercase).collect() } else { word };
        let words: HashSet<String> = words.into_iter().map(|word| small(word.into())).collect();
        let longest = words.iter().map(String::len).max().unwrap_or(0);
        WordSet { words: Arc::new(words), ignore_case, longest }
    }

    pub(in crate::analysis) fn contains(&self, word: &str) -> bool {
        if self.ignore_case {
            return self.words.contains(&word.chars().map(lowercase).collect::<String>());
        }
        // Most words are longer than any stop word: those need no hash.
        word.len() <= self.longest && self.words.contains(word)
    }
}

/// Leaves words out.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct Stop(pub(in crate::analysis) WordSet);

impl WordFilter for Stop {
    fn apply(&self, word: &mut Word) -> Fate {
        if self.0.contains(&word.text) { Fate::Dropped } else { Fate::Kept }
    }
}

/// Leaves all other words out.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct Keep(pub(in crate::analysis) WordSet);

impl WordFilter for Keep {
    fn apply(&self, word: &mut Word) -> Fate {
        if self.0.contains(&word.text) { Fate::Kept } else { Fate::Dropped }
    }
}

/// Keeps or leaves out words of some kinds.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct KeepTypes {
    pub(in crate::analysis) types: HashSet<String>,
    pub(in crate::analysis) include: bool,
}

impl WordFilter for KeepTypes {
    fn apply(&self, word: &mut Word) -> Fate {
        if self.types.contains(word.kind.name()) == self.include { Fate::Kept } else { Fate::Dropped }
    }
}

/// Marks words that stemmers leave alone.
#[derive(Clone, Debug)]
pub(in crate::analysis) enum KeywordMarker {
    Words(WordSet),
    Pattern(JavaRegex),
}

impl WordFilter for KeywordMarker {
    fn apply(&self, word: &mut Word) -> Fate {
        word.keyword |= match self {
            KeywordMarker::Words(words) => words.contains(&word.text),
            KeywordMarker::Pattern(pattern) => pattern.matches_whole(&word.text),
        };
        Fate::Kept
    }
}

/// Stems of some words, given by hand.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct StemmerOverride {
    rules: HashMap<String, String>,
}

impl StemmerOverride {
    /// Rules like `a, b => c`.
    ///
    /// # Errors
    /// A rule without an arrow, a word without a stem, more than one stem.
    pub(in crate::analysis) fn new(lines: &[String]) -> Result<StemmerOverride> {
        let mut rules = HashMap::new();
        for line in lines {
            let bad = || Error::illegal_argument(format!("Invalid Keyword override Rule:{line}"));
            let (left, right) = line.split_once("=>").ok_or_else(bad)?;
            let stem = right.trim();
            if stem.is_empty() || left.trim().is_empty() || right.contains("=>") || stem.contains(',') {
                return Err(bad());
            }
            for word in left.split(',').map(str::trim) {
                if word.is_empty() {
                    return Err(bad());
                }
                rules.entry(word.to_owned()).or_insert_with(|| stem.to_owned());
            }
        }
        Ok(StemmerOverride { rules })
    }
}

impl WordFilter for StemmerOverride {
    fn apply(&self, word: &mut Word) -> Fate {
        if !word.keyword
            && let Some(stem) = self.rules.get(&word.text)
        {
            word.text.clone_from(stem);
            word.keyword = true;
        }
        Fate::Kept
    }
}
