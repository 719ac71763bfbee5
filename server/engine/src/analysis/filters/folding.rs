//! `asciifolding`: letters with marks become the letters without.

use crate::analysis::chain::{Expander, ExpanderFactory, Fate, Queue, WordFilter};
use crate::analysis::token::Word;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What each letter folds to. A line of the file holds the plain text and the letters that fold to it.
static TABLE: LazyLock<HashMap<char, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("folding.txt").lines().filter_map(|line| line.split_once('\t'));
    lines.flat_map(|(plain, letters)| letters.chars().map(move |letter| (letter, plain))).collect()
});

/// Folds each word.
#[derive(Debug)]
pub(in crate::analysis) struct AsciiFolding;

/// The folded text; `None` where nothing folds.
pub(in crate::analysis) fn folded(text: &str) -> Option<String> {
    if text.is_ascii() || !text.chars().any(|letter| !letter.is_ascii() && TABLE.contains_key(&letter)) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match TABLE.get(&letter) {
            Some(plain) if !letter.is_ascii() => out.push_str(plain),
            _ => out.push(letter),
        }
    }
    Some(out)
}

impl WordFilter for AsciiFolding {
    fn apply(&self, word: &mut Word) -> Fate {
        if let Some(text) = folded(&word.text) {
            word.text = text;
        }
        Fate::Kept
    }
}

/// Folds each word and gives the unfolded one behind it.
#[derive(Debug)]
pub(in crate::analysis) struct FoldingBeside;

struct Beside;

impl ExpanderFactory for FoldingBeside {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(Beside)
    }
}

impl Expander for Beside {
    fn push(&mut self, word: Word, out: &mut Queue) {
        match folded(&word.text) {
            Some(text) => {
                out.push_back(word.with_text(text));
                out.push_back(Word { increment: 0, ..word });
            }
            None => out.push_back(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_dropped() {
        for (word, expected) in [("Café", "Cafe"), ("Straße", "Strasse"), ("Ærø", "AEro"), ("⑴", "(1)")] {
            assert_eq!(folded(word).as_deref(), Some(expected));
        }
        assert_eq!(folded("日本"), None);
    }
}
