//! From what a handler answers to the bytes of a response.

use super::{errors, filter_path::FilterPath, params::Params, render};
use axum::Extension;
use axum::response::IntoResponse;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use serde_json::{Value, json};
use std::io::Write as _;
use tandem_common::{Error, Result, blocking};

const JSON_TYPE: &str = "application/json; charset=UTF-8";
const TEXT_TYPE: &str = "text/plain; charset=UTF-8";
const YAML_TYPE: &str = "application/yaml";

/// Smaller bodies only grow by compression.
const GZIP_FROM_BYTES: usize = 256;
/// From here on compressing takes long enough to disturb the threads that serve the network.
const GZIP_ON_POOL_FROM_BYTES: usize = 64 << 10;

/// What a handler answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    content: Content,
    headers: Vec<(HeaderName, HeaderValue)>,
    pretty_by_default: bool,
}

#[derive(Clone, Debug)]
enum Content {
    /// Compact JSON, already written.
    Json(Vec<u8>),
    /// Text for people.
    Text(String),
}

impl Answer {
    /// JSON with a status.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Result<Self> {
        let bytes = serde_json::to_vec(body).map_err(|error| Error::internal(format!("an answer cannot be written as JSON: {error}")))?;
        Ok(Self { status, content: Content::Json(bytes), headers: Vec::new(), pretty_by_default: false })
    }

    /// JSON with status 200.
    pub(crate) fn ok(body: &impl Serialize) -> Result<Self> {
        Self::json(200, body)
    }

    /// Text with status 200.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { status: 200, content: Content::Text(text.into()), headers: Vec::new(), pretty_by_default: false }
    }

    /// `{"error": text}`, with or without the status in the body: what is refused before a handler is found.
    pub(crate) fn refusal(status: u16, text: String, with_status: bool) -> Self {
        let body = if with_status { json!({"error": text, "status": status}) } else { json!({"error": text}) };
        Self { status, content: Content::Json(render::compact(&body)), headers: Vec::new(), pretty_by_default: false }
    }

    /// A failure of the wire, for which no error of the node exists.
    pub(crate) fn failure(status: u16, kind: &str, reason: &str) -> Self {
        let one = json!({"type": kind, "reason": reason});
        let body = json!({"error": {"root_cause": [one], "type": kind, "reason": reason}, "status": status});
        Self { status, content: Content::Json(render::compact(&body)), headers: Vec::new(), pretty_by_default: false }
    }

    /// `{"acknowledged": …}`.
    pub(crate) fn acknowledged(acknowledged: bool) -> Result<Self> {
        Self::ok(&json!({"acknowledged": acknowledged}))
    }

    /// With one more header; a value that no header can have is left out.
    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// Indented unless `pretty=false` says otherwise.
    #[must_use]
    pub(crate) fn pretty_by_default(mut self) -> Self {
        self.pretty_by_default = true;
        self
    }
}

/// How a request ended, on its way through the router. The door writes it, because only there is known how the asker
/// wants to be answered.
#[derive(Clone, Debug)]
pub(crate) struct Outcome(pub(crate) Result<Answer>);

impl IntoResponse for Outcome {
    fn into_response(self) -> axum::response::Response {
        (Extension(self), StatusCode::OK).into_response()
    }
}

/// How the asker wants to be answered.
#[derive(Debug, Default)]
pub(crate) struct View {
    pretty: Option<bool>,
    human: bool,
    error_trace: bool,
    filter_path: Option<FilterPath>,
    yaml: bool,
    gzip: bool,
    head_only: bool,
    opaque_id: Option<HeaderValue>,
}

impl View {
    /// What the headers say; enough to answer a request whose parameters cannot be read.
    pub(crate) fn of_headers(method: &Method, headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self {
            head_only: *method == Method::HEAD,
            gzip: text(ACCEPT_ENCODING).split(',').any(|coding| matches!(coding.split(';').next().map(str::trim), Some("gzip" | "*"))),
            yaml: text(ACCEPT) == "application/yaml",
            opaque_id: headers.get("x-opaque-id").cloned(),
            ..Self::default()
        }
    }

