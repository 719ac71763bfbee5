//! Reading documents by their ids: `_doc`, `_source`, `_mget`.

use super::call::SOURCE;
use super::condition::VersionType;
use super::fields::{self, Field};
use super::respond::Answer;
use super::routes::Route;
use super::{App, Call, errors};
use bytes::Bytes;
use http::Method;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tandem_common::json::token_name;
use tandem_common::{Action, Error, Result};
use tandem_engine::search::SourceFilter;
use tandem_node::action::read::get::{self, GetRequest, GetResponse};
use tandem_node::action::read::mget;

const READ: &[Method] = &[Method::GET, Method::HEAD];
const GET: &[&[&str]] = &[SOURCE, &["realtime", "refresh", "routing", "preference", "stored_fields", "version", "version_type", "timeout"]];

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let (one, many) = (Action("indices:data/read/get"), Action("indices:data/read/mget"));
    vec![
        Route::new(READ, "/{index}/_doc/{id}", one, GET, document),
        Route::new(READ, "/{index}/_source/{id}", one, GET, source),
        Route::new(&[Method::GET, Method::POST], "/_mget", many, GET, multi_get),
        Route::new(&[Method::GET, Method::POST], "/{index}/_mget", many, GET, multi_get),
    ]
}

/// A document as it is shown; the source goes out byte for byte as it came in.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    _index: &'a str,
    _id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    _version: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    _seq_no: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    _primary_term: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    _routing: Option<&'a str>,
    found: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    _source: Option<&'a RawValue>,
}

impl<'a> Shown<'a> {
    fn of(got: &'a GetResponse) -> Result<Self> {
        let found = got.found.as_ref();
        Ok(Self {
            _index: &got.index,
            _id: &got.id,
            _version: found.map(|found| found.version),
            _seq_no: found.map(|found| found.seq_no.0),
            _primary_term: found.map(|found| found.primary_term.0),
            _routing: found.and_then(|found| found.routing.as_deref()),
            found: found.is_some(),
            _source: found.and_then(|found| found.source.as_ref()).map(raw).transpose()?,
        })
    }
}

/// JSON that goes out as it is.
pub(super) fn raw(source: &Bytes) -> Result<&RawValue> {
    serde_json::from_slice(source).map_err(|error| Error::Corrupt { reason: format!("a stored source is not JSON: {error}") })
}

fn request(call: &Call, id: &str) -> Result<GetRequest> {
    // Checked, though for a reader all of them mean the same.
    VersionType::parse(call.params.text("version_type"))?;
    // With stored_fields the source is sent only when it is asked for.
    let filter = match call.params.text("stored_fields") {
        Some(_) if call.params.get("_source").is_none() => Some(SourceFilter::parse(&Value::Bool(false))?),
        _ => call.source_filter()?,
    };
    Ok(GetRequest {
        index: call.value("index").to_owned(),
        id: id.to_owned(),
        routing: call.params.owned("routing"),
        realtime: call.params.bool("realtime", true)?,
        refresh: call.params.bool("refresh", false)?,
        version: call.params.long("version")?,
        source_filter: filter,
    })
}

async fn document(app: App, call: Call) -> Result<Answer> {
    let request = request(&call, call.value("id"))?;
    let got = get::execute(&app.services, &call.context, request).await?;
    Answer::json(if got.found.is_some() { 200 } else { 404 }, &Shown::of(&got)?)
}

async fn source(app: App, call: Call) -> Result<Answer> {
    if call.params.get("_source") == Some("false") {
        return Err(Error::invalid_request("fetching source can not be disabled"));
    }
    let (index, id) = (call.value("index").to_owned(), call.value("id").to_owned());
    let request = request(&call, &id)?;
    let got = get::execute(&app.services, &call.context, request).await?;
    match got.found.as_ref().map(|found| found.source.as_ref()) {
        Some(Some(source)) => Answer::ok(&raw(source)?),
        Some(None) => Err(Error::ResourceNotFound { reason: format!("Source not found [{index}]/[{id}]") }),
        None => Err(Error::ResourceNotFound { reason: format!("Document not found [{index}]/[{id}]") }),
    }
}

