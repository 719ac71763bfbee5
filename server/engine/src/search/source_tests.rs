use super::*;

#[test]
fn bodies_of_the_wrong_shape_are_refused() {
    for (body, expected) in [
        (json!({"size": -1}), "[size] parameter cannot be negative, found [-1]"),
        (json!({"from": -1}), "[from] parameter cannot be negative, found [-1]"),
        (json!({"size": "x"}), "For input string: \"x\""),
        (json!({"size": "2147483648"}), "Value [2147483648] is out of range for an integer"),
        (
            json!({"size": 2147483648_u32}),
            "Numeric value (2147483648) out of range of int (-2147483648 - 2147483647)\n at [Source: REDACTED \
             (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 19]",
        ),
        (json!({"qury": {}}), "Unknown key for a START_OBJECT in [qury]."),
        (json!({"query": []}), "Unknown key for a START_ARRAY in [query]."),
        (json!({"query": {}}), "query malformed, empty clause found at [1:11]"),
        (json!({"foo": 1}), "Unknown key for a VALUE_NUMBER in [foo]."),
        (json!([]), "Expected [START_OBJECT] but found [START_ARRAY]"),
        (json!({"track_total_hits": "x"}), "For input string: \"x\""),
        (json!({"timeout": "x"}), "failed to parse setting [timeout] with value [x] as a time value: unit is missing or unrecognized"),
        (json!({"aggs": {"a": {}}}), "[aggs] is not supported in a search"),
        (json!({"query": {"mach": {}}}), "unknown query [mach] did you mean [match]?"),
        (json!({"query": {"match_all": []}}), "[match_all] query malformed, no start_object after query name"),
        (json!({"query": {"match_all": {}, "term": {}}}), "[match_all] malformed query, expected [END_OBJECT] but found [FIELD_NAME]"),
        (json!({"query": {"match": {}}}), "No text specified for text query"),
        (json!({"query": {"match": {"a": "x", "b": "y"}}}), "[match] query doesn't support multiple fields, found [a] and [b]"),
        (json!({"query": {"match": {"a": {"qery": "x"}}}}), "[match] query does not support [qery]"),
        (json!({"query": {"match": {"a": {"query": "x", "operator": "xor"}}}}), "No enum constant org.opensearch.index.query.Operator.XOR"),
        (json!({"query": {"term": {"a": ["x"]}}}), "[term] query does not support array of values"),
        (json!({"query": {"term": {"a": {}}}}), "value cannot be null"),
        (json!({"query": {"term": {}}}), "field name is null or empty"),
        (json!({"query": {"terms": {"a": "x"}}}), "[terms] query does not support [a]"),
        (json!({"query": {"terms": {"a": ["x"], "b": [1]}}}), "[terms] query does not support multiple fields"),
        (json!({"query": {"range": {"n": {"foo": 1}}}}), "[range] query does not support [foo]"),
        (json!({"query": {"range": {"n": 5}}}), "[range] query does not support [n]"),
        (json!({"query": {"bool": {"mst": []}}}), "[1:19] [bool] unknown field [mst] did you mean [must]?"),
        (json!({"query": {"bool": {"must": 5}}}), "[1:26] [bool] must doesn't support values of type: VALUE_NUMBER"),
        (json!({"query": {"exists": {}}}), "[exists] must be provided with a [field]"),
        (json!({"query": {"exists": {"fild": "x"}}}), "[exists] query does not support [fild]"),
        (json!({"stored_fields": ["_none_", "a"]}), "cannot combine _none_ with other fields"),
        (json!({"sort": [{"n": "up"}]}), "No enum constant org.opensearch.search.sort.SortOrder.UP"),
        (json!({"sort": [{"n": {"foo": 1}}]}), "[1:16] [field_sort] unknown field [foo]"),
    ] {
        assert_eq!(SearchSource::parse(&body).unwrap_err().to_string(), expected, "{body}");
    }
}

