//! Where tokens begin and end in a text.

use unicode_segmentation::{UWordBoundIndices, UnicodeSegmentation};

/// The longest token of the tokenizers that have a limit, in characters.
pub(super) const TOKEN_LENGTH_MAX: usize = 255;

/// How a text is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenizerKind {
    /// Words by UAX #29; longer ones than the limit are cut in pieces.
    Standard { token_length_max: usize },
    /// At blanks.
    Whitespace { token_length_max: usize },
    /// Runs of letters.
    Letter,
    /// The whole text.
    Keyword,
}

/// What a token is, as `_analyze` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// `<ALPHANUM>`
    AlphaNum,
    /// `<NUM>`
    Num,
    /// `<IDEOGRAPHIC>`
    Ideographic,
    /// `<HIRAGANA>`
    Hiragana,
    /// `<KATAKANA>`
    Katakana,
    /// `<HANGUL>`
    Hangul,
    /// `<SOUTHEAST_ASIAN>`
    SouthEastAsian,
    /// `<EMOJI>`
    Emoji,
    /// `word`, of the other tokenizers.
    Word,
}

impl TokenKind {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            TokenKind::AlphaNum => "<ALPHANUM>",
            TokenKind::Num => "<NUM>",
            TokenKind::Ideographic => "<IDEOGRAPHIC>",
            TokenKind::Hiragana => "<HIRAGANA>",
            TokenKind::Katakana => "<KATAKANA>",
            TokenKind::Hangul => "<HANGUL>",
            TokenKind::SouthEastAsian => "<SOUTHEAST_ASIAN>",
            TokenKind::Emoji => "<EMOJI>",
            TokenKind::Word => "word",
        }
    }
}

/// Walks over a text, one token at a time.
pub(super) struct Cursor<'a> {
    text: &'a str,
    kind: TokenizerKind,
    /// Where the next look begins; for the standard tokenizer the rest of a word that is being cut.
    at: usize,
    /// The end of a word that is being cut, and what it is.
    word: Option<(usize, TokenKind)>,
    bounds: Option<std::iter::Peekable<UWordBoundIndices<'a>>>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(kind: TokenizerKind, text: &'a str) -> Self {
        // Most texts are ASCII, for which the rules are few; the others need the tables.
        let needs_tables = matches!(kind, TokenizerKind::Standard { .. }) && !text.is_ascii();
        let bounds = needs_tables.then(|| text.split_word_bound_indices().peekable());
        Cursor { text, kind, at: 0, word: None, bounds }
    }

    /// First byte, byte after the last, and kind of the next token.
    pub(super) fn next_token(&mut self) -> Option<(usize, usize, TokenKind)> {
        match self.kind {
            TokenizerKind::Standard { token_length_max } => self.next_word(token_length_max),
            TokenizerKind::Whitespace { token_length_max } => self.next_run(|letter| !is_blank(letter), token_length_max),
            TokenizerKind::Letter => self.next_run(char::is_alphabetic, TOKEN_LENGTH_MAX),
            TokenizerKind::Keyword => {
                let done = self.at > 0 || self.text.is_empty();
                self.at = self.text.len();
                (!done).then_some((0, self.text.len(), TokenKind::Word))
            }
        }
    }

    fn next_run(&mut self, belongs: impl Fn(char) -> bool, length_max: usize) -> Option<(usize, usize, TokenKind)> {
        let rest = self.text.get(self.at..)?;
        let start = self.at + rest.find(&belongs)?;
        let rest = self.text.get(start..)?;
        let mut end = self.text.len();
        for (count, (offset, letter)) in rest.char_indices().enumerate() {
            if count == length_max || !belongs(letter) {
                end = start + offset;
                break;
            }
        }
        self.at = end;
        Some((start, end, TokenKind::Word))
    }

    fn next_word(&mut self, length_max: usize) -> Option<(usize, usize, TokenKind)> {
        loop {
            if let Some((end, kind)) = self.word.take() {
                let start = self.at;
                let piece = self.text.get(start..end)?;
                // Most words are short, so the bytes are looked at first.
                let cut = if piece.len() <= length_max { None } else { piece.char_indices().nth(length_max) };
                let Some((length, _)) = cut else {
                    self.at = end;
                    return Some((start, end, kind));
                };
                self.at = start + length;
                self.word = Some((end, kind));
                return Some((start, self.at, kind));
            }
            let Some(bounds) = self.bounds.as_mut() else {
                let (start, end, kind) = next_ascii_word(self.text.as_bytes(), self.at)?;
                self.at = start;
                self.word = Some((end, kind));
                continue;
            };
            let (start, segment) = bounds.next()?;
            let Some(kind) = kind_of(segment) else { continue };
            let mut end = start + segment.len();
            if kind == TokenKind::SouthEastAsian {
                // Scripts without blanks between words stay together; a dictionary would be needed to cut them.
                while let Some((next, segment)) = bounds.next_if(|(_, segment)| kind_of(segment) == Some(TokenKind::SouthEastAsian)) {
                    end = next + segment.len();
                }
            }
            self.at = start;
            self.word = Some((end, kind));
        }
    }
}