async fn multi_get(app: App, call: Call) -> Result<Answer> {
    let body = call.json()?.ok_or_else(|| Error::parse("request body or source parameter is required"))?;
    if !body.is_object() {
        let reason = format!("unexpected token [{}], expected [START_OBJECT]", token_name(&body));
        return Err(Error::Parsing { reason, position: Some((1, 1)), cause: None });
    }
    let requests = multi_get_requests(&call, &fields::of_object(&call.body, "multi get")?)?;
    let asked: Vec<(String, String)> = requests.iter().map(|request| (request.index.clone(), request.id.clone())).collect();
    let got = mget::execute(&app.services, &call.context, requests).await?;
    let shown: Vec<Box<RawValue>> = got.iter().zip(&asked).map(|(one, (index, id))| shown(one, index, id)).collect::<Result<_>>()?;
    Answer::ok(&Documents { docs: shown })
}

/// The answer of `_mget`.
#[derive(Serialize)]
struct Documents {
    docs: Vec<Box<RawValue>>,
}

fn shown(one: &Result<GetResponse>, index: &str, id: &str) -> Result<Box<RawValue>> {
    let written = match one {
        Ok(got) => serde_json::value::to_raw_value(&Shown::of(got)?),
        Err(error) => {
            let body = errors::body(error, false);
            serde_json::value::to_raw_value(&json!({"_index": index, "_id": id, "error": body["error"]}))
        }
    };
    written.map_err(|error| Error::internal(format!("an answer cannot be written as JSON: {error}")))
}

fn multi_get_requests(call: &Call, body: &[Field]) -> Result<Vec<GetRequest>> {
    let mut requests = Vec::new();
    let mut reasons = Vec::new();
    for field in body {
        let misplaced = |reason: String| Error::Parsing { reason, position: Some(field.value_at), cause: None };
        let token = token_name(&field.value);
        let items = match (field.name.as_str(), &field.value) {
            ("docs" | "ids", Value::Array(items)) => items,
            ("docs" | "ids", _) => {
                return Err(misplaced(format!("unexpected token [{token}], expected [FIELD_NAME] or [START_ARRAY]")));
            }
            (other, _) => return Err(misplaced(format!("unknown key [{other}] for a {token}, expected [docs] or [ids]"))),
        };
        for item in items {
            let position = requests.len();
            let request = if field.name == "ids" { request(call, &id_text(item))? } else { multi_get_document(call, item)? };
            if request.index.is_empty() {
                reasons.push(format!("index is missing for doc {position}"));
            } else if request.id.is_empty() {
                reasons.push(format!("id is missing for doc {position}"));
            }
            requests.push(request);
        }
    }
    if requests.is_empty() {
        reasons.push("no documents to get".to_owned());
    }
    if reasons.is_empty() { Ok(requests) } else { Err(Error::ActionRequestValidation { reasons }) }
}

fn multi_get_document(call: &Call, item: &Value) -> Result<GetRequest> {
    let Value::Object(fields) = item else {
        return Err(Error::illegal_argument("docs array element should include an object"));
    };
    let mut request = request(call, "")?;
    for (name, value) in fields {
        match name.as_str() {
            "_index" => request.index = id_text(value),
            "_id" => request.id = id_text(value),
            "routing" => request.routing = Some(id_text(value)),
            "version" => request.version = value.as_i64(),
            "version_type" => drop(VersionType::parse(value.as_str())?),
            "_source" => request.source_filter = Some(SourceFilter::parse(value)?),
            "stored_fields" | "fields" => {}
            other => return Err(Error::parse(format!("failed to parse multi get request. unknown field [{other}]"))),
        }
    }
    Ok(request)
}

/// A text, or what a number prints as.
fn id_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_common::{PrimaryTerm, SeqNo};
    use tandem_node::action::read::get::FoundDocument;

    #[test]
    fn a_source_goes_out_as_it_came_in() {
        let found = FoundDocument {
            version: 1,
            seq_no: SeqNo(0),
            primary_term: PrimaryTerm(1),
            routing: None,
            source: Some(Bytes::from_static(b"{ \"a\" : 1.0 }")),
        };
        let got = GetResponse { index: "i".into(), id: "1".into(), found: Some(found) };
        let text = serde_json::to_string(&Shown::of(&got).unwrap()).unwrap();
        assert_eq!(text, r#"{"_index":"i","_id":"1","_version":1,"_seq_no":0,"_primary_term":1,"found":true,"_source":{ "a" : 1.0 }}"#);
        let missing = GetResponse { index: "i".into(), id: "1".into(), found: None };
        assert_eq!(serde_json::to_string(&Shown::of(&missing).unwrap()).unwrap(), r#"{"_index":"i","_id":"1","found":false}"#);
    }
}
