//! The analyzers and normalizers of one index, by name, read from its settings.

use super::analyzer::{Analyzer, IndexTokenizer};
use super::chain::Filter;
use super::filters::letters::Lowercase;
use super::filters::words::{Stop, WordSet};
use super::filters::{self, folding::AsciiFolding};
use super::java_regex::JavaRegex;
use super::languages;
use super::section::{Limits, Section};
use super::token::Token;
use super::tokenizers::pattern::Pattern;
use super::tokenizers::runs::{Keyword, Runs, Sort};
use super::tokenizers::standard::{Standard, TOKEN_LENGTH_MAX};
use super::workshop::{Bare, POSITION_INCREMENT_GAP, Workshop, lowercase_normalizer};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use tandem_common::{Error, Result, Settings};
use tantivy::tokenizer::{TextAnalyzer, TokenizerManager};

/// The analyzers that need no settings, besides those of languages.
const ANALYZERS: [&str; 7] = ["fingerprint", "keyword", "pattern", "simple", "standard", "stop", "whitespace"];

/// The analyzers that settings of an index give.
#[derive(Clone, Debug)]
pub struct AnalyzerRegistry {
    analyzers: BTreeMap<String, Arc<Analyzer>>,
    normalizers: BTreeMap<String, Arc<Analyzer>>,
    /// The settings that they were made from: `index.analysis.*` and the limits.
    settings: Arc<Settings>,
}

/// What every index has, made once.
static BUILT_IN: LazyLock<AnalyzerRegistry> = LazyLock::new(|| {
    let settings = Settings::new();
    let section = Section::new(&settings, String::new(), "", Limits::of(&settings));
    let mut analyzers = BTreeMap::new();
    for name in ANALYZERS.iter().chain(languages::ANALYZERS) {
        if let Some(analyzer) = built_in(name, &section).ok().flatten() {
            analyzers.insert((*name).to_owned(), Arc::new(analyzer));
        }
    }
    let standard = Standard { token_length_max: TOKEN_LENGTH_MAX };
    let standard = Analyzer::new(Arc::new(standard), vec![Filter::word(Lowercase::Plain)]);
    analyzers.insert("default".to_owned(), Arc::new(standard));
    let normalizers = BTreeMap::from([("lowercase".to_owned(), Arc::new(lowercase_normalizer()))]);
    AnalyzerRegistry { analyzers, normalizers, settings: Arc::new(settings) }
});

impl Default for AnalyzerRegistry {
    /// The analyzers that every index has.
    fn default() -> Self {
        BUILT_IN.clone()
    }
}

/// The analyzer of a type; `None` for a type that does not exist.
///
/// # Errors
/// Bad settings.
pub(super) fn built_in(type_name: &str, section: &Section<'_>) -> Result<Option<Analyzer>> {
    let stop = |default: &str| -> Result<Filter> { Ok(Filter::word(Stop(WordSet::new(filters::stop_words(section, default)?, false)))) };
    let lowercase = || Filter::word(Lowercase::Plain);
    let letters = || Arc::new(Runs { sort: Sort::Letters, length_max: TOKEN_LENGTH_MAX });
    let standard = || -> Result<Arc<Standard>> {
        let token_length_max = section.count("max_token_length", TOKEN_LENGTH_MAX)?.max(1);
        Ok(Arc::new(Standard { token_length_max }))
    };
    Ok(Some(match type_name {
        "standard" => {
            let mut filters = vec![lowercase()];
            if section.has("stopwords") || section.has("stopwords_path") {
                filters.push(stop("english")?);
            }
            Analyzer::new(standard()?, filters)
        }
        "simple" => Analyzer::new(letters(), vec![lowercase()]),
        "whitespace" => Analyzer::new(Arc::new(Runs { sort: Sort::NoBlanks, length_max: TOKEN_LENGTH_MAX }), Vec::new()),
        "keyword" => Analyzer::new(Arc::new(Keyword), Vec::new()),
        "stop" => Analyzer::new(letters(), vec![lowercase(), stop("english")?]),
        "pattern" => {
            let regex = JavaRegex::new(section.text("pattern").unwrap_or("\\W+"), section.text("flags").unwrap_or_default())?;
            let mut filters = Vec::new();
            if section.flag("lowercase", true)? {
                filters.push(lowercase());
            }
            if section.has("stopwords") || section.has("stopwords_path") {
                filters.push(stop("english")?);
            }
            Analyzer::new(Arc::new(Pattern { regex, group: None }), filters)
        }
        "fingerprint" => {
            let mut filters = vec![lowercase(), Filter::word(AsciiFolding)];
            if section.has("stopwords") || section.has("stopwords_path") {
                filters.push(stop("english")?);
            }
            filters.push(filters::fingerprint(section)?);
            Analyzer::new(standard()?, filters)
        }
        language => return languages::analyzer(language, section),
    }))
}

impl AnalyzerRegistry {
    /// Reads `index.analysis.*`.
    ///
    /// # Errors
    /// An analyzer that does not exist or is not well made.
    pub fn new(settings: &Settings) -> Result<Self> {
        let mut registry = AnalyzerRegistry::default();
        let workshop = Workshop::new(settings);
        // Every part is checked, whether or not an analyzer uses it.
        for name in workshop.names("char_filter") {
            workshop.char_filter(&name)?;
        }
        for name in workshop.names("tokenizer") {
            workshop.tokenizer(&name)?;
        }
        for name in workshop.names("filter") {
            workshop.part(&name, Bare::PreConfigured)?;
        }
        for name in workshop.names("analyzer") {
            if name.starts_with('_') {
                return Err(Error::illegal_argument(format!("analyzer name must not start with '_'. got \"{name}\"")));
            }
            if name == "default_index" {
                return Err(Error::illegal_argument(
                    "setting [index.analysis.analyzer.default_index] is not supported anymore, use [index.analysis.analyzer.default] instead",
                ));
            }
            let analyzer = workshop.analyzer(&name)?;
            registry.analyzers.insert(name, Arc::new(analyzer));
        }
        for name in workshop.names("normalizer") {
            let normalizer = workshop.normalizer(&name)?;
            registry.normalizers.insert(name, Arc::new(normalizer));
        }
        let mut kept = settings.under("index.analysis.");
        for key in ["index.max_ngram_diff", "index.max_shingle_diff"] {
            if let Some(value) = settings.get(key) {
                kept.insert(key, value.clone());
            }
        }
        registry.settings = Arc::new(kept);
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

    /// The normalizer with this name.
    pub(super) fn normalizer(&self, name: &str) -> Option<&Arc<Analyzer>> {
        self.normalizers.get(name)
    }

    /// The settings that its parts are looked up in.
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Every token of a text, offsets in its bytes.
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

    /// The empty positions between the values of a field that is analyzed by this analyzer, unless its mapping says otherwise.
    pub fn position_increment_gap(&self, name: &str) -> usize {
        self.analyzers.get(name).map_or(POSITION_INCREMENT_GAP, |analyzer| analyzer.position_increment_gap)
    }
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
