//! Where the parts of a word begin and end, for the word delimiters.

use crate::analysis::charset::is_letter;
use std::collections::HashMap;
use tandem_common::{Error, Result};

/// What characters are, and where a word is cut.
#[derive(Clone, Debug, Default)]
pub(in crate::analysis) struct Types {
    /// Characters that settings say something about.
    pub(in crate::analysis) table: HashMap<char, u8>,
    pub(in crate::analysis) split_on_case_change: bool,
    pub(in crate::analysis) split_on_numerics: bool,
    /// `'s` goes.
    pub(in crate::analysis) stem_possessive: bool,
}

impl Types {
    const LOWER: u8 = 1;
    const UPPER: u8 = 2;
    pub(super) const ALPHA: u8 = 3;
    pub(super) const DIGIT: u8 = 4;
    const DELIMITER: u8 = 8;

    /// Rules like `$ => DIGIT`.
    ///
    /// # Errors
    /// A rule that is none.
    pub(in crate::analysis) fn read_table(rules: &[String]) -> Result<HashMap<char, u8>> {
        let mut table = HashMap::new();
        for rule in rules {
            let bad = |what: &str| Error::illegal_argument(format!("Invalid Mapping Rule : [{rule}]{what}"));
            let (left, right) = rule.rsplit_once("=>").ok_or_else(|| bad(""))?;
            let text = unescaped(left.trim());
            let mut letters = text.chars();
            let (Some(letter), None) = (letters.next(), letters.next()) else {
                return Err(bad(". Only a single character is allowed."));
            };
            let kind = match right.trim() {
                "LOWER" => Types::LOWER,
                "UPPER" => Types::UPPER,
                "ALPHA" => Types::ALPHA,
                "DIGIT" => Types::DIGIT,
                "ALPHANUM" => Types::ALPHA | Types::DIGIT,
                "SUBWORD_DELIM" => Types::DELIMITER,
                _ => return Err(bad(". Illegal type.")),
            };
            table.insert(letter, kind);
        }
        Ok(table)
    }

    fn of(&self, letter: char) -> u8 {
        if let Some(kind) = self.table.get(&letter) {
            return *kind;
        }
        if letter.is_ascii_lowercase() {
            Types::LOWER
        } else if letter.is_ascii_uppercase() {
            Types::UPPER
        } else if letter.is_ascii_digit() {
            Types::DIGIT
        } else if letter.is_ascii() {
            Types::DELIMITER
        } else if u32::from(letter) < 0x100 && self.table.is_empty() {
            // The first two hundred and fifty-six have a table of their own, in which fractions are signs; settings replace it.
            if letter.is_lowercase() {
                Types::LOWER
            } else if letter.is_uppercase() {
                Types::UPPER
            } else {
                Types::DELIMITER
            }
        } else if u32::from(letter) > 0xFFFF {
            // Characters of two units are not told apart.
            Types::ALPHA | Types::DIGIT
        } else if is_letter(letter) {
            if letter.is_lowercase() {
                Types::LOWER
            } else if letter.is_uppercase() {
                Types::UPPER
            } else {
                Types::ALPHA
            }
        } else if letter.is_numeric() {
            Types::DIGIT
        } else if letter.is_alphabetic() || crate::analysis::charset::is_mark(letter) {
            Types::ALPHA
        } else {
            Types::DELIMITER
        }
    }

    fn breaks(&self, last: u8, kind: u8) -> bool {
        if last & kind != 0 {
            return false;
        }
        let (alpha, digit) = (Types::ALPHA, Types::DIGIT);
        if !self.split_on_case_change && last & alpha != 0 && kind & alpha != 0 {
            return false;
        }
        if last & Types::UPPER != 0 && kind & alpha != 0 {
            return false;
        }
        if !self.split_on_numerics && (last & alpha != 0 && kind & digit != 0 || last & digit != 0 && kind & alpha != 0) {
            return false;
        }
        true
    }
}

fn unescaped(text: &str) -> String {
    let mut letters = text.chars();
    if letters.next() != Some('\\') {
        return text.to_owned();
    }
    match letters.next() {
        Some('n') => "\n".into(),
        Some('t') => "\t".into(),
        Some('r') => "\r".into(),
        Some('b') => "\u{8}".into(),
        Some('f') => "\u{C}".into(),
        Some('u') => {
            let code = u32::from_str_radix(letters.as_str(), 16).ok().and_then(char::from_u32);
            code.map_or_else(|| text.to_owned(), String::from)
        }
        Some(other) => other.into(),
        None => text.to_owned(),
    }
}

