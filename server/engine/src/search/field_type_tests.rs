//! Searches on the rarer field types, over two segments: which documents OpenSearch 3.1 finds, and in which order.

use super::search_tests::{index_document, open};
use super::*;
use crate::shard::searcher::ShardSearcher;
use serde_json::{Value, json};
use tandem_common::mapping::{Mapping, MappingRules};
use tandem_common::{Result, Settings};

fn shard() -> ShardSearcher {
    let mapping = json!({"properties": {
        "ip": {"type": "ip"}, "column": {"type": "ip", "index": false}, "u": {"type": "unsigned_long"},
        "price": {"type": "scaled_float", "scaling_factor": 100}, "nano": {"type": "date_nanos"}, "f": {"type": "flat_object"},
        "r": {"type": "integer_range"}, "net": {"type": "ip_range"}, "day": {"type": "date_range"}, "wild": {"type": "wildcard"},
        "only": {"type": "match_only_text"}, "constant": {"type": "constant_keyword", "value": "c"}, "k": {"type": "keyword"},
        "other": {"type": "alias", "path": "k"}, "at": {"type": "geo_point"}, "shade": {"type": "keyword", "index": false}, "bytes": {"type": "binary", "doc_values": true},
        "a": {"type": "nested", "properties": {"x": {"type": "keyword"}, "n": {"type": "long"}, "b": {"type": "nested", "properties": {
            "y": {"type": "keyword"}}}}}
    }});
    let documents = [
        json!({"ip": "10.0.0.1", "column": "10.0.0.1", "u": u64::MAX, "price": 1.257, "nano": "2024-01-01T00:00:00.123456789Z",
            "f": {"a": {"b": "x", "n": 5}, "c": [true, "y z"]}, "r": {"gte": 10, "lte": 20}, "net": "10.0.0.0/8", "wild": "Hello World",
            "only": "quick brown fox quick", "k": "kw", "at": "40,-70", "shade": ["Abc", "x"], "bytes": "U29tZQ==",
            "a": [{"x": "u", "n": 1}, {"x": "v", "n": 5, "b": [{"y": "k"}, {"y": "l"}]}]}),
        json!({"ip": ["9.0.0.1", "2001:db8::1"], "u": 5, "price": 2.5, "nano": "2023-01-01", "f": {"a": {"b": "z"}},
            "r": [{"gte": 1, "lte": 2}, {"gte": 8, "lte": 9}], "day": {"gte": "2024-01", "lte": "2024-02"}, "wild": "goodbye",
            "only": ["fox", "lazy dog"], "k": ["a", "kw2"], "a": {"x": "u", "n": 5}}),
        json!({}),
    ];
    let mapping = Mapping::parse(&mapping, &MappingRules::default()).unwrap();
    open(mapping, |schema, writer| {
        for (number, document) in documents.iter().enumerate() {
            index_document(schema, writer, number, document);
            if number == 0 {
                writer.commit().unwrap();
            }
        }
    })
}

/// The ids that are found, in their order, and what they are sorted by.
fn run(shard: &ShardSearcher, body: &Value) -> Result<Value> {
    let source = SearchSource::parse(body)?;
    let found = query_phase(shard, &source, 0, &Settings::new())?;
    let reduced = reduce(vec![found], &source);
    let hits = fetch_phase(shard, &source, &reduced.winners, 0)?;
    let shown = hits.into_iter().map(|hit| match (hit.fields, hit.sort.as_slice()) {
        (Some(fields), _) => json!([hit.id, fields]),
        (None, [value]) => json!([hit.id, value]),
        _ => json!(hit.id),
    });
    Ok(shown.collect())
}

