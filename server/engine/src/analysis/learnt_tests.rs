//! What OpenSearch's `_analyze` answers, learnt from it: one line of `learnt.jsonl` for each analyzer and text.

use super::{AnalyzeOutcome, AnalyzeRequest, AnalyzerRegistry, ComponentRef};
use serde_json::{Value, json};
use tandem_common::Settings;

fn component(value: &Value) -> ComponentRef {
    match value {
        Value::String(name) => ComponentRef::Name(name.clone()),
        other => ComponentRef::Definition(other.as_object().unwrap().clone()),
    }
}

fn components(case: &Value, key: &str) -> Vec<ComponentRef> {
    case.get(key).and_then(Value::as_array).into_iter().flatten().map(component).collect()
}

/// The tokens of a text: term, offsets, position, length where it is not 1, type.
fn answer(registry: &AnalyzerRegistry, case: &Value, text: &str) -> String {
    let request = AnalyzeRequest {
        texts: vec![text.to_owned()],
        analyzer: case.get("analyzer").and_then(Value::as_str).map(str::to_owned),
        tokenizer: case.get("tokenizer").map(component),
        filters: components(case, "filter"),
        char_filters: components(case, "char_filter"),
        of_index: true,
        token_count_max: usize::MAX,
        ..AnalyzeRequest::default()
    };
    let Ok(AnalyzeOutcome::Tokens(tokens)) = registry.answer(&request) else { panic!("{case}") };
    let base = tokens.first().map_or(0, |token| token.position);
    let shown = tokens.iter().map(|token| {
        let length = if token.position_length > 1 { format!("x{}", token.position_length) } else { String::new() };
        format!("{}/{}-{}/{}{length}/{}", token.text, token.start_offset, token.end_offset, token.position - base, token.kind.name())
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn registry() -> AnalyzerRegistry {
    AnalyzerRegistry::new(&Settings::from_json(&json!({"index": {"max_ngram_diff": 50, "max_shingle_diff": 50}})).unwrap()).unwrap()
}

#[test]
fn every_part_gives_the_tokens_that_opensearch_gives() {
    let registry = registry();
    let mut count = 0;
    for line in include_str!("learnt.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let found = answer(&registry, &case, case["text"].as_str().unwrap());
        assert_eq!(found, case["tokens"].as_str().unwrap(), "{line}");
        count += 1;
    }
    assert!(count > 300, "only {count} cases");
}

#[test]
fn long_and_odd_texts_take_time_in_proportion() {
    let registry = registry();
    let texts = ["a".repeat(60_000), "aA1-".repeat(8_000), "é\u{301}".repeat(8_000), "the ".repeat(8_000), "\u{FFFF}😀".repeat(8_000)];
    let cases = [
        json!({"tokenizer": "standard", "filter": ["lowercase", "asciifolding", "porter_stem", "shingle"]}),
        json!({"tokenizer": "keyword", "filter": [{"type": "word_delimiter_graph", "catenate_all": true}, "flatten_graph"]}),
        json!({"tokenizer": "whitespace", "filter": [
            {"type": "synonym_graph", "synonyms": ["the the the, a", "a => the"]}, "word_delimiter", "flatten_graph"
        ]}),
        json!({"tokenizer": "uax_url_email", "filter": ["cjk_bigram", "unique"]}),
        json!({"tokenizer": "classic", "filter": ["bengali_normalization", "hindi_normalization", "german_normalization", "edge_ngram"]}),
        json!({"tokenizer": {"type": "edge_ngram", "min_gram": 1, "max_gram": 2, "token_chars": ["letter"]}, "char_filter": ["html_strip"]}),
    ];
    for case in &cases {
        for text in &texts {
            // No limit of time: a quadratic way would not come to its end.
            answer(&registry, case, text);
        }
    }
}
