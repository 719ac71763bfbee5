//! One request as a handler sees it, and the readings that many handlers share.

use super::body::{self, Read};
use super::params::{Params, decode, split_list};
use super::respond::Outcome;
use super::routes::At;
use axum::extract::{FromRequest, OriginalUri, Request};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;
use tandem_common::context::DEFAULT_TIMEOUT;
use tandem_common::{Context, Error, Result, Subject, json};
use tandem_engine::search::SourceFilter;
use tandem_node::action::{IndexNames, IndicesOptions, RefreshPolicy};

/// The longest time that a request may wait; clients write absurd ones to mean "for ever".
const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 3600);

/// The parameters of every route that asks the cluster manager.
pub(crate) const CLUSTER_MANAGER: &[&str] = &["cluster_manager_timeout", "master_timeout", "timeout"];
/// The parameters of every route that names indices.
pub(crate) const INDICES: &[&str] = &["ignore_unavailable", "allow_no_indices", "expand_wildcards", "ignore_throttled"];
/// The parameters of every route that answers with sources.
pub(crate) const SOURCE: &[&str] = &["_source", "_source_includes", "_source_excludes"];

/// Wildcards match open and closed indices.
pub(crate) const OPEN_AND_CLOSED: IndicesOptions =
    IndicesOptions { ignore_unavailable: false, allow_no_indices: true, expand_open: true, expand_closed: true, expand_hidden: false };
/// The same for changes: a wildcard that matches nothing is a mistake.
pub(crate) const OPEN_AND_CLOSED_TO_CHANGE: IndicesOptions = IndicesOptions { allow_no_indices: false, ..OPEN_AND_CLOSED };

/// One request.
#[derive(Debug)]
pub(crate) struct Call {
    /// The named segments of its path.
    pub(crate) values: HashMap<&'static str, String>,
    /// Its parameters, already checked against the route.
    pub(crate) params: Params,
    /// Its body, decompressed; empty when there is none.
    pub(crate) body: Bytes,
    /// Who asks, until when.
    pub(crate) context: Context,
    /// The `Accept` header.
    pub(crate) accept: Option<String>,
}

impl FromRequest<At> for Call {
    type Rejection = Outcome;

    async fn from_request(request: Request, at: &At) -> Result<Self, Outcome> {
        Self::read(request, at).await.unwrap_or_else(|error| Err(Outcome(Err(error))))
    }
}

impl Call {
    /// Reads a request to a route.
    ///
    /// # Errors
    /// What the request gets wrong; and, inside, the refusals that are no error of the node.
    async fn read(request: Request, at: &At) -> Result<Result<Self, Outcome>> {
        let (mut head, body) = request.into_parts();
        if head.headers.get_all(CONTENT_TYPE).iter().count() > 1 {
            return Err(Error::illegal_argument("only one Content-Type header should be provided"));
        }
        let (Some(params), Some(OriginalUri(uri))) = (head.extensions.remove::<Params>(), head.extensions.remove::<OriginalUri>()) else {
            return Err(Error::internal("a request came past the door"));
        };
        params.check(uri.path(), at.params)?;
        if params.get("master_timeout").is_some() && params.get("cluster_manager_timeout").is_some() {
            return Err(Error::parse("Please only use one of the request parameters [master_timeout, cluster_manager_timeout]."));
        }
        // The door has received the body within its limit.
        let raw = axum::body::to_bytes(body, usize::MAX).await.map_err(|error| Error::internal(error.to_string()))?;
        let body = match body::read(&head.headers, raw, &params, at.app.content_bytes_max).await? {
            Read::Body(body) => body,
            Read::Refused(refusal) => return Ok(Err(Outcome(Ok(refusal)))),
        };
        let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let timeout = params.time("timeout")?.unwrap_or(DEFAULT_TIMEOUT).min(TIMEOUT_MAX);
        let mut context = Context::with_timeout(Subject::Everyone, at.action, timeout);
        context.opaque_id = text("x-opaque-id");
        Ok(Ok(Self { values: values(at.path, uri.path())?, params, body, context, accept: text("accept") }))
    }

    /// A named segment of the path; empty when the path has none.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// The index expression of the path, with the options of the parameters over `defaults`.
    pub(crate) fn indices(&self, defaults: IndicesOptions) -> Result<IndexNames> {
        let expression = self.value("index");
        let mut names = split_list(expression);
        // An expression of commas and blanks names nothing; it must not come to mean everything.
        if names.is_empty() && !expression.is_empty() {
            names.push(expression.to_owned());
        }
        Ok(IndexNames { names, options: self.indices_options(defaults)? })
    }

    fn indices_options(&self, defaults: IndicesOptions) -> Result<IndicesOptions> {
        let mut options = IndicesOptions {
            ignore_unavailable: self.params.bool("ignore_unavailable", defaults.ignore_unavailable)?,
            allow_no_indices: self.params.bool("allow_no_indices", defaults.allow_no_indices)?,
            ..defaults
        };
        if self.params.text("expand_wildcards").is_some() {
            (options.expand_open, options.expand_closed, options.expand_hidden) = (false, false, false);
            for kind in self.params.list("expand_wildcards") {
                match kind.as_str() {
                    "open" => options.expand_open = true,
                    "closed" => options.expand_closed = true,
                    "hidden" => options.expand_hidden = true,
                    "all" => (options.expand_open, options.expand_closed, options.expand_hidden) = (true, true, true),
                    "none" => (options.expand_open, options.expand_closed, options.expand_hidden) = (false, false, false),
                    other => return Err(Error::illegal_argument(format!("No valid expand wildcard value [{other}]"))),
                }
            }
        }
        Ok(options)
    }

