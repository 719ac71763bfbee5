//! One error for the whole house: a variant for each OpenSearch exception that we speak.
//!
//! `Display` is exactly OpenSearch's reason text. [`Error::type_name`], [`Error::status`] and [`Error::is_retryable`] are
//! the whole policy. The enum itself travels between nodes and clusters, so the asker sees the real variant. Code never
//! branches on texts.

use crate::ids::IndexUuid;
use serde::{Deserialize, Serialize};

/// The result of nearly everything.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in OpenSearch's words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum Error {
    /// A value that cannot be used, with the full reason.
    #[error("{reason}")]
    IllegalArgument {
        /// The whole reason.
        reason: String,
        /// What lies behind it.
        cause: Option<Box<Error>>,
    },
    /// A request that contradicts itself: `Validation Failed: 1: …;2: …;`.
    #[error("{}", validation_reason(reasons))]
    ActionRequestValidation {
        /// One reason each.
        reasons: Vec<String>,
    },
    /// The same, for cluster-state changes.
    #[error("{}", validation_reason(reasons))]
    Validation {
        /// One reason each.
        reasons: Vec<String>,
    },
    /// A query or search body of the wrong shape.
    #[error("{reason}")]
    Parsing {
        /// The whole reason.
        reason: String,
        /// Line and column, from 1.
        position: Option<(u32, u32)>,
        /// What lies behind it.
        cause: Option<Box<Error>>,
    },
    /// A body of the wrong shape, as the object parsers say it.
    #[error("{reason}")]
    XContentParse {
        /// The whole reason.
        reason: String,
        /// What lies behind it.
        cause: Option<Box<Error>>,
    },
    /// Text that is not JSON.
    #[error("{reason}")]
    JsonParse {
        /// The whole reason.
        reason: String,
    },
    /// A name that no parser goes by (`named_object_not_found_exception`).
    #[error("{reason}")]
    NamedObjectNotFound {
        /// The whole reason.
        reason: String,
    },
    /// A query text that cannot be read (`parse_exception`, of the library that reads such texts).
    #[error("{reason}")]
    QuerySyntax {
        /// The whole reason.
        reason: String,
    },
    /// A search that asks for what does not go together (`search_exception`).
    #[error("{reason}")]
    Search {
        /// The whole reason.
        reason: String,
    },
    /// JSON that ends too soon (`json_e_o_f_exception`).
    #[error("{reason}")]
    JsonEof {
        /// The whole reason.
        reason: String,
    },
    /// A body that is not even the start of JSON (`not_x_content_exception`).
    #[error("{reason}")]
    NotXContent {
        /// The whole reason.
        reason: String,
    },
    /// A missing or unreadable body.
    #[error("{reason}")]
    Parse {
        /// The whole reason.
        reason: String,
        /// What lies behind it.
        cause: Option<Box<Error>>,
    },
    /// A number that does not fit its type (`input_coercion_exception`).
    #[error("{reason}")]
    InputCoercion {
        /// The whole reason.
        reason: String,
    },
    /// JSON nested too deeply or with too long a number (`stream_constraints_exception`).
    #[error("{reason}")]
    StreamConstraints {
        /// The whole reason.
        reason: String,
    },
    /// A document or mapping that does not fit.
    #[error("{reason}")]
    MapperParsing {
        /// The whole reason.
        reason: String,
        /// What lies behind it.
        cause: Option<Box<Error>>,
    },
    /// A new field under `dynamic: strict` or `strict_allow_templates`.
    #[error("mapping set to {dynamic}, dynamic introduction of [{field}] within [{object}] is not allowed")]
    StrictDynamicMapping {
        /// What `dynamic` is.
        dynamic: String,
        /// The last part of the field's name.
        field: String,
        /// The object it would be in; `_doc` at the top.
        object: String,
    },
    /// No such index.
    #[error("no such index [{index}]")]
    IndexNotFound {
        /// The name as asked.
        index: String,
    },
    /// `require_alias` was asked for and the name is no alias, or auto-creation is off.
    #[error("no such index [{index}] and {detail}")]
    IndexNotFoundBecause {
        /// The name as asked.
        index: String,
        /// What forbids its creation.
        detail: String,
    },
    /// No such index to write to.
    #[error("no such index [{index}]")]
    IndexNotFoundForWrite {
        /// The name as asked.
        index: String,
    },
    /// The index exists.
    #[error("index [{index}/{uuid}] already exists")]
    ResourceAlreadyExists {
        /// Its name.
        index: String,
        /// Its identity.
        uuid: IndexUuid,
    },
    /// Something exists that must not, with the full reason.
    #[error("{reason}")]
    AlreadyExists {
        /// The whole reason.
        reason: String,
    },
    /// A name that no index may have.
    #[error("Invalid index name [{name}], {detail}")]
    InvalidIndexName {
        /// The name.
        name: String,
        /// The rule.
        detail: String,
    },
    /// A name that no alias may have.
    #[error("Invalid alias name [{name}]: {detail}")]
    InvalidAliasName {
        /// The name.
        name: String,
        /// The rule.
        detail: String,
    },
    /// An alias cannot have the name of an index.
    #[error("Invalid alias name [{name}], an index exists with the same name as the alias")]
    AliasIsIndex {
        /// The name.
        name: String,
        /// The index that has it.
        uuid: IndexUuid,
    },
    /// Aliases that should be there are not.
    #[error("aliases [{}] missing", aliases.join(", "))]
    AliasesNotFound {
        /// Their names.
        aliases: Vec<String>,
    },
    /// The index is closed.
    #[error("closed")]
    IndexClosed {
        /// Its name.
        index: String,
        /// Its identity.
        uuid: IndexUuid,
    },
    /// A document that does not exist was to be updated.
    #[error("[{id}]: document missing")]
    DocumentMissing {
        /// The document.
        id: String,
        /// Its index.
        index: String,
        /// The index's identity.
        uuid: IndexUuid,
        /// Its shard.
        shard: u32,
    },
    /// An optimistic condition does not hold. Determinate: nothing was written.
    #[error("[{id}]: version conflict, {detail}")]
    VersionConflict {
        /// The document.
        id: String,
        /// What was required and what is.
        detail: String,
        /// Its index.
        index: String,
        /// The index's identity.
        uuid: IndexUuid,
        /// Its shard.
        shard: u32,
    },
    /// A document without the routing that its mapping requires.
    #[error("routing is required for [{index}]/[{id}]")]
    RoutingMissing {
        /// Its index.
        index: String,
        /// The document.
        id: String,
    },
    /// A search failed on every shard.
    #[error("all shards failed")]
    SearchPhaseExecution {
        /// `query`, `fetch`.
        phase: String,
        /// One failure per shard.
        failures: Vec<ShardFailure>,
    },
    /// A search failed, though no shard did (`search_phase_execution_exception` without a reason of its own).
    #[error("")]
    SearchPhaseFailed {
        /// `fetch`.
        phase: String,
        /// What failed it.
        cause: Box<Error>,
    },
    /// A query that does not fit the mapping of a shard.
    #[error("{reason}")]
    QueryShard {
        /// The whole reason.
        reason: String,
        /// Its index.
        index: String,
        /// The index's identity.
        uuid: IndexUuid,
        /// What lies behind it.
        cause: Option<Box<Error>>,
    },
    /// A block forbids it.
    #[error("{}", block_reason(index.as_deref(), blocks))]
    ClusterBlock {
        /// The index, when the block is on one.
        index: Option<String>,
        /// What blocks.
        blocks: Vec<BlockReason>,
        /// The status of the block: 403, 429 or 503.
        status: u16,
    },
    /// A setting that does not exist or has a bad value.
    #[error("{reason}")]
    Settings {
        /// The whole reason.
        reason: String,
    },
    /// Something else that does not exist.
    #[error("{reason}")]
    ResourceNotFound {
        /// The whole reason.
        reason: String,
    },
    /// No such alias of a remote cluster.
    #[error("no such remote cluster: [{alias}]")]
    NoSuchRemoteCluster {
        /// The alias.
        alias: String,
    },
    /// A node or cluster cannot be reached.
    #[error("{reason}")]
    ConnectTransport {
        /// The whole reason.
        reason: String,
    },
    /// No such retention lease.
    #[error("retention lease with ID [{id}] not found{}", ended.as_ref().map(|why| format!(": {why}")).unwrap_or_default())]
    RetentionLeaseNotFound {
        /// The lease.
        id: String,
        /// Why it was ended before its time, if it was.
        ended: Option<String>,
    },
    /// A lease with this id exists.
    #[error("retention lease with ID [{id}] already exists")]
    RetentionLeaseAlreadyExists {
        /// The lease.
        id: String,
    },
    /// A lease would move backwards.
    #[error(
        "the current retention lease with [{id}] is retaining a higher sequence number [{current}] than the new retaining sequence number [{asked}]"
    )]
    RetentionLeaseInvalid {
        /// The lease.
        id: String,
        /// What it retains.
        current: i64,
        /// What was asked.
        asked: i64,
    },
    /// History that was asked for is no longer there.
    #[error("operations from [{from}] are no longer retained; the lowest is [{lowest}]")]
    HistoryNotAvailable {
        /// The first sequence number asked for.
        from: i64,
        /// The lowest that is still there.
        lowest: i64,
    },
    /// The two logs do not hold the same operation at this place.
    #[error("history mismatch at sequence number [{seq_no}]: {detail}")]
    HistoryMismatch {
        /// Where.
        seq_no: i64,
        /// How they differ.
        detail: String,
    },
    /// The shard copy is not here or not ready; another attempt may succeed.
    #[error("{reason}")]
    ShardNotReady {
        /// The whole reason.
        reason: String,
    },
    /// No copy of the shard can serve.
    #[error("{reason}")]
    NoShardAvailable {
        /// The whole reason.
        reason: String,
    },
    /// The primary is not active, or too few copies are.
    #[error("{reason}")]
    UnavailableShards {
        /// The whole reason.
        reason: String,
    },
    /// The cluster manager is not known.
    #[error("{reason}")]
    ClusterManagerNotDiscovered {
        /// The whole reason.
        reason: String,
    },
    /// Too much work is queued.
    #[error("{reason}")]
    Rejected {
        /// The whole reason.
        reason: String,
    },
    /// Too large a body.
    #[error("{reason}")]
    ContentTooLong {
        /// The whole reason.
        reason: String,
    },
    /// A wait ran out.
    #[error("{reason}")]
    Timeout {
        /// The whole reason.
        reason: String,
    },
    /// A rule forbids it (`status_exception`).
    #[error("{reason}")]
    Forbidden {
        /// The whole reason.
        reason: String,
    },
    /// The state does not allow it.
    #[error("{reason}")]
    IllegalState {
        /// The whole reason.
        reason: String,
    },
    /// The other side cannot do it.
    #[error("{reason}")]
    UnsupportedOperation {
        /// The whole reason.
        reason: String,
    },
    /// Replication went wrong.
    #[error("{reason}")]
    Replication {
        /// The whole reason.
        reason: String,
    },
    /// A number that is none (`number_format_exception`).
    #[error("For input string: \"{input}\"")]
    NumberFormat {
        /// The text.
        input: String,
    },
    /// A date that is none (`date_time_parse_exception` and its kin).
    #[error("{reason}")]
    DateTimeParse {
        /// The whole reason.
        reason: String,
    },
    /// A disk that fails, with the file named. Retrying is not safe.
    #[error("{reason}")]
    Io {
        /// The whole reason.
        reason: String,
    },
    /// There is no space left on the disk. Nothing was written of what was asked for; later it may be.
    #[error("{reason}")]
    DiskFull {
        /// The whole reason, with the file named.
        reason: String,
    },
    /// Damage that was found on disk or on the wire.
    #[error("{reason}")]
    Corrupt {
        /// The whole reason, with file and offset.
        reason: String,
    },
    /// Anything else; never for a user's mistake.
    #[error("{reason}")]
    Internal {
        /// The whole reason.
        reason: String,
    },
}

