//! `indices:data/write/update`: a document changed in part, as a read, a merge and a write that the read must still hold for.

use super::shard_bulk::ShardItem;
use super::{UpdateBody, WriteCondition};
use crate::action::read::get::FoundDocument;
use bytes::Bytes;
use serde_json::{Map, Value};
use tandem_cluster::IndexMetadata;
use tandem_common::env::clock::Instant;
use tandem_common::json::{self, token_name};
use tandem_common::{Error, Result};
use tandem_engine::search::SourceFilter;
use tandem_engine::shard::{Condition, GetResult, IndexShard, WriteKind};

/// What an update comes to.
pub(super) enum Planned {
    /// The document is already so.
    Noop {
        /// The document as it is.
        found: FoundDocument,
        /// What of it was asked for.
        shown: Option<Bytes>,
    },
    /// It is to be written.
    Write {
        /// What is written.
        kind: WriteKind,
        /// The document must not have changed since it was read.
        condition: Condition,
        /// Its routing.
        routing: Option<String>,
        /// What to show afterwards, and of what.
        shown: Option<(SourceFilter, Bytes)>,
    },
}

/// The body of an update, read.
struct Update {
    doc: Map<String, Value>,
    upsert: Option<Value>,
    doc_as_upsert: bool,
    detect_noop: bool,
    source_filter: Option<SourceFilter>,
}

/// Checks the body of an update without the document.
///
/// # Errors
/// `x_content_parse_exception`, `action_request_validation_exception`.
pub(super) fn validate(body: &[u8], conditional: bool) -> Result<()> {
    parse(body, conditional).map(|_| ())
}

fn shape(reason: String) -> Error {
    Error::XContentParse { reason, cause: None }
}

fn parse(body: &[u8], conditional: bool) -> Result<Update> {
    let mut update = Update { doc: Map::new(), upsert: None, doc_as_upsert: false, detect_noop: true, source_filter: None };
    let mut has_doc = false;
    let mut has_script = false;
    if !body.iter().all(u8::is_ascii_whitespace) {
        let value = json::parse(body)?;
        let Value::Object(fields) = value else {
            return Err(shape(format!("[1:1] [UpdateRequest] Expected START_OBJECT but was: {}", token_name(&value))));
        };
        for (key, value) in fields {
            let place = position_of(body, &key);
            match (key.as_str(), value) {
                ("doc", Value::Object(doc)) => {
                    update.doc = doc;
                    has_doc = true;
                }
                ("upsert", Value::Object(upsert)) => update.upsert = Some(Value::Object(upsert)),
                ("script", Value::Object(_) | Value::String(_)) => has_script = true,
                ("doc_as_upsert", value) => update.doc_as_upsert = flag(&key, &value)?,
                ("scripted_upsert", value) => {
                    flag(&key, &value)?;
                }
                ("detect_noop", value) => update.detect_noop = flag(&key, &value)?,
                ("_source", value) => update.source_filter = Some(SourceFilter::parse(&value)?),
                ("if_seq_no" | "if_primary_term" | "lang" | "params", _) => {}
                (known @ ("doc" | "upsert" | "script"), value) => {
                    return Err(shape(format!(
                        "[1:{}] [UpdateRequest] {known} doesn't support values of type: {}",
                        place.1,
                        token_name(&value)
                    )));
                }
                (unknown, _) => return Err(shape(format!("[1:{}] [UpdateRequest] unknown field [{unknown}]", place.0))),
            }
        }
    }
    let mut reasons = Vec::new();
    if !has_doc && !has_script {
        reasons.push("script or doc is missing".to_owned());
    }
    if has_doc && has_script {
        reasons.push("can't provide both script and doc".to_owned());
    }
    if !has_doc && update.doc_as_upsert {
        reasons.push("doc must be specified if doc_as_upsert is enabled".to_owned());
    }
    if conditional && update.upsert.is_some() {
        reasons.push("upsert requests don't support `if_seq_no` and `if_primary_term`".to_owned());
    }
    if !reasons.is_empty() {
        return Err(Error::ActionRequestValidation { reasons });
    }
    if has_script {
        return Err(Error::illegal_argument("scripts are not available yet; send the changes as [doc]"));
    }
    Ok(update)
}

fn flag(key: &str, value: &Value) -> Result<bool> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) => tandem_common::settings::parse_bool(text),
        other => Err(shape(format!("[UpdateRequest] {key} doesn't support values of type: {}", token_name(other)))),
    }
}

/// Columns (from 1) of a key of the outermost object and of its value, for a body on one line.
fn position_of(body: &[u8], key: &str) -> (usize, usize) {
    let text = String::from_utf8_lossy(body);
    let quoted = format!("\"{key}\"");
    match text.find(&quoted) {
        Some(at) => {
            let after = &text[at + quoted.len()..];
            let skipped = after.len() - after.trim_start_matches([' ', '\t', ':', '\n', '\r']).len();
            (at + 1, at + quoted.len() + skipped + 1)
        }
        None => (1, 1),
    }
}

