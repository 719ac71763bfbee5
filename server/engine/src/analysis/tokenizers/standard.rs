//! The `standard` tokenizer: words by the word-boundary rules of Unicode (UAX #29), the longest at each place.
//!
//! Every character has a class. ASCII, where most words are, goes by a table of 128 bytes; the other characters by a table
//! made from Unicode's properties. A word longer than the limit is cut in pieces.

use super::unicode_classes::{Class, class_of, joins_nothing};
use crate::analysis::chain::{Cut, Tokenizer};
use crate::analysis::token::{TokenKind, Word};

/// The longest token of the tokenizers that have a limit, in UTF-16 units.
pub(in crate::analysis) const TOKEN_LENGTH_MAX: usize = 255;

/// Words by UAX #29.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct Standard {
    /// Longer words are cut in pieces, in UTF-16 units.
    pub(in crate::analysis) token_length_max: usize,
}

impl Tokenizer for Standard {
    fn start(&self) -> Box<dyn Cut + '_> {
        Box::new(StandardCut { length_max: self.token_length_max, at: 0 })
    }
}

struct StandardCut {
    length_max: usize,
    /// Where the next look begins.
    at: usize,
}

impl Cut for StandardCut {
    fn next(&mut self, text: &str, word: &mut Word) -> bool {
        let Some((start, end, kind)) = next_word(text, self.at, self.length_max) else { return false };
        self.at = end;
        word.set(text.get(start..end).unwrap_or_default(), start, end, kind);
        true
    }
}

/// The byte at which a text has had as many units as the limit, or one less where a character would be torn; `None` if it
/// is shorter.
pub(super) fn unit_boundary(text: &str, units_max: usize) -> Option<usize> {
    let mut units = 0;
    for (byte, letter) in text.char_indices() {
        units += letter.len_utf16();
        if units > units_max {
            // A limit of one unit must still get over a character of two.
            return Some(if byte == 0 { letter.len_utf8() } else { byte }).filter(|end| *end < text.len());
        }
    }
    None
}

/// First byte, byte after the last and kind of the next word from `at` on, of at most so many units: no word is seen in more
/// of the text than that, so that a longer one goes on as if it began there.
pub(super) fn next_word(text: &str, mut at: usize, length_max: usize) -> Option<(usize, usize, TokenKind)> {
    let bytes = text.as_bytes();
    loop {
        // ASCII that begins no word is passed over byte by byte.
        while bytes.get(at).is_some_and(|byte| joins_nothing(*byte)) {
            at += 1;
        }
        if let Some((end, kind)) = ascii_word(bytes, at)
            && end - at <= length_max
        {
            return Some((at, end, kind));
        }
        let (class, after) = look(text, at)?;
        let seen = window(text, at, length_max);
        let mut found = word_at(seen, at, class, after);
        // A unit is at least a byte, so that the bytes alone tell that most words are short enough.
        if let Some((end, _)) = found
            && end - at > length_max
            && let Some(length) = unit_boundary(text.get(at..end).unwrap_or_default(), length_max)
        {
            found = word_at(text.get(..at + length).unwrap_or_default(), at, class, after);
        }
        match found {
            Some((end, kind)) => return Some((at, end, kind)),
            None => at = after,
        }
    }
}

/// What an ASCII byte is in a word: letter, digit, underscore, or something that may join or belong to a word.
const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const UNDERSCORE: u8 = 4;
const JOINER: u8 = 8;
const NOT_ASCII: u8 = 16;

