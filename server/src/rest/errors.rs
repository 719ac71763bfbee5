//! Errors as JSON, in the one place that knows their shape.

use serde_json::{Map, Value, json};
use tandem_common::Error;
use tandem_common::error::ShardFailure;

/// The body of a failed request: `{"error": {…}, "status": n}`.
pub(crate) fn body(error: &Error, with_trace: bool) -> Value {
    let mut inner = Map::new();
    let roots = root_causes(error).into_iter().map(|root| Value::Object(describe(root, false, with_trace))).collect();
    inner.insert("root_cause".into(), roots);
    inner.extend(describe(error, true, with_trace));
    json!({"error": inner, "status": error.status()})
}

/// The error inside a larger answer: an item of a bulk, a failed shard.
pub(crate) fn item(error: &Error) -> Value {
    Value::Object(describe(error, true, false))
}

/// One failed shard, as `_shards.failures` and `failed_shards` list it.
pub(crate) fn shard_failure(failure: &ShardFailure) -> Value {
    json!({"shard": failure.shard, "index": failure.index, "node": failure.node, "reason": item(&failure.reason)})
}

fn describe(error: &Error, with_cause: bool, with_trace: bool) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("type".into(), error.type_name().into());
    fields.insert("reason".into(), error.to_string().into());
    for (name, value) in error.details() {
        fields.insert(name.into(), value);
    }
    if let Error::SearchPhaseExecution { phase, failures } = error {
        fields.insert("phase".into(), phase.as_str().into());
        fields.insert("grouped".into(), true.into());
        fields.insert("failed_shards".into(), grouped(failures).into_iter().map(shard_failure).collect());
        if with_cause && let Some(first) = failures.first().filter(|first| !is_opensearch(&first.reason)) {
            // What is no exception of OpenSearch's own is wrapped once more on its way.
            let mut cause = describe(&first.reason, true, with_trace);
            cause.insert("caused_by".into(), Value::Object(describe(&first.reason, true, with_trace)));
            fields.insert("caused_by".into(), Value::Object(cause));
        } else if with_cause && let Some(cause) = failures.first().and_then(|first| hidden_cause(&first.reason)) {
            fields.insert("caused_by".into(), Value::Object(describe(cause, true, with_trace)));
        }
    }
    if with_cause && let Some(cause) = error.cause() {
        fields.insert("caused_by".into(), Value::Object(describe(cause, true, with_trace)));
    }
    if with_trace {
        // We have no stack; the chain of causes is what a reader of one looks for.
        let mut trace = format!("{}[{error}]", error.type_name());
        let mut at = error;
        while let Some(cause) = at.cause() {
            trace.push_str(&format!("\nCaused by: {}[{cause}]", cause.type_name()));
            at = cause;
        }
        fields.insert("stack_trace".into(), trace.into());
    }
    fields
}

/// The cause of a failure that is not the failure's own root.
fn hidden_cause(failure: &Error) -> Option<&Error> {
    let is_root = root_causes(failure).first().is_none_or(|root| std::ptr::eq(*root, failure));
    if is_root { None } else { failure.cause() }
}

/// The innermost exceptions of OpenSearch's own; what Java or the JSON parser throws does not count.
fn root_causes(error: &Error) -> Vec<&Error> {
    if let Error::SearchPhaseExecution { failures, .. } = error {
        return grouped(failures).into_iter().flat_map(|failure| root_causes(&failure.reason)).collect();
    }
    if let Error::SearchPhaseFailed { .. } = error {
        // Its causes are those of its shards, and none of them failed.
        return Vec::new();
    }
    let is_shape = |error: &Error| matches!(error, Error::XContentParse { .. });
    if is_shape(error)
        && let Some(cause) = error.cause().filter(|cause| is_shape(cause))
    {
        return root_causes(cause);
    }
    match error.cause().filter(|cause| is_opensearch(cause)) {
        Some(cause) if is_opensearch(error) || is_shape(error) => root_causes(cause),
        _ => vec![error],
    }
}

/// One failure for each index and kind of error.
fn grouped(failures: &[ShardFailure]) -> Vec<&ShardFailure> {
    let mut groups: Vec<&ShardFailure> = Vec::new();
    for failure in failures {
        let same = |known: &&ShardFailure| known.index == failure.index && known.reason == failure.reason;
        if !groups.iter().any(same) {
            groups.push(failure);
        }
    }
    groups
}