#[test]
fn what_is_wrong_first_is_told_with_its_place() {
    for (body, place, expected) in [
        (r#"{"qury":{},"#, (1, 9), "Unknown key for a START_OBJECT in [qury]."),
        ("{\n \"query\": {\"mach\": {}}}", (2, 20), "unknown query [mach] did you mean [match]?"),
        (r#"{"query":{"query":{"query":"#, (1, 19), "unknown query [query]"),
        (
            r#"{"query":{"match_all":{},"term":{"tag":"a"}}}"#,
            (1, 26),
            "[match_all] malformed query, expected [END_OBJECT] but found [FIELD_NAME]",
        ),
        (r#"{"query":{"match_all":{"foo":1}}}"#, (1, 30), "[1:24] [match_all] unknown field [foo]"),
        (r#"{"query":{"match":{}}}"#, (1, 20), "No text specified for text query"),
        (r#"{"query":{"term":{"tag":"a","n":1}}}"#, (1, 33), "[term] query doesn't support multiple fields, found [tag] and [n]"),
        (r#"{"query":{"exists":{"fild":"x"}}}"#, (1, 28), "[exists] query does not support [fild]"),
        (r#"{"query":{"ids":{"values":5}}}"#, (1, 27), "[1:27] [ids] values doesn't support values of type: VALUE_NUMBER"),
        (
            r#"{"query":{"terms":{}}}"#,
            (1, 20),
            "[terms] query requires a field name, followed by array of terms or a document lookup specification",
        ),
        (r#"{"_source":{"foo":[]}}"#, (1, 19), "Unknown key for a START_ARRAY in [foo]."),
        (r#"{"size":1}{"from":1}"#, (1, 11), "Unexpected token [START_OBJECT] found after the main object."),
    ] {
        let error = SearchSource::parse_text(body.as_bytes()).unwrap_err();
        let Error::Parsing { reason, position, .. } = &error else { panic!("{body}: {error:?}") };
        assert_eq!((reason.as_str(), *position), (expected, Some(place)), "{body}");
    }
    for (body, expected) in [
        (r#"{"query":{"bool":{"must":[{"mach":{}}]}}}"#, "[1:35] [bool] failed to parse field [must]"),
        (r#"{"query":{"bool":{"must":[{}]}}}"#, "[1:28] [bool] failed to parse field [must]"),
        (r#"{"query":{"bool":{"must":{"bool":{"should":[{"mach":{}}]}}}}}"#, "[1:53] [bool] failed to parse field [must]"),
        (r#"{"query":{"bool":{"must":[{"term":{"tag":{"value":"a","boost":-1}}}]}}}"#, "[1:66] [bool] failed to parse field [must]"),
        (r#"{"query":{"bool":{"boost":[]}}}"#, "[1:27] [bool] boost doesn't support values of type: START_ARRAY"),
        (r#"{"sort":[{"n":{"order":"up"}}]}"#, "[1:24] [field_sort] failed to parse field [order]"),
        (r#"{"sort":[{"n":5}]}"#, "[1:16] [field_sort] Expected START_OBJECT but was: END_OBJECT"),
        (r#"{"docvalue_fields":[{"foo":1}]}"#, "[1:22] [docvalues_field] unknown field [foo]"),
    ] {
        let error = SearchSource::parse_text(body.as_bytes()).unwrap_err();
        assert_eq!((error.type_name(), error.to_string().as_str()), ("x_content_parse_exception", expected), "{body}");
    }
    assert!(matches!(SearchSource::parse_text(br#"{"size":1,"#), Err(Error::JsonParse { .. })));
    let late = SearchSource::parse_text(br#"{"track_total_hits":-2}"#).unwrap_err();
    assert_eq!(late.cause().unwrap().to_string(), "value must be >= 0, got -2");
    assert_eq!(SearchSource::parse_text(br#"{"track_total_hits":-2,"foo":1}"#).unwrap_err().type_name(), "parsing_exception");
}

#[test]
fn a_negative_boost_is_refused_with_the_query() {
    for (query, shown) in [
        (
            json!({"term": {"tag": {"value": "a", "boost": -1.5}}}),
            "{\n  \"term\" : {\n    \"tag\" : {\n      \"value\" : \"a\",\n      \"boost\" : 1.0\n    }\n  }\n}",
        ),
        (
            json!({"dis_max": {"queries": [{"match_all": {}}], "boost": -1}}),
            "{\n  \"dis_max\" : {\n    \"tie_breaker\" : 0.0,\n    \"queries\" : [ ],\n    \"boost\" : 1.0\n  }\n}",
        ),
        (
            json!({"terms": {"n": [1, "a"], "boost": -1}}),
            "{\n  \"terms\" : {\n    \"n\" : [\n      1,\n      \"a\"\n    ],\n    \"boost\" : 1.0\n  }\n}",
        ),
        (
            json!({"range": {"n": {"gt": 1, "boost": -1}}}),
            "{\n  \"range\" : {\n    \"n\" : {\n      \"from\" : 1,\n      \"to\" : null,\n      \"include_lower\" : false,\n      \"include_upper\" : true,\n      \"boost\" : 1.0\n    }\n  }\n}",
        ),
    ] {
        let error = SearchSource::parse(&json!({ "query": query })).unwrap_err();
        assert_eq!(error.to_string(), format!("negative [boost] are not allowed in [{shown}], use a value between 0 and 1 to deboost"));
    }
    let error = SearchSource::parse(&json!({"query": {"match_all": {"boost": -1}}})).unwrap_err();
    assert_eq!(error.to_string(), "[1:32] [match_all] failed to parse field [boost]");
}

#[test]
fn a_body_survives_the_way_to_another_node() {
    let body = json!({"query": {"term": {"a": "x"}}, "from": 5, "size": 3, "sort": [{"n": {"order": "desc", "missing": "_first"}}, "_score"],
        "_source": {"includes": ["a*"], "excludes": ["b"]}, "track_total_hits": 5, "min_score": 0.5, "version": true, "track_scores": true,
        "timeout": "1500ms", "terminate_after": 7, "docvalue_fields": ["a", {"field": "d", "format": "yyyy"}]});
    let first = SearchSource::parse(&body).unwrap().to_json();
    assert_eq!(SearchSource::parse(&first).unwrap().to_json(), first);
    assert_eq!(first["query"], body["query"]);
    assert_eq!(first["track_total_hits"], 5);
}
