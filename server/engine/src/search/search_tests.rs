//! Searches over a small index: what OpenSearch 3.1 answers to each, scores included.
//!
//! The scores follow from idf = ln(1 + (N - n + 0.5) / (n + 0.5)) and tf / (tf + 1.2 * (0.25 + 0.75 * length / average)), N being the
//! documents that have the field.

use super::*;
use crate::analysis::AnalyzerRegistry;
use crate::shard::schema::{DocumentMeta, ShardSchema};
use crate::shard::searcher::ShardSearcher;
use serde_json::{Value, json};
use std::sync::Arc;
use tandem_common::mapping::{Mapping, MappingRules, ParseMode};
use tandem_common::{IndexUuid, PrimaryTerm, Result, SeqNo, Settings, ShardId};
use tantivy::{Index, IndexWriter};

const NOW: i64 = 1_795_500_000_000;

fn shard() -> ShardSearcher {
    let mapping = json!({"properties": {"title": {"type": "text", "fields": {"raw": {"type": "keyword"}}}, "tag": {"type": "keyword"}, "n": {"type": "long"}, "i": {"type": "integer"}, "sh": {"type": "short"}, "f": {"type": "float"}, "h": {"type": "half_float"}, "db": {"type": "double"}, "b": {"type": "boolean"}, "d": {"type": "date"}, "en": {"type": "text", "analyzer": "english"}, "o": {"properties": {"x": {"type": "keyword"}}}}});
    let documents = [
        json!({"title": "The quick brown fox", "tag": ["a", "b"], "n": 1, "i": 3, "sh": 1, "f": 0.1, "h": 0.1, "db": 0.1, "b": true, "d": "2024-01-01", "en": "Running foxes run", "o": {"x": "u"}}),
        json!({"title": "quick lazy dog", "tag": "a", "n": 2, "i": 1, "f": 2.5, "b": false, "d": "2024-01-15T12:00:00Z", "en": "the dogs"}),
        json!({"title": "brown bear and brown dog", "tag": "c", "n": [3, 30], "b": [true, false], "d": "2024-02-01", "en": "fox"}),
        json!({"title": "nothing here", "n": 5, "f": -1, "h": 7, "db": 1e+20}),
        json!({"title": "quick quick quick filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler filler ", "tag": "B"}),
        json!({"tag": "z", "n": -4}),
        json!({"title": "..."}),
    ];
    build(&mapping, &documents)
}

/// An index of several segments.
fn build(mapping: &Value, documents: &[Value]) -> ShardSearcher {
    build_without(mapping, documents, &[])
}

fn build_without(mapping: &Value, documents: &[Value], deleted: &[&str]) -> ShardSearcher {
    let mapping = Mapping::parse(mapping, &MappingRules::default()).unwrap();
    open(mapping, |schema, writer| {
        for (number, document) in documents.iter().enumerate() {
            index_document(schema, writer, number, document);
            // The first segment is the smaller one, so that segments do not stand in the order of indexing.
            if number == 1 {
                writer.commit().unwrap();
            }
        }
        writer.commit().unwrap();
        for id in deleted {
            writer.delete_term(tantivy::Term::from_field_text(schema.id(), id));
        }
    })
}

/// A searcher on what `fill` writes.
pub(super) fn open(mapping: Mapping, fill: impl FnOnce(&ShardSchema, &mut IndexWriter)) -> ShardSearcher {
    let schema = Arc::new(ShardSchema::derive(Arc::new(mapping), None));
    let index = Index::create_in_ram(schema.tantivy().clone());
    let registry = AnalyzerRegistry::default();
    registry.register(index.tokenizers());
    registry.register(index.fast_field_tokenizer());
    let mut writer: IndexWriter = index.writer_with_num_threads(1, 20_000_000).unwrap();
    fill(&schema, &mut writer);
    writer.commit().unwrap();
    let searcher = index.reader().unwrap().searcher();
    let checkpoint = SeqNo(searcher.num_docs() as i64 - 1);
    let shard = ShardId { index: "srch-s".to_owned(), index_uuid: IndexUuid("uuid".into()), shard: 0 };
    ShardSearcher { shard, searcher, schema, checkpoint }
}

/// Writes a document, and what is nested in it before it.
pub(super) fn index_document(schema: &ShardSchema, writer: &mut IndexWriter, number: usize, document: &Value) {
    let source = serde_json::to_vec(document).unwrap();
    let id = (number + 1).to_string();
    let parsed = schema.mapping().parse_document(&id, &source, ParseMode::Strict).unwrap();
    let meta = DocumentMeta {
        id: &id,
        routing: (number == 1).then_some("r"),
        seq_no: SeqNo(number as i64),
        op_term: PrimaryTerm(1),
        version: 1,
        source: &source,
    };
    let mut block = schema.nested_documents(&parsed, &id);
    block.push(schema.document(&parsed, meta));
    writer.run(block.into_iter().map(tantivy::indexer::UserOperation::Add)).unwrap();
}

/// Both phases on one shard, in the shape of the tables below.
fn run(shard: &ShardSearcher, body: &Value) -> Result<Value> {
    let source = SearchSource::parse(body)?;
    let found = query_phase(shard, &source, NOW, &Settings::new())?;
    let reduced = reduce(vec![found], &source);
    let hits = fetch_phase(shard, &source, &reduced.winners, NOW)?;
    let shown = hits.into_iter().map(|hit| {
        let mut row = vec![json!(hit.id), json!(hit.score)];
        if !hit.sort.is_empty() {
            row.push(json!(hit.sort));
        }
        json!(row)
    });
    Ok(json!({"total": reduced.total, "max": reduced.max_score, "hits": shown.collect::<Vec<_>>()}))
}

/// Equal, numbers within what 32 bits and another order of adding leave.
fn is_close(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            a == b || (a - b).abs() < 1e-5
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_close(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_close(a, b))),
        // Long texts are cut in the table.
        (Value::String(a), Value::String(b)) => a == b || (b.len() == 20 && a.starts_with(b.as_str())),
        _ => a == b,
    }
}

