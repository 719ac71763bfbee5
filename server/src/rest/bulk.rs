//! `_bulk`: many writes as lines of JSON.

use super::call::{SOURCE, refuse_pipeline};
use super::condition::{Expectation, VersionType, id_reason};
use super::document::WrittenJson;
use super::respond::Answer;
use super::routes::Route;
use super::{App, Call, errors};
use bytes::Bytes;
use http::Method;
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::Value;
use tandem_common::json::token_name;
use tandem_common::{Action, Error, Result};
use tandem_engine::search::SourceFilter;
use tandem_node::action::write::bulk::{self, BulkItemResponse, BulkRequest};
use tandem_node::action::write::{DocumentAction, DocumentWrite, UpdateBody};

const BULK: &[&[&str]] = &[SOURCE, &["refresh", "routing", "pipeline", "require_alias", "timeout", "wait_for_active_shards"]];
const ACTIONS: [&str; 4] = ["create", "delete", "index", "update"];

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let action = Action("indices:data/write/bulk");
    let methods: &[Method] = &[Method::POST, Method::PUT];
    vec![Route::new(methods, "/_bulk", action, BULK, bulk), Route::new(methods, "/{index}/_bulk", action, BULK, bulk)]
}

async fn bulk(app: App, call: Call) -> Result<Answer> {
    let body = call.required_body()?;
    refuse_pipeline(call.params.text("pipeline"))?;
    let defaults = Defaults {
        index: Some(call.value("index").to_owned()).filter(|index| !index.is_empty()),
        routing: call.params.owned("routing"),
        require_alias: call.params.bool("require_alias", false)?,
        source_filter: call.source_filter()?,
    };
    let request = BulkRequest { items: parse(&body, &defaults)?, refresh: call.refresh()?, wait_for_active_shards: call.active_shards()? };
    let written = bulk::execute(&app.services, &call.context, request).await?;
    let items: Vec<ItemJson<'_>> = written.items.iter().map(ItemJson::of).collect::<Result<_>>()?;
    let errors = written.items.iter().any(|item| item.outcome.is_err());
    let took = u64::try_from(written.took.as_millis()).unwrap_or(u64::MAX);
    Answer::ok(&BulkJson { took, errors, items })
}

/// Log shippers look for `"errors":false,"items":[` as text, so the order matters.
#[derive(Serialize)]
struct BulkJson<'a> {
    took: u64,
    errors: bool,
    items: Vec<ItemJson<'a>>,
}

/// One item: an object whose only key is the action.
struct ItemJson<'a> {
    action: &'static str,
    fields: ItemFields<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ItemFields<'a> {
    Written {
        #[serde(flatten)]
        written: WrittenJson<'a>,
        status: u16,
    },
    Failed {
        _index: &'a str,
        _id: Option<&'a str>,
        status: u16,
        error: Value,
    },
}

impl<'a> ItemJson<'a> {
    fn of(item: &'a BulkItemResponse) -> Result<Self> {
        let fields = match &item.outcome {
            Ok(written) => ItemFields::Written { written: WrittenJson::of(written)?, status: written.result.status() },
            Err(error) => {
                ItemFields::Failed { _index: &item.index, _id: item.id.as_deref(), status: error.status(), error: errors::item(error) }
            }
        };
        Ok(Self { action: item.action, fields })
    }
}

impl Serialize for ItemJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(Some(1))?;
        fields.serialize_entry(self.action, &self.fields)?;
        fields.end()
    }
}

/// What holds for items that do not say it themselves.
#[derive(Debug, Default)]
struct Defaults {
    index: Option<String>,
    routing: Option<String>,
    require_alias: bool,
    source_filter: Option<SourceFilter>,
}