    /// The `refresh` parameter.
    pub(crate) fn refresh(&self) -> Result<RefreshPolicy> {
        match self.params.get("refresh") {
            None | Some("false") => Ok(RefreshPolicy::None),
            Some("" | "true") => Ok(RefreshPolicy::Immediate),
            Some("wait_for") => Ok(RefreshPolicy::WaitFor),
            Some(other) => Err(Error::illegal_argument(format!("Unknown value for refresh: [{other}]."))),
        }
    }

    /// The `wait_for_active_shards` parameter: `all` or a number, checked here so that nothing is done before a mistake
    /// in it is seen.
    pub(crate) fn active_shards(&self) -> Result<Option<String>> {
        let Some(text) = self.params.text("wait_for_active_shards") else { return Ok(None) };
        if text.parse::<i32>().is_ok_and(|count| count < 0) {
            return Err(Error::illegal_argument("shard count cannot be a negative value"));
        }
        if text != "all" && text.parse::<u32>().is_err() {
            return Err(Error::IllegalArgument {
                reason: format!("cannot parse ActiveShardCount[{text}]"),
                cause: Some(Box::new(Error::NumberFormat { input: text.to_owned() })),
            });
        }
        Ok(Some(text.to_owned()))
    }

    /// The body as JSON; `None` when there is none.
    pub(crate) fn json(&self) -> Result<Option<Value>> {
        if self.body.is_empty() { Ok(None) } else { json::parse(&self.body).map(Some) }
    }

    /// The body as a JSON object, for the requests that OpenSearch reads as a map; `None` when there is none.
    ///
    /// # Errors
    /// A value that is no object, and `parse_exception` around text that is no JSON.
    pub(crate) fn json_map(&self) -> Result<Option<Value>> {
        match self.json() {
            Ok(Some(body)) if !body.is_object() => Err(Error::NotXContent {
                reason: "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes".into(),
            }),
            Ok(body) => Ok(body),
            Err(error) => Err(Error::Parse { reason: "Failed to parse content to map".into(), cause: Some(Box::new(error)) }),
        }
    }

    /// The body as JSON, which must be there.
    pub(crate) fn required_json(&self) -> Result<Value> {
        self.json()?.ok_or_else(|| Error::parse("request body is required"))
    }

    /// The body, which must be there.
    pub(crate) fn required_body(&self) -> Result<Bytes> {
        if self.body.is_empty() { Err(Error::parse("request body is required")) } else { Ok(self.body.clone()) }
    }

    /// `_source`, `_source_includes` and `_source_excludes` as the body of a search would say it; `None` when none was given.
    pub(crate) fn source_parameters(&self) -> Option<Value> {
        let both = |mut filter: serde_json::Map<String, Value>, includes: Vec<String>| {
            filter.insert("includes".into(), includes.into());
            filter.insert("excludes".into(), self.params.list("_source_excludes").into());
            Value::Object(filter)
        };
        let includes = self.params.list("_source_includes");
        match self.params.get("_source") {
            Some("true" | "") if includes.is_empty() && self.params.get("_source_excludes").is_none() => Some(Value::Bool(true)),
            Some("false") => Some(Value::Bool(false)),
            None | Some("true" | "") if !includes.is_empty() || self.params.get("_source_excludes").is_some() => {
                Some(both(serde_json::Map::new(), includes))
            }
            Some(fields) => Some(both(serde_json::Map::new(), [split_list(fields), includes].concat())),
            None => None,
        }
    }

    /// The same as a filter.
    pub(crate) fn source_filter(&self) -> Result<Option<SourceFilter>> {
        self.source_parameters().map(|value| SourceFilter::parse(&value)).transpose()
    }

    /// Refuses `name=true`, which would change the answer and which we cannot do.
    pub(crate) fn refuse_true(&self, name: &str) -> Result<()> {
        if self.params.bool(name, false)? { Err(Error::illegal_argument(format!("[{name}] is not supported"))) } else { Ok(()) }
    }

    /// Refuses an ingest pipeline: there are none. `_none` asks for none.
    pub(crate) fn refuse_pipeline(&self) -> Result<()> {
        refuse_pipeline(self.params.text("pipeline"))
    }
}

/// The named segments: those of `path` that stand where `pattern` has braces, decoded after they were split.
fn values(pattern: &'static str, path: &str) -> Result<HashMap<&'static str, String>> {
    let named = pattern.split('/').zip(path.split('/')).filter_map(|(name, segment)| {
        let name = name.strip_prefix('{')?.strip_suffix('}')?;
        Some(decode(segment, false).map(|value| (name, value)))
    });
    named.collect()
}

/// Refuses an ingest pipeline by name.
pub(crate) fn refuse_pipeline(name: Option<&str>) -> Result<()> {
    match name {
        None | Some("_none") => Ok(()),
        Some(name) => Err(Error::illegal_argument(format!("pipeline with id [{name}] does not exist"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_segments_are_decoded_after_they_were_split() {
        let known = |pattern, path| values(pattern, path).unwrap();
        assert_eq!(known("/{index}/_doc/{id}", "/i/_doc/a%2Fb+c"), HashMap::from([("index", "i".to_owned()), ("id", "a/b+c".to_owned())]));
        assert_eq!(known("/_replication/{index}/_status", "/_replication//_status"), HashMap::from([("index", String::new())]));
        assert!(known("/_search", "/_search").is_empty());
    }
}
