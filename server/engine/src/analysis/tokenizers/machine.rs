//! Tokenizers that are written as expressions and take the longest match at each place: `classic`, `uax_url_email`,
//! `simple_pattern`, `simple_pattern_split`.

use super::standard::next_word;
use crate::analysis::chain::{Cut, Tokenizer, utf16_length};
use crate::analysis::token::{TokenKind, Word};
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::{Anchored, Input, MatchKind};
use std::sync::LazyLock;
use tandem_common::{Error, Result};

/// The largest machine, in bytes.
const MACHINE_BYTES_MAX: usize = 4 << 20;

/// Expressions that are looked for together.
#[derive(Debug)]
struct Machine(DFA);

impl Machine {
    fn new(patterns: &[&str]) -> std::result::Result<Machine, String> {
        let config = DFA::config().match_kind(MatchKind::All).cache_capacity(MACHINE_BYTES_MAX).skip_cache_capacity_check(true);
        let thompson = regex_automata::nfa::thompson::Config::new().nfa_size_limit(Some(MACHINE_BYTES_MAX));
        DFA::builder().configure(config).thompson(thompson).build_many(patterns).map(Machine).map_err(|error| error.to_string())
    }

    /// The end of the longest match that begins here, and the first expression that matches so far.
    fn longest(&self, cache: &mut Cache, text: &str, at: usize) -> Option<(usize, usize)> {
        let input = Input::new(text).range(at..).anchored(Anchored::Yes);
        let found = self.0.try_search_fwd(cache, &input).ok().flatten()?;
        (found.offset() > at).then(|| (found.offset(), found.pattern().as_usize()))
    }
}

/// The `classic` tokenizer: words, numbers, hosts, addresses and acronyms of western languages.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct Classic {
    /// Longer words are left out.
    pub(in crate::analysis) token_length_max: usize,
}

/// Letters of the classic grammar, without Chinese and Japanese.
const LETTER: &str = r"[\p{L}--[\x{3041}-\x{318F}\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}\x{F900}-\x{FAFF}\x{FF61}-\x{FF9F}]]";
const CHINESE_OR_JAPANESE: &str = r"[\x{3100}-\x{312F}\x{3040}-\x{309F}\x{30A0}-\x{30FF}\x{31F0}-\x{31FF}\x{3300}-\x{337F}\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}\x{F900}-\x{FAFF}\x{FF65}-\x{FF9F}]";

static CLASSIC: LazyLock<Machine> = LazyLock::new(|| {
    let letter = LETTER;
    // Thai letters and their marks count as letters of words, not of names.
    let letter_or_digit = format!("(?:{letter}|[\\x{{0E00}}-\\x{{0E59}}]|\\p{{Nd}})");
    let word = format!("{letter_or_digit}+");
    let name = format!("{letter}+");
    let digits = format!("(?:{letter_or_digit}*\\p{{Nd}}{letter_or_digit}*)");
    let point = "[-_/.,]";
    let patterns = [
        word.clone(),
        format!("{name}(?:'{name})+"),
        format!("{letter}\\.(?:{letter}\\.)+"),
        format!("{name}[&@]{name}"),
        format!("{word}(?:[._-]{word})*@{word}(?:[.-]{word})+"),
        format!("{word}(?:\\.{word})+"),
        format!(
            "{word}{point}{digits}|{digits}{point}{word}|{word}(?:{point}{digits}{point}{word})+|{digits}(?:{point}{word}{point}{digits})+|\
             {word}{point}{digits}(?:{point}{word}{point}{digits})+|{digits}{point}{word}(?:{point}{digits}{point}{word})+"
        ),
        CHINESE_OR_JAPANESE.to_owned(),
        // An acronym by mistake, as the grammar has it: a host with a dot behind.
        format!("{word}\\.(?:{word}\\.)+"),
    ];
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    Machine::new(&patterns).expect("the grammar is written above and is small")
});

const CLASSIC_KINDS: [TokenKind; 9] = [
    TokenKind::ALPHANUM,
    TokenKind::APOSTROPHE,
    TokenKind::ACRONYM,
    TokenKind::COMPANY,
    TokenKind::EMAIL,
    TokenKind::HOST,
    TokenKind::NUM,
    TokenKind::CJ,
    TokenKind::HOST,
];

struct ClassicCut {
    length_max: usize,
    cache: Cache,
    at: usize,
}