/// Reads the document and plans the write.
pub(super) async fn plan(
    shard: &IndexShard,
    index: &IndexMetadata,
    number: u32,
    item: &ShardItem,
    body: &UpdateBody,
    deadline: Instant,
) -> Result<Planned> {
    let conditional = item.condition != WriteCondition::None;
    let update = parse(&body.body, conditional)?;
    let filter = body.source_filter.clone().or(update.source_filter.clone());
    match shard.get(&item.id, true, deadline).await? {
        Some(found) => change(index, number, item, update, filter, found),
        None => create(index, number, item, update, filter),
    }
}

fn create(index: &IndexMetadata, number: u32, item: &ShardItem, update: Update, filter: Option<SourceFilter>) -> Result<Planned> {
    let document = match (update.upsert, update.doc_as_upsert) {
        (_, true) => Value::Object(update.doc),
        (Some(upsert), false) => upsert,
        (None, false) => {
            return Err(Error::DocumentMissing { id: item.id.clone(), index: index.name.clone(), uuid: index.uuid.clone(), shard: number });
        }
    };
    let source = to_bytes(&document)?;
    let shown = filter.map(|filter| (filter, source.clone()));
    Ok(Planned::Write { kind: WriteKind::Create { source }, condition: Condition::None, routing: item.routing.clone(), shown })
}

fn change(
    index: &IndexMetadata,
    number: u32,
    item: &ShardItem,
    update: Update,
    filter: Option<SourceFilter>,
    found: GetResult,
) -> Result<Planned> {
    if let WriteCondition::IfSeqNo { seq_no, primary_term } = item.condition
        && (seq_no, primary_term) != (found.seq_no, found.op_term)
    {
        let detail = format!(
            "required seqNo [{seq_no}], primary term [{primary_term}]. current document has seqNo [{}] and primary term [{}]",
            found.seq_no, found.op_term
        );
        return Err(Error::VersionConflict {
            id: item.id.clone(),
            detail,
            index: index.name.clone(),
            uuid: index.uuid.clone(),
            shard: number,
        });
    }
    let Value::Object(mut document) = json::parse(&found.source)? else {
        return Err(Error::internal("a stored document is no object"));
    };
    let changed = merge(&mut document, update.doc);
    if !changed && update.detect_noop {
        let shown = filter.map(|filter| filter.apply(&found.source)).transpose()?;
        let found = FoundDocument {
            version: found.version,
            seq_no: found.seq_no,
            primary_term: found.op_term,
            routing: found.routing,
            source: None,
        };
        return Ok(Planned::Noop { found, shown });
    }
    let source = to_bytes(&Value::Object(document))?;
    let shown = filter.map(|filter| (filter, source.clone()));
    let condition = Condition::IfSeqNo { seq_no: found.seq_no, term: found.op_term };
    let routing = item.routing.clone().or(found.routing);
    Ok(Planned::Write { kind: WriteKind::Index { source }, condition, routing, shown })
}

fn to_bytes(value: &Value) -> Result<Bytes> {
    serde_json::to_vec(value).map(Bytes::from).map_err(|error| Error::internal(error.to_string()))
}

/// Lays `changes` over `document`: objects are merged, everything else is replaced. Whether anything changed.
fn merge(document: &mut Map<String, Value>, changes: Map<String, Value>) -> bool {
    let mut changed = false;
    for (key, change) in changes {
        match (document.get_mut(&key), change) {
            (Some(Value::Object(inner)), Value::Object(change)) => changed |= merge(inner, change),
            (Some(present), change) if *present == change => {}
            (_, change) => {
                document.insert(key, change);
                changed = true;
            }
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merged(document: Value, changes: Value) -> (Value, bool) {
        let (Value::Object(mut document), Value::Object(changes)) = (document, changes) else { panic!("objects") };
        let changed = merge(&mut document, changes);
        (Value::Object(document), changed)
    }

    #[test]
    fn objects_are_merged_and_everything_else_is_replaced() {
        assert_eq!(merged(json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": 9}})), (json!({"a": {"b": 9, "c": 2}}), true));
        assert_eq!(merged(json!({"a": [1, 2]}), json!({"a": [3]})), (json!({"a": [3]}), true));
        assert_eq!(merged(json!({"a": {"b": 1}}), json!({"a": {"b": 1}})), (json!({"a": {"b": 1}}), false));
        assert_eq!(merged(json!({"a": 1}), json!({"z": null})), (json!({"a": 1, "z": null}), true));
    }

    #[test]
    fn a_body_is_refused_in_the_words_that_clients_know() {
        let reason = |body: &str| validate(body.as_bytes(), false).unwrap_err().to_string();
        assert_eq!(reason("{}"), "Validation Failed: 1: script or doc is missing;");
        assert_eq!(reason(r#"{"doc": 5}"#), "[1:9] [UpdateRequest] doc doesn't support values of type: VALUE_NUMBER");
        assert_eq!(reason(r#"{"foo": {}}"#), "[1:2] [UpdateRequest] unknown field [foo]");
        assert_eq!(reason("[]"), "[1:1] [UpdateRequest] Expected START_OBJECT but was: START_ARRAY");
        assert_eq!(
            reason(r#"{"doc_as_upsert": true}"#),
            "Validation Failed: 1: script or doc is missing;2: doc must be specified if doc_as_upsert is enabled;"
        );
    }
}