/// The next word of an ASCII text from `at` on: the rules of UAX #29 for its 128 characters.
fn next_ascii_word(text: &[u8], mut at: usize) -> Option<(usize, usize, TokenKind)> {
    let belongs = |at: usize| text.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    loop {
        while !belongs(at) {
            at += 1;
            if at >= text.len() {
                return None;
            }
        }
        let start = at;
        let (mut letters, mut digits) = (false, false);
        while let Some(byte) = text.get(at) {
            let next = text.get(at + 1);
            let before = at.checked_sub(1).filter(|before| *before >= start).and_then(|before| text.get(before));
            let between_letters = before.is_some_and(u8::is_ascii_alphabetic) && next.is_some_and(u8::is_ascii_alphabetic);
            let between_digits = before.is_some_and(u8::is_ascii_digit) && next.is_some_and(u8::is_ascii_digit);
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' => letters = true,
                b'0'..=b'9' => digits = true,
                b'_' => {}
                b'.' | b'\'' if between_letters || between_digits => {}
                b':' if between_letters => {}
                b',' | b';' if between_digits => {}
                _ => break,
            }
            at += 1;
        }
        if letters || digits {
            return Some((start, at, if letters { TokenKind::AlphaNum } else { TokenKind::Num }));
        }
    }
}

/// Java's whitespace: blanks that forbid a line break are none.
fn is_blank(letter: char) -> bool {
    letter.is_whitespace() && !matches!(letter, '\u{A0}' | '\u{2007}' | '\u{202F}' | '\u{85}') || matches!(letter, '\u{1C}'..='\u{1F}')
}

/// What a segment between two word boundaries is; `None` for blanks and punctuation.
fn kind_of(segment: &str) -> Option<TokenKind> {
    let mut number = false;
    for letter in segment.chars() {
        if letter.is_ascii() {
            if letter.is_ascii_alphabetic() {
                return Some(TokenKind::AlphaNum);
            }
            number |= letter.is_ascii_digit();
            continue;
        }
        match letter as u32 {
            0x3041..=0x309F | 0x1B001..=0x1B11E | 0x1F200 => return Some(TokenKind::Hiragana),
            0x30A1..=0x30FA | 0x30FC..=0x30FF | 0x31F0..=0x31FF | 0x32D0..=0x3357 | 0xFF66..=0xFF9F => return Some(TokenKind::Katakana),
            0x3005..=0x3007
            | 0x3021..=0x3029
            | 0x3038..=0x303B
            | 0x3400..=0x4DBF
            | 0x4E00..=0x9FFF
            | 0xF900..=0xFAFF
            | 0x20000..=0x3FFFF => {
                return Some(TokenKind::Ideographic);
            }
            0x1100..=0x11FF | 0xA960..=0xA97F | 0xAC00..=0xD7FF => return Some(TokenKind::Hangul),
            0x0E01..=0x0E3A
            | 0x0E40..=0x0E4E
            | 0x0E80..=0x0EBD
            | 0x0EC0..=0x0ECD
            | 0x0EDC..=0x0EDF
            | 0x1000..=0x103F
            | 0x1050..=0x108F
            | 0x1780..=0x17D3
            | 0x19B0..=0x19CF
            | 0x1A20..=0x1A5E
            | 0xAA60..=0xAA7F => return Some(TokenKind::SouthEastAsian),
            _ if letter.is_alphabetic() => return Some(TokenKind::AlphaNum),
            code if letter.is_numeric() && !is_other_number(code) => number = true,
            code if is_emoji(code) && !number => return Some(TokenKind::Emoji),
            _ => {}
        }
    }
    if number {
        // A digit with the keycap on it is a picture.
        return Some(if segment.ends_with('\u{20E3}') { TokenKind::Emoji } else { TokenKind::Num });
    }
    None
}

