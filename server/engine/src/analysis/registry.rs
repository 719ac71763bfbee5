//! The analyzers and normalizers of one index, by name, read from its settings.

use super::analyzer::{Analyzer, ENGLISH_STOP_WORDS, Filter, IndexTokenizer, Token};
use super::tokenizers::{TOKEN_LENGTH_MAX, TokenizerKind};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use tandem_common::{Error, Result, Settings};
use tantivy::tokenizer::{TextAnalyzer, TokenizerManager};

/// The analyzers that need no settings.
const ANALYZERS: [&str; 6] = ["standard", "simple", "whitespace", "keyword", "stop", "english"];

/// The analyzers that the settings of an index give.
#[derive(Clone, Debug)]
pub struct AnalyzerRegistry {
    analyzers: BTreeMap<String, Arc<Analyzer>>,
    normalizers: BTreeMap<String, Arc<Analyzer>>,
}

impl Default for AnalyzerRegistry {
    /// The analyzers that every index has.
    fn default() -> Self {
        let settings = Settings::new();
        let section = Section { settings: &settings, prefix: String::new() };
        let mut analyzers = BTreeMap::new();
        for name in ANALYZERS {
            if let Some(analyzer) = built_in(name, &section).ok().flatten() {
                analyzers.insert(name.to_owned(), Arc::new(analyzer));
            }
        }
        let standard = Analyzer::new(TokenizerKind::Standard { token_length_max: TOKEN_LENGTH_MAX }, vec![Filter::Lowercase]);
        analyzers.insert("default".to_owned(), Arc::new(standard));
        let lowercase = Analyzer::new(TokenizerKind::Keyword, vec![Filter::Lowercase]);
        AnalyzerRegistry { analyzers, normalizers: BTreeMap::from([("lowercase".to_owned(), Arc::new(lowercase))]) }
    }
}

/// The settings below one name, such as `index.analysis.filter.my_stop.`.
struct Section<'s> {
    settings: &'s Settings,
    prefix: String,
}

impl Section<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.settings.text(&format!("{}{key}", self.prefix))
    }

    fn list(&self, key: &str) -> Option<Vec<String>> {
        self.settings.list(&format!("{}{key}", self.prefix))
    }

    fn has(&self, key: &str) -> bool {
        self.settings.get(&format!("{}{key}", self.prefix)).is_some()
    }

    fn number(&self, key: &str, default: usize) -> Result<usize> {
        match self.text(key) {
            None => Ok(default),
            Some(text) => {
                text.parse().map_err(|_| Error::Settings { reason: format!("Failed to parse int setting [{key}] with value [{text}]") })
            }
        }
    }

    fn flag(&self, key: &str) -> bool {
        self.text(key) == Some("true")
    }

    fn stop_words(&self, default: &[&str]) -> Arc<HashSet<String>> {
        let named = |name: &str| -> Vec<String> {
            match name {
                "_english_" => ENGLISH_STOP_WORDS.iter().map(|word| (*word).to_owned()).collect(),
                "_none_" => Vec::new(),
                word => vec![word.to_owned()],
            }
        };
        let words = match self.list("stopwords") {
            Some(words) => words.iter().flat_map(|word| named(word)).collect(),
            None => default.iter().map(|word| (*word).to_owned()).collect(),
        };
        Arc::new(words)
    }
}

fn built_in(type_name: &str, section: &Section<'_>) -> Result<Option<Analyzer>> {
    let stop = |default: &[&str]| Filter::Stop { words: section.stop_words(default), ignore_case: false };
    let token_length_max = section.number("max_token_length", TOKEN_LENGTH_MAX)?.max(1);
    let standard = TokenizerKind::Standard { token_length_max };
    Ok(Some(match type_name {
        "standard" => {
            let mut filters = vec![Filter::Lowercase];
            if section.has("stopwords") {
                filters.push(stop(&[]));
            }
            Analyzer::new(standard, filters)
        }
        "simple" => Analyzer::new(TokenizerKind::Letter, vec![Filter::Lowercase]),
        "whitespace" => Analyzer::new(TokenizerKind::Whitespace { token_length_max: TOKEN_LENGTH_MAX }, Vec::new()),
        "keyword" => Analyzer::new(TokenizerKind::Keyword, Vec::new()),
        "stop" => Analyzer::new(TokenizerKind::Letter, vec![Filter::Lowercase, stop(&ENGLISH_STOP_WORDS)]),
        "english" => {
            Analyzer::new(standard, vec![Filter::PossessiveEnglish, Filter::Lowercase, stop(&ENGLISH_STOP_WORDS), Filter::PorterStem])
        }
        _ => return Ok(None),
    }))
}