    /// Adds what the parameters say.
    ///
    /// # Errors
    /// A value of `pretty`, `human` or `error_trace` that is no boolean; a binary `format`.
    pub(crate) fn read(&mut self, params: &Params) -> Result<()> {
        let error_trace = params.bool("error_trace", false)?;
        let human = params.bool("human", false)?;
        self.pretty = params.get("pretty").map(|_| params.bool("pretty", false)).transpose()?;
        (self.error_trace, self.human) = (error_trace, human);
        self.filter_path = params.text("filter_path").and_then(FilterPath::parse);
        match params.text("format") {
            Some("yaml") => self.yaml = true,
            Some("json") => self.yaml = false,
            Some(binary @ ("cbor" | "smile")) => return Err(Error::illegal_argument(format!("the format [{binary}] is not supported"))),
            _ => {}
        }
        Ok(())
    }
}

/// Writes the response.
pub(crate) async fn response(outcome: Result<Answer>, view: &View) -> Response<Full<Bytes>> {
    let failed = outcome.is_err();
    let answer = outcome.unwrap_or_else(|error| {
        if error.status() >= 500 {
            tracing::warn!(error_type = error.type_name(), %error, "request failed");
        }
        let body = render::compact(&errors::body(&error, view.error_trace));
        let answer = Answer { status: error.status(), content: Content::Json(body), headers: Vec::new(), pretty_by_default: false };
        // Bulk clients wait before they try again when they are told to.
        if error.status() == 429 { answer.with_header(http::header::RETRY_AFTER, "1") } else { answer }
    });
    let (mut bytes, content_type) = match answer.content {
        Content::Text(text) => (text.into_bytes(), TEXT_TYPE),
        Content::Json(bytes) => json_bytes(bytes, view, failed, view.pretty.unwrap_or(answer.pretty_by_default)),
    };
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert("x-opensearch-version", HeaderValue::from_static(super::root::VERSION_HEADER));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.extend(answer.headers);
    if let Some(id) = &view.opaque_id {
        headers.insert("x-opaque-id", id.clone());
    }
    if view.gzip && bytes.len() > GZIP_FROM_BYTES {
        match gzip(bytes).await {
            Ok(smaller) => {
                bytes = smaller;
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            Err(error) => {
                tracing::error!(%error, "a response could not be compressed");
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                return response;
            }
        }
    }
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    if !view.head_only {
        *response.body_mut() = Full::new(Bytes::from(bytes));
    }
    response
}

/// Reshapes JSON as the asker wants it. OpenSearch does not filter errors.
fn json_bytes(bytes: Vec<u8>, view: &View, failed: bool, pretty: bool) -> (Vec<u8>, &'static str) {
    let filter = view.filter_path.as_ref().filter(|_| !failed);
    if filter.is_none() && !pretty && !view.yaml && !view.human {
        return (bytes, JSON_TYPE);
    }
    let mut value: Value = match tandem_common::json::parse(&bytes) {
        Ok(value) => value,
        // A document may nest deeper than we read; then it is sent as it is.
        Err(_) => return (bytes, JSON_TYPE),
    };
    if view.human {
        value = render::with_human_twins(value);
    }
    if let Some(filter) = filter {
        value = filter.apply(value);
    }
    match (view.yaml, pretty) {
        (true, _) => (render::yaml(&value), YAML_TYPE),
        (false, true) => (render::pretty(&value), JSON_TYPE),
        (false, false) => (render::compact(&value), JSON_TYPE),
    }
}

async fn gzip(bytes: Vec<u8>) -> Result<Vec<u8>> {
    if bytes.len() < GZIP_ON_POOL_FROM_BYTES { compress(&bytes) } else { blocking::run(move || compress(&bytes)).await }
}

fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}
