//! Filters that change the letters of a word: `lowercase`, `uppercase`, `trim`, `reverse`, `truncate`, `length`,
//! `decimal_digit`, `apostrophe`, `classic`, `elision`, `cjk_width`.

use crate::analysis::chain::{Fate, WordFilter, utf16_length};
use crate::analysis::charset::{lowercase, lowercase_word, uppercase};
use crate::analysis::token::{TokenKind, Word};
use std::collections::HashSet;
use std::sync::Arc;

/// How letters become small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::analysis) enum Lowercase {
    Plain,
    Greek,
    Irish,
    Turkish,
}

impl WordFilter for Lowercase {
    fn apply(&self, word: &mut Word) -> Fate {
        match self {
            Lowercase::Plain => lowercase_word(&mut word.text),
            Lowercase::Greek => word.text = word.text.chars().map(greek).collect(),
            Lowercase::Irish => irish(&mut word.text),
            Lowercase::Turkish => turkish(&mut word.text),
        }
        Fate::Kept
    }
}

/// Small, without marks, with one sigma.
fn greek(letter: char) -> char {
    match letter {
        'ς' => 'σ',
        'Ά' | 'ά' => 'α',
        'Έ' | 'έ' => 'ε',
        'Ή' | 'ή' => 'η',
        'Ί' | 'Ϊ' | 'ί' | 'ϊ' | 'ΐ' => 'ι',
        'Ύ' | 'Ϋ' | 'ύ' | 'ϋ' | 'ΰ' => 'υ',
        'Ό' | 'ό' => 'ο',
        'Ώ' | 'ώ' => 'ω',
        '\u{3A2}' => 'ς',
        other => lowercase(other),
    }
}

/// `nAthair` is `n-athair`.
fn irish(text: &mut String) {
    let mut letters = text.chars();
    let (first, second) = (letters.next(), letters.next());
    let vowel = second.is_some_and(|letter| matches!(letter, 'A' | 'E' | 'I' | 'O' | 'U' | 'Á' | 'É' | 'Í' | 'Ó' | 'Ú'));
    let small = |letter: char| if u32::from(letter) < 0x1_0000 { lowercase(letter) } else { letter };
    let lowered: String = match first {
        Some(prefix @ ('t' | 'n')) if vowel => {
            let rest = text.get(prefix.len_utf8()..).unwrap_or_default();
            [prefix, '-'].into_iter().chain(rest.chars().map(small)).collect()
        }
        _ => text.chars().map(small).collect(),
    };
    *text = lowered;
}

/// `I` is `ı`, `İ` is `i`; a dot above that follows an `I` is taken in.
fn turkish(text: &mut String) {
    let mut out = String::with_capacity(text.len());
    let letters: Vec<char> = text.chars().collect();
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        at += 1;
        match letter {
            'I' => {
                // Other marks may stand between the letter and its dot.
                let marks = letters.iter().skip(at).take_while(|letter| is_mark(**letter));
                match marks.clone().position(|mark| *mark == '\u{307}') {
                    Some(dot) => {
                        out.push('i');
                        out.extend(marks.take(dot));
                        at += dot + 1;
                    }
                    None => out.push('ı'),
                }
            }
            'İ' => out.push('i'),
            other => out.push(lowercase(other)),
        }
    }
    *text = out;
}

fn is_mark(letter: char) -> bool {
    matches!(u32::from(letter), 0x300..=0x36F)
}

/// Capital letters.
#[derive(Debug)]
pub(in crate::analysis) struct Uppercase;

impl WordFilter for Uppercase {
    fn apply(&self, word: &mut Word) -> Fate {
        if word.text.is_ascii() {
            word.text.make_ascii_uppercase();
        } else {
            word.text = word.text.chars().map(uppercase).collect();
        }
        Fate::Kept
    }
}

/// No blanks around.
#[derive(Debug)]
pub(in crate::analysis) struct Trim;

