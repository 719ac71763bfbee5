//! What an analyzer was put together from, by the names in the settings: what `explain` shows.

use super::chain::{Filter, Tokenizer};
use super::char_filters::CharFilter;
use std::sync::Arc;

/// The parts, in the order in which a text goes through them.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) char_filters: Vec<(String, Arc<dyn CharFilter>)>,
    pub(super) tokenizer: (String, Arc<dyn Tokenizer>, Option<Filter>),
    pub(super) filters: Vec<NamedFilter>,
}

/// A filter with its name.
#[derive(Clone, Debug)]
pub(super) struct NamedFilter {
    pub(super) name: String,
    pub(super) type_name: String,
    pub(super) filter: Filter,
}