#[test]
fn queries_find_what_opensearch_finds() {
    let shard = shard();
    let nested = |query: Value| json!({"nested": {"path": "a", "query": query}});
    for (query, expected) in [
        (json!({"term": {"ip": "10.0.0.1"}}), json!(["1"])),
        (json!({"term": {"ip": "10.0.0.0/8"}}), json!(["1"])),
        (json!({"term": {"column": "10.0.0.0/8"}}), json!(["1"])),
        (json!({"terms": {"ip": ["10.0.0.1", "2001:db8::/32"]}}), json!(["1", "2"])),
        (json!({"range": {"ip": {"lt": "10.0.0.1"}}}), json!(["2"])),
        (json!({"term": {"u": u64::MAX}}), json!(["1"])),
        (json!({"term": {"u": 5.5}}), json!([])),
        (json!({"range": {"u": {"gt": 4.5, "lt": 5.5}}}), json!(["2"])),
        (json!({"term": {"price": 1.257}}), json!(["1"])),
        (json!({"range": {"price": {"gt": 1.26}}}), json!(["2"])),
        (json!({"term": {"nano": "2024-01-01"}}), json!(["1"])),
        (json!({"range": {"nano": {"gt": "2024-01-01T00:00:00.123456789Z"}}}), json!([])),
        (json!({"term": {"f.a.b": "x"}}), json!(["1"])),
        (json!({"term": {"f.a": "x"}}), json!([])),
        (json!({"terms": {"f": ["x", "z"]}}), json!(["1", "2"])),
        (json!({"exists": {"field": "f.a.b"}}), json!(["1", "2"])),
        (json!({"exists": {"field": "f.a"}}), json!([])),
        (json!({"range": {"f.a.b": {"gte": "y"}}}), json!(["2"])),
        (json!({"wildcard": {"f.c": "y*"}}), json!(["1"])),
        (json!({"term": {"r": 9}}), json!(["2"])),
        (json!({"term": {"r": 5}}), json!([])),
        (json!({"range": {"r": {"gte": 5, "lte": 30, "relation": "within"}}}), json!(["1", "2"])),
        (json!({"range": {"r": {"gte": 12, "lte": 15, "relation": "contains"}}}), json!(["1"])),
        (json!({"term": {"net": "10.1.2.3"}}), json!(["1"])),
        (json!({"range": {"day": {"gte": "2024-02-02"}}}), json!([])),
        (json!({"term": {"day": "2024-01-15"}}), json!(["2"])),
        (json!({"wildcard": {"wild": {"value": "*LO w*", "case_insensitive": true}}}), json!(["1"])),
        (json!({"wildcard": {"shade": "A*c"}}), json!(["1"])),
        (json!({"wildcard": {"shade": "a*c"}}), json!([])),
        (json!({"term": {"shade": {"value": "aBC", "case_insensitive": true}}}), json!(["1"])),
        (json!({"prefix": {"shade": "y"}}), json!([])),
        (json!({"geo_distance": {"distance": "1km", "at": "40,-70"}}), json!(["1"])),
        (json!({"geo_bounding_box": {"at": {"top_left": "41,-71", "bottom_right": "39,-69"}}}), json!(["1"])),
        (json!({"geo_polygon": {"at": {"points": ["0,0", "0,5", "5,5"]}}}), json!([])),
        (json!({"match": {"only": "dog"}}), json!(["2"])),
        (json!({"match_phrase": {"only": "brown fox"}}), json!(["1"])),
        (json!({"term": {"constant": "c"}}), json!(["1", "2", "3"])),
        (json!({"prefix": {"constant": "d"}}), json!([])),
        (json!({"term": {"other": "kw"}}), json!(["1"])),
        (json!({"multi_match": {"query": "kw2", "fields": ["oth*"]}}), json!(["2"])),
        (json!({"exists": {"field": "at"}}), json!(["1"])),
        (json!({"match_all": {}}), json!(["1", "2", "3"])),
        (json!({"term": {"a.x": "u"}}), json!([])),
        (json!({"bool": {"must_not": [nested(json!({"match_all": {}}))]}}), json!(["3"])),
        (nested(json!({"bool": {"must": [{"term": {"a.x": "u"}}, {"term": {"a.n": 5}}]}})), json!(["2"])),
        (nested(json!({"bool": {"must_not": [{"term": {"a.x": "u"}}]}})), json!(["1"])),
        (nested(json!({"ids": {"values": ["2"]}})), json!(["2"])),
        (nested(json!({"nested": {"path": "a.b", "query": {"term": {"a.b.y": "k"}}}})), json!(["1"])),
        (nested(json!({"bool": {"must": [{"term": {"a.x": "u"}}, {"nested": {"path": "a.b", "query": {"match_all": {}}}}]}})), json!([])),
        (json!({"nested": {"path": "a.b", "query": {"term": {"a.b.y": "l"}}}}), json!(["1"])),
        (json!({"nested": {"path": "zz", "ignore_unmapped": true, "query": {"match_all": {}}}}), json!([])),
    ] {
        let body = json!({"query": query, "sort": ["_id"], "_source": false});
        let found = run(&shard, &body).unwrap();
        let ids: Value = found.as_array().unwrap().iter().map(|hit| hit[0].clone()).collect();
        assert_eq!(ids, expected, "{query}");
        let count = count(&shard, SearchSource::parse(&body).unwrap().query.as_ref(), 0).unwrap();
        assert_eq!(count, expected.as_array().unwrap().len() as u64, "{query}");
    }
}

