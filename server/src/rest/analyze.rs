//! `_analyze`: the tokens of some texts.

use super::respond::Answer;
use super::routes::Route;
use super::{App, Call};
use http::Method;
use serde_json::{Map, Value, json};
use tandem_common::json::{Node, NodeValue, parse_tree};
use tandem_common::{Action, Error, Result};
use tandem_engine::analysis::{AnalyzeDetail, AnalyzeOutcome, ComponentRef, StageTokens, Token};
use tandem_node::action::read::analyze::{self, AnalyzeTextRequest};

/// What OpenSearch calls the reader of such a body.
const PARSER: &str = "analyze_request";

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let action = Action("indices:admin/analyze");
    ["/_analyze", "/{index}/_analyze"]
        .into_iter()
        .map(|path| Route::new(&[Method::GET, Method::POST], path, action, &[&["index"]], analyze))
        .collect()
}

async fn analyze(app: App, call: Call) -> Result<Answer> {
    if call.body.is_empty() {
        return Err(Error::parse("request body or source parameter is required"));
    }
    let (mut request, attributes) = read(&parse_tree(&call.body)?)?;
    let index = if call.value("index").is_empty() { call.params.owned("index") } else { Some(call.value("index").to_owned()) };
    request.index = index;
    Answer::ok(&match analyze::execute(&app.services, &call.context, request).await? {
        AnalyzeOutcome::Tokens(tokens) => json!({"tokens": tokens.iter().map(token).map(Value::Object).collect::<Vec<_>>()}),
        AnalyzeOutcome::Detail(detail) => json!({"detail": shown(&detail, &attributes)}),
    })
}

/// A body as a request, and the attributes that `explain` is to show.
fn read(body: &Node<'_>) -> Result<(AnalyzeTextRequest, Vec<String>)> {
    let (mut request, mut attributes) = (AnalyzeTextRequest::default(), Vec::new());
    let NodeValue::Object(fields) = &body.value else {
        let ((line, column), kind) = (body.place, body.kind_name());
        return Err(shape(format!("[{line}:{column}] [{PARSER}] Expected START_OBJECT but was: {kind}"), None));
    };
    for (name, node) in fields {
        match &**name {
            "analyzer" => request.analyze.analyzer = Some(text(name, node)?),
            "normalizer" => request.analyze.normalizer = Some(text(name, node)?),
            "field" => request.field = Some(text(name, node)?),
            "text" => request.analyze.texts = texts(name, node)?,
            "attributes" => attributes = texts(name, node)?,
            "tokenizer" => request.analyze.tokenizer = Some(component(node).ok_or_else(|| wrong_kind(name, node))?),
            "filter" => request.analyze.filters = components(name, node)?,
            "char_filter" => request.analyze.char_filters = components(name, node)?,
            "explain" => {
                request.analyze.explain = match &node.value {
                    NodeValue::Bool(value) => *value,
                    NodeValue::Text(value) => {
                        tandem_common::settings::parse_bool(value).map_err(|error| unread(name, node.place, error))?
                    }
                    _ => return Err(wrong_kind(name, node)),
                }
            }
            unknown => {
                let (line, column) = node.key_place;
                return Err(shape(format!("[{line}:{column}] [{PARSER}] unknown field [{unknown}]"), None));
            }
        }
    }
    Ok((request, attributes))
}

fn shape(reason: String, cause: Option<Error>) -> Error {
    Error::XContentParse { reason, cause: cause.map(Box::new) }
}

fn wrong_kind(name: &str, node: &Node<'_>) -> Error {
    let ((line, column), kind) = (node.place, node.kind_name());
    shape(format!("[{line}:{column}] [{PARSER}] {name} doesn't support values of type: {kind}"), None)
}

fn unread(name: &str, (line, column): (u32, u32), cause: Error) -> Error {
    shape(format!("[{line}:{column}] [{PARSER}] failed to parse field [{name}]"), Some(cause))
}

fn text(name: &str, node: &Node<'_>) -> Result<String> {
    match &node.value {
        NodeValue::Text(text) => Ok(text.to_string()),
        _ => Err(wrong_kind(name, node)),
    }
}

/// One text or a list of them; in a list numbers and booleans count as their text.
fn texts(name: &str, node: &Node<'_>) -> Result<Vec<String>> {
    let items = match &node.value {
        NodeValue::Text(text) => return Ok(vec![text.to_string()]),
        NodeValue::Array(items) => items,
        _ => return Err(wrong_kind(name, node)),
    };
    let one = |item: &Node<'_>| match &item.value {
        NodeValue::Text(text) => Ok(text.to_string()),
        NodeValue::Number(number) => Ok((*number).to_owned()),
        NodeValue::Bool(value) => Ok(value.to_string()),
        NodeValue::Array(_) => {
            let cause = Error::IllegalState { reason: "expected value but got [START_ARRAY]".into() };
            Err(unread(name, item.place, cause))
        }
        NodeValue::Null | NodeValue::Object(_) | NodeValue::Broken(_) => {
            let ((line, column), kind) = (item.place, item.kind_name());
            let cause = Error::IllegalState { reason: format!("Can't get text on a {kind} at {line}:{column}") };
            Err(unread(name, item.place, cause))
        }
    };
    items.iter().map(one).collect()
}