static ASCII: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 256")]
        let letter = byte as u8;
        table[byte] = match letter {
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'0'..=b'9' => DIGIT,
            b'_' => UNDERSCORE,
            b'.' | b'\'' | b':' | b',' | b';' => JOINER,
            128.. => NOT_ASCII,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// The word that begins here, where ASCII letters and digits are all of it: so are most. `None` where the rules must be asked.
fn ascii_word(bytes: &[u8], at: usize) -> Option<(usize, TokenKind)> {
    let sort = |at: usize| bytes.get(at).and_then(|byte| ASCII.get(usize::from(*byte))).copied().unwrap_or(0);
    let (mut seen, mut end) = (0, at);
    loop {
        let next = sort(end);
        if next & (LETTER | DIGIT | UNDERSCORE) == 0 {
            // What joins does so only before another letter or digit.
            let ends_here = next == 0 || next == JOINER && sort(end + 1) & (LETTER | DIGIT | UNDERSCORE | NOT_ASCII) == 0;
            if !ends_here {
                return None;
            }
            break;
        }
        seen |= next;
        end += 1;
    }
    if seen & LETTER != 0 {
        Some((end, TokenKind::ALPHANUM))
    } else if seen & DIGIT != 0 {
        Some((end, TokenKind::NUM))
    } else {
        None
    }
}

/// The text up to where a word that begins at `at` must have ended: no unit is more than three bytes.
fn window(text: &str, at: usize, length_max: usize) -> &str {
    let mut end = at.saturating_add(length_max.saturating_mul(3)).saturating_add(4);
    if end >= text.len() {
        return text;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    text.get(..end).unwrap_or(text)
}

/// The class of the character at a byte, and the byte after it; `None` at the end.
fn look(text: &str, at: usize) -> Option<(Class, usize)> {
    match text.as_bytes().get(at)? {
        byte if byte.is_ascii() => Some((Class::of_ascii(*byte), at + 1)),
        _ => {
            let letter = text.get(at..)?.chars().next()?;
            Some((class_of(letter), at + letter.len_utf8()))
        }
    }
}

/// The same past the marks that belong to the character.
fn look_with_marks(text: &str, at: usize) -> Option<(Class, usize)> {
    let (class, mut after) = look(text, at)?;
    loop {
        // No mark is ASCII.
        if text.as_bytes().get(after).is_none_or(u8::is_ascii) {
            return Some((class, after));
        }
        match look(text, after) {
            Some((next, end)) if next.is_mark() => after = end,
            _ => return Some((class, after)),
        }
    }
}

/// The longest word that begins here, and what it is.
fn word_at(text: &str, at: usize, class: Class, after: usize) -> Option<(usize, TokenKind)> {
    match class {
        Class::ALetter | Class::Hebrew | Class::Numeric | Class::Katakana | Class::Hangul | Class::ExtendNumLet => {
            let word = run(text, at);
            if class == Class::Numeric {
                // A digit with a keycap on it is a picture.
                return longer(keycap(text, at, after), word);
            }
            word
        }
        Class::PictureLetter => longer(picture(text, at), run(text, at)),
        Class::Han => look_with_marks(text, at).map(|(_, end)| (end, TokenKind::IDEOGRAPHIC)),
        Class::Hiragana => look_with_marks(text, at).map(|(_, end)| (end, TokenKind::HIRAGANA)),
        Class::Complex | Class::ComplexMark => {
            let mut end = at;
            while let Some((Class::Complex | Class::ComplexMark, next)) = look_with_marks(text, end) {
                end = next;
            }
            Some((end, TokenKind::SOUTH_EAST_ASIAN))
        }
        Class::Regional => {
            let (_, first) = look_with_marks(text, at)?;
            match look_with_marks(text, first) {
                Some((Class::Regional, end)) => Some((end, TokenKind::EMOJI)),
                _ => None,
            }
        }
        Class::Pictographic | Class::SkinTone => picture(text, at),
        Class::KeycapBase => keycap(text, at, after),
        Class::Other
        | Class::MidLetter
        | Class::MidNum
        | Class::MidNumLet
        | Class::SingleQuote
        | Class::DoubleQuote
        | Class::Mark
        | Class::Joiner
        | Class::Presentation
        | Class::Keycap
        | Class::Tag => None,
    }
}

fn longer(first: Option<(usize, TokenKind)>, second: Option<(usize, TokenKind)>) -> Option<(usize, TokenKind)> {
    match (first, second) {
        (Some(first), Some(second)) if second.0 > first.0 => Some(second),
        (None, second) => second,
        (first, _) => first,
    }
}

/// `1️⃣`: a digit or sign, perhaps the sign for pictures, a keycap.
fn keycap(text: &str, _at: usize, after: usize) -> Option<(usize, TokenKind)> {
    match look(text, after)? {
        (Class::Keycap, end) => Some((end, TokenKind::EMOJI)),
        (Class::Presentation, end) => match look(text, end)? {
            (Class::Keycap, end) => Some((end, TokenKind::EMOJI)),
            _ => None,
        },
        _ => None,
    }
}

/// A picture with its skin tone, presentation, tags, and further pictures joined to it.
fn picture(text: &str, at: usize) -> Option<(usize, TokenKind)> {
    let mut end = at;
    loop {
        let (class, after) = look(text, end)?;
        if !matches!(class, Class::Pictographic | Class::SkinTone | Class::PictureLetter) {
            return (end > at).then_some((end, TokenKind::EMOJI));
        }
        end = after;
        if let Some((Class::SkinTone, after)) = look(text, end) {
            end = after;
        }
        let mut joined = None;
        while let Some((class, after)) = look(text, end) {
            if !class.is_mark() {
                break;
            }
            joined = (class == Class::Joiner).then_some(after);
            end = after;
        }
        // Only a joiner that stands last joins what follows.
        let Some(next) = joined else { return Some((end, TokenKind::EMOJI)) };
        match look(text, next) {
            Some((Class::Pictographic | Class::SkinTone | Class::PictureLetter, _)) => end = next,
            _ => return Some((end, TokenKind::EMOJI)),
        }
    }
}

/// A run of letters, digits and what holds them together.
fn run(text: &str, at: usize) -> Option<(usize, TokenKind)> {
    let (mut letters, mut digits, mut katakana, mut hangul, mut joiners) = (false, false, false, false, false);
    let mut previous = Class::Other;
    let (mut position, mut end) = (at, None);
    while let Some((class, after)) = look_with_marks(text, position) {
        let goes_on = match class {
            Class::ALetter | Class::PictureLetter | Class::Hebrew | Class::Hangul => {
                if previous == Class::Katakana {
                    false
                } else {
                    letters = true;
                    hangul |= class == Class::Hangul;
                    joiners |= class != Class::Hangul;
                    true
                }
            }
            Class::Numeric => {
                if previous == Class::Katakana {
                    false
                } else {
                    digits = true;
                    true
                }
            }
            Class::Katakana => {
                if matches!(previous, Class::Katakana | Class::ExtendNumLet | Class::Other) {
                    katakana = true;
                    true
                } else {
                    false
                }
            }
            Class::ExtendNumLet => {
                joiners = true;
                true
            }
            Class::MidLetter | Class::MidNumLet | Class::SingleQuote | Class::MidNum | Class::DoubleQuote => {
                let next = look_with_marks(text, after);
                let (next_class, next_end) = next.unwrap_or((Class::Other, after));
                let is_letter = |class| matches!(class, Class::ALetter | Class::PictureLetter | Class::Hebrew | Class::Hangul);
                let joins_letters = class != Class::MidNum && class != Class::DoubleQuote && is_letter(previous) && is_letter(next_class);
                let joins_digits = matches!(class, Class::MidNum | Class::MidNumLet | Class::SingleQuote)
                    && previous == Class::Numeric
                    && next_class == Class::Numeric;
                let joins_hebrew = class == Class::DoubleQuote && previous == Class::Hebrew && next_class == Class::Hebrew;
                if joins_letters || joins_digits || joins_hebrew {
                    joiners |= !joins_digits;
                    hangul |= next_class == Class::Hangul;
                    previous = next_class;
                    position = next_end;
                    end = Some(position);
                    continue;
                }
                if class == Class::SingleQuote && previous == Class::Hebrew {
                    // The geresh belongs to the letter before it, whatever follows.
                    joiners = true;
                    true
                } else {
                    false
                }
            }
            _ => false,
        };
        if !goes_on {
            break;
        }
        previous = class;
        position = after;
        if letters || digits || katakana {
            end = Some(position);
        }
    }
    let kind = if letters {
        if hangul && !joiners && !digits { TokenKind::HANGUL } else { TokenKind::ALPHANUM }
    } else if katakana {
        if joiners || digits { TokenKind::ALPHANUM } else { TokenKind::KATAKANA }
    } else {
        TokenKind::NUM
    };
    end.map(|end| (end, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(&str, &'static str)> {
        let (mut at, mut found) = (0, Vec::new());
        while let Some((start, end, kind)) = next_word(text, at, TOKEN_LENGTH_MAX) {
            found.push((&text[start..end], kind.name()));
            at = end;
        }
        found
    }

    #[test]
    fn a_dot_between_katakana_is_no_word() {
        assert_eq!(words("アス・サムー"), [("アス", "<KATAKANA>"), ("サムー", "<KATAKANA>")]);
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_through_ascii_ends_where_the_rules_end(text in "[a-cA-C0-2_.,:;' \"\\-\r\n@é\u{301}]{0,40}") {
            for (start, _) in text.char_indices() {
                let (class, after) = look(&text, start).unwrap();
                if let Some(short) = ascii_word(text.as_bytes(), start) {
                    proptest::prop_assert_eq!(Some(short), word_at(&text, start, class, after));
                }
            }
        }
    }

    #[test]
    fn long_words_are_cut_between_characters() {
        assert_eq!(unit_boundary("aa😀", 3), Some(2));
        assert_eq!(unit_boundary("😀a", 1), Some(4));
        assert_eq!(unit_boundary("aa", 2), None);
    }
}
