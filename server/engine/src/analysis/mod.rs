//! Text to tokens: analyzers, tokenizers, filters, and what `_analyze` shows of them.
//!
//! *What it is*: the analyzers of one index; a text goes through char filters, a tokenizer and token filters, word by word. ·
//! *Types to know*: [`AnalyzerRegistry`], [`Analyzer`], [`Token`], [`AnalyzeRequest`]. · **Invariants**: built from settings
//! alone; the same text gives the same tokens when it is indexed and when it is searched for; a token that is left out leaves
//! its place empty; a text never makes an analyzer fail, and takes time linear in it and in the tokens it gives. · *How it
//! fails*: an unknown or badly made analyzer is an error when the settings are read. · *How it is tested*: tables beside the
//! code, compared with what OpenSearch's `_analyze` answers.

mod analyze;
mod analyzer;
mod chain;
mod char_filters;
mod charset;
mod filters;
mod java_regex;
mod languages;
mod parts;
mod registry;
mod section;
mod token;
mod tokenizers;
mod workshop;

pub use analyze::{AnalyzeDetail, AnalyzeOutcome, AnalyzeRequest, ComponentRef, FieldAnalysis, StageTokens};
pub use analyzer::Analyzer;
pub use registry::AnalyzerRegistry;
pub use token::{Token, TokenKind};

#[cfg(test)]
mod learnt_tests;
