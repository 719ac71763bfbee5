//! Queries as OpenSearch shows them in the refusal of a negative boost: every option, and a boost of 1.

use super::match_::MatchOptions;
use super::pattern::PatternKind;
use super::{Kind, Query, text_of};
use serde_json::{Map, Value, json};

/// The text of a query whose boost is not set yet.
pub(super) fn shown(kind: &Kind) -> String {
    let mut out = String::new();
    write(&json_of(kind, 1.0), 0, &mut out);
    out
}

fn inner(query: &Query) -> Value {
    json_of(&query.kind, query.boost)
}

/// A float as the shortest number that it is, not as the double nearest to it.
fn float(value: f32) -> Value {
    value.to_string().parse::<f64>().unwrap_or_default().into()
}

/// An object of what there is, in this order, with the boost at its end.
fn object<const N: usize>(fields: [(&str, Option<Value>); N], boost: f32) -> Value {
    let present = fields.into_iter().filter_map(|(key, value)| value.map(|value| (key.to_owned(), value)));
    present.chain([("boost".to_owned(), float(boost))]).collect::<Map<_, _>>().into()
}

fn of_field(field: &str, options: Value) -> Value {
    json!({ field: options })
}

fn list(queries: &[Query]) -> Option<Value> {
    (!queries.is_empty()).then(|| queries.iter().map(inner).collect())
}

fn zero_terms(options: &MatchOptions) -> Option<Value> {
    Some(if options.zero_terms_all { "ALL" } else { "NONE" }.into())
}

