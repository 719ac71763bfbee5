//! The query language and the phases of a search on one shard, and how partial results merge.
//!
//! *What it is*: [`SearchSource`] is what was asked; [`query_phase`] finds the best documents of a shard, [`reduce`] merges
//! those of several, [`fetch_phase`] loads what is shown of them. · *Types to know*: [`SearchSource`], [`Query`],
//! [`QueryResult`], [`Winner`], [`Hit`], [`SourceFilter`]. · **Invariants**: everything here is synchronous and belongs on the
//! blocking pool, but for [`reduce`], which is pure; a [`Winner`] means something only to the searcher that found it, so both
//! phases must be given the same one; equal documents come in the order of shards, then of their sequence numbers. · *How it
//! fails*: bad bodies as OpenSearch's parsers say it; what does not fit a shard's mapping as [`tandem_common::Error::QueryShard`]. ·
//! *How it is tested*: `search_tests.rs` holds the hits and scores of OpenSearch 3.1 for the same documents.

mod collect;
mod fetch;
mod named;
pub mod query;
mod query_phase;
mod reduce;
mod sort;
mod sort_columns;
mod sort_keys;
mod sort_nested;
mod source;
mod source_filter;

pub use fetch::{Hit, fetch_phase};
pub use query::Query;
pub use query_phase::{QueryResult, TotalRelation, Winner, count, query_phase};
pub use reduce::{Reduced, reduce};
pub use sort::{SortOrder, SortSpec, SortValue};
pub use source::{SearchSource, StoredFields, TRACK_TOTAL_HITS_DEFAULT, TrackTotalHits};
pub use source_filter::SourceFilter;

use sort_keys::index_error;

#[cfg(test)]
mod field_type_tests;
#[cfg(test)]
mod search_tests;
