//! `html_strip`: takes the tags out of HTML and reads its entities.

use super::{CharFilter, Corrections, Filtered};
use crate::analysis::chain::utf16_length;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Tags within a line: they leave nothing behind, the others a line break.
const INLINE_TAGS: &[&str] = &[
    "a", "abbr", "acronym", "b", "basefont", "bdo", "big", "cite", "code", "dfn", "em", "font", "i", "img", "input", "kbd", "label", "q",
    "s", "samp", "select", "small", "span", "strike", "strong", "sub", "sup", "textarea", "tt", "u", "var",
];

/// Elements whose content is no text.
const CODE_TAGS: &[&str] = &["script", "style"];

/// The entities with a name, and the character that each stands for.
static ENTITIES: LazyLock<HashMap<&'static str, char>> = LazyLock::new(|| {
    let lines = include_str!("html_entities.txt").lines();
    lines
        .filter_map(|line| line.split_once(' ').and_then(|(name, code)| Some((name, char::from_u32(u32::from_str_radix(code, 16).ok()?)?))))
        .collect()
});

/// The longest name of an entity, in bytes.
const ENTITY_NAME_MAX: usize = 8;
/// The longest number in an entity, in digits.
const ENTITY_DIGITS_MAX: usize = 8;

/// Takes tags out.
#[derive(Debug)]
pub(super) struct HtmlStrip {
    /// Tags that stay as they are, in lowercase.
    kept: Vec<String>,
}

impl HtmlStrip {
    pub(super) fn new(kept: Vec<String>) -> HtmlStrip {
        HtmlStrip { kept: kept.into_iter().map(|tag| tag.to_lowercase()).collect() }
    }
}

/// A text being read.
struct Scanner<'t> {
    text: &'t str,
    at: usize,
    out: String,
    written: usize,
    further: isize,
    corrections: Corrections,
    /// Closing quotes that do not come any more, so that they are looked for once: `"` and `'`.
    ended: [bool; 2],
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn copy(&mut self, bytes: usize) {
        let piece = self.text.get(self.at..self.at + bytes).unwrap_or_default();
        self.out.push_str(piece);
        self.written += utf16_length(piece);
        self.at += bytes;
    }

    fn replace(&mut self, bytes: usize, by: &str) {
        let taken = utf16_length(self.text.get(self.at..self.at + bytes).unwrap_or_default());
        let given = utf16_length(by);
        self.out.push_str(by);
        self.written += given;
        self.further += taken.cast_signed() - given.cast_signed();
        if taken != given {
            self.corrections.add(self.written, self.further);
        }
        self.at += bytes;
    }

    /// Removes up to and with an ending, or to the end of the text.
    fn remove_through(&mut self, from: usize, ending: &str) {
        let rest = self.rest();
        let length = rest.get(from..).and_then(|inner| inner.find(ending)).map_or(rest.len(), |at| from + at + ending.len());
        self.replace(length, "");
    }
}

fn is_name_start(letter: char) -> bool {
    letter.is_alphabetic() || matches!(letter, '_' | ':')
}

fn name_length(text: &str) -> usize {
    if !text.starts_with(is_name_start) {
        return 0;
    }
    text.find(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | ':' | '-' | '.'))).unwrap_or(text.len())
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// A tag that was read: its length in bytes, its name, whether it ends or has ended.
struct Tag<'t> {
    length: usize,
    name: &'t str,
    closes: bool,
    is_empty: bool,
}