fn component(node: &Node<'_>) -> Option<ComponentRef> {
    match &node.value {
        NodeValue::Text(name) => Some(ComponentRef::Name(name.to_string())),
        NodeValue::Object(_) => match node.to_value().ok()? {
            Value::Object(fields) => Some(ComponentRef::Definition(fields)),
            _ => None,
        },
        _ => None,
    }
}

fn components(name: &str, node: &Node<'_>) -> Result<Vec<ComponentRef>> {
    let NodeValue::Array(items) = &node.value else { return Err(wrong_kind(name, node)) };
    let one = |item: &Node<'_>| {
        component(item).ok_or_else(|| {
            let ((line, column), kind) = (item.place, item.kind_name());
            let cause = shape(format!("[{line}:{column}] Expected [VALUE_STRING] or [START_OBJECT], got {kind}"), None);
            unread(name, item.place, cause)
        })
    };
    items.iter().map(one).collect()
}

fn token(token: &Token) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("token".into(), token.text.as_str().into());
    shown.insert("start_offset".into(), token.start_offset.into());
    shown.insert("end_offset".into(), token.end_offset.into());
    shown.insert("type".into(), token.kind.name().into());
    shown.insert("position".into(), token.position.into());
    if token.position_length > 1 {
        shown.insert("positionLength".into(), token.position_length.into());
    }
    shown
}

/// A token with its attributes, all of them or those that were asked for.
fn explained(stage: &StageTokens, attributes: &[String]) -> Value {
    let tokens = stage.tokens.iter().map(|found| {
        let mut shown = token(found);
        shown.remove("positionLength");
        let bytes: Vec<String> = found.text.bytes().map(|byte| format!("{byte:x}")).collect();
        let all = [
            ("bytes", Some(Value::from(format!("[{}]", bytes.join(" "))))),
            ("keyword", stage.shows_keyword.then(|| found.keyword.into())),
            ("positionLength", Some(found.position_length.into())),
            ("termFrequency", Some(1.into())),
        ];
        for (name, value) in all {
            if let Some(value) = value
                && (attributes.is_empty() || attributes.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)))
            {
                shown.insert(name.into(), value);
            }
        }
        Value::Object(shown)
    });
    json!({"name": stage.name, "tokens": tokens.collect::<Vec<_>>()})
}

fn shown(detail: &AnalyzeDetail, attributes: &[String]) -> Value {
    match detail {
        AnalyzeDetail::Analyzer(stage) => json!({"custom_analyzer": false, "analyzer": explained(stage, attributes)}),
        AnalyzeDetail::Custom { char_filters, tokenizer, filters } => {
            let char_filters: Vec<Value> = char_filters.iter().map(|(name, texts)| json!({"name": name, "filtered_text": texts})).collect();
            let mut shown = Map::new();
            shown.insert("custom_analyzer".into(), true.into());
            shown.insert("charfilters".into(), char_filters.into());
            shown.insert("tokenizer".into(), explained(tokenizer, attributes));
            if !filters.is_empty() {
                shown.insert("tokenfilters".into(), filters.iter().map(|stage| explained(stage, attributes)).collect());
            }
            Value::Object(shown)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> String {
        read(&parse_tree(body.as_bytes()).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn bodies_of_the_wrong_shape_are_refused_with_their_place() {
        for (body, reason) in [
            (r#"{"text": 5}"#, "[1:10] [analyze_request] text doesn't support values of type: VALUE_NUMBER"),
            (r#"{"text": ["a", 1, null]}"#, "[1:19] [analyze_request] failed to parse field [text]"),
            (r#"{"filter": [5]}"#, "[1:13] [analyze_request] failed to parse field [filter]"),
            (r#"{"filter": "x"}"#, "[1:12] [analyze_request] filter doesn't support values of type: VALUE_STRING"),
            (r#"{"foo": 1}"#, "[1:2] [analyze_request] unknown field [foo]"),
            ("[1]", "[1:1] [analyze_request] Expected START_OBJECT but was: START_ARRAY"),
        ] {
            assert_eq!(refusal(body), reason, "{body}");
        }
    }

    #[test]
    fn a_body_says_what_to_analyze_and_how() {
        let body =
            r#"{"text": ["a", 1, true], "tokenizer": "keyword", "filter": ["x", {"type": "y"}], "explain": true, "attributes": "k"}"#;
        let (request, attributes) = read(&parse_tree(body.as_bytes()).unwrap()).unwrap();
        assert_eq!(request.analyze.texts, ["a", "1", "true"]);
        assert_eq!(request.analyze.filters.len(), 2);
        assert!(request.analyze.explain);
        assert_eq!(attributes, ["k"]);
    }
}