#[test]
fn values_are_sorted_and_shown_as_opensearch_sorts_and_shows_them() {
    let shard = shard();
    for (body, expected) in [
        (json!({"sort": ["ip"]}), json!([["2", "9.0.0.1"], ["1", "10.0.0.1"], ["3", null]])),
        (json!({"sort": [{"ip": "desc"}]}), json!([["2", "2001:db8::1"], ["1", "10.0.0.1"], ["3", null]])),
        (json!({"sort": ["ip"], "search_after": ["9.5.0.0"]}), json!([["1", "10.0.0.1"], ["3", null]])),
        (json!({"sort": ["u"]}), json!([["2", 5], ["1", u64::MAX], ["3", u64::MAX]])),
        (json!({"sort": [{"u": "desc"}], "search_after": [5]}), json!([["3", 0]])),
        (json!({"sort": ["price"]}), json!([["1", 1.26], ["2", 2.5], ["3", "Infinity"]])),
        (json!({"sort": ["nano"], "size": 2}), json!([["2", 1_672_531_200_000_000_000_i64], ["1", 1_704_067_200_123_456_789_i64]])),
        (json!({"sort": [{"f.a.b": "desc"}]}), json!([["2", "z"], ["1", "x"], ["3", null]])),
        (json!({"sort": ["f.a.b"], "search_after": ["x"]}), json!([["2", "z"], ["3", null]])),
        (json!({"sort": [{"a.n": {"nested": {"path": "a"}}}]}), json!([["1", 1], ["2", 5], ["3", i64::MAX]])),
        (
            json!({"sort": [{"a.n": {"order": "desc", "mode": "sum", "nested": {"path": "a"}}}]}),
            json!([["1", 6], ["2", 5], ["3", i64::MIN]]),
        ),
        (
            json!({"sort": [{"a.n": {"order": "desc", "nested": {"path": "a", "filter": {"term": {"a.x": "u"}}}}}]}),
            json!([["2", 5], ["1", 1], ["3", i64::MIN]]),
        ),
        (
            json!({"sort": [{"a.b.y": {"nested": {"path": "a", "filter": {"term": {"a.x": "u"}}, "nested": {"path": "a.b"}}}}]}),
            json!([["1", null], ["2", null], ["3", null]]),
        ),
        (json!({"sort": [{"a.b.y": {"nested": {"path": "a.b"}}}]}), json!([["1", "k"], ["2", null], ["3", null]])),
        (json!({"sort": ["other"]}), json!([["2", "a"], ["1", "kw"], ["3", null]])),
        (
            json!({"query": {"ids": {"values": ["1"]}}, "docvalue_fields": ["ip", "u", "price", "f.a.b", "at", "bytes", "nano", "other"]}),
            json!([["1", {"ip": ["10.0.0.1"], "u": [u64::MAX], "price": [1.26], "f.a.b": ["x"], "bytes": ["U29tZQ"],
                "at": ["39.9999999627471, -70.00000001862645"], "nano": ["2024-01-01T00:00:00.123Z"], "other": ["kw"]}]]),
        ),
    ] {
        assert_eq!(run(&shard, &body).unwrap(), expected, "{body}");
    }
}

#[test]
fn scores_of_nested_objects_become_one() {
    let shard = shard();
    for (mode, expected) in [("avg", 1.5), ("sum", 3.0), ("min", 1.0), ("max", 2.0), ("none", 0.0)] {
        let query = json!({"bool": {"should": [{"term": {"a.x": "v"}}, {"range": {"a.n": {"gte": 1}}}]}});
        let body = json!({"query": {"bool": {"must": [{"nested": {"path": "a", "score_mode": mode, "query": query}}, {"ids": {"values": ["1"]}}]}}});
        let source = SearchSource::parse(&body).unwrap();
        let found = query_phase(&shard, &source, 0, &Settings::new()).unwrap();
        assert_eq!(found.winners[0].score, Some(expected + 1.0), "{mode}");
    }
}

#[test]
fn what_a_type_cannot_do_is_refused() {
    let shard = shard();
    for (body, reason) in [
        (json!({"query": {"term": {"bytes": "x"}}}), "Binary fields do not support searching"),
        (json!({"query": {"term": {"ip": "x"}}}), "failed to create query: 'x' is not an IP string literal."),
        (json!({"query": {"term": {"u": -5}}}), "failed to create query: Value [-5] is out of range for an unsigned long"),
        (json!({"query": {"term": {"r": 5.5}}}), "failed to create query: Value [5.5] has a decimal part"),
        (
            json!({"query": {"prefix": {"ip": "1"}}}),
            "Can only use prefix queries on keyword and text fields - not on [ip] which is of type [ip]",
        ),
        (json!({"sort": ["at"]}), "can't sort on geo_point field without using specific sorting feature, like geo_distance"),
        (json!({"sort": ["f"]}), "Field [f] of type [flat_object] does not support doc_value in root field"),
        (
            json!({"query": {"nested": {"path": "k", "query": {"match_all": {}}}}}),
            "failed to create query: [nested] failed to find nested object under path [k]",
        ),
    ] {
        assert_eq!(run(&shard, &body).unwrap_err().to_string(), reason);
    }
}