impl WordFilter for Trim {
    fn apply(&self, word: &mut Word) -> Fate {
        let trimmed = word.text.trim_matches(crate::analysis::charset::is_blank);
        if trimmed.len() != word.text.len() {
            word.text = trimmed.to_owned();
        }
        Fate::Kept
    }
}

/// The letters from the last to the first.
#[derive(Debug)]
pub(in crate::analysis) struct Reverse;

impl WordFilter for Reverse {
    fn apply(&self, word: &mut Word) -> Fate {
        word.text = word.text.chars().rev().collect();
        Fate::Kept
    }
}

/// At most so many units; words that stemmers leave alone stay whole.
#[derive(Debug)]
pub(in crate::analysis) struct Truncate(pub(in crate::analysis) usize);

impl WordFilter for Truncate {
    fn apply(&self, word: &mut Word) -> Fate {
        if !word.keyword && word.text.len() > self.0 {
            let mut units = 0;
            let cut = word.text.char_indices().find_map(|(byte, letter)| {
                units += letter.len_utf16();
                (units > self.0).then_some(byte)
            });
            if let Some(byte) = cut {
                word.text.truncate(byte);
            }
        }
        Fate::Kept
    }
}

/// Words of some lengths, in units.
#[derive(Debug)]
pub(in crate::analysis) struct Length {
    pub(in crate::analysis) min: usize,
    pub(in crate::analysis) max: usize,
}

impl WordFilter for Length {
    fn apply(&self, word: &mut Word) -> Fate {
        if (self.min..=self.max).contains(&utf16_length(&word.text)) { Fate::Kept } else { Fate::Dropped }
    }
}

/// Digits of every script become ASCII.
#[derive(Debug)]
pub(in crate::analysis) struct DecimalDigit;

impl WordFilter for DecimalDigit {
    fn apply(&self, word: &mut Word) -> Fate {
        if !word.text.is_ascii() {
            word.text = word.text.chars().map(ascii_digit).collect();
        }
        Fate::Kept
    }
}

/// The ASCII digit that a digit stands for; other characters stay.
fn ascii_digit(letter: char) -> char {
    use crate::analysis::charset::is_digit;
    if letter.is_ascii() || !is_digit(letter) {
        return letter;
    }
    // The ten digits of a script stand in a row, and rows may follow each other.
    let before = (1..).take_while(|back| u32::from(letter).checked_sub(*back).and_then(char::from_u32).is_some_and(is_digit));
    let value = before.count() % 10;
    u32::try_from(value).ok().and_then(|value| char::from_digit(value, 10)).unwrap_or(letter)
}

/// What stands before an apostrophe.
#[derive(Debug)]
pub(in crate::analysis) struct Apostrophe;

impl WordFilter for Apostrophe {
    fn apply(&self, word: &mut Word) -> Fate {
        if let Some(at) = word.text.find(['\'', '\u{2019}']) {
            word.text.truncate(at);
        }
        Fate::Kept
    }
}

/// `'s` goes from words with an apostrophe, dots from acronyms.
#[derive(Debug)]
pub(in crate::analysis) struct Classic;

impl WordFilter for Classic {
    fn apply(&self, word: &mut Word) -> Fate {
        if word.kind == TokenKind::APOSTROPHE && (word.text.ends_with("'s") || word.text.ends_with("'S")) {
            word.text.truncate(word.text.len() - 2);
        } else if word.kind == TokenKind::ACRONYM {
            word.text.retain(|letter| letter != '.');
        }
        Fate::Kept
    }
}

/// `l'avion` is `avion`.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct Elision {
    pub(in crate::analysis) articles: Arc<HashSet<String>>,
    pub(in crate::analysis) ignore_case: bool,
}

impl WordFilter for Elision {
    fn apply(&self, word: &mut Word) -> Fate {
        if let Some(at) = word.text.find(['\'', '\u{2019}']) {
            let article = word.text.get(..at).unwrap_or_default();
            let known = if self.ignore_case {
                self.articles.contains(&article.chars().map(lowercase).collect::<String>())
            } else {
                self.articles.contains(article)
            };
            if known {
                let rest = word.text.get(at..).unwrap_or_default();
                let apostrophe = rest.chars().next().map_or(0, char::len_utf8);
                word.text.drain(..at + apostrophe);
            }
        }
        Fate::Kept
    }
}