impl Tokenizer for Classic {
    fn start(&self) -> Box<dyn Cut + '_> {
        Box::new(ClassicCut { length_max: self.token_length_max, cache: CLASSIC.0.create_cache(), at: 0 })
    }
}

impl Cut for ClassicCut {
    fn next(&mut self, text: &str, word: &mut Word) -> bool {
        let mut skipped = 0;
        while let Some(letter) = text.get(self.at..).and_then(|rest| rest.chars().next()) {
            let Some((end, pattern)) = CLASSIC.longest(&mut self.cache, text, self.at) else {
                self.at += letter.len_utf8();
                continue;
            };
            let start = std::mem::replace(&mut self.at, end);
            let piece = text.get(start..end).unwrap_or_default();
            if utf16_length(piece) > self.length_max {
                skipped += 1;
                continue;
            }
            let kind = CLASSIC_KINDS.get(pattern).copied().unwrap_or(TokenKind::ALPHANUM);
            word.set(piece, start, end, kind);
            if pattern == CLASSIC_KINDS.len() - 1 {
                // The dot behind is not part of the host.
                word.text.truncate(piece.len() - 1);
                word.end = end - 1;
            }
            word.increment += skipped;
            return true;
        }
        false
    }
}

/// The `uax_url_email` tokenizer: as `standard`, with addresses of the web and of mail in one.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct UrlEmail {
    /// Longer words are cut in pieces.
    pub(in crate::analysis) token_length_max: usize,
}

static ADDRESSES: LazyLock<Machine> = LazyLock::new(|| {
    let label = "[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?";
    let octet = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])";
    let ipv4 = format!("{octet}(?:\\.{octet}){{3}}");
    let top = include_str!("top_level_domains.txt").split_whitespace().collect::<Vec<_>>().join("|");
    let strict = format!("(?:{label}\\.)+(?i:{top})\\.?");
    let loose = format!("{label}(?:\\.{label})*");
    let escaped = "%[0-9a-fA-F]{2}";
    let path = format!("(?:/(?:{escaped}|[-._~a-zA-Z0-9!$&'()*+,;=:@])*)+");
    let query = format!("\\?(?:{escaped}|[-._~a-zA-Z0-9!$&'()*+,;=:@/?])*");
    let fragment = format!("#(?:{escaped}|[-._~a-zA-Z0-9!$&'()*+,;=:@/?])*");
    let rest = format!("(?:{path})?(?:{query})?(?:{fragment})?");
    let login = format!("(?:(?:{escaped}|[-._~a-zA-Z0-9!$&'()*+,;=:])*@)?");
    let port = "(?::[0-9]*)?";
    let ipv6 = "\\[[0-9a-fA-F:.]{2,}\\]";
    let urls = [
        format!("(?i:https?://|ftp://){login}(?:{strict}|{loose}|{ipv4}|{ipv6}){port}{rest}"),
        format!("(?:{strict}|{ipv4}){port}{rest}"),
        "(?i:file)://(?:[-.a-zA-Z0-9]*)(?:/[-._~a-zA-Z0-9!$&'()*+,;=:@%]*)+".to_owned(),
    ];
    let atom = "[-a-zA-Z0-9!#$%&'*+/=?^_`{|}~]+";
    let quoted = r#""(?:[\x01-\x08\x0B\x0C\x0E-\x21\x23-\x5B\x5D-\x7E]|\\[\x00-\x7F])*""#;
    let part = format!("(?:{atom}|{quoted})");
    let email = format!("{part}(?:\\.{part})*@(?:(?:{label}\\.)+(?i:{top})|\\[{ipv4}\\])");
    let url = urls.join("|");
    Machine::new(&[&url, &email]).expect("the grammar is written above and is small")
});

struct UrlEmailCut {
    length_max: usize,
    cache: Cache,
    at: usize,
    /// The next word of the standard tokenizer, which is looked for once.
    ahead: Option<(usize, usize, TokenKind)>,
    finished: bool,
}

impl Tokenizer for UrlEmail {
    fn start(&self) -> Box<dyn Cut + '_> {
        let cache = ADDRESSES.0.create_cache();
        Box::new(UrlEmailCut { length_max: self.token_length_max, cache, at: 0, ahead: None, finished: false })
    }
}

/// Characters at which an address may begin.
fn begins_address(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'"' | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'/' | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~' | b'-')
}

