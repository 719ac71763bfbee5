//! What the two sides say to each other, as plain structs that know their size.

use super::super::seqno::Lineage;
use super::SeqNoSet;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tandem_common::{PrimaryTerm, Result, SeqNo};

/// What a message takes beside its texts and lists.
const MESSAGE_BYTES: usize = 16;

/// The target asks whether and from where a delta is possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeltaRequest {
    /// The identity of the target's log.
    pub lineage: Lineage,
    /// Where it ends. All of it is committed.
    pub max_seq_no: SeqNo,
    /// The lease that keeps the source's history from the checkpoint on.
    pub lease: String,
    /// What the lease is for.
    pub lease_source: String,
}

/// The source has pinned a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeltaBegin {
    /// The last operation that both sides share; -1 when they share an empty history.
    pub shared: SeqNo,
    /// The target will have this state of the source; its history above is leased.
    pub checkpoint: SeqNo,
    /// The identity of the source's log, up to the checkpoint.
    pub lineage: Lineage,
    /// The mapping under which documents must be read.
    pub mapping_version: u64,
    /// The highest operation id up to the checkpoint.
    pub operation_id_max: u64,
    /// Live documents that were last written up to `shared`.
    pub live_shared: u64,
    /// Live documents that were last written above.
    pub live_above: u64,
}

/// Which documents up to `shared` are live, from one place on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveChunk {
    /// See [`SeqNoSet::encode`].
    pub bits: Vec<u8>,
    /// Where to go on, if there is more.
    pub next: Option<SeqNo>,
}

/// A live document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeltaDocument {
    /// Its id.
    pub id: String,
    /// Its routing, if one was given.
    pub routing: Option<String>,
    /// The last operation on it.
    pub seq_no: SeqNo,
    /// The term of that operation.
    pub op_term: PrimaryTerm,
    /// Its version.
    pub version: i64,
    /// The document as it was sent.
    pub source: Bytes,
}

/// Documents in the order of their sequence numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentChunk {
    /// The documents.
    pub documents: Vec<DeltaDocument>,
    /// Where to go on, if there is more.
    pub next: Option<SeqNo>,
}

/// The deletion of a document that is still remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The document.
    pub id: String,
    /// The deletion.
    pub seq_no: SeqNo,
    /// The term of the deletion.
    pub op_term: PrimaryTerm,
    /// The version after it.
    pub version: i64,
}

/// Tombstones in the order of their sequence numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TombstoneChunk {
    /// The tombstones.
    pub tombstones: Vec<Tombstone>,
    /// Where to go on, if there is more.
    pub next: Option<SeqNo>,
}

impl DeltaBegin {
    /// About how many bytes it takes on the wire.
    pub fn bytes(&self) -> usize {
        let forks: usize = self.lineage.forks.iter().map(|fork| fork.parent.0.len() + 8).sum();
        MESSAGE_BYTES + 6 * 8 + self.lineage.history.0.len() + forks + 16 * self.lineage.terms.len()
    }
}

impl LiveChunk {
    /// About how many bytes it takes on the wire.
    pub fn bytes(&self) -> usize {
        MESSAGE_BYTES + self.bits.len()
    }
}

impl DeltaDocument {
    /// About how many bytes it takes on the wire.
    pub fn bytes(&self) -> usize {
        MESSAGE_BYTES + 3 * 8 + self.id.len() + self.routing.as_ref().map_or(0, String::len) + self.source.len()
    }
}

impl DocumentChunk {
    /// About how many bytes it takes on the wire.
    pub fn bytes(&self) -> usize {
        MESSAGE_BYTES + self.documents.iter().map(DeltaDocument::bytes).sum::<usize>()
    }
}

impl Tombstone {
    /// About how many bytes it takes on the wire.
    pub fn bytes(&self) -> usize {
        MESSAGE_BYTES + 3 * 8 + self.id.len()
    }
}

impl TombstoneChunk {
    /// About how many bytes it takes on the wire.
    pub fn bytes(&self) -> usize {
        MESSAGE_BYTES + self.tombstones.iter().map(Tombstone::bytes).sum::<usize>()
    }
}

/// The source, as the target reaches it: in this process or over a wire. Any error ends the attempt.
pub trait DeltaPeer: Send + Sync {
    /// Which documents up to `shared` are live, from `from` on.
    fn live(&self, from: SeqNo) -> impl Future<Output = Result<LiveChunk>> + Send;

    /// The live documents above `shared`, from `from` on.
    fn documents(&self, from: SeqNo) -> impl Future<Output = Result<DocumentChunk>> + Send;

    /// These documents. Fewer when they are many bytes: `next` is then the first one that is missing.
    fn fetch(&self, wanted: SeqNoSet) -> impl Future<Output = Result<DocumentChunk>> + Send;

    /// The tombstones up to the checkpoint, from `from` on.
    fn tombstones(&self, from: SeqNo) -> impl Future<Output = Result<TombstoneChunk>> + Send;
}
