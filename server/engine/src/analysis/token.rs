//! A word on its way from the tokenizer through the filters, and the token that comes out.

/// What a token is, as `_analyze` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenKind(&'static str);

impl TokenKind {
    /// Letters, or letters and digits.
    pub const ALPHANUM: TokenKind = TokenKind("<ALPHANUM>");
    /// Digits.
    pub const NUM: TokenKind = TokenKind("<NUM>");
    /// One Chinese character.
    pub const IDEOGRAPHIC: TokenKind = TokenKind("<IDEOGRAPHIC>");
    /// One hiragana character.
    pub const HIRAGANA: TokenKind = TokenKind("<HIRAGANA>");
    /// A run of katakana.
    pub const KATAKANA: TokenKind = TokenKind("<KATAKANA>");
    /// A run of hangul.
    pub const HANGUL: TokenKind = TokenKind("<HANGUL>");
    /// A run of a script that puts no blanks between words.
    pub const SOUTH_EAST_ASIAN: TokenKind = TokenKind("<SOUTHEAST_ASIAN>");
    /// A picture.
    pub const EMOJI: TokenKind = TokenKind("<EMOJI>");
    /// Of the tokenizers that do not tell kinds apart.
    pub const WORD: TokenKind = TokenKind("word");
    /// An address of the web.
    pub const URL: TokenKind = TokenKind("<URL>");
    /// An address of mail.
    pub const EMAIL: TokenKind = TokenKind("<EMAIL>");
    /// A word with an apostrophe, of the classic tokenizer.
    pub const APOSTROPHE: TokenKind = TokenKind("<APOSTROPHE>");
    /// Letters with dots, of the classic tokenizer.
    pub const ACRONYM: TokenKind = TokenKind("<ACRONYM>");
    /// A name with `&` or `@`, of the classic tokenizer.
    pub const COMPANY: TokenKind = TokenKind("<COMPANY>");
    /// A host, of the classic tokenizer.
    pub const HOST: TokenKind = TokenKind("<HOST>");
    /// A Chinese or Japanese character, of the classic tokenizer.
    pub const CJ: TokenKind = TokenKind("<CJ>");
    /// Two characters that `cjk_bigram` has joined.
    pub const DOUBLE: TokenKind = TokenKind("<DOUBLE>");
    /// One that it has left alone.
    pub const SINGLE: TokenKind = TokenKind("<SINGLE>");
    /// Came from a list of synonyms.
    pub const SYNONYM: TokenKind = TokenKind("SYNONYM");
    /// Several words in one.
    pub const SHINGLE: TokenKind = TokenKind("shingle");
    /// Two words, one of them common.
    pub const GRAM: TokenKind = TokenKind("gram");
    /// A whole text in one token.
    pub const FINGERPRINT: TokenKind = TokenKind("fingerprint");
    /// A hash of words.
    pub const MIN_HASH: TokenKind = TokenKind("MIN_HASH");

    /// The name in answers.
    pub fn name(self) -> &'static str {
        self.0
    }
}

/// One token, as `_analyze` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The term.
    pub text: String,
    /// Which word of the text it is, from 0; left-out words leave gaps.
    pub position: usize,
    /// How many positions it spans, from 1.
    pub position_length: usize,
    /// Where it starts: in bytes from [`super::AnalyzerRegistry::analyze`], in UTF-16 units in the answer of `_analyze`.
    pub start_offset: usize,
    /// Where it ends, likewise.
    pub end_offset: usize,
    /// What it is.
    pub kind: TokenKind,
    /// Whether stemmers must leave it alone.
    pub keyword: bool,
}

/// A word on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Positions after the word before it; 0 for a word in the same place.
    pub(super) increment: usize,
    /// Positions that it spans.
    pub(super) length: usize,
    /// Tokenizers count the bytes of the text that they cut, filters see UTF-16 units of the original text.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: TokenKind,
    /// Stemmers leave it alone.
    pub(super) keyword: bool,
}

impl Default for Word {
    fn default() -> Self {
        Word { text: String::new(), increment: 1, length: 1, start: 0, end: 0, kind: TokenKind::WORD, keyword: false }
    }
}

impl Word {
    /// Fills it with a piece of a text.
    pub(super) fn set(&mut self, piece: &str, start: usize, end: usize, kind: TokenKind) {
        self.text.clear();
        self.text.push_str(piece);
        (self.start, self.end, self.kind) = (start, end, kind);
        (self.increment, self.length, self.keyword) = (1, 1, false);
    }

    /// The same word with another text.
    pub(super) fn with_text(&self, text: impl Into<String>) -> Word {
        Word { text: text.into(), ..self.clone_without_text() }
    }

    fn clone_without_text(&self) -> Word {
        Word {
            text: String::new(),
            increment: self.increment,
            length: self.length,
            start: self.start,
            end: self.end,
            kind: self.kind,
            keyword: self.keyword,
        }
    }
}