/// Wide ASCII becomes narrow, narrow katakana wide.
#[derive(Debug)]
pub(in crate::analysis) struct CjkWidth;

/// The wide katakana from U+FF65 on.
const WIDE_KATAKANA: &str =
    "・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン\u{3099}\u{309A}";

impl WordFilter for CjkWidth {
    fn apply(&self, word: &mut Word) -> Fate {
        if !word.text.chars().any(|letter| matches!(letter, '\u{FF01}'..='\u{FF5E}' | '\u{FF65}'..='\u{FF9F}')) {
            return Fate::Kept;
        }
        let mut out = String::with_capacity(word.text.len());
        for letter in word.text.chars() {
            let code = u32::from(letter);
            match letter {
                '\u{FF01}'..='\u{FF5E}' => out.push(char::from_u32(code - 0xFEE0).unwrap_or(letter)),
                '\u{FF9E}' | '\u{FF9F}' => {
                    let before = out.chars().next_back();
                    match before.and_then(|before| voiced(before, letter == '\u{FF9E}')) {
                        Some(voiced) => {
                            out.pop();
                            out.push(voiced);
                        }
                        None => out.extend(wide(code)),
                    }
                }
                '\u{FF65}'..='\u{FF9D}' => out.extend(wide(code)),
                other => out.push(other),
            }
        }
        word.text = out;
        Fate::Kept
    }
}

fn wide(code: u32) -> Option<char> {
    WIDE_KATAKANA.chars().nth(usize::try_from(code - 0xFF65).ok()?)
}

/// The letter with the mark that makes it voiced, or half voiced.
fn voiced(letter: char, fully: bool) -> Option<char> {
    if !fully {
        return matches!(letter, 'ハ' | 'ヒ' | 'フ' | 'ヘ' | 'ホ').then(|| char::from_u32(u32::from(letter) + 2)).flatten();
    }
    match letter {
        'ウ' => Some('ヴ'),
        'カ' | 'キ' | 'ク' | 'ケ' | 'コ' | 'サ' | 'シ' | 'ス' | 'セ' | 'ソ' | 'タ' | 'チ' | 'ツ' | 'テ' | 'ト' | 'ハ' | 'ヒ' | 'フ'
        | 'ヘ' | 'ホ' | 'ヽ' => char::from_u32(u32::from(letter) + 1),
        'ワ' => Some('ヷ'),
        'ヰ' => Some('ヸ'),
        'ヱ' => Some('ヹ'),
        'ヲ' => Some('ヺ'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(filter: &dyn WordFilter, text: &str) -> String {
        let mut word = Word { text: text.to_owned(), ..Word::default() };
        filter.apply(&mut word);
        word.text
    }

    #[test]
    fn languages_have_their_own_small_letters() {
        assert_eq!(after(&Lowercase::Turkish, "ISPARTA İZMİR I\u{307}x"), "ısparta izmir ix");
        assert_eq!(after(&Lowercase::Greek, "ΆΪΣς"), "αισσ");
        assert_eq!(after(&Lowercase::Irish, "nAthair tSEAN"), "n-athair tsean");
        assert_eq!(after(&Lowercase::Plain, "Ünï İ"), "ünï i");
    }

    #[test]
    fn letters_are_cut_and_folded() {
        assert_eq!(after(&Truncate(3), "a😀bc"), "a😀");
        assert_eq!(after(&DecimalDigit, "१२٣𝟙"), "1231");
        assert_eq!(after(&Apostrophe, "Türkiye'de"), "Türkiye");
        assert_eq!(after(&CjkWidth, "ＡＢ　ｶﾞｷﾞﾊﾟ"), "AB　ガギパ");
        assert_eq!(after(&Uppercase, "ßᾳé"), "ßᾼÉ");
    }
}
