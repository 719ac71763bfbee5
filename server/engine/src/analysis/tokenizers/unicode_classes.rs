//! The classes of characters that decide where words end: Unicode's `Word_Break` with the scripts and pictures told apart.

use regex_syntax::hir::{Class as RegexClass, HirKind};
use std::sync::LazyLock;

/// What a character does at a word boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    Other,
    ALetter,
    Hebrew,
    Numeric,
    Katakana,
    Hangul,
    ExtendNumLet,
    MidLetter,
    MidNum,
    MidNumLet,
    SingleQuote,
    DoubleQuote,
    /// Belongs to the character before it.
    Mark,
    /// The zero-width joiner, a mark as well.
    Joiner,
    /// The sign for pictures, a mark as well.
    Presentation,
    /// The keycap, a mark as well.
    Keycap,
    /// A tag of a flag, a mark as well.
    Tag,
    Han,
    Hiragana,
    /// Of a script that puts no blanks between words.
    Complex,
    /// Half a flag.
    Regional,
    Pictographic,
    SkinTone,
    /// A sign that a keycap makes a picture.
    KeycapBase,
    /// A mark of a script that puts no blanks between words: alone it counts as of that script.
    ComplexMark,
    /// A letter that is a picture when it stands alone.
    PictureLetter,
}

impl Class {
    pub(super) fn is_mark(self) -> bool {
        matches!(
            self,
            Class::Mark | Class::Joiner | Class::Presentation | Class::Keycap | Class::Tag | Class::ComplexMark | Class::SkinTone
        )
    }

    pub(super) const fn of_ascii(byte: u8) -> Class {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => Class::ALetter,
            b'0'..=b'9' => Class::Numeric,
            b'_' => Class::ExtendNumLet,
            b':' => Class::MidLetter,
            b',' | b';' => Class::MidNum,
            b'.' => Class::MidNumLet,
            b'\'' => Class::SingleQuote,
            b'"' => Class::DoubleQuote,
            b'#' | b'*' => Class::KeycapBase,
            _ => Class::Other,
        }
    }
}

/// Whether no word begins at an ASCII character, for each of them and for the bytes of others.
static JOINS_NOTHING: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 128")]
        let class = Class::of_ascii(byte as u8);
        table[byte] = !matches!(class, Class::ALetter | Class::Numeric | Class::ExtendNumLet | Class::KeycapBase);
        byte += 1;
    }
    table
};

/// Whether a byte is an ASCII character at which no word begins.
pub(super) fn joins_nothing(byte: u8) -> bool {
    JOINS_NOTHING.get(usize::from(byte)).copied().unwrap_or(false)
}

/// How many characters share a row of the table.
const ROW: usize = 128;
/// How many rows there are for all of Unicode.
const ROWS: usize = 0x11_0000 / ROW;

/// The class of every character: rows that are equal are kept once.
struct Table {
    row_of: Vec<u16>,
    rows: Vec<[Class; ROW]>,
}

/// The properties, each with the class it gives; later ones win. They are those of Unicode 12.1, which OpenSearch knows: what
/// came later is no letter and no mark to it.
const PROPERTIES: &[(&str, Class)] = &[
    (r"[\p{script=Han}&&\p{age=12.1}]", Class::Han),
    (r"[\p{wb=ALetter}--[\x{2E5}-\x{2EB}\x{55A}\x{58A}\x{A708}-\x{A716}]&&\p{age=12.1}]", Class::ALetter),
    (r"[\p{wb=ALetter}&&\p{script=Hangul}]", Class::Hangul),
    (r"[\p{wb=Hebrew_Letter}&&\p{age=12.1}]", Class::Hebrew),
    (r"[[\p{wb=Numeric}\x{FF10}-\x{FF19}]&&\p{age=12.1}]", Class::Numeric),
    (r"[\p{wb=Katakana}&&\p{age=12.1}]", Class::Katakana),
    (r"\p{wb=ExtendNumLet}", Class::ExtendNumLet),
    (r"\p{wb=MidLetter}", Class::MidLetter),
    (r"\p{wb=MidNum}", Class::MidNum),
    (r"\p{wb=MidNumLet}", Class::MidNumLet),
    (r"[\p{script=Hiragana}&&\p{age=12.1}]", Class::Hiragana),
    (r"[[\p{wb=Extend}\p{wb=Format}\x{600}-\x{605}\x{6DD}\x{8E2}]&&\p{age=12.1}]", Class::Mark),
    (r"\p{wb=Regional_Indicator}", Class::Regional),
    (r"[[\p{Extended_Pictographic}\x{1FB00}-\x{1FBFF}]--\p{wb=ALetter}]", Class::Pictographic),
    (r"[\p{Extended_Pictographic}&&\p{wb=ALetter}]", Class::PictureLetter),
    (r"\p{Emoji_Modifier}", Class::SkinTone),
    (r"\x{200D}", Class::Joiner),
    (r"\x{FE0F}", Class::Presentation),
    (r"\x{20E3}", Class::Keycap),
    (r"[\x{E0020}-\x{E007F}]", Class::Tag),
];

