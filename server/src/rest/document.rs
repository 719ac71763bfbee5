//! Writing one document: `_doc`, `_create`, and deletes.

use super::condition::{Expectation, VersionType, id_reason};
use super::respond::Answer;
use super::routes::Route;
use super::{App, Call};
use http::Method;
use http::header::LOCATION;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::{Value, json};
use tandem_common::{Action, Error, Result};
use tandem_node::action::ShardsHeader;
use tandem_node::action::write::single::{self, SingleWriteRequest};
use tandem_node::action::write::{DocumentAction, DocumentWrite, WriteResponse, WriteResult};

const WRITE: &[&[&str]] = &[&[
    "op_type",
    "refresh",
    "routing",
    "if_seq_no",
    "if_primary_term",
    "version",
    "version_type",
    "pipeline",
    "require_alias",
    "timeout",
    "wait_for_active_shards",
]];
const DELETE: &[&[&str]] =
    &[&["refresh", "routing", "if_seq_no", "if_primary_term", "version", "version_type", "timeout", "wait_for_active_shards"]];

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let index = Action("indices:data/write/index");
    vec![
        Route::new(&[Method::POST], "/{index}/_doc", index, WRITE, write),
        Route::new(&[Method::PUT, Method::POST], "/{index}/_doc/{id}", index, WRITE, write),
        Route::new(&[Method::PUT, Method::POST], "/{index}/_create/{id}", index, WRITE, create),
        Route::new(&[Method::DELETE], "/{index}/_doc/{id}", Action("indices:data/write/delete"), DELETE, delete),
    ]
}

async fn write(app: App, call: Call) -> Result<Answer> {
    let creates = match call.params.get("op_type").map(str::to_ascii_lowercase).as_deref() {
        None | Some("index") => false,
        Some("create") => true,
        Some(_) => {
            let found = call.params.get("op_type").unwrap_or_default();
            return Err(Error::illegal_argument(format!("opType must be 'create' or 'index', found: [{found}]")));
        }
    };
    index(app, call, creates).await
}

async fn create(app: App, call: Call) -> Result<Answer> {
    index(app, call, true).await
}

async fn index(app: App, call: Call, creates: bool) -> Result<Answer> {
    let source = call.required_body()?;
    call.refuse_pipeline()?;
    let action = if creates { DocumentAction::Create { source } } else { DocumentAction::Index { source } };
    send(app, call, action, creates).await
}

async fn delete(app: App, call: Call) -> Result<Answer> {
    send(app, call, DocumentAction::Delete, false).await
}

/// Sends one write to the node and renders what came of it.
pub(super) async fn send(app: App, call: Call, action: DocumentAction, creates: bool) -> Result<Answer> {
    let expectation = expectation(&call)?;
    let id = call.values.get("id").cloned();
    let mut reasons = Vec::new();
    let condition = expectation.condition(creates).unwrap_or_else(|found| {
        reasons.extend(found);
        Default::default()
    });
    reasons.extend(id.as_deref().and_then(id_reason));
    if !reasons.is_empty() {
        return Err(Error::ActionRequestValidation { reasons });
    }
    let write = DocumentWrite {
        index: call.value("index").to_owned(),
        id,
        action,
        routing: call.params.owned("routing"),
        condition,
        require_alias: call.params.bool("require_alias", false)?,
    };
    let request = SingleWriteRequest { write, refresh: call.refresh()?, wait_for_active_shards: call.active_shards()? };
    let written = single::execute(&app.services, &call.context, request).await?;
    let answer = Answer::json(written.result.status(), &WrittenJson::of(&written)?)?;
    Ok(if written.result == WriteResult::Created { answer.with_header(LOCATION, &location(&written)) } else { answer })
}

/// The expectations that the parameters state.
pub(super) fn expectation(call: &Call) -> Result<Expectation> {
    let expectation = Expectation {
        if_seq_no: call.params.long("if_seq_no")?,
        if_primary_term: call.params.long("if_primary_term")?,
        version: call.params.long("version")?,
        version_type: VersionType::parse(call.params.text("version_type"))?,
    };
    expectation.check_numbers()?;
    Ok(expectation)
}

/// What a path segment may hold unescaped.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn location(written: &WriteResponse) -> String {
    let escape = |text: &str| utf8_percent_encode(text, SEGMENT).to_string();
    format!("/{}/_doc/{}", escape(&written.index), escape(&written.id))
}

/// A written document, as single writes and the items of a bulk show it.
#[derive(Serialize)]
pub(super) struct WrittenJson<'a> {
    _index: &'a str,
    _id: &'a str,
    _version: i64,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    forced_refresh: Option<bool>,
    _shards: CopiesJson<'a>,
    _seq_no: i64,
    _primary_term: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    get: Option<Value>,
}

impl<'a> WrittenJson<'a> {
    /// # Errors
    /// A stored document that is no JSON.
    pub(super) fn of(written: &'a WriteResponse) -> Result<Self> {
        let found = written.get.as_ref().and_then(|get| get.found.as_ref());
        let get = match found {
            Some(found) => {
                let mut get = json!({"_seq_no": found.seq_no, "_primary_term": found.primary_term, "found": true});
                if let Some(source) = &found.source {
                    get["_source"] = tandem_common::json::parse(source)?;
                }
                Some(get)
            }
            None => None,
        };
        Ok(Self {
            _index: &written.index,
            _id: &written.id,
            _version: written.version,
            result: written.result.as_str(),
            forced_refresh: written.forced_refresh.then_some(true),
            _shards: CopiesJson(&written.shards),
            _seq_no: written.seq_no.0,
            _primary_term: written.primary_term.0,
            get,
        })
    }
}

/// `_shards` of a write or a broadcast: copies.
pub(super) struct CopiesJson<'a>(pub(super) &'a ShardsHeader);

impl Serialize for CopiesJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shards = self.0;
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("total", &shards.total)?;
        fields.serialize_entry("successful", &shards.successful)?;
        fields.serialize_entry("failed", &shards.failed)?;
        if !shards.failures.is_empty() {
            fields.serialize_entry("failures", &shards.failures.iter().map(super::errors::shard_failure).collect::<Vec<_>>())?;
        }
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_common::{PrimaryTerm, SeqNo};

    fn written(result: WriteResult, forced_refresh: bool) -> WriteResponse {
        WriteResponse {
            index: "i".into(),
            id: "a/b".into(),
            version: 3,
            result,
            forced_refresh,
            shards: ShardsHeader { total: 2, successful: 1, ..ShardsHeader::default() },
            seq_no: SeqNo(7),
            primary_term: PrimaryTerm(1),
            get: None,
        }
    }

    #[test]
    fn a_written_document_is_shown_in_opensearchs_order() {
        let text = serde_json::to_string(&WrittenJson::of(&written(WriteResult::Updated, true)).unwrap()).unwrap();
        assert_eq!(
            text,
            r#"{"_index":"i","_id":"a/b","_version":3,"result":"updated","forced_refresh":true,"_shards":{"total":2,"successful":1,"failed":0},"_seq_no":7,"_primary_term":1}"#
        );
    }

    #[test]
    fn the_location_of_a_new_document_is_escaped() {
        assert_eq!(location(&written(WriteResult::Created, false)), "/i/_doc/a%2Fb");
    }
}
