//! What a field becomes that the mapping does not know: templates first, then a guess from the value.

use super::RootOptions;
use super::definition::java_value;
use super::field_types::{DateFormat, Rounding};
use crate::error::{Error, Result};
use crate::json::{Node, NodeValue, is_whole};
use crate::pattern;
use regex::Regex;
use serde_json::{Map, Value, json};

/// The dates that are recognised when a mapping names no `dynamic_date_formats` of its own, beside the default format.
const SLASH_FORMAT: &str = "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis";

/// What a template can ask for in `match_mapping_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    Text,
    Long,
    Double,
    Boolean,
    Date,
    Object,
}

impl Guess {
    /// The name in `match_mapping_type`.
    fn template_name(self) -> &'static str {
        match self {
            Guess::Text => "string",
            Guess::Long => "long",
            Guess::Double => "double",
            Guess::Boolean => "boolean",
            Guess::Date => "date",
            Guess::Object => "object",
        }
    }

    /// The type that `{dynamic_type}` stands for.
    fn default_type(self) -> &'static str {
        match self {
            Guess::Text => "text",
            Guess::Long => "long",
            Guess::Double => "double",
            Guess::Boolean => "boolean",
            Guess::Date => "date",
            Guess::Object => "object",
        }
    }
}

/// The mapping of a new field with this value; `None` if it is not to be added.
pub(super) fn mapping_for(options: &RootOptions, name: &str, path: &str, node: &Node<'_>, templates_only: bool) -> Option<Value> {
    let (guess, format) = guess(options, node)?;
    if let Some(found) = from_template(options, name, path, guess) {
        return Some(found);
    }
    if templates_only {
        return None;
    }
    Some(match guess {
        Guess::Text => json!({"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}),
        Guess::Long => json!({"type": "long"}),
        Guess::Double => json!({"type": "float"}),
        Guess::Boolean => json!({"type": "boolean"}),
        Guess::Object => json!({"type": "object"}),
        Guess::Date => match format.as_deref() {
            None => json!({"type": "date"}),
            Some(SLASH_FORMAT) => json!({"type": "date", "format": SLASH_FORMAT, "print_format": "yyyy/MM/dd HH:mm:ss"}),
            Some(format) => json!({"type": "date", "format": format, "print_format": format}),
        },
    })
}

fn guess(options: &RootOptions, node: &Node<'_>) -> Option<(Guess, Option<String>)> {
    Some(match &node.value {
        NodeValue::Null | NodeValue::Broken(_) | NodeValue::Array(_) => return None,
        NodeValue::Bool(_) => (Guess::Boolean, None),
        NodeValue::Number(text) if is_whole(text) => (Guess::Long, None),
        NodeValue::Number(_) => (Guess::Double, None),
        NodeValue::Object(_) => (Guess::Object, None),
        NodeValue::Text(text) => guess_text(options, text),
    })
}

fn guess_text(options: &RootOptions, text: &str) -> (Guess, Option<String>) {
    // Most texts start with a letter and are neither number nor date; formats with names of months are rare enough to ask for.
    let may_be_date =
        options.dynamic_date_formats.is_some() || text.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'-');
    let is_long = text.parse::<i64>().is_ok();
    let is_double = is_long || super::field_types::is_double(text);
    if options.numeric_detection == Some(true) && is_double {
        return (if is_long { Guess::Long } else { Guess::Double }, None);
    }
    if is_double || !may_be_date || options.date_detection == Some(false) {
        return (Guess::Text, None);
    }
    match &options.dynamic_date_formats {
        None => {
            if DateFormat::default().parse(text, Rounding::Down, None).is_ok() {
                return (Guess::Date, None);
            }
            if text.contains('/') && fits(SLASH_FORMAT, text) {
                return (Guess::Date, Some(SLASH_FORMAT.to_owned()));
            }
        }
        Some(formats) => {
            if let Some(format) = formats.iter().find(|format| fits(format, text)) {
                return (Guess::Date, Some(format.clone()));
            }
        }
    }
    (Guess::Text, None)
}

fn fits(format: &str, text: &str) -> bool {
    DateFormat::new(format).is_ok_and(|format| format.parse(text, Rounding::Down, None).is_ok())
}

fn from_template(options: &RootOptions, name: &str, path: &str, guess: Guess) -> Option<Value> {
    let templates = options.dynamic_templates.as_ref()?;
    let body = templates
        .iter()
        .filter_map(|template| template.as_object()?.values().next()?.as_object())
        .find(|body| template_fits(body, name, path, guess))?;
    let mut mapping = substitute(body.get("mapping")?, name, guess);
    if let Value::Object(fields) = &mut mapping
        && !fields.contains_key("type")
        && !fields.contains_key("properties")
    {
        fields.insert("type".to_owned(), guess.default_type().into());
    }
    Some(mapping)
}

fn template_fits(body: &Map<String, Value>, name: &str, path: &str, guess: Guess) -> bool {
    let regex = body.get("match_pattern").is_some_and(|pattern| pattern == "regex");
    let all = |key: &str, wanted: bool, text: &str| {
        let patterns = match body.get(key) {
            None => return true,
            Some(Value::Array(items)) => items.iter().map(java_value).collect::<Vec<_>>(),
            Some(other) => vec![java_value(other)],
        };
        let matches = |pattern: &String| {
            if regex {
                Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(text))
            } else {
                pattern::matches(pattern, text)
            }
        };
        patterns.iter().any(matches) == wanted
    };
    let kind = body.get("match_mapping_type").and_then(Value::as_str).unwrap_or("*");
    (kind == "*" || kind == guess.template_name())
        && all("match", true, name)
        && all("unmatch", false, name)
        && all("path_match", true, path)
        && all("path_unmatch", false, path)
}

