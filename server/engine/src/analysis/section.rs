//! The settings below one name, such as those of `index.analysis.filter.my_stop`, read with OpenSearch's errors.

use tandem_common::settings::parse_bool;
use tandem_common::{Error, Result, Settings};

/// Limits of an index that analyzers must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// `index.max_ngram_diff`.
    pub(super) ngram_diff_max: usize,
    /// `index.max_shingle_diff`.
    pub(super) shingle_diff_max: usize,
}

impl Limits {
    pub(super) fn of(settings: &Settings) -> Limits {
        let limit = |key: &str, default: usize| settings.text(key).and_then(|text| text.parse().ok()).unwrap_or(default);
        Limits { ngram_diff_max: limit("index.max_ngram_diff", 1), shingle_diff_max: limit("index.max_shingle_diff", 3) }
    }
}

/// The settings of one part of an analyzer.
pub(super) struct Section<'s> {
    settings: &'s Settings,
    prefix: String,
    name: String,
    pub(super) limits: Limits,
}

impl<'s> Section<'s> {
    /// The settings whose keys begin with `prefix`, for the part called `name`.
    pub(super) fn new(settings: &'s Settings, prefix: String, name: &str, limits: Limits) -> Section<'s> {
        Section { settings, prefix, name: name.to_owned(), limits }
    }

    /// What the part is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    pub(super) fn text(&self, key: &str) -> Option<&'s str> {
        self.settings.text(&self.key(key))
    }

    pub(super) fn list(&self, key: &str) -> Option<Vec<String>> {
        self.settings.list(&self.key(key))
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.settings.get(&self.key(key)).is_some()
    }

    /// A whole number of 32 bits.
    pub(super) fn integer(&self, key: &str, default: i32) -> Result<i32> {
        match self.text(key) {
            None => Ok(default),
            Some(text) => {
                text.parse().map_err(|_| Error::Settings { reason: format!("Failed to parse int setting [{key}] with value [{text}]") })
            }
        }
    }

    /// A whole number that counts something; below 0 counts as 0.
    pub(super) fn count(&self, key: &str, default: usize) -> Result<usize> {
        let default = i32::try_from(default).unwrap_or(i32::MAX);
        Ok(usize::try_from(self.integer(key, default)?).unwrap_or(0))
    }

    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool> {
        self.text(key).map_or(Ok(default), parse_bool)
    }

    /// A list of words that may also be meant to come from a file, of which there are none.
    pub(super) fn words(&self, key: &str) -> Result<Option<Vec<String>>> {
        let path = format!("{key}_path");
        if self.has(&path) {
            return Err(self.unreadable_path(&path));
        }
        Ok(self.list(key))
    }

    /// The refusal of a setting that names a file: analyzers are made of settings alone, so that every node has the same.
    pub(super) fn unreadable_path(&self, key: &str) -> Error {
        Error::illegal_argument(format!("IOException while reading {key}: file not readable"))
    }
}
