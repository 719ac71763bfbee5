//! Text to tokens: analyzers, tokenizers, filters.
//!
//! *What it is*: the analyzers of one index. · *Types to know*: [`AnalyzerRegistry`], [`Analyzer`], [`Token`]. · **Invariants**:
//! built from settings alone; the same text gives the same tokens when it is indexed and when it is searched for; a token that
//! is left out leaves its place empty. · *How it fails*: an unknown analyzer is an error when the settings are read. · *How it is
//! tested*: tables beside the code, compared with what OpenSearch's `_analyze` answers.

mod analyzer;
mod folding;
mod porter;
mod registry;
mod tokenizers;

pub use analyzer::{Analyzer, Token};
pub use registry::AnalyzerRegistry;
pub use tokenizers::TokenKind;