fn is_opensearch(error: &Error) -> bool {
    !matches!(
        error,
        Error::IllegalArgument { .. }
            | Error::ActionRequestValidation { .. }
            | Error::Validation { .. }
            | Error::XContentParse { .. }
            | Error::NotXContent { .. }
            | Error::JsonParse { .. }
            | Error::NamedObjectNotFound { .. }
            | Error::QuerySyntax { .. }
            | Error::JsonEof { .. }
            | Error::InputCoercion { .. }
            | Error::StreamConstraints { .. }
            | Error::IllegalState { .. }
            | Error::UnsupportedOperation { .. }
            | Error::NumberFormat { .. }
            | Error::DateTimeParse { .. }
            | Error::Rejected { .. }
            | Error::Io { .. }
            | Error::Corrupt { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(error: Error) -> Option<Box<Error>> {
        Some(Box::new(error))
    }

    #[test]
    fn the_root_cause_is_the_innermost_exception_of_opensearch() {
        let illegal = Error::MapperParsing { reason: "failed to parse".into(), cause: boxed(Error::illegal_argument("x")) };
        let body_of_illegal = body(&illegal, false);
        assert_eq!(body_of_illegal["error"]["root_cause"], json!([{"type": "mapper_parsing_exception", "reason": "failed to parse"}]));
        assert_eq!(body_of_illegal["error"]["caused_by"], json!({"type": "illegal_argument_exception", "reason": "x"}));
        let parse = Error::MapperParsing { reason: "failed to parse".into(), cause: boxed(Error::parse("deep")) };
        assert_eq!(body(&parse, false)["error"]["root_cause"], json!([{"type": "parse_exception", "reason": "deep"}]));
        let shape = Error::XContentParse { reason: "[1:35]".into(), cause: boxed(Error::parsing("unknown query [query]")) };
        assert_eq!(body(&shape, false)["error"]["root_cause"][0]["type"], "parsing_exception");
        let nested = Error::XContentParse { reason: "[1:35]".into(), cause: boxed(shape) };
        assert_eq!(body(&nested, false)["error"]["root_cause"][0]["type"], "parsing_exception");
        let cause = Box::new(Error::illegal_argument("value must be >= 0, got -2"));
        let failed = body(&Error::SearchPhaseFailed { phase: "fetch".into(), cause }, false);
        assert_eq!((&failed["error"]["root_cause"], &failed["error"]["reason"], &failed["status"]), (&json!([]), &json!(""), &json!(400)));
    }

    #[test]
    fn a_cause_that_is_the_root_of_a_failed_shard_is_shown_beside_it() {
        let of = |cause: Error| {
            let reason = Box::new(Error::QueryShard {
                reason: "failed".into(),
                index: "i".into(),
                uuid: tandem_common::IndexUuid("u".into()),
                cause: boxed(cause),
            });
            let failures = vec![ShardFailure { shard: 0, index: "i".into(), node: None, reason }];
            body(&Error::SearchPhaseExecution { phase: "query".into(), failures }, false)["error"]["caused_by"]["type"].clone()
        };
        assert_eq!(of(Error::parse("no date")), "parse_exception");
        assert_eq!(of(Error::NumberFormat { input: "x".into() }), Value::Null);
        assert_eq!(of(Error::QuerySyntax { reason: "x".into() }), Value::Null);
    }

    #[test]
    fn an_error_of_an_index_names_it_in_opensearchs_order() {
        let text = body(&Error::IndexNotFound { index: "x".into() }, false).to_string();
        let one = r#""type":"index_not_found_exception","reason":"no such index [x]","index":"x","resource.id":"x","resource.type":"index_or_alias","index_uuid":"_na_""#;
        assert_eq!(text, format!(r#"{{"error":{{"root_cause":[{{{one}}}],{one}}},"status":404}}"#));
    }

    #[test]
    fn failed_shards_are_grouped_and_the_worst_gives_the_status() {
        let failure = |index: &str, shard| ShardFailure {
            shard,
            index: index.into(),
            node: Some("n".into()),
            reason: Box::new(Error::illegal_argument("Text fields are not optimised")),
        };
        let error =
            Error::SearchPhaseExecution { phase: "query".into(), failures: vec![failure("a", 0), failure("a", 1), failure("b", 0)] };
        let body = body(&error, false);
        assert_eq!((body["status"].as_u64(), body["error"]["reason"].as_str()), (Some(400), Some("all shards failed")));
        assert_eq!(body["error"]["failed_shards"].as_array().unwrap().len(), 2);
        assert_eq!(body["error"]["caused_by"]["caused_by"]["type"], "illegal_argument_exception");
    }
}