/// Scripts that put no blanks between words: `Complex_Context` of the line-breaking property, which the properties above
/// leave out.
const COMPLEX: &[(u32, u32)] = &[
    (0x0E01, 0x0E3A),
    (0x0E40, 0x0E4E),
    (0x0E81, 0x0EBD),
    (0x0EC0, 0x0ECD),
    (0x0EDC, 0x0EDF),
    (0x1000, 0x103F),
    (0x1050, 0x108F),
    (0x109A, 0x109F),
    (0x1780, 0x17D3),
    (0x17D7, 0x17D7),
    (0x17DC, 0x17DD),
    (0x1950, 0x1974),
    (0x1980, 0x19AB),
    (0x19B0, 0x19C9),
    (0x19DE, 0x19DF),
    (0x1A20, 0x1A5E),
    (0x1A60, 0x1A7C),
    (0x1AA0, 0x1AAD),
    (0xA9E0, 0xA9EF),
    (0xA9FA, 0xA9FE),
    (0xAA60, 0xAAC2),
    (0xAADB, 0xAADF),
    (0x11700, 0x1172B),
    (0x1173A, 0x1173B),
    (0x1173F, 0x1173F),
];

static TABLE: LazyLock<Table> = LazyLock::new(Table::build);

impl Table {
    fn build() -> Table {
        let mut classes = vec![Class::Other; 0x11_0000];
        let mut fill = |from: u32, to: u32, class: Class| {
            if let Some(range) = classes.get_mut(from as usize..=to as usize) {
                range.fill(class);
            }
        };
        for (pattern, class) in PROPERTIES {
            let hir = regex_syntax::parse(pattern).expect("the properties are written above and known to the library");
            match hir.kind() {
                HirKind::Class(RegexClass::Unicode(ranges)) => {
                    for range in ranges.iter() {
                        fill(range.start() as u32, range.end() as u32, *class);
                    }
                }
                HirKind::Literal(literal) => {
                    for letter in String::from_utf8_lossy(&literal.0).chars() {
                        fill(letter as u32, letter as u32, *class);
                    }
                }
                _ => {}
            }
        }
        for byte in 0..128_u8 {
            fill(u32::from(byte), u32::from(byte), Class::of_ascii(byte));
        }
        for (from, to) in COMPLEX {
            for code in *from..=*to {
                if let Some(class) = classes.get_mut(code as usize) {
                    *class = if *class == Class::Mark { Class::ComplexMark } else { Class::Complex };
                }
            }
        }
        let mut table = Table { row_of: Vec::with_capacity(ROWS), rows: Vec::new() };
        for row in classes.chunks_exact(ROW) {
            let known = table.rows.iter().position(|known| known == row);
            let number = known.unwrap_or_else(|| {
                let mut new = [Class::Other; ROW];
                new.copy_from_slice(row);
                table.rows.push(new);
                table.rows.len() - 1
            });
            table.row_of.push(u16::try_from(number).unwrap_or(u16::MAX));
        }
        table
    }
}

/// The class of a character.
pub(super) fn class_of(letter: char) -> Class {
    let code = letter as usize;
    let row = TABLE.row_of.get(code / ROW).and_then(|row| TABLE.rows.get(usize::from(*row)));
    row.and_then(|row| row.get(code % ROW)).copied().unwrap_or(Class::Other)
}