/// Walks over the parts of a word. Places are counted in characters.
pub(super) struct Subwords<'a> {
    types: &'a Types,
    letters: Vec<(char, u8)>,
    /// The UTF-16 unit at which each character begins, and the end.
    units: Vec<usize>,
    /// Signs around the word are outside.
    first: usize,
    last: usize,
    final_possessive: bool,
    current: Option<(usize, usize)>,
    skip_possessive: bool,
}

impl<'a> Subwords<'a> {
    /// Stands at the first part.
    pub(super) fn new(text: &str, types: &'a Types) -> Subwords<'a> {
        let letters: Vec<(char, u8)> = text.chars().map(|letter| (letter, types.of(letter))).collect();
        let mut units = Vec::with_capacity(letters.len() + 1);
        let mut unit = 0;
        for (letter, _) in &letters {
            units.push(unit);
            unit += letter.len_utf16();
        }
        units.push(unit);
        let is_sign = |(_, kind): &(char, u8)| kind & Types::DELIMITER != 0;
        let first = letters.iter().take_while(|letter| is_sign(letter)).count();
        let behind = letters.iter().rev().take_while(|letter| is_sign(letter)).count();
        let last = (letters.len() - behind).max(first);
        let mut subwords = Subwords { types, letters, units, first, last, final_possessive: false, current: None, skip_possessive: false };
        if subwords.ends_with_possessive(last) {
            subwords.final_possessive = true;
        }
        subwords.find(first);
        subwords
    }

    fn kind_at(&self, place: usize) -> u8 {
        self.letters.get(place).map_or(Types::DELIMITER, |(_, kind)| *kind)
    }

    fn ends_with_possessive(&self, place: usize) -> bool {
        let letter = |back: usize| place.checked_sub(back).and_then(|at| self.letters.get(at));
        self.types.stem_possessive
            && place > 2
            && letter(2).is_some_and(|(letter, _)| *letter == '\'')
            && letter(1).is_some_and(|(letter, _)| matches!(letter, 's' | 'S'))
            && letter(3).is_some_and(|(_, kind)| kind & Types::ALPHA != 0)
            && (place == self.last || self.kind_at(place) & Types::DELIMITER != 0)
    }

    fn bound(&self) -> usize {
        if self.final_possessive { self.last - 2 } else { self.last }
    }

    fn find(&mut self, from: usize) {
        let bound = self.bound();
        let mut start = from;
        if std::mem::take(&mut self.skip_possessive) {
            start += 2;
        }
        while start < bound && self.kind_at(start) & Types::DELIMITER != 0 {
            start += 1;
        }
        if start >= bound {
            self.current = None;
            return;
        }
        let mut kind = self.kind_at(start);
        let mut end = start + 1;
        while end < bound {
            let next = self.kind_at(end);
            if self.types.breaks(kind, next) {
                break;
            }
            kind = next;
            end += 1;
        }
        self.skip_possessive = end + 1 < bound && self.ends_with_possessive(end + 2);
        self.current = Some((start, end));
    }

    /// The part it stands at; `None` behind the last.
    pub(super) fn current(&self) -> Option<(usize, usize)> {
        self.current
    }

    /// Goes to the next part.
    pub(super) fn advance(&mut self) {
        if let Some((_, end)) = self.current {
            self.find(end);
        }
    }

    /// What the part is made of, by its first character.
    pub(super) fn kind(&self) -> u8 {
        let kind = self.current.map_or(0, |(start, _)| self.kind_at(start));
        if matches!(kind, Types::LOWER | Types::UPPER) { Types::ALPHA } else { kind }
    }

    /// Whether the part is the whole word as it was given.
    pub(super) fn is_whole(&self) -> bool {
        self.current == Some((0, self.letters.len()))
    }

    /// Whether there is one part and signs around it.
    pub(super) fn is_single_word(&self) -> bool {
        self.current == Some((self.first, self.bound()))
    }

    /// The characters of a part.
    pub(super) fn text(&self, start: usize, end: usize) -> String {
        self.letters.get(start..end).unwrap_or_default().iter().map(|(letter, _)| letter).collect()
    }

    /// The UTF-16 unit of a character.
    pub(super) fn unit(&self, place: usize) -> usize {
        self.units.get(place).copied().unwrap_or(0)
    }
}
