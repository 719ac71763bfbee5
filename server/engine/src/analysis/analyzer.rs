//! One analyzer: char filters, a tokenizer and the filters after it.

use super::chain::{Chain, Filter, Tokenizer};
use super::char_filters::CharFilter;
use super::token::{Token, Word};
use std::sync::Arc;
use tantivy::tokenizer::{BoxTokenStream, Token as IndexToken, TokenStream, Tokenizer as IndexTokenizerTrait};

/// Char filters, a tokenizer and token filters.
#[derive(Clone, Debug)]
pub struct Analyzer {
    pub(super) char_filters: Vec<Arc<dyn CharFilter>>,
    pub(super) tokenizer: Arc<dyn Tokenizer>,
    pub(super) filters: Vec<Filter>,
    /// The empty positions between the values of one field.
    pub(super) position_increment_gap: usize,
    /// The empty units between the values of one field.
    pub(super) offset_gap: usize,
    /// The names of its parts, when it was put together in settings.
    pub(super) parts: Option<Arc<super::parts::Parts>>,
}

impl Analyzer {
    pub(super) fn new(tokenizer: Arc<dyn Tokenizer>, filters: Vec<Filter>) -> Self {
        Analyzer { char_filters: Vec::new(), tokenizer, filters, position_increment_gap: 0, offset_gap: 1, parts: None }
    }

    /// Every token of a text, offsets in its bytes.
    pub fn tokens(&self, text: &str) -> Vec<Token> {
        let mut chain = Chain::new(self, text, true);
        let mut bytes = Bytes { text, byte: 0, unit: 0, is_plain: text.is_ascii() };
        let (mut word, mut tokens, mut next_position) = (Word::default(), Vec::new(), 0);
        while chain.next(&mut word) {
            next_position += word.increment;
            tokens.push(Token {
                text: std::mem::take(&mut word.text),
                position: next_position.saturating_sub(1),
                position_length: word.length,
                start_offset: bytes.byte_of(word.start),
                end_offset: bytes.byte_of(word.end),
                kind: word.kind,
                keyword: word.keyword,
            });
        }
        tokens
    }

    fn stream<'a>(&'a self, text: &'a str) -> Stream<'a> {
        Stream { chain: Chain::new(self, text, false), word: Word::default(), token: IndexToken::default(), next_position: 0 }
    }
}

/// Turns UTF-16 units of a text into its bytes, in nearly rising order.
struct Bytes<'t> {
    text: &'t str,
    byte: usize,
    unit: usize,
    is_plain: bool,
}

impl Bytes<'_> {
    fn byte_of(&mut self, unit: usize) -> usize {
        if self.is_plain {
            return unit.min(self.text.len());
        }
        for letter in self.text.get(..self.byte).unwrap_or_default().chars().rev() {
            if self.unit <= unit {
                break;
            }
            self.unit = self.unit.saturating_sub(letter.len_utf16());
            self.byte = self.byte.saturating_sub(letter.len_utf8());
        }
        for letter in self.text.get(self.byte..).unwrap_or_default().chars() {
            if self.unit >= unit {
                break;
            }
            self.unit += letter.len_utf16();
            self.byte += letter.len_utf8();
        }
        self.byte
    }
}

/// The analyzer as the index library wants it.
#[derive(Clone)]
pub(super) struct IndexTokenizer(pub(super) Arc<Analyzer>);

impl IndexTokenizerTrait for IndexTokenizer {
    type TokenStream<'a> = BoxTokenStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> BoxTokenStream<'a> {
        BoxTokenStream::new(self.0.stream(text))
    }
}

struct Stream<'a> {
    chain: Chain<'a>,
    word: Word,
    token: IndexToken,
    /// One more than the position of the token before.
    next_position: usize,
}

impl TokenStream for Stream<'_> {
    fn advance(&mut self) -> bool {
        // The two texts change places, so that neither is allocated anew for each token.
        std::mem::swap(&mut self.word.text, &mut self.token.text);
        if !self.chain.next(&mut self.word) {
            return false;
        }
        std::mem::swap(&mut self.word.text, &mut self.token.text);
        self.next_position += self.word.increment;
        self.token.position = self.next_position.saturating_sub(1);
        self.token.position_length = self.word.length;
        (self.token.offset_from, self.token.offset_to) = (self.word.start, self.word.end);
        true
    }

    fn token(&self) -> &IndexToken {
        &self.token
    }

    fn token_mut(&mut self) -> &mut IndexToken {
        &mut self.token
    }
}
