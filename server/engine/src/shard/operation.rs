//! What goes into a shard and what comes out: operations as they are asked for, as they are logged, and their results.

use bytes::Bytes;
use tandem_common::mapping::ParsedDocument;
use tandem_common::{PrimaryTerm, SeqNo};

/// A write as it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteOperation {
    /// The document.
    pub id: String,
    /// Its routing, if one was given.
    pub routing: Option<String>,
    /// What to do.
    pub kind: WriteKind,
    /// Under which condition.
    pub condition: Condition,
    /// Names this operation however often it is sent; 0 for none. Best are ids that rise with time, and by one from one
    /// operation of a request to the next: see [`tandem_common::ids::operation_id`].
    pub operation_id: u64,
}

/// What a write does.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteKind {
    /// Writes the document, whether it exists or not.
    Index {
        /// The document as it was sent.
        source: Bytes,
    },
    /// Writes the document, which must not exist.
    Create {
        /// The document as it was sent.
        source: Bytes,
    },
    /// Writes a document whose id was just made up, so that it cannot exist: no look-up, unless the operation may be a retry
    /// that was forgotten.
    IndexNew {
        /// The document as it was sent.
        source: Bytes,
    },
    /// Removes the document.
    Delete,
}

/// What must hold for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    None,
    /// The last operation on the document must be this one.
    IfSeqNo {
        /// Its sequence number.
        seq_no: SeqNo,
        /// Its op term.
        term: PrimaryTerm,
    },
    /// The given version must be greater than the present one, and becomes it.
    External(i64),
    /// The given version must not be lower than the present one, and becomes it.
    ExternalOrEqual(i64),
}

/// A write whose document was read and can be indexed.
#[derive(Clone, Debug)]
pub struct ParsedOperation {
    pub(super) operation: WriteOperation,
    pub(super) document: Option<ParsedDocument>,
    pub(super) mapping_version: u64,
}

impl ParsedOperation {
    /// The mapping that must be added before the operation can be written; then it must be parsed again.
    pub fn dynamic_update(&self) -> Option<&serde_json::Value> {
        self.document.as_ref()?.dynamic_update.as_ref()
    }

    /// The document's id.
    pub fn id(&self) -> &str {
        &self.operation.id
    }

    /// The operation, to parse it again after a change of the mapping.
    pub fn into_operation(self) -> WriteOperation {
        self.operation
    }
}

/// What a write has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteResult {
    /// Its place in the log.
    pub seq_no: SeqNo,
    /// The term under which it was sequenced (`_primary_term`).
    pub op_term: PrimaryTerm,
    /// The document's version now.
    pub version: i64,
    /// What happened to the document.
    pub outcome: WriteOutcome,
}

/// What happened to a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It did not exist before.
    Created,
    /// It existed before.
    Updated,
    /// It is gone.
    Deleted,
    /// There was nothing to delete; the deletion was logged all the same.
    NotFound,
}

/// An operation as the log keeps it, the same in every copy and in every cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedOperation {
    /// Its place in the log.
    pub seq_no: SeqNo,
    /// The term under which it was first sequenced.
    pub op_term: PrimaryTerm,
    /// The mapping under which its document must be read.
    pub mapping_version: u64,
    /// The attempt of the client; 0 for none.
    pub operation_id: u64,
    /// The document's version after it.
    pub version: i64,
    /// The document.
    pub id: String,
    /// Its routing, if one was given.
    pub routing: Option<String>,
    /// What it does.
    pub kind: LoggedKind,
}

/// What a logged operation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoggedKind {
    /// The document becomes this.
    Index {
        /// The document as it was sent.
        source: Bytes,
    },
    /// The document is gone.
    Delete,
}

impl LoggedOperation {
    /// About how many bytes it takes, in memory as on disk.
    pub fn bytes(&self) -> usize {
        let source = match &self.kind {
            LoggedKind::Index { source } => source.len(),
            LoggedKind::Delete => 0,
        };
        OPERATION_OVERHEAD_BYTES + self.id.len() + self.routing.as_ref().map_or(0, String::len) + source
    }
}

/// What an operation takes beside its texts: the struct, its entry in the version map and its record header.
const OPERATION_OVERHEAD_BYTES: usize = 160;

/// A document that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetResult {
    /// Its version.
    pub version: i64,
    /// The last operation on it.
    pub seq_no: SeqNo,
    /// The term of that operation.
    pub op_term: PrimaryTerm,
    /// Its routing, if one was given.
    pub routing: Option<String>,
    /// The document as it was sent.
    pub source: Bytes,
}