fn tokenizer(type_name: &str, section: &Section<'_>) -> Result<Option<(TokenizerKind, Vec<Filter>)>> {
    let token_length_max = section.number("max_token_length", TOKEN_LENGTH_MAX)?.max(1);
    Ok(Some(match type_name {
        "standard" => (TokenizerKind::Standard { token_length_max }, Vec::new()),
        "whitespace" => (TokenizerKind::Whitespace { token_length_max }, Vec::new()),
        "letter" => (TokenizerKind::Letter, Vec::new()),
        "lowercase" => (TokenizerKind::Letter, vec![Filter::Lowercase]),
        "keyword" => (TokenizerKind::Keyword, Vec::new()),
        _ => return Ok(None),
    }))
}

fn filter(type_name: &str, section: &Section<'_>) -> Result<Option<Filter>> {
    Ok(Some(match type_name {
        "lowercase" => Filter::Lowercase,
        "uppercase" => Filter::Uppercase,
        "asciifolding" if section.flag("preserve_original") => {
            return Err(Error::illegal_argument("[preserve_original] of [asciifolding] is not supported"));
        }
        "asciifolding" => Filter::AsciiFolding,
        "stop" => Filter::Stop { words: section.stop_words(&ENGLISH_STOP_WORDS), ignore_case: section.flag("ignore_case") },
        "trim" => Filter::Trim,
        "length" => Filter::Length { min: section.number("min", 0)?, max: section.number("max", i32::MAX as usize)? },
        "reverse" => Filter::Reverse,
        "unique" => Filter::Unique,
        "porter_stem" => Filter::PorterStem,
        "truncate" => Filter::Truncate { length: section.number("length", 10)? },
        "stemmer" => match section.text("language").or_else(|| section.text("name")).unwrap_or("english") {
            "english" | "porter" => Filter::PorterStem,
            "possessive_english" => Filter::PossessiveEnglish,
            other => {
                let mut class = other.to_owned();
                class.get_mut(..1).into_iter().for_each(str::make_ascii_uppercase);
                return Err(Error::illegal_argument(format!("Invalid stemmer class specified: {class}")));
            }
        },
        _ => return Ok(None),
    }))
}

/// Whether a filter changes letters and nothing else, so that a normalizer may use it.
fn is_character_wise(filter: &Filter) -> bool {
    matches!(filter, Filter::Lowercase | Filter::Uppercase | Filter::AsciiFolding | Filter::Trim)
}

impl AnalyzerRegistry {
    /// Reads `index.analysis.*`.
    ///
    /// # Errors
    /// An analyzer that does not exist or is not well made.
    pub fn new(settings: &Settings) -> Result<Self> {
        let mut registry = AnalyzerRegistry::default();
        let reader = Reader { settings };
        // Every filter and tokenizer is checked, whether or not an analyzer uses it.
        for name in reader.names("filter") {
            reader.filter("", &name)?;
        }
        for name in reader.names("tokenizer") {
            reader.tokenizer("", &name)?;
        }
        for name in reader.names("analyzer") {
            if name.starts_with('_') {
                return Err(Error::illegal_argument(format!("analyzer name must not start with '_'. got \"{name}\"")));
            }
            let analyzer = reader.analyzer(&name)?;
            registry.analyzers.insert(name, Arc::new(analyzer));
        }
        for name in reader.names("normalizer") {
            let normalizer = reader.normalizer(&name)?;
            registry.normalizers.insert(name, Arc::new(normalizer));
        }
        Ok(registry)
    }

    /// The name of an analyzer's tokenizer in the index.
    pub fn tokenizer_name(analyzer: &str) -> String {
        format!("analyzer/{analyzer}")
    }

    /// The name of a normalizer's tokenizer in the index.
    pub fn normalizer_tokenizer_name(normalizer: &str) -> String {
        format!("normalizer/{normalizer}")
    }

    /// Makes every analyzer known to an index under the name its fields use. Columns have a tokenizer manager of their own,
    /// which needs the same names: call it for `index.tokenizers()` and for `index.fast_field_tokenizer()`.
    pub fn register(&self, tokenizers: &TokenizerManager) {
        let wrap = |analyzer: &Arc<Analyzer>| TextAnalyzer::builder(IndexTokenizer(Arc::clone(analyzer))).build();
        for (name, analyzer) in &self.analyzers {
            tokenizers.register(&Self::tokenizer_name(name), wrap(analyzer));
        }
        for (name, normalizer) in &self.normalizers {
            tokenizers.register(&Self::normalizer_tokenizer_name(name), wrap(normalizer));
        }
    }

    /// The analyzer with this name.
    pub fn analyzer(&self, name: &str) -> Option<&Arc<Analyzer>> {
        self.analyzers.get(name)
    }