/// Reads the lines of a bulk body; the sources are slices of it.
///
/// # Errors
/// A malformed action line, a missing last newline, items that lack what they need.
fn parse(body: &Bytes, defaults: &Defaults) -> Result<Vec<DocumentWrite>> {
    let mut items = Vec::new();
    let mut reasons = Vec::new();
    let mut lines = Lines { body, at: 0, number: 0 };
    while let Some(line) = lines.next()? {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let number = lines.number;
        let Some(Metadata { action, fields }) = metadata(&line, number)? else { continue };
        let source = if action == "delete" {
            Bytes::new()
        } else {
            match lines.next()? {
                Some(source) => source,
                None => break,
            }
        };
        items.push(item(&action, fields, source, defaults, &mut reasons)?);
    }
    if items.is_empty() {
        reasons.push("no requests added".to_owned());
    }
    if reasons.is_empty() { Ok(items) } else { Err(Error::ActionRequestValidation { reasons }) }
}

struct Lines<'a> {
    body: &'a Bytes,
    at: usize,
    number: usize,
}

impl Lines<'_> {
    /// The next line without its end; every line must have one.
    fn next(&mut self) -> Result<Option<Bytes>> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let Some(length) = memchr::memchr(b'\n', rest) else {
            return Err(Error::illegal_argument("The bulk request must be terminated by a newline [\\n]"));
        };
        let end = if rest[..length].ends_with(b"\r") { length - 1 } else { length };
        let line = self.body.slice(self.at..self.at + end);
        self.at += length + 1;
        self.number += 1;
        Ok(Some(line))
    }
}

/// An action line.
struct Metadata {
    action: String,
    fields: Fields,
}

/// What an action line may say.
#[derive(Debug, Default)]
struct Fields {
    index: Option<String>,
    id: Option<String>,
    routing: Option<String>,
    pipeline: Option<String>,
    op_type: Option<String>,
    expectation: Expectation,
    retry_on_conflict: u32,
    require_alias: Option<bool>,
    source_filter: Option<SourceFilter>,
}

/// Reads an action line as far as it matters: like OpenSearch, what stands behind the first action is not looked at.
fn metadata(line: &[u8], number: usize) -> Result<Option<Metadata>> {
    if let Some(plain) = plain_metadata(line) {
        return Ok(Some(plain));
    }
    let malformed = |expected: &str, found: &str| {
        Error::illegal_argument(format!("Malformed action/metadata line [{number}], expected {expected} but found [{found}]"))
    };
    let start = skip_blanks(line, 0);
    if line.get(start) != Some(&b'{') {
        let value = tandem_common::json::parse(line)?;
        return Err(malformed("START_OBJECT", token_name(&value)));
    }
    let name_start = skip_blanks(line, start + 1);
    if line.get(name_start) == Some(&b'}') {
        return Err(malformed("FIELD_NAME", "END_OBJECT"));
    }
    let (name, after) = read_value(line, name_start)?;
    let Value::String(action) = name else {
        return Err(malformed("FIELD_NAME", token_name(&name)));
    };
    if !ACTIONS.contains(&action.as_str()) {
        return Err(malformed("one of [create, delete, index, update]", &action));
    }
    let colon = skip_blanks(line, after);
    if line.get(colon) != Some(&b':') {
        return Err(Error::JsonParse { reason: format!("line [{number}]: expected a colon after the name of the action") });
    }
    let (value, _) = read_value(line, skip_blanks(line, colon + 1))?;
    let Value::Object(values) = value else {
        return Err(malformed("START_OBJECT or END_OBJECT", token_name(&value)));
    };
    let mut fields = Fields::default();
    for (name, value) in values {
        field(&mut fields, &name, value, number)?;
    }
    fields.expectation.check_numbers()?;
    Ok(Some(Metadata { action, fields }))
}