fn substitute(value: &Value, name: &str, guess: Guess) -> Value {
    let replace = |text: &str| {
        text.replace("{name}", name).replace("{dynamic_type}", guess.default_type()).replace("{dynamicType}", guess.default_type())
    };
    match value {
        Value::String(text) => replace(text).into(),
        Value::Array(items) => items.iter().map(|item| substitute(item, name, guess)).collect(),
        Value::Object(fields) => Value::Object(fields.iter().map(|(key, value)| (replace(key), substitute(value, name, guess))).collect()),
        other => other.clone(),
    }
}

/// Checks the shape of `dynamic_templates`.
pub(super) fn check_templates(value: &Value) -> Result<Vec<Value>> {
    let syntax = || Error::mapper_parsing("Dynamic template syntax error. An array of named objects is expected.");
    let Value::Array(templates) = value else { return Err(syntax()) };
    for template in templates {
        let fields = template.as_object().ok_or_else(syntax)?;
        if fields.len() != 1 {
            return Err(Error::mapper_parsing("A dynamic template must be defined with a name"));
        }
        let Some(Value::Object(body)) = fields.values().next() else { return Err(syntax()) };
        for (key, value) in body {
            match key.as_str() {
                "match" | "unmatch" | "path_match" | "path_unmatch" | "mapping" => {}
                "match_pattern" => {
                    if value != "simple" && value != "regex" {
                        let reason = format!("No matching pattern matched on [{}]", java_value(value));
                        return Err(Error::illegal_argument(reason));
                    }
                }
                "match_mapping_type" => {
                    let name = java_value(value);
                    if !["*", "string", "long", "double", "boolean", "date", "object", "binary"].contains(&name.as_str()) {
                        let reason = format!(
                            "No field type matched on [{name}], possible values are [object, string, long, double, boolean, date, binary]"
                        );
                        return Err(Error::illegal_argument(reason));
                    }
                }
                _ => return Err(Error::illegal_argument(format!("Illegal dynamic template parameter: [{key}]"))),
            }
        }
        let shown = java_value(&Value::Object(body.clone()));
        if !["match", "path_match", "match_mapping_type"].iter().any(|key| body.contains_key(*key)) {
            return Err(Error::mapper_parsing(format!("template must have match, path_match or match_mapping_type set {shown}")));
        }
        if !body.get("mapping").is_some_and(Value::is_object) {
            return Err(Error::mapper_parsing("template must have mapping set"));
        }
    }
    Ok(templates.iter().map(ordered).collect())
}

/// A template as it is printed: its words in one order, its mapping sorted.
fn ordered(template: &Value) -> Value {
    const WORDS: [&str; 7] = ["match", "path_match", "unmatch", "path_unmatch", "match_mapping_type", "match_pattern", "mapping"];
    let Some((name, Value::Object(body))) = template.as_object().and_then(|fields| fields.iter().next()) else { return template.clone() };
    let mut printed = Map::new();
    for word in WORDS {
        match body.get(word) {
            // The pattern that is meant anyway is not told.
            None => {}
            Some(value) if word == "match_pattern" && value == "simple" => {}
            Some(value) if word == "mapping" => drop(printed.insert(word.to_owned(), super::definition::sorted(value))),
            Some(value) => drop(printed.insert(word.to_owned(), value.clone())),
        }
    }
    json!({ name.as_str(): printed })
}

/// Templates of the same name are replaced where they stand, others are added at the end.
pub(super) fn merge_templates(known: Option<Vec<Value>>, new: &[Value]) -> Vec<Value> {
    let name = |template: &Value| template.as_object().and_then(|fields| fields.keys().next().cloned());
    let mut merged = known.unwrap_or_default();
    for template in new {
        match merged.iter_mut().find(|known| name(known) == name(template)) {
            Some(known) => known.clone_from(template),
            None => merged.push(template.clone()),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_templates_are_refused() {
        let reason = |value: Value| check_templates(&value).unwrap_err().to_string();
        assert_eq!(reason(json!({"a": 1})), "Dynamic template syntax error. An array of named objects is expected.");
        assert_eq!(
            reason(json!([{"a": {"mapping": {"type": "nosuch"}}}])),
            "template must have match, path_match or match_mapping_type set {mapping={type=nosuch}}"
        );
        assert_eq!(reason(json!([{"a": {"foo": 1, "match": "*", "mapping": {}}}])), "Illegal dynamic template parameter: [foo]");
    }
}
