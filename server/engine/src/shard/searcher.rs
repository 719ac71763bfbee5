//! A snapshot of a shard for readers: it does not change while it is held, whatever is written meanwhile.

use super::schema::ShardSchema;
use std::sync::Arc;
use tandem_common::{SeqNo, ShardId};

/// What searches run on. Cheap to clone.
#[derive(Clone)]
pub struct ShardSearcher {
    /// The shard.
    pub shard: ShardId,
    /// The published index.
    pub searcher: tantivy::Searcher,
    /// The fields of that index and the mapping behind them.
    pub schema: Arc<ShardSchema>,
    /// Every operation up to here is in the index, and none above.
    pub checkpoint: SeqNo,
}