/// Reads an action line as nearly every client writes it: one action with an index, an id and a routing in plain strings.
/// `None` for everything else, be it right or wrong.
fn plain_metadata(line: &[u8]) -> Option<Metadata> {
    let mut rest = Plain { line };
    rest.mark(b'{')?;
    let action = ACTIONS.into_iter().find(|action| rest.line.get(1..).is_some_and(|line| line.starts_with(action.as_bytes())))?;
    (rest.string()? == action).then_some(())?;
    rest.mark(b':')?;
    rest.mark(b'{')?;
    let mut fields = Fields::default();
    if rest.mark(b'}').is_none() {
        loop {
            let name = rest.string()?;
            rest.mark(b':')?;
            let value = Some(rest.string()?.to_owned());
            match name {
                "_index" => fields.index = value,
                "_id" => fields.id = value,
                "routing" => fields.routing = value,
                _ => return None,
            }
            if rest.mark(b',').is_none() {
                break;
            }
        }
        rest.mark(b'}')?;
    }
    rest.mark(b'}')?;
    rest.line.is_empty().then(|| Metadata { action: action.to_owned(), fields })
}

/// What is left of a line.
struct Plain<'a> {
    line: &'a [u8],
}

impl<'a> Plain<'a> {
    /// Takes one mark and the blanks behind it.
    fn mark(&mut self, mark: u8) -> Option<()> {
        self.line = self.line.strip_prefix(&[mark])?.trim_ascii_start();
        Some(())
    }

    /// Takes a string without escapes and the blanks behind it.
    fn string(&mut self) -> Option<&'a str> {
        let inside = self.line.strip_prefix(b"\"")?;
        let end = inside.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
        let (text, rest) = inside.split_at(end);
        self.line = rest.strip_prefix(b"\"")?.trim_ascii_start();
        std::str::from_utf8(text).ok()
    }
}

fn field(fields: &mut Fields, name: &str, value: Value, number: usize) -> Result<()> {
    if name == "_source" {
        fields.source_filter = Some(SourceFilter::parse(&value)?);
        return Ok(());
    }
    let text = match value {
        Value::Null => return Ok(()),
        Value::String(text) => text,
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => {
            let found = token_name(&value);
            let reason =
                format!("Malformed action/metadata line [{number}], expected a simple value for field [{name}] but found [{found}]");
            return Err(Error::illegal_argument(reason));
        }
    };
    match name {
        "_index" => fields.index = Some(text),
        "_id" => fields.id = Some(text),
        "routing" => fields.routing = Some(text),
        "pipeline" => fields.pipeline = Some(text),
        "op_type" => fields.op_type = Some(text),
        "if_seq_no" => fields.expectation.if_seq_no = Some(long(&text)?),
        "if_primary_term" => fields.expectation.if_primary_term = Some(long(&text)?),
        "version" => fields.expectation.version = Some(long(&text)?),
        "version_type" => fields.expectation.version_type = VersionType::parse(Some(&text))?,
        "retry_on_conflict" => fields.retry_on_conflict = u32::try_from(long(&text)?).unwrap_or(0),
        "require_alias" => fields.require_alias = Some(tandem_common::settings::parse_bool(&text)?),
        other => {
            let reason = format!("Action/metadata line [{number}] contains an unknown parameter [{other}]");
            return Err(Error::illegal_argument(reason));
        }
    }
    Ok(())
}

fn long(text: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::NumberFormat { input: text.to_owned() })
}

fn item(action: &str, fields: Fields, source: Bytes, defaults: &Defaults, reasons: &mut Vec<String>) -> Result<DocumentWrite> {
    refuse_pipeline(fields.pipeline.as_deref())?;
    let creates = action == "create" || (action == "index" && fields.op_type.as_deref() == Some("create"));
    let index = fields.index.or_else(|| defaults.index.clone()).unwrap_or_default();
    if index.is_empty() {
        reasons.push("index is missing".to_owned());
    }
    let needs_id = matches!(action, "delete" | "update");
    match &fields.id {
        None => reasons.extend(needs_id.then(|| "id is missing".to_owned())),
        Some(id) if needs_id && id.is_empty() => reasons.push("id is missing".to_owned()),
        Some(id) => reasons.extend(id_reason(id)),
    }
    let condition = fields.expectation.condition(creates).unwrap_or_else(|found| {
        reasons.extend(found);
        Default::default()
    });
    if action == "update" && fields.retry_on_conflict > 0 && fields.expectation.if_seq_no.is_some() {
        reasons.push("compare and write operations can not be retried".to_owned());
    }
    let action = match action {
        "delete" => DocumentAction::Delete,
        "update" => DocumentAction::Update(UpdateBody {
            body: source,
            retry_on_conflict: fields.retry_on_conflict,
            source_filter: fields.source_filter.or_else(|| defaults.source_filter.clone()),
        }),
        _ if creates => DocumentAction::Create { source },
        _ => DocumentAction::Index { source },
    };
    Ok(DocumentWrite {
        index,
        id: fields.id,
        action,
        routing: fields.routing.or_else(|| defaults.routing.clone()),
        condition,
        require_alias: fields.require_alias.unwrap_or(defaults.require_alias),
    })
}