/// Numbers that are signs rather than digits, such as `½` and `²`, are no words.
fn is_other_number(code: u32) -> bool {
    matches!(code,
        0xB2 | 0xB3 | 0xB9 | 0xBC..=0xBE | 0x9F4..=0x9F9 | 0xB72..=0xB77 | 0xD70..=0xD78 | 0xF2A..=0xF33 | 0x1369..=0x137C
        | 0x2070..=0x2079 | 0x2080..=0x2089 | 0x2150..=0x215F | 0x2189 | 0x2460..=0x249B | 0x24EA..=0x24FF | 0x2776..=0x2793
        | 0x2CFD | 0x3192..=0x3195 | 0x3220..=0x3229 | 0x3248..=0x324F | 0x3251..=0x325F | 0x3280..=0x3289 | 0x32B1..=0x32BF
        | 0x1F100..=0x1F10C)
}

/// Characters that are shown as pictures: Unicode's `Extended_Pictographic`, regional indicators and skin tones.
fn is_emoji(code: u32) -> bool {
    matches!(code,
        0xA9 | 0xAE | 0x203C | 0x2049 | 0x2122 | 0x2139 | 0x2194..=0x2199 | 0x21A9 | 0x21AA | 0x231A | 0x231B | 0x2328 | 0x2388 | 0x23CF
        | 0x23E9..=0x23F3 | 0x23F8..=0x23FA | 0x25AA | 0x25AB | 0x25B6 | 0x25C0 | 0x25FB..=0x25FE | 0x2600..=0x2605 | 0x2607..=0x2612
        | 0x2614..=0x2685 | 0x2690..=0x2705 | 0x2708..=0x2712 | 0x2714 | 0x2716 | 0x271D | 0x2721 | 0x2728 | 0x2733 | 0x2734 | 0x2744
        | 0x2747 | 0x274C | 0x274E | 0x2753..=0x2755 | 0x2757 | 0x2763..=0x2767 | 0x2795..=0x2797 | 0x27A1 | 0x27B0 | 0x27BF | 0x2934
        | 0x2935 | 0x2B05..=0x2B07 | 0x2B1B | 0x2B1C | 0x2B50 | 0x2B55 | 0x3030 | 0x303D | 0x3297 | 0x3299 | 0x1F000..=0x1F0FF
        | 0x1F10D..=0x1F10F | 0x1F12F | 0x1F16C..=0x1F171 | 0x1F17E | 0x1F17F | 0x1F18E | 0x1F191..=0x1F19A | 0x1F1AD..=0x1F1FF
        | 0x1F201..=0x1F20F | 0x1F21A | 0x1F22F | 0x1F232..=0x1F23A | 0x1F23C..=0x1F23F | 0x1F249..=0x1F53D | 0x1F546..=0x1F64F
        | 0x1F680..=0x1F6FF | 0x1F774..=0x1F77F | 0x1F7D5..=0x1F7FF | 0x1F80C..=0x1F80F | 0x1F848..=0x1F84F | 0x1F85A..=0x1F85F
        | 0x1F888..=0x1F88F | 0x1F8AE..=0x1F8FF | 0x1F90C..=0x1F93A | 0x1F93C..=0x1F945 | 0x1F947..=0x1FAFF | 0x1FC00..=0x1FFFD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_tables(text: &str) -> Vec<(usize, usize, TokenKind)> {
        let segments = text.split_word_bound_indices();
        segments.filter_map(|(start, segment)| Some((start, start + segment.len(), kind_of(segment)?))).collect()
    }

    #[test]
    fn a_dot_between_katakana_is_no_word() {
        let mut cursor = Cursor::new(TokenizerKind::Standard { token_length_max: TOKEN_LENGTH_MAX }, "アス・サムー");
        let (first, second) = (cursor.next_token(), cursor.next_token());
        assert_eq!((first, second), (Some((0, 6, TokenKind::Katakana)), Some((9, 18, TokenKind::Katakana))));
        assert_eq!(cursor.next_token(), None);
    }

    proptest! {
        #[test]
        fn the_short_way_through_ascii_ends_where_the_tables_end(text in "[a-cA-C0-2_.,:;' \"\\-\r\n@]{0,40}") {
            let mut cursor = Cursor::new(TokenizerKind::Standard { token_length_max: TOKEN_LENGTH_MAX }, &text);
            let mut found = Vec::new();
            while let Some(token) = cursor.next_token() {
                found.push(token);
            }
            prop_assert_eq!(found, by_tables(&text));
        }
    }
}