/// One block, as a [`Error::ClusterBlock`] names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockReason {
    /// Its number, such as 8 or 1000.
    pub id: u32,
    /// Its words, such as `index write (api)`.
    pub description: String,
    /// The name of its status, such as `FORBIDDEN`.
    pub status_name: String,
}

/// The failure of one shard inside a larger answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardFailure {
    /// The shard's number.
    pub shard: u32,
    /// Its index.
    pub index: String,
    /// The node that failed.
    pub node: Option<String>,
    /// Why.
    pub reason: Box<Error>,
}

fn validation_reason(reasons: &[String]) -> String {
    let mut text = String::from("Validation Failed: ");
    for (number, reason) in reasons.iter().enumerate() {
        text.push_str(&format!("{}: {reason};", number + 1));
    }
    text
}

fn block_reason(index: Option<&str>, blocks: &[BlockReason]) -> String {
    let list: String = blocks.iter().map(|b| format!("[{}/{}/{}];", b.status_name, b.id, b.description)).collect();
    match index {
        Some(index) => format!("index [{index}] blocked by: {list}"),
        None => format!("blocked by: {list}"),
    }
}

impl Error {
    /// [`Error::IllegalArgument`] without a cause.
    pub fn illegal_argument(reason: impl Into<String>) -> Self {
        Error::IllegalArgument { reason: reason.into(), cause: None }
    }