fn skip_blanks(line: &[u8], from: usize) -> usize {
    from + line.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Reads one JSON value and tells where it ends.
fn read_value(line: &[u8], from: usize) -> Result<(Value, usize)> {
    let rest = line.get(from..).unwrap_or_default();
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
    match values.next() {
        Some(Ok(value)) => Ok((value, from + values.byte_offset())),
        Some(Err(error)) if error.is_eof() => Err(Error::JsonEof { reason: error.to_string() }),
        Some(Err(error)) => Err(Error::JsonParse { reason: error.to_string() }),
        None => Err(Error::JsonEof { reason: "Unexpected end-of-input".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_common::{PrimaryTerm, SeqNo};
    use tandem_node::action::ShardsHeader;
    use tandem_node::action::write::{WriteCondition, WriteResponse, WriteResult};

    fn parsed(body: &str, index: Option<&str>) -> Result<Vec<DocumentWrite>> {
        parse(&Bytes::from(body.to_owned()), &Defaults { index: index.map(str::to_owned), ..Defaults::default() })
    }

    fn refusal(body: &str) -> String {
        parsed(body, Some("i")).unwrap_err().to_string()
    }

    #[test]
    fn lines_become_items_in_their_order() {
        let body = "{\"index\":{\"_id\":7}}\r\n{\"a\":1}\r\n\n{\"delete\":{\"_id\":\"x\",\"_index\":\"j\"}}\n{\"create\":{\"routing\":\"r\"}}\n{}\n{\"update\":{\"_id\":\"u\",\"retry_on_conflict\":2}}\n{\"doc\":{}}\n";
        let items = parsed(body, Some("i")).unwrap();
        assert_eq!(items.iter().map(|item| item.action.name()).collect::<Vec<_>>(), ["index", "delete", "create", "update"]);
        assert_eq!(items[0].id.as_deref(), Some("7"));
        assert_eq!(items[0].action, DocumentAction::Index { source: Bytes::from_static(b"{\"a\":1}") });
        assert_eq!((items[1].index.as_str(), items[2].routing.as_deref(), items[2].id.as_deref()), ("j", Some("r"), None));
        assert!(matches!(&items[3].action, DocumentAction::Update(update) if update.retry_on_conflict == 2));
    }

    #[test]
    fn malformed_lines_are_refused_in_opensearchs_words() {
        for (body, reason) in [
            ("{\"index\":{}}", "The bulk request must be terminated by a newline [\\n]"),
            ("{\"index\":{}}\n{}", "The bulk request must be terminated by a newline [\\n]"),
            ("\n", "Validation Failed: 1: no requests added;"),
            ("{\"index\":{\"_id\":\"1\"}}\n", "Validation Failed: 1: no requests added;"),
            ("{\"foo\":{}}\n{}\n", "Malformed action/metadata line [1], expected one of [create, delete, index, update] but found [foo]"),
            ("{\"index\":\"x\"}\n{}\n", "Malformed action/metadata line [1], expected START_OBJECT or END_OBJECT but found [VALUE_STRING]"),
            ("[\"index\"]\n{}\n", "Malformed action/metadata line [1], expected START_OBJECT but found [START_ARRAY]"),
            ("{\"index\":{\"_id\":\"1\",\"foo\":1}}\n{}\n", "Action/metadata line [1] contains an unknown parameter [foo]"),
            ("{}\n{}\n", "Malformed action/metadata line [1], expected FIELD_NAME but found [END_OBJECT]"),
            ("{\"delete\":{}}\n", "Validation Failed: 1: id is missing;"),
        ] {
            assert_eq!(refusal(body), reason, "{body}");
        }
        assert_eq!(parsed("{\"index\":{}}\n{}\n", None).unwrap_err().to_string(), "Validation Failed: 1: index is missing;");
        assert!(matches!(parsed("not json\n{}\n", Some("i")), Err(Error::JsonParse { .. })));
    }

    #[test]
    fn what_stands_behind_the_action_is_not_looked_at() {
        for line in ["{\"index\":{\"_id\":\"1\"}", "{\"index\":{\"_id\":\"1\"},\"x\":1}"] {
            assert_eq!(parsed(&format!("{line}\n{{}}\n"), Some("i")).unwrap().len(), 1, "{line}");
        }
    }

    #[test]
    fn plain_lines_are_read_as_all_others_are() {
        let lines = [
            r#"{"index":{}}"#,
            r#"{"index":{"_id":"1"}}"#,
            r#"{"create": {"_index": "j", "_id": "\u00e4", "routing": "r"}}"#,
            r#"{"create": {"_index": "j", "_id": "\u{e9}", "routing": "r"}}"#,
            r#"{"delete":{"_id":"x", "_index":"j"} } "#,
            r#"{"update":{"_id":"u","_id":"v"}}"#,
            "{\"index\":{\"_id\":\"a\tb\"}}",
            r#"{"index":{"_id":"1",}}"#,
            r#"{"indexes":{"_id":"1"}}"#,
            r#"{"index":{"_id":"1"}"#,
        ];
        let mut plain = 0;
        for line in lines {
            let Some(quick) = plain_metadata(line.as_bytes()) else { continue };
            plain += 1;
            // A blank in front is something that the quick way leaves to the other.
            let slow = metadata(format!(" {line}").as_bytes(), 1).unwrap().unwrap();
            let shown = |metadata: &Metadata| format!("{} {:?}", metadata.action, metadata.fields);
            assert_eq!(shown(&quick), shown(&slow), "{line}");
        }
        assert_eq!(plain, 4);
    }

    #[test]
    fn conditions_of_items_are_read() {
        let items = parsed("{\"index\":{\"_id\":\"1\",\"if_seq_no\":9,\"if_primary_term\":1}}\n{}\n", Some("i")).unwrap();
        assert_eq!(items[0].condition, WriteCondition::IfSeqNo { seq_no: SeqNo(9), primary_term: PrimaryTerm(1) });
        assert!(refusal("{\"index\":{\"_id\":\"1\",\"if_seq_no\":9}}\n{}\n").contains("primary term is [0]"));
    }

    #[test]
    fn items_show_their_status_and_error() {
        let written = WriteResponse {
            index: "i".into(),
            id: "1".into(),
            version: 1,
            result: WriteResult::NotFound,
            forced_refresh: false,
            shards: ShardsHeader::default(),
            seq_no: SeqNo(0),
            primary_term: PrimaryTerm(1),
            get: None,
        };
        let ok = BulkItemResponse { action: "delete", index: "i".into(), id: Some("1".into()), outcome: Ok(written) };
        assert_eq!(serde_json::to_value(ItemJson::of(&ok).unwrap()).unwrap()["delete"]["status"], 404);
        let failed = BulkItemResponse { action: "index", index: "i".into(), id: None, outcome: Err(Error::illegal_argument("bad")) };
        assert_eq!(
            serde_json::to_string(&ItemJson::of(&failed).unwrap()).unwrap(),
            r#"{"index":{"_index":"i","_id":null,"status":400,"error":{"type":"illegal_argument_exception","reason":"bad"}}}"#
        );
    }
}
