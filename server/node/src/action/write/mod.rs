//! Writing documents: one path for bulk, single documents and updates.

pub mod bulk;
mod shard_bulk;
pub mod single;
mod update;

use bytes::Bytes;
use tandem_common::{PrimaryTerm, SeqNo};

/// The optimistic condition of a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteCondition {
    /// None.
    #[default]
    None,
    /// `if_seq_no` and `if_primary_term`.
    IfSeqNo {
        /// The last operation of the document must be this one.
        seq_no: SeqNo,
        /// And have this term.
        primary_term: PrimaryTerm,
    },
    /// `version_type=external`: higher than the present one.
    External(i64),
    /// `version_type=external_gte`: not lower than the present one.
    ExternalOrEqual(i64),
}

/// What to do with one document.
#[derive(Clone, Debug, PartialEq)]
pub enum DocumentAction {
    /// Index or replace.
    Index {
        /// The document.
        source: Bytes,
    },
    /// Index; a document with this id is a conflict.
    Create {
        /// The document.
        source: Bytes,
    },
    /// Change in part.
    Update(UpdateBody),
    /// Delete.
    Delete,
}

impl DocumentAction {
    /// The key of its item in a bulk answer.
    pub fn name(&self) -> &'static str {
        match self {
            DocumentAction::Index { .. } => "index",
            DocumentAction::Create { .. } => "create",
            DocumentAction::Update(_) => "update",
            DocumentAction::Delete => "delete",
        }
    }
}

/// The body of an update, as it was sent; it is read and checked by the action.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateBody {
    /// `{"doc": …, "upsert": …, "doc_as_upsert": …, "detect_noop": …, "_source": …}`.
    pub body: Bytes,
    /// How often a conflict is tried again.
    pub retry_on_conflict: u32,
    /// `_source` parameters of the request; they win over the body's.
    pub source_filter: Option<tandem_engine::search::SourceFilter>,
}

/// One document to write.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentWrite {
    /// Index, alias or (for auto-creation) a name that does not exist yet.
    pub index: String,
    /// The id; `None` for a generated one (index and create only).
    pub id: Option<String>,
    /// What is done.
    pub action: DocumentAction,
    /// The routing value.
    pub routing: Option<String>,
    /// The condition.
    pub condition: WriteCondition,
    /// The name must be an alias.
    pub require_alias: bool,
}

/// What a written document answers.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteResponse {
    /// The concrete index.
    pub index: String,
    /// The document.
    pub id: String,
    /// Its version now.
    pub version: i64,
    /// `created`, `updated`, `deleted`, `noop`, `not_found`.
    pub result: WriteResult,
    /// Whether this request forced a refresh.
    pub forced_refresh: bool,
    /// Copies; total 0 for a noop.
    pub shards: super::ShardsHeader,
    /// Its operation.
    pub seq_no: SeqNo,
    /// Under which term.
    pub primary_term: PrimaryTerm,
    /// The document after an update, when `_source` was asked for.
    pub get: Option<super::read::get::GetResponse>,
}

/// The `result` of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteResult {
    /// It was not there before.
    Created,
    /// It was replaced.
    Updated,
    /// It is gone.
    Deleted,
    /// Nothing had to change.
    Noop,
    /// There was nothing to delete.
    NotFound,
}

impl WriteResult {
    /// OpenSearch's word.
    pub fn as_str(self) -> &'static str {
        match self {
            WriteResult::Created => "created",
            WriteResult::Updated => "updated",
            WriteResult::Deleted => "deleted",
            WriteResult::Noop => "noop",
            WriteResult::NotFound => "not_found",
        }
    }

    /// The HTTP status of an item or a single write.
    pub fn status(self) -> u16 {
        match self {
            WriteResult::Created => 201,
            WriteResult::NotFound => 404,
            WriteResult::Updated | WriteResult::Deleted | WriteResult::Noop => 200,
        }
    }
}
