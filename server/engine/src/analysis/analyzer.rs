//! One analyzer: a tokenizer and the filters after it, as a stream that allocates nothing per token.

use super::tokenizers::{Cursor, TokenKind, TokenizerKind};
use super::{folding, porter};
use std::collections::HashSet;
use std::sync::Arc;
use tantivy::tokenizer::{BoxTokenStream, Token as IndexToken, TokenStream, Tokenizer};

/// The words that the `stop` and `english` analyzers leave out.
pub(super) const ENGLISH_STOP_WORDS: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of", "on", "or", "such",
    "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with",
];

/// What is done to each token, in order.
#[derive(Clone, Debug)]
pub(super) enum Filter {
    Lowercase,
    Uppercase,
    AsciiFolding,
    Stop { words: Arc<HashSet<String>>, ignore_case: bool },
    Trim,
    Length { min: usize, max: usize },
    Reverse,
    Unique,
    PorterStem,
    PossessiveEnglish,
    Truncate { length: usize },
}

/// A tokenizer and its filters.
#[derive(Clone, Debug)]
pub struct Analyzer {
    pub(super) tokenizer: TokenizerKind,
    pub(super) filters: Arc<[Filter]>,
}

/// One token, as `_analyze` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The term.
    pub text: String,
    /// Which word of the text it is, from 0; left-out words leave gaps.
    pub position: usize,
    /// The byte at which it starts.
    pub start_offset: usize,
    /// The byte after its last.
    pub end_offset: usize,
    /// What it is.
    pub kind: TokenKind,
}

impl Analyzer {
    pub(super) fn new(tokenizer: TokenizerKind, filters: Vec<Filter>) -> Self {
        Analyzer { tokenizer, filters: filters.into() }
    }

    /// Every token of a text.
    pub fn tokens(&self, text: &str) -> Vec<Token> {
        let mut stream = self.stream(text);
        let mut tokens = Vec::new();
        while stream.advance() {
            let token = stream.token();
            tokens.push(Token {
                text: token.text.clone(),
                position: token.position,
                start_offset: token.offset_from,
                end_offset: token.offset_to,
                kind: stream.kind,
            });
        }
        tokens
    }

    fn stream<'a>(&self, text: &'a str) -> Stream<'a> {
        Stream {
            text,
            cursor: Cursor::new(self.tokenizer, text),
            filters: Arc::clone(&self.filters),
            token: IndexToken::default(),
            kind: TokenKind::Word,
            next_position: 0,
            seen: HashSet::new(),
        }
    }
}

/// The analyzer as the index library wants it.
#[derive(Clone)]
pub(super) struct IndexTokenizer(pub(super) Arc<Analyzer>);

impl Tokenizer for IndexTokenizer {
    type TokenStream<'a> = BoxTokenStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> BoxTokenStream<'a> {
        BoxTokenStream::new(self.0.stream(text))
    }
}

struct Stream<'a> {
    text: &'a str,
    cursor: Cursor<'a>,
    filters: Arc<[Filter]>,
    token: IndexToken,
    kind: TokenKind,
    next_position: usize,
    /// What `unique` has let through.
    seen: HashSet<String>,
}

/// What becomes of a token.
enum Fate {
    Kept,
    /// Left out, its place stays empty.
    Dropped,
    /// Left out as if it had not been there.
    Forgotten,
}

impl Stream<'_> {
    fn filter(&mut self) -> Fate {
        let filters = Arc::clone(&self.filters);
        let word = &mut self.token.text;
        for filter in filters.iter() {
            match filter {
                Filter::Lowercase => lowercase(word),
                Filter::Uppercase => *word = word.chars().map(simple_uppercase).collect(),
                Filter::AsciiFolding => folding::fold(word),
                Filter::Stop { words, ignore_case } => {
                    let found = if *ignore_case { words.contains(&word.to_lowercase()) } else { words.contains(word.as_str()) };
                    if found {
                        return Fate::Dropped;
                    }
                }
                Filter::Trim => {
                    let trimmed = word.trim().len();
                    if trimmed != word.len() {
                        *word = word.trim().to_owned();
                    }
                }
                Filter::Length { min, max } => {
                    if !(*min..=*max).contains(&word.chars().count()) {
                        return Fate::Dropped;
                    }
                }
                Filter::Reverse => *word = word.chars().rev().collect(),
                Filter::Unique => {
                    if !self.seen.insert(word.clone()) {
                        return Fate::Forgotten;
                    }
                }
                Filter::PorterStem => porter::stem(word),
                Filter::PossessiveEnglish => {
                    for ending in ["'s", "'S", "\u{2019}s", "\u{2019}S", "\u{FF07}s", "\u{FF07}S"] {
                        if word.ends_with(ending) {
                            word.truncate(word.len() - ending.len());
                            break;
                        }
                    }
                }
                Filter::Truncate { length } => {
                    if let Some((end, _)) = word.char_indices().nth(*length) {
                        word.truncate(end);
                    }
                }
            }
        }
        Fate::Kept
    }
}

/// Lowercases letter by letter, as Java's token filter does: no letter becomes two.
fn lowercase(word: &mut String) {
    if word.is_ascii() {
        word.make_ascii_lowercase();
    } else {
        *word = word.chars().map(simple_lowercase).collect();
    }
}

fn simple_lowercase(letter: char) -> char {
    // The dotted capital I is the one letter whose lowercase is two.
    letter.to_lowercase().next().unwrap_or(letter)
}

fn simple_uppercase(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) => single,
        _ => letter,
    }
}

impl TokenStream for Stream<'_> {
    fn advance(&mut self) -> bool {
        while let Some((start, end, kind)) = self.cursor.next_token() {
            self.token.text.clear();
            self.token.text.push_str(self.text.get(start..end).unwrap_or_default());
            self.kind = kind;
            match self.filter() {
                Fate::Kept => {
                    self.token.offset_from = start;
                    self.token.offset_to = end;
                    self.token.position = self.next_position;
                    self.next_position += 1;
                    return true;
                }
                Fate::Dropped => self.next_position += 1,
                Fate::Forgotten => {}
            }
        }
        false
    }

    fn token(&self) -> &IndexToken {
        &self.token
    }

    fn token_mut(&mut self) -> &mut IndexToken {
        &mut self.token
    }
}