impl<'t> Scanner<'t> {
    fn tag(&mut self) -> Option<Tag<'t>> {
        let rest = self.rest();
        let closes = rest.starts_with("</");
        let mut at = if closes { 2 } else { 1 };
        at += blanks(rest.get(at..)?);
        let length = name_length(rest.get(at..)?);
        if length == 0 {
            return None;
        }
        let name = rest.get(at..at + length)?;
        at += length;
        let after = rest.get(at..)?;
        let tag = |length, is_empty| Some(Tag { length, name, closes, is_empty });
        if after.is_empty() {
            return tag(at, false);
        }
        if after.starts_with('>') {
            return tag(at + 1, false);
        }
        if !closes && after.starts_with("/>") {
            return tag(at + 2, true);
        }
        let gap = blanks(after);
        if gap == 0 {
            return None;
        }
        at += gap;
        if closes {
            return rest.get(at..)?.starts_with('>').then_some(Tag { length: at + 1, name, closes, is_empty: false });
        }
        let mut slash = false;
        let bytes = rest.as_bytes();
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'>' => return tag(at + 1, slash),
                b'<' => return None,
                b'"' | b'\'' => {
                    let ended = usize::from(*byte == b'\'');
                    let closing = if self.ended.get(ended) == Some(&true) { None } else { rest.get(at + 1..)?.find(char::from(*byte)) };
                    match closing {
                        Some(length) => at += length + 1,
                        None => {
                            if let Some(flag) = self.ended.get_mut(ended) {
                                *flag = true;
                            }
                        }
                    }
                    slash = false;
                }
                byte => slash = *byte == b'/' || slash && byte.is_ascii_whitespace(),
            }
            at += 1;
        }
        None
    }

    fn entity(&mut self) {
        let rest = self.rest();
        let Some(body) = rest.get(1..) else { return };
        if let Some(number) = body.strip_prefix('#') {
            match number_of(number) {
                Some((code, length)) => self.number(code, length + 2),
                None => self.copy(1),
            }
            return;
        }
        let length = body.bytes().take(ENTITY_NAME_MAX + 1).take_while(u8::is_ascii_alphanumeric).count();
        let Some(letter) = body.get(..length).and_then(|name| ENTITIES.get(name)) else { return self.copy(1) };
        let after = body.get(length..).unwrap_or_default();
        if after.starts_with(';') {
            self.replace(length + 2, letter.encode_utf8(&mut [0; 4]));
        } else if after.is_empty() {
            self.replace(length + 1, letter.encode_utf8(&mut [0; 4]));
        } else {
            self.copy(1);
        }
    }

    fn number(&mut self, code: u32, length: usize) {
        if let Some(letter) = char::from_u32(code) {
            return self.replace(length, letter.encode_utf8(&mut [0; 4]));
        }
        // Two halves of a character may stand in two entities.
        let next = self.rest().get(length..).and_then(|rest| rest.strip_prefix("&#")).and_then(number_of);
        if let (0xD800..=0xDBFF, Some((low @ 0xDC00..=0xDFFF, more))) = (code, next) {
            let both = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            let letter = char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER);
            return self.replace(length + more + 2, letter.encode_utf8(&mut [0; 4]));
        }
        self.replace(length, "\u{FFFD}");
    }
}

/// The code that stands before a `;`, and the bytes with it.
fn number_of(text: &str) -> Option<(u32, usize)> {
    let (radix, digits) = match text.strip_prefix(['x', 'X']) {
        Some(digits) => (16, digits),
        None => (10, text),
    };
    let length = digits.chars().take(ENTITY_DIGITS_MAX + 1).take_while(|digit| digit.is_digit(radix)).count();
    if length == 0 || !digits.get(length..)?.starts_with(';') {
        return None;
    }
    let code = u32::from_str_radix(digits.get(..length)?, radix).ok().filter(|code| *code <= 0x10_FFFF)?;
    Some((code, length + 1 + (text.len() - digits.len())))
}

/// The bytes of `</name >` at the beginning of a text.
fn end_tag(text: &str, name: &str) -> Option<usize> {
    let rest = text.strip_prefix("</")?;
    let found = rest.get(..name.len())?;
    let after = rest.get(name.len()..)?;
    let gap = blanks(after);
    (found.eq_ignore_ascii_case(name) && after.get(gap..)?.starts_with('>')).then_some(2 + name.len() + gap + 1)
}

impl CharFilter for HtmlStrip {
    fn apply(&self, text: &str) -> Filtered {
        let mut scanner = Scanner {
            text,
            at: 0,
            out: String::with_capacity(text.len()),
            written: 0,
            further: 0,
            corrections: Corrections::default(),
            ended: [false; 2],
        };
        while let Some(next) = scanner.rest().find(['<', '&']) {
            scanner.copy(next);
            let rest = scanner.rest();
            if rest.starts_with('&') {
                scanner.entity();
            } else if rest.starts_with("<!--") {
                scanner.remove_through(4, "-->");
            } else if rest.starts_with("<![CDATA[") {
                scanner.replace(9, "");
                let inner = scanner.rest();
                let length = inner.find("]]>").unwrap_or(inner.len());
                scanner.copy(length);
                let ending = if scanner.rest().is_empty() { 0 } else { 3 };
                scanner.replace(ending, "");
            } else if rest.starts_with("<?") {
                scanner.remove_through(2, "?>");
            } else if rest.starts_with("<!") {
                scanner.remove_through(2, ">");
            } else {
                self.tag(&mut scanner);
            }
        }
        let left = scanner.rest().len();
        scanner.copy(left);
        Filtered { text: scanner.out, corrections: scanner.corrections }
    }
}