    /// [`Error::Parsing`] without position or cause.
    pub fn parsing(reason: impl Into<String>) -> Self {
        Error::Parsing { reason: reason.into(), position: None, cause: None }
    }

    /// [`Error::MapperParsing`] without a cause.
    pub fn mapper_parsing(reason: impl Into<String>) -> Self {
        Error::MapperParsing { reason: reason.into(), cause: None }
    }

    /// [`Error::Parse`] without a cause.
    pub fn parse(reason: impl Into<String>) -> Self {
        Error::Parse { reason: reason.into(), cause: None }
    }

    /// [`Error::ActionRequestValidation`] with one reason.
    pub fn invalid_request(reason: impl Into<String>) -> Self {
        Error::ActionRequestValidation { reasons: vec![reason.into()] }
    }

    /// [`Error::Internal`].
    pub fn internal(reason: impl Into<String>) -> Self {
        Error::Internal { reason: reason.into() }
    }

    /// OpenSearch's name of the error.
    pub fn type_name(&self) -> &'static str {
        match self {
            Error::IllegalArgument { .. } => "illegal_argument_exception",
            Error::ActionRequestValidation { .. } => "action_request_validation_exception",
            Error::Validation { .. } => "validation_exception",
            Error::Parsing { .. } => "parsing_exception",
            Error::XContentParse { .. } => "x_content_parse_exception",
            Error::JsonParse { .. } => "json_parse_exception",
            Error::NamedObjectNotFound { .. } => "named_object_not_found_exception",
            Error::QuerySyntax { .. } => "parse_exception",
            Error::Search { .. } => "search_exception",
            Error::JsonEof { .. } => "json_e_o_f_exception",
            Error::NotXContent { .. } => "not_x_content_exception",
            Error::Parse { .. } => "parse_exception",
            Error::InputCoercion { .. } => "input_coercion_exception",
            Error::StreamConstraints { .. } => "stream_constraints_exception",
            Error::MapperParsing { .. } => "mapper_parsing_exception",
            Error::StrictDynamicMapping { .. } => "strict_dynamic_mapping_exception",
            Error::IndexNotFound { .. } | Error::IndexNotFoundBecause { .. } | Error::IndexNotFoundForWrite { .. } => {
                "index_not_found_exception"
            }
            Error::ResourceAlreadyExists { .. } | Error::AlreadyExists { .. } => "resource_already_exists_exception",
            Error::InvalidIndexName { .. } => "invalid_index_name_exception",
            Error::InvalidAliasName { .. } | Error::AliasIsIndex { .. } => "invalid_alias_name_exception",
            Error::AliasesNotFound { .. } => "aliases_not_found_exception",
            Error::IndexClosed { .. } => "index_closed_exception",
            Error::DocumentMissing { .. } => "document_missing_exception",
            Error::VersionConflict { .. } => "version_conflict_engine_exception",
            Error::RoutingMissing { .. } => "routing_missing_exception",
            Error::SearchPhaseExecution { .. } | Error::SearchPhaseFailed { .. } => "search_phase_execution_exception",
            Error::QueryShard { .. } => "query_shard_exception",
            Error::ClusterBlock { .. } => "cluster_block_exception",
            Error::Settings { .. } => "settings_exception",
            Error::ResourceNotFound { .. } => "resource_not_found_exception",
            Error::NoSuchRemoteCluster { .. } => "no_such_remote_cluster_exception",
            Error::ConnectTransport { .. } => "connect_transport_exception",
            Error::RetentionLeaseNotFound { .. } => "retention_lease_not_found_exception",
            Error::RetentionLeaseAlreadyExists { .. } => "retention_lease_already_exists_exception",
            Error::RetentionLeaseInvalid { .. } => "retention_lease_invalid_retaining_seq_no_exception",
            Error::HistoryNotAvailable { .. } => "missing_history_operations_exception",
            Error::HistoryMismatch { .. } => "history_mismatch_exception",
            Error::ShardNotReady { .. } => "illegal_index_shard_state_exception",
            Error::NoShardAvailable { .. } => "no_shard_available_action_exception",
            Error::UnavailableShards { .. } => "unavailable_shards_exception",
            Error::ClusterManagerNotDiscovered { .. } => "cluster_manager_not_discovered_exception",
            Error::Rejected { .. } => "rejected_execution_exception",
            Error::ContentTooLong { .. } => "content_too_long_exception",
            Error::Timeout { .. } => "timeout_exception",
            Error::Forbidden { .. } => "status_exception",
            Error::IllegalState { .. } => "illegal_state_exception",
            Error::UnsupportedOperation { .. } => "unsupported_operation_exception",
            Error::Replication { .. } => "replication_exception",
            Error::NumberFormat { .. } => "number_format_exception",
            Error::DateTimeParse { .. } => "date_time_parse_exception",
            Error::Io { .. } | Error::DiskFull { .. } => "i_o_exception",
            Error::Corrupt { .. } => "corrupt_index_exception",
            Error::Internal { .. } => "exception",
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Error::IllegalArgument { .. }
            | Error::ActionRequestValidation { .. }
            | Error::Validation { .. }
            | Error::Parsing { .. }
            | Error::XContentParse { .. }
            | Error::JsonParse { .. }
            | Error::NamedObjectNotFound { .. }
            | Error::QuerySyntax { .. }
            | Error::JsonEof { .. }
            | Error::NotXContent { .. }
            | Error::Parse { .. }
            | Error::InputCoercion { .. }
            | Error::StreamConstraints { .. }
            | Error::MapperParsing { .. }
            | Error::StrictDynamicMapping { .. }
            | Error::ResourceAlreadyExists { .. }
            | Error::AlreadyExists { .. }
            | Error::InvalidIndexName { .. }
            | Error::InvalidAliasName { .. }
            | Error::AliasIsIndex { .. }
            | Error::IndexClosed { .. }
            | Error::RoutingMissing { .. }
            | Error::QueryShard { .. }
            | Error::Settings { .. }
            | Error::NumberFormat { .. }
            | Error::DateTimeParse { .. } => 400,
            Error::Forbidden { .. } => 403,
            Error::IndexNotFound { .. }
            | Error::IndexNotFoundBecause { .. }
            | Error::IndexNotFoundForWrite { .. }
            | Error::AliasesNotFound { .. }
            | Error::DocumentMissing { .. }
            | Error::ResourceNotFound { .. }
            | Error::NoSuchRemoteCluster { .. }
            | Error::RetentionLeaseNotFound { .. } => 404,
            Error::VersionConflict { .. } => 409,
            Error::ContentTooLong { .. } => 413,
            Error::Rejected { .. } | Error::DiskFull { .. } => 429,
            Error::ClusterBlock { status, .. } => *status,
            Error::SearchPhaseFailed { cause, .. } => cause.status(),
            Error::SearchPhaseExecution { failures, .. } => failures.iter().map(|f| f.reason.status()).max().unwrap_or(503),
            Error::ShardNotReady { .. }
            | Error::NoShardAvailable { .. }
            | Error::UnavailableShards { .. }
            | Error::ClusterManagerNotDiscovered { .. } => 503,
            Error::Timeout { .. } => 504,
            Error::ConnectTransport { .. }
            | Error::RetentionLeaseAlreadyExists { .. }
            | Error::RetentionLeaseInvalid { .. }
            | Error::HistoryNotAvailable { .. }
            | Error::HistoryMismatch { .. }
            | Error::IllegalState { .. }
            | Error::Search { .. }
            | Error::UnsupportedOperation { .. }
            | Error::Replication { .. }
            | Error::Io { .. }
            | Error::Corrupt { .. }
            | Error::Internal { .. } => 500,
        }
    }

    /// Whether the same request may succeed later, here or on another copy.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Error::ShardNotReady { .. }
                | Error::NoShardAvailable { .. }
                | Error::UnavailableShards { .. }
                | Error::ClusterManagerNotDiscovered { .. }
                | Error::Rejected { .. }
                | Error::DiskFull { .. }
                | Error::Timeout { .. }
                | Error::ConnectTransport { .. }
        )
    }

    /// The block on an index whose disk is full.
    pub fn disk_full_block(index: &str) -> Error {
        let block = BlockReason {
            id: 12,
            description: "disk usage exceeded flood-stage watermark, index has read-only-allow-delete block".into(),
            status_name: "TOO_MANY_REQUESTS".into(),
        };
        Error::ClusterBlock { index: Some(index.to_owned()), blocks: vec![block], status: 429 }
    }

    /// What lies behind it (`caused_by`).
    pub fn cause(&self) -> Option<&Error> {
        match self {
            Error::IllegalArgument { cause, .. }
            | Error::Parsing { cause, .. }
            | Error::XContentParse { cause, .. }
            | Error::Parse { cause, .. }
            | Error::MapperParsing { cause, .. }
            | Error::QueryShard { cause, .. } => cause.as_deref(),
            Error::SearchPhaseFailed { cause, .. } => Some(cause),
            _ => None,
        }
    }

    /// The fields beside type and reason, in OpenSearch's order (`index`, `index_uuid`, `shard`, `resource.id`, …).
    pub fn details(&self) -> Vec<(&'static str, serde_json::Value)> {
        match self {
            Error::IndexNotFoundBecause { index, .. } => vec![("index", index.as_str().into()), ("index_uuid", "_na_".into())],
            Error::IndexNotFoundForWrite { index } => vec![
                ("index", index.as_str().into()),
                ("resource.id", index.as_str().into()),
                ("resource.type", "index_expression".into()),
                ("index_uuid", "_na_".into()),
            ],
            Error::IndexNotFound { index } => vec![
                ("index", index.as_str().into()),
                ("resource.id", index.as_str().into()),
                ("resource.type", "index_or_alias".into()),
                ("index_uuid", "_na_".into()),
            ],
            Error::ResourceAlreadyExists { index, uuid } | Error::AliasIsIndex { name: index, uuid } => {
                vec![("index", index.as_str().into()), ("index_uuid", uuid.as_str().into())]
            }
            Error::AliasesNotFound { aliases } => {
                let id = match aliases.as_slice() {
                    [one] => one.as_str().into(),
                    several => several.to_vec().into(),
                };
                vec![("resource.id", id), ("resource.type", "aliases".into())]
            }
            Error::InvalidIndexName { name, .. } => vec![("index", name.as_str().into()), ("index_uuid", "_na_".into())],
            Error::IndexClosed { index, uuid } | Error::QueryShard { index, uuid, .. } => {
                vec![("index", index.as_str().into()), ("index_uuid", uuid.as_str().into())]
            }
            Error::DocumentMissing { index, uuid, shard, .. } | Error::VersionConflict { index, uuid, shard, .. } => {
                vec![("index", index.as_str().into()), ("shard", shard.to_string().into()), ("index_uuid", uuid.as_str().into())]
            }
            Error::RoutingMissing { index, .. } => vec![("index", index.as_str().into()), ("index_uuid", "_na_".into())],
            Error::SearchPhaseFailed { phase, .. } => {
                vec![("phase", phase.as_str().into()), ("grouped", true.into()), ("failed_shards", serde_json::Value::Array(Vec::new()))]
            }
            Error::Parsing { position: Some((line, column)), .. } => vec![("line", (*line).into()), ("col", (*column).into())],
            _ => Vec::new(),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let reason = error.to_string();
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::DiskFull { reason },
            _ => Error::Io { reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lack_of_space_is_a_full_disk() {
        let full = Error::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert!(matches!(full, Error::DiskFull { .. }) && full.is_retryable() && full.status() == 429);
        assert!(matches!(Error::from(std::io::Error::other("x")), Error::Io { .. }));
        assert_eq!(
            Error::disk_full_block("x").to_string(),
            "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];"
        );
    }

    #[test]
    fn reasons_are_the_texts_that_clients_match_on() {
        let block =
            BlockReason { id: 1000, description: "index read-only(cross-cluster-replication)".into(), status_name: "FORBIDDEN".into() };
        let error = Error::ClusterBlock { index: Some("f".into()), blocks: vec![block], status: 403 };
        assert_eq!(error.to_string(), "index [f] blocked by: [FORBIDDEN/1000/index read-only(cross-cluster-replication)];");
        let error = Error::Validation { reasons: vec!["a".into(), "b".into()] };
        assert_eq!(error.to_string(), "Validation Failed: 1: a;2: b;");
    }

    #[test]
    fn an_error_survives_the_wire() {
        let error = Error::MapperParsing { reason: "r".into(), cause: Some(Box::new(Error::NumberFormat { input: "x".into() })) };
        let text = serde_json::to_string(&error).unwrap();
        assert_eq!(serde_json::from_str::<Error>(&text).unwrap(), error);
    }
}