impl UrlEmailCut {
    /// The text up to where an address that begins here must have ended. An address is ASCII, but for its end.
    fn window<'t>(&self, text: &'t str) -> &'t str {
        let mut end = self.at.saturating_add(self.length_max);
        while end < text.len() && !text.is_char_boundary(end) {
            end -= 1;
        }
        text.get(..end).unwrap_or(text)
    }

    fn found(&mut self, text: &str) -> Option<(usize, usize, TokenKind)> {
        loop {
            if self.ahead.is_none_or(|(start, ..)| start < self.at) && !self.finished {
                self.ahead = next_word(text, self.at, self.length_max);
                self.finished = self.ahead.is_none();
            }
            let word = self.ahead.filter(|(start, ..)| *start >= self.at);
            // An address begins at a word or before it.
            let limit = word.map_or(text.len(), |(start, ..)| start + 1);
            let bytes = text.as_bytes();
            let mut address = None;
            while self.at < limit && address.is_none() {
                if bytes.get(self.at).is_some_and(|byte| begins_address(*byte)) {
                    let seen = self.window(text);
                    address = ADDRESSES.longest(&mut self.cache, seen, self.at).map(|(end, pattern)| (self.at, end, pattern));
                }
                if address.is_none() {
                    self.at += 1;
                }
            }
            let address = address.map(|(start, end, pattern)| (start, end, if pattern == 0 { TokenKind::URL } else { TokenKind::EMAIL }));
            return match (address, word) {
                (Some(address), Some(word)) if word.0 == address.0 && word.1 > address.1 => Some(word),
                (Some(address), _) => Some(address),
                (None, Some(word)) => Some(word),
                (None, None) if self.finished => None,
                (None, None) => continue,
            };
        }
    }
}

impl Cut for UrlEmailCut {
    fn next(&mut self, text: &str, word: &mut Word) -> bool {
        let Some((start, end, kind)) = self.found(text) else { return false };
        self.at = end;
        word.set(text.get(start..end).unwrap_or_default(), start, end, kind);
        true
    }
}

/// `simple_pattern` and `simple_pattern_split`: the longest matches of an expression, or what lies between.
#[derive(Debug)]
pub(in crate::analysis) struct SimplePattern {
    machine: Option<Machine>,
    split: bool,
}

impl SimplePattern {
    /// Compiles an expression; the empty one matches nothing.
    ///
    /// # Errors
    /// An expression that is none, or too large.
    pub(in crate::analysis) fn new(pattern: &str, split: bool) -> Result<SimplePattern> {
        let machine = if pattern.is_empty() {
            None
        } else {
            let dotted = format!("(?s:{pattern})");
            Some(Machine::new(&[&dotted]).map_err(|reason| Error::illegal_argument(format!("{reason}: [{pattern}]")))?)
        };
        Ok(SimplePattern { machine, split })
    }
}

struct SimpleCut<'a> {
    pattern: &'a SimplePattern,
    cache: Option<Cache>,
    at: usize,
    finished: bool,
}

impl Tokenizer for SimplePattern {
    fn start(&self) -> Box<dyn Cut + '_> {
        let cache = self.machine.as_ref().map(|machine| machine.0.create_cache());
        Box::new(SimpleCut { pattern: self, cache, at: 0, finished: false })
    }
}

impl SimpleCut<'_> {
    /// The next match at or after a byte.
    fn find(&mut self, text: &str, mut at: usize) -> Option<(usize, usize)> {
        let (Some(machine), Some(cache)) = (&self.pattern.machine, &mut self.cache) else { return None };
        while let Some(letter) = text.get(at..).and_then(|rest| rest.chars().next()) {
            if let Some((end, _)) = machine.longest(cache, text, at) {
                return Some((at, end));
            }
            at += letter.len_utf8();
        }
        None
    }
}

impl Cut for SimpleCut<'_> {
    fn next(&mut self, text: &str, word: &mut Word) -> bool {
        while !self.finished {
            let start = self.at;
            let found = self.find(text, start);
            let piece = match (found, self.pattern.split) {
                (Some((from, to)), false) => {
                    self.at = to;
                    (from, to)
                }
                (Some((from, to)), true) => {
                    self.at = to;
                    (start, from)
                }
                (None, split) => {
                    self.finished = true;
                    (start, if split { text.len() } else { start })
                }
            };
            if piece.1 > piece.0 {
                word.set(text.get(piece.0..piece.1).unwrap_or_default(), piece.0, piece.1, TokenKind::WORD);
                return true;
            }
        }
        false
    }
}
