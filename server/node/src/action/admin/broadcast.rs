//! `indices:admin/{refresh,flush,forcemerge}`: the same order to every shard copy of some indices.

use crate::action::{IndexNames, Services, ShardsHeader};
use tandem_common::{Context, Error, Result};

/// What every copy is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Make what is acknowledged searchable.
    Refresh,
    /// Make the index durable, so that a restart replays little.
    Flush,
    /// Merge down to this many segments.
    ForceMerge {
        /// At most this many remain; `None` lets the merge policy decide.
        max_segments: Option<usize>,
    },
}

/// Tells every copy of the indices that the expression names. The header counts copies.
pub async fn execute(_services: &Services, _context: &Context, _indices: IndexNames, _order: Order) -> Result<ShardsHeader> {
    Err(Error::internal("pending"))
}