impl HtmlStrip {
    fn tag(&self, scanner: &mut Scanner<'_>) {
        let Some(tag) = scanner.tag() else { return scanner.copy(1) };
        let name = tag.name.to_ascii_lowercase();
        if self.kept.contains(&name) {
            return scanner.copy(tag.length);
        }
        if CODE_TAGS.contains(&name.as_str()) && !tag.closes && !tag.is_empty {
            // From the tag to the end of its element all is one: a line break, or nothing where it does not end.
            let all = scanner.rest();
            let rest = all.get(tag.length..).unwrap_or_default();
            let found = rest.match_indices("</").find_map(|(at, _)| Some((at, end_tag(rest.get(at..)?, &name)?)));
            match found {
                Some((at, length)) => scanner.replace(tag.length + at + length, "\n"),
                None => scanner.replace(all.len(), ""),
            }
            return;
        }
        let behind = if INLINE_TAGS.contains(&name.as_str()) { "" } else { "\n" };
        scanner.replace(tag.length, behind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text, and where its first and last unit came from.
    fn stripped(html: &str) -> (String, usize, usize) {
        let filtered = HtmlStrip::new(Vec::new()).apply(html);
        let length = utf16_length(&filtered.text);
        (filtered.text.clone(), filtered.corrections.original(0), filtered.corrections.original(length))
    }

    #[test]
    fn tags_go_and_entities_are_read_as_opensearch_does() {
        for (html, text, start, end) in [
            ("a<b>c</b>d", "acd", 0, 10),
            ("<p>x</p>", "\nx\n", 0, 8),
            ("a < b > c", "a  c", 0, 9),
            ("a <b", "a ", 0, 4),
            ("a <b c", "a <b c", 0, 6),
            ("<a href='x>y'>t</a>", "t", 14, 19),
            ("<a b c=d e = 'f'>t", "t", 17, 18),
            ("a<!-- <b> -->b", "ab", 0, 14),
            ("<?xml version='1'?>x", "x", 19, 20),
            ("<![CDATA[a<b>c]]>d", "a<b>cd", 9, 18),
            ("<script>var a='<b>';</script>z", "\nz", 0, 30),
            ("<script>never ends", "", 18, 18),
            ("&#65;&#x42;&#x43 &#68 &#;&#x;", "AB&#x43 &#68 &#;&#x;", 0, 29),
            ("&#1114112;x", "&#1114112;x", 0, 11),
            ("&#55296;x&#xD83D;&#xDE00;y", "\u{FFFD}x😀y", 0, 26),
            ("&amp;lt;", "&lt;", 0, 8),
            ("a&nbsp;b", "a b", 0, 8),
            ("&amp", "&", 0, 4),
            ("&copyx;", "&copyx;", 0, 7),
            ("<_a>x", "\nx", 0, 5),
            ("</b x>y", "</b x>y", 0, 7),
            ("</ b>y", "y", 5, 6),
            ("<b/ >y", "<b/ >y", 0, 6),
            ("<b / >y", "y", 6, 7),
            ("<a\"b>c", "<a\"b>c", 0, 6),
            ("<a b=\"c>d", "d", 8, 9),
            ("<! x>y", "y", 5, 6),
            ("<b<i>x", "<bx", 0, 6),
            ("<<b>>x", "<>x", 0, 6),
            ("<script/>x</script>y", "\nx\ny", 0, 20),
        ] {
            assert_eq!(stripped(html), (text.to_owned(), start, end), "{html}");
        }
    }

    #[test]
    fn tags_may_be_kept() {
        let filtered = HtmlStrip::new(vec!["B".to_owned()]).apply("<i>x</i><b>y</b>");
        assert_eq!(filtered.text, "x<b>y</b>");
    }

    #[test]
    fn a_text_of_open_tags_takes_no_longer_than_its_length() {
        for piece in ["<a \"", "<a b='", "&#", "<!", "</script", "<script>", "<"] {
            let filtered = HtmlStrip::new(Vec::new()).apply(&piece.repeat(200_000));
            assert!(filtered.text.len() <= piece.len() * 200_000);
        }
    }
}