    /// Every token of a text.
    ///
    /// # Errors
    /// `failed to find analyzer [x]`
    pub fn analyze(&self, name: &str, text: &str) -> Result<Vec<Token>> {
        match self.analyzers.get(name) {
            Some(analyzer) => Ok(analyzer.tokens(text)),
            None => Err(Error::illegal_argument(format!("failed to find analyzer [{name}]"))),
        }
    }

    /// What a normalizer makes of a keyword.
    pub fn normalize(&self, name: &str, text: &str) -> String {
        let tokens = self.normalizers.get(name).map(|normalizer| normalizer.tokens(text)).unwrap_or_default();
        tokens.into_iter().next().map_or_else(|| text.to_owned(), |token| token.text)
    }
}

struct Reader<'s> {
    settings: &'s Settings,
}

impl<'s> Reader<'s> {
    fn names(&self, kind: &str) -> BTreeSet<String> {
        let prefix = format!("index.analysis.{kind}.");
        let names = self.settings.iter().filter_map(|(key, _)| key.strip_prefix(&prefix)?.split('.').next().map(str::to_owned));
        names.collect()
    }

    fn section(&self, kind: &str, name: &str) -> Section<'s> {
        Section { settings: self.settings, prefix: format!("index.analysis.{kind}.{name}.") }
    }

    fn filter(&self, analyzer: &str, name: &str) -> Result<Filter> {
        let section = self.section("filter", name);
        match section.text("type") {
            Some(type_name) => filter(type_name, &section)?
                .ok_or_else(|| Error::illegal_argument(format!("Unknown filter type [{type_name}] for [{name}]"))),
            None => filter(name, &section)?
                .ok_or_else(|| Error::illegal_argument(format!("Custom Analyzer [{analyzer}] failed to find filter under name [{name}]"))),
        }
    }

    fn tokenizer(&self, analyzer: &str, name: &str) -> Result<(TokenizerKind, Vec<Filter>)> {
        let section = self.section("tokenizer", name);
        match section.text("type") {
            Some(type_name) => tokenizer(type_name, &section)?
                .ok_or_else(|| Error::illegal_argument(format!("Unknown tokenizer type [{type_name}] for [{name}]"))),
            None => tokenizer(name, &section)?.ok_or_else(|| {
                Error::illegal_argument(format!("Custom Analyzer [{analyzer}] failed to find tokenizer under name [{name}]"))
            }),
        }
    }

    fn filters(&self, analyzer: &str, section: &Section<'_>) -> Result<Vec<Filter>> {
        if let Some(name) = section.list("char_filter").unwrap_or_default().first() {
            return Err(Error::illegal_argument(format!("Custom Analyzer [{analyzer}] failed to find char_filter under name [{name}]")));
        }
        section.list("filter").unwrap_or_default().iter().map(|name| self.filter(analyzer, name)).collect()
    }

    fn analyzer(&self, name: &str) -> Result<Analyzer> {
        let section = self.section("analyzer", name);
        match section.text("type") {
            None if !section.has("tokenizer") => {
                Err(Error::illegal_argument(format!("analyzer [{name}] must specify either an analyzer type, or a tokenizer")))
            }
            None | Some("custom") => {
                let Some(tokenizer_name) = section.text("tokenizer") else {
                    return Err(Error::illegal_argument(format!("Custom Analyzer [{name}] must be configured with a tokenizer")));
                };
                let (tokenizer, mut filters) = self.tokenizer(name, tokenizer_name)?;
                filters.extend(self.filters(name, &section)?);
                Ok(Analyzer::new(tokenizer, filters))
            }
            Some(type_name) => built_in(type_name, &section)?
                .ok_or_else(|| Error::illegal_argument(format!("Unknown analyzer type [{type_name}] for [{name}]"))),
        }
    }

    fn normalizer(&self, name: &str) -> Result<Analyzer> {
        let section = self.section("normalizer", name);
        match section.text("type") {
            None | Some("custom") => {}
            Some("lowercase") => return Ok(Analyzer::new(TokenizerKind::Keyword, vec![Filter::Lowercase])),
            Some(type_name) => return Err(Error::illegal_argument(format!("Unknown normalizer type [{type_name}] for [{name}]"))),
        }
        if section.has("tokenizer") {
            return Err(Error::illegal_argument(format!("Custom normalizer [{name}] cannot configure a tokenizer")));
        }
        let names = section.list("filter").unwrap_or_default();
        let filters = self.filters(name, &section)?;
        for (filter, filter_name) in filters.iter().zip(&names) {
            if !is_character_wise(filter) {
                return Err(Error::illegal_argument(format!("Custom normalizer [{name}] may not use filter [{filter_name}]")));
            }
        }
        Ok(Analyzer::new(TokenizerKind::Keyword, filters))
    }
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