fn json_of(kind: &Kind, boost: f32) -> Value {
    let (name, body) = match kind {
        Kind::MatchAll => ("match_all", object([], boost)),
        Kind::MatchNone => ("match_none", object([], boost)),
        Kind::Bool(query) => {
            let minimum = query.minimum_should_match.as_ref().map(|minimum| minimum.0.clone().into());
            let fields = [
                ("must", list(&query.must)),
                ("filter", list(&query.filter)),
                ("must_not", list(&query.must_not)),
                ("should", list(&query.should)),
                ("adjust_pure_negative", Some(true.into())),
                ("minimum_should_match", minimum),
            ];
            ("bool", object(fields, boost))
        }
        Kind::Term(query) => ("term", of_field(&query.field, object([("value", Some(query.value.clone()))], boost))),
        Kind::Terms(query) => ("terms", object([(&query.field, Some(query.values.clone().into()))], boost)),
        Kind::Range(query) => {
            let fields = [
                ("from", Some(query.lower.clone().unwrap_or_default())),
                ("to", Some(query.upper.clone().unwrap_or_default())),
                ("include_lower", Some(query.include_lower.into())),
                ("include_upper", Some(query.include_upper.into())),
                ("time_zone", query.time_zone.clone().map(Value::from)),
                ("relation", query.relation.map(|relation| relation.name().into())),
            ];
            ("range", of_field(&query.field, object(fields, boost)))
        }
        Kind::Exists(query) => ("exists", object([("field", Some(query.field.clone().into()))], boost)),
        Kind::Ids(query) => ("ids", object([("values", Some(query.values.clone().into()))], boost)),
        Kind::Match(query) => {
            let options = &query.options;
            let fields = [
                ("query", Some(query.text.clone())),
                ("operator", Some(if options.all_words { "AND" } else { "OR" }.into())),
                ("analyzer", options.analyzer.clone().map(Value::from)),
                ("fuzziness", options.fuzzy.fuzziness.map(|fuzziness| fuzziness.shown().into())),
                ("prefix_length", Some(options.fuzzy.prefix_length.into())),
                ("max_expansions", Some(options.fuzzy.expansions_max.into())),
                ("minimum_should_match", options.minimum_should_match.as_ref().map(|minimum| minimum.0.clone().into())),
                ("fuzzy_transpositions", Some(options.fuzzy.transpositions.into())),
                ("lenient", Some(options.lenient.into())),
                ("zero_terms_query", zero_terms(options)),
                ("auto_generate_synonyms_phrase_query", Some(true.into())),
            ];
            ("match", of_field(&query.field, object(fields, boost)))
        }
        Kind::MatchPhrase(query) => {
            let fields = [
                ("query", Some(query.text.clone())),
                ("analyzer", query.options.analyzer.clone().map(Value::from)),
                ("slop", Some(query.options.slop.into())),
                ("zero_terms_query", zero_terms(&query.options)),
            ];
            ("match_phrase", of_field(&query.field, object(fields, boost)))
        }
        Kind::MultiMatch(query) => {
            let options = &query.options;
            let fields = [
                ("query", Some(query.text.clone())),
                ("fields", Some(weighted(&query.fields))),
                ("type", Some(query.kind.name().into())),
                ("operator", Some(if options.all_words { "AND" } else { "OR" }.into())),
                ("analyzer", options.analyzer.clone().map(Value::from)),
                ("slop", Some(options.slop.into())),
                ("fuzziness", options.fuzzy.fuzziness.map(|fuzziness| fuzziness.shown().into())),
                ("prefix_length", Some(options.fuzzy.prefix_length.into())),
                ("max_expansions", Some(options.fuzzy.expansions_max.into())),
                ("minimum_should_match", options.minimum_should_match.as_ref().map(|minimum| minimum.0.clone().into())),
                ("tie_breaker", query.tie_breaker.map(float)),
                ("lenient", options.lenient.then(|| true.into())),
                ("zero_terms_query", zero_terms(options)),
                ("auto_generate_synonyms_phrase_query", Some(true.into())),
                ("fuzzy_transpositions", Some(options.fuzzy.transpositions.into())),
            ];
            ("multi_match", object(fields, boost))
        }
        Kind::ConstantScore(query) => ("constant_score", object([("filter", Some(inner(&query.filter)))], boost)),
        Kind::DisMax(query) => {
            // Its queries are added after the boost is set.
            ("dis_max", object([("tie_breaker", Some(float(query.tie_breaker))), ("queries", Some(json!([])))], boost))
        }
        Kind::Pattern(query) => match query.kind {
            PatternKind::Exact | PatternKind::Prefix => {
                ("prefix", of_field(&query.field, object([("value", Some(query.value.clone().into()))], boost)))
            }
            PatternKind::Wildcard => ("wildcard", of_field(&query.field, object([("wildcard", Some(query.value.clone().into()))], boost))),
        },
        Kind::QueryString(query) => {
            let fields = [
                ("query", Some(query.text.clone().into())),
                ("fields", Some(weighted(&query.fields))),
                ("type", Some("best_fields".into())),
                ("tie_breaker", (query.tie_breaker != 0.0).then(|| float(query.tie_breaker))),
                ("default_operator", Some(if query.all_words { "and" } else { "or" }.into())),
                ("analyzer", query.analyzer.clone().map(Value::from)),
                ("max_determinized_states", Some(10_000.into())),
                ("enable_position_increments", Some(true.into())),
                ("fuzziness", Some("AUTO".into())),
                ("fuzzy_prefix_length", Some(0.into())),
                ("fuzzy_max_expansions", Some(50.into())),
                ("phrase_slop", Some(query.phrase_slop.into())),
                ("minimum_should_match", query.minimum_should_match.as_ref().map(|minimum| minimum.0.clone().into())),
                ("lenient", query.lenient.map(Value::from)),
                ("escape", Some(false.into())),
                ("auto_generate_synonyms_phrase_query", Some(true.into())),
                ("fuzzy_transpositions", Some(true.into())),
            ];
            ("query_string", object(fields, boost))
        }
        Kind::Geo(query) => {
            let mut body = query.to_json();
            if let Value::Object(fields) = &mut body {
                fields.insert("boost".to_owned(), float(boost));
            }
            (query.name, body)
        }
        Kind::Nested(query) => {
            let fields = [
                ("query", Some(inner(&query.query))),
                ("path", Some(query.path.clone().into())),
                ("ignore_unmapped", Some(query.ignore_unmapped.into())),
                ("score_mode", Some(query.score_mode.name().into())),
            ];
            ("nested", object(fields, boost))
        }
    };
    json!({ name: body })
}

/// `title^2.0`, by name.
fn weighted(fields: &[(String, f32)]) -> Value {
    let mut shown: Vec<String> = fields.iter().map(|(field, boost)| format!("{field}^{}", text_of(&float(*boost)))).collect();
    shown.sort();
    shown.into()
}

/// As Java's printer lays it out.
fn write(value: &Value, depth: usize, out: &mut String) {
    let (open, close, count) = match value {
        Value::Object(fields) => ('{', '}', fields.len()),
        Value::Array(items) => ('[', ']', items.len()),
        Value::String(_) => return out.push_str(&value.to_string()),
        scalar => return out.push_str(&text_of(scalar)),
    };
    out.push(open);
    if count == 0 {
        out.push(' ');
        return out.push(close);
    }
    let line = |position: usize, out: &mut String| {
        out.push_str(if position == 0 { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(depth + 1));
    };
    match value {
        Value::Object(fields) => {
            for (position, (key, value)) in fields.iter().enumerate() {
                line(position, out);
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push_str(" : ");
                write(value, depth + 1, out);
            }
        }
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                line(position, out);
                write(item, depth + 1, out);
            }
        }
        _ => {}
    }
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
    out.push(close);
}
