//! What a commit of the index says about itself, beside its documents.

use crate::shard::seqno::Lineage;
use serde::{Deserialize, Serialize};
use tandem_common::{Error, PrimaryTerm, Result, SeqNo};

/// Travels as the payload of every commit, durable or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::shard) struct CommitPayload {
    /// Every operation up to here is in the index, and none above.
    pub(in crate::shard) checkpoint: SeqNo,
    /// The term under which that operation was sequenced.
    pub(in crate::shard) op_term: PrimaryTerm,
    /// The mapping behind the fields of the index.
    pub(in crate::shard) mapping_version: u64,
    /// The identity of the log up to there.
    pub(in crate::shard) lineage: Lineage,
    /// The highest id of an operation up to there.
    #[serde(default)]
    pub(in crate::shard) operation_id_max: u64,
}

impl CommitPayload {
    pub(in crate::shard) fn new(checkpoint: SeqNo, mapping_version: u64, mut lineage: Lineage) -> Self {
        lineage.truncate(checkpoint);
        let op_term = lineage.op_term_at(checkpoint).unwrap_or(PrimaryTerm(0));
        Self { checkpoint, op_term, mapping_version, lineage, operation_id_max: 0 }
    }

    pub(in crate::shard) fn to_text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::internal(format!("cannot write a commit payload: {error}")))
    }

    /// The payload of a commit, from its `meta.json`.
    pub(in crate::shard) fn of_meta(meta: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Meta {
            payload: String,
        }
        serde_json::from_slice::<Meta>(meta)
            .and_then(|meta| serde_json::from_str(&meta.payload))
            .map_err(|error| Error::Corrupt { reason: format!("the index commit cannot be read: {error}") })
    }
}
