//! Sets of characters by their Unicode properties, as bits.

use regex_syntax::hir::{Class, HirKind};
use std::sync::LazyLock;

/// A set of characters.
pub(super) struct CharSet {
    bits: Vec<u64>,
}

impl CharSet {
    /// The characters of a class, written as in a regular expression.
    ///
    /// # Panics
    /// A class that does not exist: a mistake in this file.
    fn of(class: &str) -> CharSet {
        let hir = regex_syntax::parse(class).expect("the classes are written below and known to the library");
        let mut bits = vec![0_u64; 0x11_0000 / 64];
        if let HirKind::Class(Class::Unicode(ranges)) = hir.kind() {
            for code in ranges.iter().flat_map(|range| range.start() as u32..=range.end() as u32) {
                if let Some(word) = bits.get_mut(code as usize / 64) {
                    *word |= 1 << (code % 64);
                }
            }
        }
        CharSet { bits }
    }

    /// Whether the character is one of them.
    pub(super) fn contains(&self, letter: char) -> bool {
        let code = letter as usize;
        self.bits.get(code / 64).is_some_and(|word| word >> (code % 64) & 1 == 1)
    }
}

static LETTERS: LazyLock<CharSet> = LazyLock::new(|| CharSet::of(r"\p{L}"));
static DIGITS: LazyLock<CharSet> = LazyLock::new(|| CharSet::of(r"\p{Nd}"));
static PUNCTUATION: LazyLock<CharSet> = LazyLock::new(|| CharSet::of(r"\p{P}"));
static SYMBOLS: LazyLock<CharSet> = LazyLock::new(|| CharSet::of(r"\p{S}"));

/// What Java calls a letter.
pub(super) fn is_letter(letter: char) -> bool {
    if letter.is_ascii() { letter.is_ascii_alphabetic() } else { LETTERS.contains(letter) }
}

/// What Java calls a digit.
pub(super) fn is_digit(letter: char) -> bool {
    if letter.is_ascii() { letter.is_ascii_digit() } else { DIGITS.contains(letter) }
}

/// Punctuation of every kind.
pub(super) fn is_punctuation(letter: char) -> bool {
    PUNCTUATION.contains(letter)
}

/// Symbols of every kind.
pub(super) fn is_symbol(letter: char) -> bool {
    SYMBOLS.contains(letter)
}

/// Java's whitespace: blanks that forbid a line break are none.
pub(super) fn is_blank(letter: char) -> bool {
    letter.is_whitespace() && !matches!(letter, '\u{A0}' | '\u{2007}' | '\u{202F}' | '\u{85}') || matches!(letter, '\u{1C}'..='\u{1F}')
}

/// Lowercases one character as Java does: none becomes two.
pub(super) fn lowercase(letter: char) -> char {
    // The dotted capital I is the one letter whose lowercase is two.
    letter.to_lowercase().next().unwrap_or(letter)
}

/// Uppercases one character as Java does: what would become two stays.
pub(super) fn uppercase(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) => single,
        // The letters with a small iota have a capital of one letter too.
        _ => match letter {
            'ᾀ'..='ᾇ' | 'ᾐ'..='ᾗ' | 'ᾠ'..='ᾧ' => char::from_u32(u32::from(letter) + 8).unwrap_or(letter),
            'ᾳ' | 'ῃ' | 'ῳ' => char::from_u32(u32::from(letter) + 9).unwrap_or(letter),
            other => other,
        },
    }
}

/// Lowercases a word in place, letter by letter.
pub(super) fn lowercase_word(word: &mut String) {
    if word.is_ascii() {
        word.make_ascii_lowercase();
    } else if word.chars().any(|letter| lowercase(letter) != letter) {
        *word = word.chars().map(lowercase).collect();
    }
}

static MARKS: LazyLock<CharSet> = LazyLock::new(|| CharSet::of(r"\p{M}"));

/// Marks that are set on other characters.
pub(super) fn is_mark(letter: char) -> bool {
    MARKS.contains(letter)
}