#[test]
fn searches_find_and_score_what_opensearch_finds_and_scores() {
    let shard = shard();
    let mut wrong = Vec::new();
    for (body, expected) in CASES {
        let body: Value = serde_json::from_str(body).unwrap();
        let expected: Value = serde_json::from_str(expected).unwrap();
        let found = run(&shard, &body).unwrap_or_else(|error| json!({"error": error.to_string(), "type": error.type_name()}));
        if !is_close(&found, &expected) {
            wrong.push(format!("{body}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn deleted_documents_are_neither_found_nor_counted() {
    let shard = build_without(&json!({"properties": {"t": {"type": "text"}, "n": {"type": "long"}}}), &two_hundred(), &["3", "50", "199"]);
    for query in [json!({"match_all": {}}), json!({"match": {"t": "word"}}), json!({"range": {"n": {"gte": 0}}})] {
        for rest in
            [json!({"size": 200}), json!({"size": 0}), json!({"size": 200, "sort": ["n"]}), json!({"size": 200, "track_total_hits": 50})]
        {
            let mut body = rest.clone();
            body["query"] = query.clone();
            let found = run(&shard, &body).unwrap();
            assert_eq!(found["total"], if rest["track_total_hits"] == 50 { 50 } else { 197 }, "{body}");
            let hits = found["hits"].as_array().unwrap();
            assert_eq!(hits.len(), if rest["size"] == 0 { 0 } else { 197 });
            assert!(hits.iter().all(|hit| hit[0] != "3" && hit[0] != "50" && hit[0] != "199"));
        }
        let query = Query::parse(&query).unwrap();
        assert_eq!(count(&shard, Some(&query), NOW).unwrap(), 197);
    }
    assert_eq!(count(&shard, None, NOW).unwrap(), 197);
}

/// Documents with few different scores, so that many are equal.
fn two_hundred() -> Vec<Value> {
    (0..200)
        .map(|number| {
            let words = ["word"].repeat(number * 7 % 5 + 1).join(" ");
            let others = ["other"].repeat(number * 3 % 4).join(" ");
            json!({"t": format!("{words} {others}"), "n": number % 17})
        })
        .collect()
}

#[test]
fn skipping_finds_what_looking_at_all_finds() {
    let shard = build(&json!({"properties": {"t": {"type": "text"}, "n": {"type": "long"}}}), &two_hundred());
    for query in [
        json!({"match": {"t": "word"}}),
        json!({"match": {"t": "word other"}}),
        json!({"match_all": {}}),
        json!({"match_phrase": {"t": "word other"}}),
    ] {
        for size in [1, 7, 40] {
            let all = run(&shard, &json!({"query": query, "size": size, "track_total_hits": true})).unwrap();
            let skipped = run(&shard, &json!({"query": query, "size": size, "track_total_hits": 10})).unwrap();
            assert_eq!((&all["hits"], &all["max"]), (&skipped["hits"], &skipped["max"]), "{query} {size}");
            assert_eq!(skipped["total"], 10);
        }
    }
}

#[test]
fn phrases_can_be_excluded() {
    let mut documents = two_hundred();
    documents.iter_mut().take(10).for_each(|document| document["t"] = json!("word alone"));
    let shard = build(&json!({"properties": {"t": {"type": "text"}, "n": {"type": "long"}}}), &documents);
    let matching = |query: &Value| count(&shard, Some(&Query::parse(query).unwrap()), NOW).unwrap();
    let phrase = json!({"match_phrase": {"t": "word other"}});
    for must in [json!({"match_all": {}}), json!({"match": {"t": "word"}}), json!({"range": {"n": {"gte": 0}}})] {
        let without = matching(&json!({"bool": {"must": [must, {"bool": {"must": [must], "must_not": [phrase]}}]}}));
        assert_eq!(without, 200 - matching(&phrase), "{must}");
    }
    assert_eq!(matching(&json!({"query_string": {"query": "word NOT \"word other\"", "default_field": "t"}})), 200 - matching(&phrase));
}

#[test]
fn pages_follow_one_another() {
    let shard = build(&json!({"properties": {"t": {"type": "text"}, "n": {"type": "long"}}}), &two_hundred());
    let sort = json!([{"n": "desc"}, "_doc"]);
    let whole = run(&shard, &json!({"size": 200, "sort": sort})).unwrap();
    let mut paged: Vec<Value> = Vec::new();
    loop {
        let mut body = json!({"size": 33, "sort": sort});
        if let Some(last) = paged.last() {
            body["search_after"] = last[2].clone();
        }
        let page = run(&shard, &body).unwrap();
        match page["hits"].as_array().unwrap() {
            hits if hits.is_empty() => break,
            hits => paged.extend(hits.iter().cloned()),
        }
    }
    assert_eq!(json!(paged), whole["hits"]);
}

#[test]
fn hits_show_what_was_asked_for() {
    let shard = shard();
    let show = |body: Value| {
        let source = SearchSource::parse(&body).unwrap();
        let reduced = reduce(vec![query_phase(&shard, &source, NOW, &Settings::new()).unwrap()], &source);
        serde_json::to_value(fetch_phase(&shard, &source, &reduced.winners, NOW).unwrap().remove(0)).unwrap()
    };
    let hit = show(json!({"query": {"ids": {"values": ["2"]}}, "version": true, "seq_no_primary_term": true, "_source": ["n", "tag"],
        "docvalue_fields": ["tag", {"field": "d", "format": "yyyy-MM-dd"}, "i", "b", "nothing"]}));
    assert_eq!((&hit["version"], &hit["seq_no"], &hit["primary_term"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!((&hit["id"], &hit["routing"]), (&json!("2"), &json!("r")));
    assert_eq!(hit["source"], json!({"tag": "a", "n": 2}));
    assert_eq!(hit["fields"], json!({"tag": ["a"], "d": ["2024-01-15"], "i": [1], "b": [false]}));
    let hit = show(json!({"query": {"bool": {"should": [{"match": {"title": {"query": "lazy", "_name": "lazy"}}},
        {"match_phrase": {"title": {"query": "brown fox", "_name": "phrase"}}}, {"range": {"d": {"lt": "now", "_name": "past"}}},
        {"constant_score": {"filter": {"term": {"tag": {"value": "a", "_name": "as"}}}}}], "must_not": [{"ids": {"values": ["2"], "_name": "not"}}]}}}));
    assert_eq!((&hit["id"], &hit["matched_queries"]), (&json!("1"), &json!([["as", 0.0], ["phrase", 0.0], ["past", 0.0]])));
    let hit = show(json!({"query": {"ids": {"values": ["1"]}}, "stored_fields": "_none_"}));
    assert_eq!((&hit["id"], &hit["source"], &hit["version"]), (&json!(""), &json!(null), &json!(null)));
    let error = SearchSource::parse(&json!({"docvalue_fields": ["title"]})).and_then(|source| {
        let found = query_phase(&shard, &source, NOW, &Settings::new())?;
        fetch_phase(&shard, &source, &found.winners, NOW)
    });
    assert_eq!(error.unwrap_err().type_name(), "illegal_argument_exception");
}

#[test]
fn a_shard_may_stop_early() {
    let shard = build(&json!({"properties": {"t": {"type": "text"}, "n": {"type": "long"}}}), &two_hundred());
    let source = SearchSource::parse(&json!({"terminate_after": 5, "size": 3})).unwrap();
    let found = query_phase(&shard, &source, NOW, &Settings::new()).unwrap();
    assert_eq!((found.terminated_early, found.total, found.winners.len()), (true, Some(5), 3));
    let mut settings = Settings::new();
    settings.set("index.max_result_window", "5");
    let source = SearchSource::parse(&json!({"from": 3, "size": 3})).unwrap();
    let error = query_phase(&shard, &source, NOW, &settings).unwrap_err().to_string();
    assert!(error.starts_with("Result window is too large, from + size must be less than or equal to: [5] but was [6]."), "{error}");
}

/// A body, and what OpenSearch 3.1 answers: total, best score, and for each hit id, score and sort values. (Where it counts five
/// documents with a title and shows six, the six stand here.)
const CASES: &[(&str, &str)] = &[
    (
        r#"{"sort": ["b"]}"#,
        r#"{"total": 7, "max": null, "hits": [["2", null, [0]], ["3", null, [0]], ["1", null, [1]], ["4", null, [2147483647]], ["5", null, [2147483647]], ["6", null, [2147483647]], ["7", null, [2147483647]]]}"#,
    ),
    (
        r#"{"sort": [{"b": "desc"}]}"#,
        r#"{"total": 7, "max": null, "hits": [["1", null, [1]], ["3", null, [1]], ["2", null, [0]], ["4", null, [-2147483648]], ["5", null, [-2147483648]], ["6", null, [-2147483648]], ["7", null, [-2147483648]]]}"#,
    ),
    (
        r#"{"sort": ["i"]}"#,
        r#"{"total": 7, "max": null, "hits": [["2", null, [1]], ["1", null, [3]], ["3", null, [2147483647]], ["4", null, [2147483647]], ["5", null, [2147483647]], ["6", null, [2147483647]], ["7", null, [2147483647]]]}"#,
    ),
    (
        r#"{"sort": [{"i": "desc"}]}"#,
        r#"{"total": 7, "max": null, "hits": [["1", null, [3]], ["2", null, [1]], ["3", null, [-2147483648]], ["4", null, [-2147483648]], ["5", null, [-2147483648]], ["6", null, [-2147483648]], ["7", null, [-2147483648]]]}"#,
    ),
    (
        r#"{"sort": ["sh"]}"#,
        r#"{"total": 7, "max": null, "hits": [["1", null, [1]], ["2", null, [2147483647]], ["3", null, [2147483647]], ["4", null, [2147483647]], ["5", null, [2147483647]], ["6", null, [2147483647]], ["7", null, [2147483647]]]}"#,
    ),
    (
        r#"{"sort": ["f"]}"#,
        r#"{"total": 7, "max": null, "hits": [["4", null, [-1.0]], ["1", null, [0.1]], ["2", null, [2.5]], ["3", null, ["Infinity"]], ["5", null, ["Infinity"]], ["6", null, ["Infinity"]], ["7", null, ["Infinity"]]]}"#,
    ),
    (
        r#"{"sort": [{"f": "desc"}]}"#,
        r#"{"total": 7, "max": null, "hits": [["2", null, [2.5]], ["1", null, [0.1]], ["4", null, [-1.0]], ["3", null, ["-Infinity"]], ["5", null, ["-Infinity"]], ["6", null, ["-Infinity"]], ["7", null, ["-Infinity"]]]}"#,
    ),
    (
        r#"{"sort": ["h"]}"#,
        r#"{"total": 7, "max": null, "hits": [["1", null, [0.099975586]], ["4", null, [7.0]], ["2", null, ["Infinity"]], ["3", null, ["Infinity"]], ["5", null, ["Infinity"]], ["6", null, ["Infinity"]], ["7", null, ["Infinity"]]]}"#,
    ),
    (
        r#"{"sort": [{"db": "desc"}]}"#,
        r#"{"total": 7, "max": null, "hits": [["4", null, [1e+20]], ["1", null, [0.1]], ["2", null, ["-Infinity"]], ["3", null, ["-Infinity"]], ["5", null, ["-Infinity"]], ["6", null, ["-Infinity"]], ["7", null, ["-Infinity"]]]}"#,
    ),
    (
        r#"{"sort": [{"tag": {"order": "asc", "missing": "_first"}}]}"#,
        r#"{"total": 7, "max": null, "hits": [["4", null, [null]], ["7", null, [null]], ["5", null, ["B"]], ["1", null, ["a"]], ["2", null, ["a"]], ["3", null, ["c"]], ["6", null, ["z"]]]}"#,
    ),
    (
        r#"{"sort": [{"tag": {"missing": "bb"}}]}"#,
        r#"{"total": 7, "max": null, "hits": [["5", null, ["B"]], ["1", null, ["a"]], ["2", null, ["a"]], ["4", null, ["bb"]], ["7", null, ["bb"]], ["3", null, ["c"]], ["6", null, ["z"]]]}"#,
    ),
    (
        r#"{"sort": [{"n": {"mode": "max", "order": "asc"}}]}"#,
        r#"{"total": 7, "max": null, "hits": [["6", null, [-4]], ["1", null, [1]], ["2", null, [2]], ["4", null, [5]], ["3", null, [30]], ["5", null, [9223372036854775807]], ["7", null, [9223372036854775807]]]}"#,
    ),
    (
        r#"{"sort": [{"n": {"mode": "avg"}}]}"#,
        r#"{"total": 7, "max": null, "hits": [["6", null, [-4]], ["1", null, [1]], ["2", null, [2]], ["4", null, [5]], ["3", null, [17]], ["5", null, [9223372036854775807]], ["7", null, [9223372036854775807]]]}"#,
    ),
    (
        r#"{"sort": [{"n": {"mode": "sum"}}]}"#,
        r#"{"total": 7, "max": null, "hits": [["6", null, [-4]], ["1", null, [1]], ["2", null, [2]], ["4", null, [5]], ["3", null, [33]], ["5", null, [9223372036854775807]], ["7", null, [9223372036854775807]]]}"#,
    ),
    (
        r#"{"sort": [{"n": {"mode": "median"}}]}"#,
        r#"{"total": 7, "max": null, "hits": [["6", null, [-4]], ["1", null, [1]], ["2", null, [2]], ["4", null, [5]], ["3", null, [17]], ["5", null, [9223372036854775807]], ["7", null, [9223372036854775807]]]}"#,
    ),
    (
        r#"{"sort": ["_doc"]}"#,
        r#"{"total": 7, "max": null, "hits": [["1", null, [0]], ["2", null, [1]], ["3", null, [2]], ["4", null, [3]], ["5", null, [4]], ["6", null, [5]], ["7", null, [6]]]}"#,
    ),
    (
        r#"{"sort": ["_id"]}"#,
        r#"{"total": 7, "max": null, "hits": [["1", null, ["1"]], ["2", null, ["2"]], ["3", null, ["3"]], ["4", null, ["4"]], ["5", null, ["5"]], ["6", null, ["6"]], ["7", null, ["7"]]]}"#,
    ),
    (
        r#"{"sort": [{"_score": "asc"}]}"#,
        r#"{"total": 7, "max": null, "hits": [["1", 1.0, [1.0]], ["2", 1.0, [1.0]], ["3", 1.0, [1.0]], ["4", 1.0, [1.0]], ["5", 1.0, [1.0]], ["6", 1.0, [1.0]], ["7", 1.0, [1.0]]]}"#,
    ),
    (
        r#"{"sort": [{"nof": {"unmapped_type": "keyword"}}]}"#,
        r#"{"total": 7, "max": null, "hits": [["1", null, [null]], ["2", null, [null]], ["3", null, [null]], ["4", null, [null]], ["5", null, [null]], ["6", null, [null]], ["7", null, [null]]]}"#,
    ),
    (
        r#"{"sort": [{"nof": {"unmapped_type": "nope"}}]}"#,
        r#"{"error": "No mapper found for type [nope]", "type": "illegal_argument_exception"}"#,
    ),
    (
        r#"{"sort": [{"d": {"missing": "2024-01-10"}}]}"#,
        r#"{"error": "For input string: \"2024-01-10\"", "type": "number_format_exception"}"#,
    ),
    (r#"{"sort": [{"n": {"missing": "x"}}]}"#, r#"{"error": "For input string: \"x\"", "type": "number_format_exception"}"#),
    (
        r#"{"sort": ["title"]}"#,
        r#"{"error": "Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. Alternatively, set fielddata=true on [title] in order to load field data by uninverting the inverted index. Note that this can use significant memory.", "type": "illegal_argument_exception"}"#,
    ),
    (
        r#"{"sort": ["title.raw"]}"#,
        r#"{"total": 7, "max": null, "hits": [["7", null, ["..."]], ["1", null, ["The quick brown fox"]], ["3", null, ["brown bear and brown"]], ["4", null, ["nothing here"]], ["2", null, ["quick lazy dog"]], ["5", null, ["quick quick quick fi"]], ["6", null, [null]]]}"#,
    ),
    (r#"{"sort": ["o"]}"#, r#"{"error": "No mapping found for [o] in order to sort on", "type": "query_shard_exception"}"#),
    (
        r#"{"sort": ["o.x"]}"#,
        r#"{"total": 7, "max": null, "hits": [["1", null, ["u"]], ["2", null, [null]], ["3", null, [null]], ["4", null, [null]], ["5", null, [null]], ["6", null, [null]], ["7", null, [null]]]}"#,
    ),
    (
        r#"{"sort": [{"tag": {"mode": "avg"}}]}"#,
        r#"{"error": "we only support AVG, MEDIAN and SUM on number based fields", "type": "query_shard_exception"}"#,
    ),
    (
        r#"{"sort": []}"#,
        r#"{"total": 7, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0], ["4", 1.0], ["5", 1.0], ["6", 1.0], ["7", 1.0]]}"#,
    ),
    (
        r#"{"sort": ["_seq_no"]}"#,
        r#"{"total": 7, "max": null, "hits": [["1", null, [0]], ["2", null, [1]], ["3", null, [2]], ["4", null, [3]], ["5", null, [4]], ["6", null, [5]], ["7", null, [6]]]}"#,
    ),
    (
        r#"{"sort": ["_index"]}"#,
        r#"{"total": 7, "max": null, "hits": [["1", null, ["srch-s"]], ["2", null, ["srch-s"]], ["3", null, ["srch-s"]], ["4", null, ["srch-s"]], ["5", null, ["srch-s"]], ["6", null, ["srch-s"]], ["7", null, ["srch-s"]]]}"#,
    ),
    (
        r#"{"sort": [{"i": {"missing": 100}}]}"#,
        r#"{"total": 7, "max": null, "hits": [["2", null, [1]], ["1", null, [3]], ["3", null, [100]], ["4", null, [100]], ["5", null, [100]], ["6", null, [100]], ["7", null, [100]]]}"#,
    ),
    (
        r#"{"sort": [{"b": {"missing": "_first"}}]}"#,
        r#"{"total": 7, "max": null, "hits": [["4", null, [-2147483648]], ["5", null, [-2147483648]], ["6", null, [-2147483648]], ["7", null, [-2147483648]], ["2", null, [0]], ["3", null, [0]], ["1", null, [1]]]}"#,
    ),
    (
        r#"{"sort": [{"n": {"order": "ASC"}}]}"#,
        r#"{"total": 7, "max": null, "hits": [["6", null, [-4]], ["1", null, [1]], ["2", null, [2]], ["3", null, [3]], ["4", null, [5]], ["5", null, [9223372036854775807]], ["7", null, [9223372036854775807]]]}"#,
    ),
    (
        r#"{"sort": [{"n": {"missing": 1.5}}]}"#,
        r#"{"total": 7, "max": null, "hits": [["6", null, [-4]], ["1", null, [1]], ["5", null, [1]], ["7", null, [1]], ["2", null, [2]], ["3", null, [3]], ["4", null, [5]]]}"#,
    ),
    (
        r#"{"sort": [{"d": {"numeric_type": "long"}}]}"#,
        r#"{"total": 7, "max": null, "hits": [["1", null, [1704067200000]], ["2", null, [1705320000000]], ["3", null, [1706745600000]], ["4", null, [9223372036854775807]], ["5", null, [9223372036854775807]], ["6", null, [9223372036854775807]], ["7", null, [9223372036854775807]]]}"#,
    ),
    (
        r#"{"query": {"match": {"title": "quick"}}}"#,
        r#"{"total": 3, "max": 0.33958226, "hits": [["2", 0.33958226], ["1", 0.3202634], ["5", 0.25032446]]}"#,
    ),
    (
        r#"{"query": {"match": {"title": "quick brown"}}}"#,
        r#"{"total": 4, "max": 0.8404534, "hits": [["1", 0.8404534], ["3", 0.63012296], ["2", 0.33958226], ["5", 0.25032446]]}"#,
    ),
    (
        r#"{"query": {"match": {"title": "brown dog bear"}}}"#,
        r#"{"total": 3, "max": 1.9016883, "hits": [["3", 1.9016883], ["2", 0.55156875], ["1", 0.52019]]}"#,
    ),
    (r#"{"query": {"match": {"en": "fox"}}}"#, r#"{"total": 2, "max": 0.25543672, "hits": [["3", 0.25543672], ["1", 0.16096014]]}"#),
    (
        r#"{"query": {"match": {"en": "running dogs"}}}"#,
        r#"{"total": 2, "max": 0.53305936, "hits": [["2", 0.53305936], ["1", 0.5004231]]}"#,
    ),
    (r#"{"query": {"term": {"b": true}}}"#, r#"{"total": 2, "max": 0.23797652, "hits": [["1", 0.23797652], ["3", 0.23797652]]}"#),
    (r#"{"query": {"term": {"b": false}}}"#, r#"{"total": 2, "max": 0.23797652, "hits": [["2", 0.23797652], ["3", 0.23797652]]}"#),
    (
        r#"{"query": {"term": {"title": "quick"}}}"#,
        r#"{"total": 3, "max": 0.33958226, "hits": [["2", 0.33958226], ["1", 0.3202634], ["5", 0.25032446]]}"#,
    ),
    (r#"{"query": {"match_phrase": {"title": "quick brown"}}}"#, r#"{"total": 1, "max": 0.8404533, "hits": [["1", 0.8404533]]}"#),
    (r#"{"query": {"match_phrase": {"title": "brown dog"}}}"#, r#"{"total": 1, "max": 0.9843787, "hits": [["3", 0.9843787]]}"#),
    (
        r#"{"query": {"multi_match": {"query": "quick fox", "fields": ["title^2", "en"]}}}"#,
        r#"{"total": 4, "max": 2.2879562, "hits": [["1", 2.2879562], ["2", 0.6791645], ["5", 0.5006489], ["3", 0.25543672]]}"#,
    ),
    (
        r#"{"query": {"multi_match": {"query": "quick fox", "fields": ["title", "en"], "type": "most_fields"}}}"#,
        r#"{"total": 4, "max": 1.3049382, "hits": [["1", 1.3049382], ["2", 0.33958226], ["3", 0.25543672], ["5", 0.25032446]]}"#,
    ),
    (
        r#"{"query": {"multi_match": {"query": "quick fox", "fields": ["title", "en"], "tie_breaker": 0.3}}}"#,
        r#"{"total": 4, "max": 1.1922661, "hits": [["1", 1.1922661], ["2", 0.33958226], ["3", 0.25543672], ["5", 0.25032446]]}"#,
    ),
    (
        r#"{"query": {"multi_match": {"query": "quick brown", "fields": ["ti*"], "type": "phrase"}}}"#,
        r#"{"total": 1, "max": 0.8404533, "hits": [["1", 0.8404533]]}"#,
    ),
    (
        r#"{"query": {"dis_max": {"queries": [{"term": {"tag": "a"}}, {"match": {"title": "quick"}}], "tie_breaker": 0.5}}}"#,
        r#"{"total": 3, "max": 1.1697911, "hits": [["2", 1.1697911], ["1", 1.1601317], ["5", 0.25032446]]}"#,
    ),
    (
        r#"{"query": {"bool": {"should": [{"match": {"title": "quick"}}, {"term": {"tag": "a"}}], "boost": 2}}}"#,
        r#"{"total": 3, "max": 2.6791644, "hits": [["2", 2.6791644], ["1", 2.6405268], ["5", 0.5006489]]}"#,
    ),
    (
        r#"{"query": {"bool": {"must": {"match": {"title": "quick"}}, "filter": {"term": {"tag": "a"}}}}}"#,
        r#"{"total": 2, "max": 0.33958226, "hits": [["2", 0.33958226], ["1", 0.3202634]]}"#,
    ),
    (
        r#"{"query": {"bool": {"must_not": {"term": {"tag": "a"}}}}}"#,
        r#"{"total": 5, "max": 0.0, "hits": [["3", 0.0], ["4", 0.0], ["5", 0.0], ["6", 0.0], ["7", 0.0]]}"#,
    ),
    (
        r#"{"query": {"bool": {}}}"#,
        r#"{"total": 7, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0], ["4", 1.0], ["5", 1.0], ["6", 1.0], ["7", 1.0]]}"#,
    ),
    (
        r#"{"query": {"bool": {"should": [{"term": {"tag": "a"}}], "filter": [{"exists": {"field": "n"}}]}}}"#,
        r#"{"total": 5, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 0.0], ["4", 0.0], ["6", 0.0]]}"#,
    ),
    (
        r#"{"query": {"bool": {"should": [{"term": {"tag": "a"}}], "minimum_should_match": 0}}}"#,
        r#"{"total": 2, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0]]}"#,
    ),
    (r#"{"query": {"bool": {"should": [{"term": {"tag": "a"}}], "minimum_should_match": 2}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (
        r#"{"query": {"bool": {"should": [{"term": {"tag": "a"}}, {"term": {"tag": "b"}}, {"term": {"tag": "c"}}], "minimum_should_match": "-1"}}}"#,
        r#"{"total": 1, "max": 2.0, "hits": [["1", 2.0]]}"#,
    ),
    (
        r#"{"query": {"constant_score": {"filter": {"match": {"title": "quick"}}, "boost": 1.5}}}"#,
        r#"{"total": 3, "max": 1.5, "hits": [["1", 1.5], ["2", 1.5], ["5", 1.5]]}"#,
    ),
    (r#"{"query": {"prefix": {"title": "qu"}}}"#, r#"{"total": 3, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["5", 1.0]]}"#),
    (
        r#"{"query": {"prefix": {"tag": {"value": "B", "case_insensitive": true}}}}"#,
        r#"{"total": 2, "max": 1.0, "hits": [["1", 1.0], ["5", 1.0]]}"#,
    ),
    (
        r#"{"query": {"wildcard": {"tag": "?"}}}"#,
        r#"{"total": 5, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0], ["5", 1.0], ["6", 1.0]]}"#,
    ),
    (r#"{"query": {"wildcard": {"title.raw": "*quick*"}}}"#, r#"{"total": 3, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["5", 1.0]]}"#),
    (
        r#"{"query": {"wildcard": {"title": {"value": "Q*CK", "case_insensitive": true}}}}"#,
        r#"{"total": 3, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["5", 1.0]]}"#,
    ),
    (
        r#"{"query": {"match_all": {"boost": 3}}}"#,
        r#"{"total": 7, "max": 3.0, "hits": [["1", 3.0], ["2", 3.0], ["3", 3.0], ["4", 3.0], ["5", 3.0], ["6", 3.0], ["7", 3.0]]}"#,
    ),
    (
        r#"{"query": {"exists": {"field": "title"}}}"#,
        r#"{"total": 6, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0], ["4", 1.0], ["5", 1.0], ["7", 1.0]]}"#,
    ),
    (r#"{"query": {"exists": {"field": "o"}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["1", 1.0]]}"#),
    (
        r#"{"query": {"exists": {"field": "_id"}}}"#,
        r#"{"total": 7, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0], ["4", 1.0], ["5", 1.0], ["6", 1.0], ["7", 1.0]]}"#,
    ),
    (
        r#"{"query": {"exists": {"field": "t*"}}}"#,
        r#"{"total": 7, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0], ["4", 1.0], ["5", 1.0], ["6", 1.0], ["7", 1.0]]}"#,
    ),
    (r#"{"query": {"exists": {"field": "nof"}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (r#"{"query": {"term": {"_id": "1"}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["1", 1.0]]}"#),
    (
        r#"{"query": {"term": {"_index": "srch-s"}}}"#,
        r#"{"total": 7, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0], ["4", 1.0], ["5", 1.0], ["6", 1.0], ["7", 1.0]]}"#,
    ),
    (r#"{"query": {"terms": {"_id": ["1", "2"]}}}"#, r#"{"total": 2, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0]]}"#),
    (r#"{"query": {"term": {"n": 30}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["3", 1.0]]}"#),
    (r#"{"query": {"term": {"n": "3"}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["3", 1.0]]}"#),
    (r#"{"query": {"term": {"n": 3.0}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["3", 1.0]]}"#),
    (r#"{"query": {"term": {"n": 3.5}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (r#"{"query": {"term": {"f": 0.1}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["1", 1.0]]}"#),
    (r#"{"query": {"term": {"h": 0.1}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["1", 1.0]]}"#),
    (r#"{"query": {"term": {"db": 0.1}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["1", 1.0]]}"#),
    (
        r#"{"query": {"term": {"i": 99999999999}}}"#,
        r#"{"error": "failed to create query: Value [99999999999] is out of range for an integer", "type": "query_shard_exception"}"#,
    ),
    (r#"{"query": {"term": {"d": "2024-01-15"}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["2", 1.0]]}"#),
    (r#"{"query": {"terms": {"n": [1, "2", 3.5]}}}"#, r#"{"total": 2, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0]]}"#),
    (
        r#"{"query": {"terms": {"title": ["quick", "bear"]}}}"#,
        r#"{"total": 4, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0], ["5", 1.0]]}"#,
    ),
    (r#"{"query": {"terms": {"b": [true]}}}"#, r#"{"total": 2, "max": 0.23797652, "hits": [["1", 0.23797652], ["3", 0.23797652]]}"#),
    (r#"{"query": {"terms": {"b": [true, false]}}}"#, r#"{"total": 3, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0]]}"#),
    (
        r#"{"query": {"range": {"n": {"gt": 1.5, "lt": "5.5"}}}}"#,
        r#"{"total": 3, "max": 1.0, "hits": [["2", 1.0], ["3", 1.0], ["4", 1.0]]}"#,
    ),
    (
        r#"{"query": {"range": {"i": {"gte": -99999999999}}}}"#,
        r#"{"error": "failed to create query: Value [-99999999999] is out of range for an integer", "type": "query_shard_exception"}"#,
    ),
    (r#"{"query": {"range": {"f": {"gte": 0.1}}}}"#, r#"{"total": 2, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0]]}"#),
    (r#"{"query": {"range": {"f": {"gt": 0.1}}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["2", 1.0]]}"#),
    (r#"{"query": {"range": {"b": {"gte": true}}}}"#, r#"{"total": 2, "max": 0.23797652, "hits": [["1", 0.23797652], ["3", 0.23797652]]}"#),
    (
        r#"{"query": {"range": {"title": {"gte": "q", "lt": "r"}}}}"#,
        r#"{"total": 3, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["5", 1.0]]}"#,
    ),
    (r#"{"query": {"range": {"d": {"gt": "2024-01-15"}}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["3", 1.0]]}"#),
    (
        r#"{"query": {"range": {"d": {"gte": "now-100y", "time_zone": "+01:00"}}}}"#,
        r#"{"total": 3, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0]]}"#,
    ),
    (
        r#"{"query": {"range": {"d": {"gte": "2024-01-15", "lte": "2024-01-15", "boost": 2}}}}"#,
        r#"{"total": 1, "max": 2.0, "hits": [["2", 2.0]]}"#,
    ),
    (r#"{"query": {"range": {"nof": {"gte": 1}}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (
        r#"{"query": {"range": {"n": {}}}}"#,
        r#"{"total": 5, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0], ["4", 1.0], ["6", 1.0]]}"#,
    ),
    (
        r#"{"query": {"range": {"_id": {"gte": "2"}}}}"#,
        r#"{"error": "failed to create query: Field [_id] of type [_id] does not support range queries", "type": "query_shard_exception"}"#,
    ),
    (r#"{"query": {"match": {"tag": "a"}}}"#, r#"{"total": 2, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0]]}"#),
    (r#"{"query": {"match": {"d": "2024-01-15"}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["2", 1.0]]}"#),
    (r#"{"query": {"match": {"b": "true"}}}"#, r#"{"total": 2, "max": 0.23797652, "hits": [["1", 0.23797652], ["3", 0.23797652]]}"#),
    (r#"{"query": {"match": {"title": {"query": "the of", "analyzer": "stop"}}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (
        r#"{"query": {"match": {"title": {"query": "the", "analyzer": "stop", "zero_terms_query": "all"}}}}"#,
        r#"{"total": 7, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0], ["4", 1.0], ["5", 1.0], ["6", 1.0], ["7", 1.0]]}"#,
    ),
    (
        r#"{"query": {"match": {"title": {"query": "quick brown dog", "minimum_should_match": "2<75%"}}}}"#,
        r#"{"total": 3, "max": 1.1223123, "hits": [["3", 1.1223123], ["2", 0.891151], ["1", 0.8404534]]}"#,
    ),
    (
        r#"{"query": {"match": {"title": {"query": "quik", "fuzziness": "AUTO"}}}}"#,
        r#"{"total": 3, "max": 0.2546867, "hits": [["2", 0.2546867], ["1", 0.24019755], ["5", 0.18774334]]}"#,
    ),
    (
        r#"{"query": {"match": {"title": {"query": "x", "analyzer": "nope"}}}}"#,
        r#"{"error": "[match] analyzer [nope] not found", "type": "query_shard_exception"}"#,
    ),
    (
        r#"{"query": {"term": {"tag": {"value": "A", "case_insensitive": true}}}}"#,
        r#"{"total": 2, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0]]}"#,
    ),
    (r#"{"query": {"match": {"nof.x": "1"}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (r#"{"query": {"term": {"o": "u"}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (r#"{"query": {"match": {"title": 5}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (r#"{"query": {"match": {"title": null}}}"#, r#"{"error": "No text specified for text query", "type": "parsing_exception"}"#),
    (r#"{"query": {"term": {"tag": null}}}"#, r#"{"error": "field name is null or empty", "type": "illegal_argument_exception"}"#),
    (r#"{"query": {"ids": {"values": ["1", "1", "9"], "boost": 2}}}"#, r#"{"total": 1, "max": 2.0, "hits": [["1", 2.0]]}"#),
    (r#"{"query": {"bool": {"must": [{"match_none": {}}]}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (
        r#"{"query": {"bool": {"filter": [{"match_all": {}}], "must_not": [{"match_none": {}}]}}}"#,
        r#"{"total": 7, "max": 0.0, "hits": [["1", 0.0], ["2", 0.0], ["3", 0.0], ["4", 0.0], ["5", 0.0], ["6", 0.0], ["7", 0.0]]}"#,
    ),
    (
        r#"{"sort": ["n"], "search_after": [2]}"#,
        r#"{"total": 7, "max": null, "hits": [["3", null, [3]], ["4", null, [5]], ["5", null, [9223372036854775807]], ["7", null, [9223372036854775807]]]}"#,
    ),
    (
        r#"{"sort": ["tag"], "search_after": ["a"]}"#,
        r#"{"total": 7, "max": null, "hits": [["3", null, ["c"]], ["6", null, ["z"]], ["4", null, [null]], ["7", null, [null]]]}"#,
    ),
    (
        r#"{"sort": ["tag"], "search_after": ["aa"]}"#,
        r#"{"total": 7, "max": null, "hits": [["3", null, ["c"]], ["6", null, ["z"]], ["4", null, [null]], ["7", null, [null]]]}"#,
    ),
    (
        r#"{"sort": [{"tag": "desc"}], "search_after": ["bb"]}"#,
        r#"{"total": 7, "max": null, "hits": [["1", null, ["b"]], ["2", null, ["a"]], ["5", null, ["B"]], ["4", null, [null]], ["7", null, [null]]]}"#,
    ),
    (
        r#"{"sort": [{"n": "desc"}, "tag"], "search_after": [2, "a"]}"#,
        r#"{"total": 7, "max": null, "hits": [["1", null, [1, "a"]], ["6", null, [-4, "z"]], ["5", null, [-9223372036854775808, "B"]], ["7", null, [-9223372036854775808, null]]]}"#,
    ),
    (
        r#"{"sort": ["f"], "search_after": [0.1]}"#,
        r#"{"total": 7, "max": null, "hits": [["2", null, [2.5]], ["3", null, ["Infinity"]], ["5", null, ["Infinity"]], ["6", null, ["Infinity"]], ["7", null, ["Infinity"]]]}"#,
    ),
    (
        r#"{"sort": ["d"], "search_after": ["2024-01-15T12:00:00Z"]}"#,
        r#"{"total": 7, "max": null, "hits": [["3", null, [1706745600000]], ["4", null, [9223372036854775807]], ["5", null, [9223372036854775807]], ["6", null, [9223372036854775807]], ["7", null, [9223372036854775807]]]}"#,
    ),
    (
        r#"{"sort": ["n"], "search_after": [2], "from": 1}"#,
        r#"{"error": "`from` parameter must be set to 0 when `search_after` is used.", "type": "search_exception"}"#,
    ),
    (
        r#"{"stored_fields": "_none_", "_source": true}"#,
        r#"{"error": "[stored_fields] cannot be disabled if [_source] is requested", "type": "search_exception"}"#,
    ),
    (r#"{"terminate_after": -1}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (
        r#"{"sort": ["n", "_doc"], "search_after": [2]}"#,
        r#"{"error": "search_after has 1 value(s) but sort has 2.", "type": "illegal_argument_exception"}"#,
    ),
    (r#"{"search_after": [2]}"#, r#"{"error": "Sort must contain at least one field.", "type": "illegal_argument_exception"}"#),
    (
        r#"{"sort": ["n"], "search_after": ["x"]}"#,
        r#"{"error": "Failed to parse search_after value for field [n].", "type": "illegal_argument_exception"}"#,
    ),
    (
        r#"{"query": {"match": {"title": "quick"}}, "min_score": 0.3}"#,
        r#"{"total": 2, "max": 0.33958226, "hits": [["2", 0.33958226], ["1", 0.3202634]]}"#,
    ),
    (
        r#"{"query": {"match": {"title": "quick"}}, "sort": ["n"], "track_scores": true}"#,
        r#"{"total": 3, "max": 0.33958226, "hits": [["1", 0.3202634, [1]], ["2", 0.33958226, [2]], ["5", 0.25032446, [9223372036854775807]]]}"#,
    ),
    (
        r#"{"query": {"match": {"title": "quick"}}, "sort": ["_score", "n"]}"#,
        r#"{"total": 3, "max": null, "hits": [["2", 0.33958226, [0.33958226, 2]], ["1", 0.3202634, [0.3202634, 1]], ["5", 0.25032446, [0.25032446, 9223372036854775807]]]}"#,
    ),
    (
        r#"{"query": {"match": {"title": "quick"}}, "sort": ["_score"]}"#,
        r#"{"total": 3, "max": 0.33958226, "hits": [["2", 0.33958226], ["1", 0.3202634], ["5", 0.25032446]]}"#,
    ),
    (r#"{"query": {"match": {"title": "quick"}}, "size": 1, "from": 1}"#, r#"{"total": 3, "max": 0.33958226, "hits": [["1", 0.3202634]]}"#),
    (r#"{"size": 0}"#, r#"{"total": 7, "max": null, "hits": []}"#),
    (
        r#"{"query": {"match_all": {}}, "track_total_hits": 3}"#,
        r#"{"total": 3, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0], ["4", 1.0], ["5", 1.0], ["6", 1.0], ["7", 1.0]]}"#,
    ),
    (
        r#"{"size": 10001}"#,
        r#"{"error": "Result window is too large, from + size must be less than or equal to: [10000] but was [10001]. See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting.", "type": "illegal_argument_exception"}"#,
    ),
    (
        r#"{"sort": [{"tag": "desc"}, {"n": "asc"}]}"#,
        r#"{"total": 7, "max": null, "hits": [["6", null, ["z", -4]], ["3", null, ["c", 3]], ["1", null, ["b", 1]], ["2", null, ["a", 2]], ["5", null, ["B", 9223372036854775807]], ["4", null, [null, 5]], ["7", null, [null, 9223372036854775807]]]}"#,
    ),
    (r#"{"query": {"range": {"i": {"gt": 1, "lte": 3}}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["1", 1.0]]}"#),
    (r#"{"query": {"range": {"d": {"lt": "2024-02"}}}}"#, r#"{"total": 2, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0]]}"#),
    (r#"{"query": {"range": {"d": {"lte": "2024-02"}}}}"#, r#"{"total": 3, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0]]}"#),
    (
        r#"{"query": {"range": {"d": {"gte": "15/01/2024", "format": "dd/MM/yyyy"}}}}"#,
        r#"{"total": 2, "max": 1.0, "hits": [["2", 1.0], ["3", 1.0]]}"#,
    ),
    (
        r#"{"query": {"range": {"d": {"gte": "2024-01-01||+14d/d", "lt": "2024-02-01"}}}}"#,
        r#"{"total": 1, "max": 1.0, "hits": [["2", 1.0]]}"#,
    ),
    (
        r#"{"query": {"range": {"n": {"gte": "x"}}}}"#,
        r#"{"error": "failed to create query: For input string: \"x\"", "type": "query_shard_exception"}"#,
    ),
    (
        r#"{"query": {"range": {"d": {"gte": "nodate"}}}}"#,
        r#"{"error": "failed to parse date field [nodate] with format [strict_date_optional_time||epoch_millis]: [failed to parse date field [nodate] with format [strict_date_optional_time||epoch_millis]]", "type": "parse_exception"}"#,
    ),
    (
        r#"{"query": {"term": {"d": "nodate"}}}"#,
        r#"{"error": "failed to create query: failed to parse date field [nodate] with format [strict_date_optional_time||epoch_millis]: [failed to parse date field [nodate] with format [strict_date_optional_time||epoch_millis]]", "type": "query_shard_exception"}"#,
    ),
    (
        r#"{"query": {"term": {"n": "x"}}}"#,
        r#"{"error": "failed to create query: For input string: \"x\"", "type": "query_shard_exception"}"#,
    ),
    (
        r#"{"query": {"term": {"b": "x"}}}"#,
        r#"{"error": "failed to create query: Can't parse boolean value [x], expected [true] or [false]", "type": "query_shard_exception"}"#,
    ),
    (
        r#"{"query": {"match": {"n": "x"}}}"#,
        r#"{"error": "failed to create query: For input string: \"x\"", "type": "query_shard_exception"}"#,
    ),
    (r#"{"query": {"match": {"n": {"query": "x", "lenient": true}}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (
        r#"{"query": {"prefix": {"n": "1"}}}"#,
        r#"{"error": "Can only use prefix queries on keyword and text fields - not on [n] which is of type [long]", "type": "query_shard_exception"}"#,
    ),
    (
        r#"{"query": {"bool": {"must": {"match_all": {}}, "minimum_should_match": "x"}}}"#,
        r#"{"error": "failed to create query: For input string: \"x\"", "type": "query_shard_exception"}"#,
    ),
    (
        r#"{"query": {"bool": {"should": [{"match": {"title": "quick"}}, {"match": {"title": "dog"}}], "must_not": {"term": {"tag": "c"}}}}}"#,
        r#"{"total": 3, "max": 0.891151, "hits": [["2", 0.891151], ["1", 0.3202634], ["5", 0.25032446]]}"#,
    ),
    (
        r#"{"query": {"match": {"title": {"query": "quick brown", "operator": "and"}}}}"#,
        r#"{"total": 1, "max": 0.8404534, "hits": [["1", 0.8404534]]}"#,
    ),
    (
        r#"{"query": {"match": {"title": {"query": "quick", "boost": 2.5}}}}"#,
        r#"{"total": 3, "max": 0.84895563, "hits": [["2", 0.84895563], ["1", 0.80065846], ["5", 0.6258111]]}"#,
    ),
    (
        r#"{"query": {"multi_match": {"query": "quick"}}}"#,
        r#"{"total": 3, "max": 0.33958226, "hits": [["2", 0.33958226], ["1", 0.3202634], ["5", 0.25032446]]}"#,
    ),
    (r#"{"query": {"range": {"tag": {"gte": "b"}}}}"#, r#"{"total": 3, "max": 1.0, "hits": [["1", 1.0], ["3", 1.0], ["6", 1.0]]}"#),
    (r#"{"query": {"terms": {"tag": ["a", "z"]}}}"#, r#"{"total": 3, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["6", 1.0]]}"#),
    (r#"{"query": {"terms": {"f": [0.1, 2.5]}}}"#, r#"{"total": 2, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0]]}"#),
    (r#"{"query": {"terms": {"d": ["2024-01-01", "2024-02-01"]}}}"#, r#"{"total": 2, "max": 1.0, "hits": [["1", 1.0], ["3", 1.0]]}"#),
    (r#"{"query": {"wildcard": {"title.raw": "the*"}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (r#"{"query": {"wildcard": {"title.raw": "?he quick*"}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["1", 1.0]]}"#),
    (
        r#"{"query": {"exists": {"field": "title.raw"}}}"#,
        r#"{"total": 6, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0], ["4", 1.0], ["5", 1.0], ["7", 1.0]]}"#,
    ),
    (
        r#"{"query": {"exists": {"field": "_seq_no"}}}"#,
        r#"{"total": 7, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0], ["4", 1.0], ["5", 1.0], ["6", 1.0], ["7", 1.0]]}"#,
    ),
    (r#"{"query": {"term": {"_seq_no": 2}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["3", 1.0]]}"#),
    (r#"{"query": {"range": {"_seq_no": {"gte": 5}}}}"#, r#"{"total": 2, "max": 1.0, "hits": [["6", 1.0], ["7", 1.0]]}"#),
    (
        r#"{"query": {"query_string": {"query": "quick"}}}"#,
        r#"{"total": 3, "max": 0.33958226, "hits": [["2", 0.33958226], ["1", 0.3202634], ["5", 0.25032446]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "quick", "fields": ["title^2", "en"]}}}"#,
        r#"{"total": 3, "max": 0.6791645, "hits": [["2", 0.6791645], ["1", 0.6405268], ["5", 0.5006489]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "quick brown"}}}"#,
        r#"{"total": 4, "max": 0.8404534, "hits": [["1", 0.8404534], ["3", 0.63012296], ["2", 0.33958226], ["5", 0.25032446]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "quick brown", "default_operator": "AND"}}}"#,
        r#"{"total": 1, "max": 0.8404534, "hits": [["1", 0.8404534]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "quick brown", "default_field": "title"}}}"#,
        r#"{"total": 4, "max": 0.8404534, "hits": [["1", 0.8404534], ["3", 0.63012296], ["2", 0.33958226], ["5", 0.25032446]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "title:quick"}}}"#,
        r#"{"total": 3, "max": 0.33958226, "hits": [["2", 0.33958226], ["1", 0.3202634], ["5", 0.25032446]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "title:quick AND title:brown"}}}"#,
        r#"{"total": 1, "max": 0.8404534, "hits": [["1", 0.8404534]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "title:(quick OR bear)"}}}"#,
        r#"{"total": 4, "max": 0.77937603, "hits": [["3", 0.77937603], ["2", 0.33958226], ["1", 0.3202634], ["5", 0.25032446]]}"#,
    ),
    (r#"{"query": {"query_string": {"query": "+title:quick -tag:a"}}}"#, r#"{"total": 1, "max": 0.25032446, "hits": [["5", 0.25032446]]}"#),
    (r#"{"query": {"query_string": {"query": "\"quick brown\""}}}"#, r#"{"total": 1, "max": 0.8404533, "hits": [["1", 0.8404533]]}"#),
    (r#"{"query": {"query_string": {"query": "title:\"quick brown\""}}}"#, r#"{"total": 1, "max": 0.8404533, "hits": [["1", 0.8404533]]}"#),
    (
        r#"{"query": {"query_string": {"query": "n:[1 TO 3]"}}}"#,
        r#"{"total": 3, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0]]}"#,
    ),
    (r#"{"query": {"query_string": {"query": "n:>2"}}}"#, r#"{"total": 2, "max": 1.0, "hits": [["3", 1.0], ["4", 1.0]]}"#),
    (
        r#"{"query": {"query_string": {"query": "n:{1 TO *}"}}}"#,
        r#"{"total": 3, "max": 1.0, "hits": [["2", 1.0], ["3", 1.0], ["4", 1.0]]}"#,
    ),
    (r#"{"query": {"query_string": {"query": "tag:a"}}}"#, r#"{"total": 2, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0]]}"#),
    (r#"{"query": {"query_string": {"query": "tag:(a c)"}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (
        r#"{"query": {"query_string": {"query": "*:*"}}}"#,
        r#"{"total": 7, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["3", 1.0], ["4", 1.0], ["5", 1.0], ["6", 1.0], ["7", 1.0]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "_exists_:f"}}}"#,
        r#"{"total": 3, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["4", 1.0]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "title:qui*"}}}"#,
        r#"{"total": 3, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["5", 1.0]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "title:QUI*"}}}"#,
        r#"{"total": 3, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["5", 1.0]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "title:q?ick"}}}"#,
        r#"{"total": 3, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0], ["5", 1.0]]}"#,
    ),
    (r#"{"query": {"query_string": {"query": "quick AND dog"}}}"#, r#"{"total": 1, "max": 0.891151, "hits": [["2", 0.891151]]}"#),
    (
        r#"{"query": {"query_string": {"query": "quick AND dog", "default_field": "title"}}}"#,
        r#"{"total": 1, "max": 0.891151, "hits": [["2", 0.891151]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "quick OR bear"}}}"#,
        r#"{"total": 4, "max": 0.77937603, "hits": [["3", 0.77937603], ["2", 0.33958226], ["1", 0.3202634], ["5", 0.25032446]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "quick OR bear", "default_operator": "AND"}}}"#,
        r#"{"total": 4, "max": 0.77937603, "hits": [["3", 0.77937603], ["2", 0.33958226], ["1", 0.3202634], ["5", 0.25032446]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "quick NOT dog"}}}"#,
        r#"{"total": 2, "max": 0.3202634, "hits": [["1", 0.3202634], ["5", 0.25032446]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "title:quick^2"}}}"#,
        r#"{"total": 3, "max": 0.6791645, "hits": [["2", 0.6791645], ["1", 0.6405268], ["5", 0.5006489]]}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "title:quik~"}}}"#,
        r#"{"total": 3, "max": 0.2546867, "hits": [["2", 0.2546867], ["1", 0.24019755], ["5", 0.18774334]]}"#,
    ),
    (r#"{"query": {"query_string": {"query": "d:[2024-01-10 TO 2024-01-20]"}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["2", 1.0]]}"#),
    (r#"{"query": {"query_string": {"query": "d:2024-01-15"}}}"#, r#"{"total": 1, "max": 1.0, "hits": [["2", 1.0]]}"#),
    (
        r#"{"query": {"query_string": {"query": "b:true"}}}"#,
        r#"{"total": 2, "max": 0.23797652, "hits": [["1", 0.23797652], ["3", 0.23797652]]}"#,
    ),
    (r#"{"query": {"query_string": {"query": "nofield:x"}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (r#"{"query": {"query_string": {"query": "n:x"}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (
        r#"{"query": {"query_string": {"query": "(quick"}}}"#,
        r#"{"error": "Failed to parse query [(quick]", "type": "query_shard_exception"}"#,
    ),
    (
        r#"{"query": {"query_string": {"query": "title:"}}}"#,
        r#"{"error": "Failed to parse query [title:]", "type": "query_shard_exception"}"#,
    ),
    (r#"{"query": {"query_string": {"query": "1"}}}"#, r#"{"total": 2, "max": 1.0, "hits": [["1", 1.0], ["2", 1.0]]}"#),
    (r#"{"query": {"query_string": {"query": "1", "default_field": "title"}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (
        r#"{"query": {"query_string": {"query": "fox dog"}}}"#,
        r#"{"total": 3, "max": 0.8237147, "hits": [["1", 0.8237147], ["2", 0.55156875], ["3", 0.49218935]]}"#,
    ),
    (r#"{"query": {"query_string": {"query": "fox dog", "default_operator": "AND"}}}"#, r#"{"total": 0, "max": null, "hits": []}"#),
    (
        r#"{"query": {"query_string": {"query": "fox dog", "fields": ["title^2", "en"]}}}"#,
        r#"{"total": 3, "max": 1.6474293, "hits": [["1", 1.6474293], ["2", 1.1031375], ["3", 0.9843787]]}"#,
    ),
    (r#"{"query": {"query_string": {"query": "en:running"}}}"#, r#"{"total": 1, "max": 0.5004231, "hits": [["1", 0.5004231]]}"#),
    (
        r#"{"query": {"query_string": {"query": "-tag:a"}}}"#,
        r#"{"total": 5, "max": 0.0, "hits": [["3", 0.0], ["4", 0.0], ["5", 0.0], ["6", 0.0], ["7", 0.0]]}"#,
    ),
];
