use super::*;
use serde_json::json;

fn mapping() -> Mapping {
    let body = json!({"dynamic": "false", "properties": {
        "i": {"type": "integer"}, "l": {"type": "long"}, "f": {"type": "float"}, "b": {"type": "boolean"}, "d": {"type": "date"},
        "k": {"type": "keyword"}, "t": {"type": "text"}, "im": {"type": "long", "ignore_malformed": true},
        "kk": {"type": "text", "fields": {"n": {"type": "integer"}}}, "ka": {"type": "keyword", "ignore_above": 3},
        "o": {"properties": {"x": {"type": "long"}}}, "c": {"type": "keyword", "copy_to": "l"},
        "nv": {"type": "keyword", "null_value": "NULL"}, "dis": {"type": "object", "enabled": false}
    }});
    Mapping::parse(&body, &MappingRules::default()).unwrap()
}

fn values(mapping: &Mapping, source: &str, mode: ParseMode) -> (Vec<(String, FieldValue)>, Vec<String>) {
    let parsed = mapping.parse_document("1", source.as_bytes(), mode).unwrap();
    let named = parsed.values.into_iter().map(|(number, value)| (mapping.leaf(number).unwrap().path.to_string(), value));
    (named.collect(), parsed.ignored)
}

fn strict(source: &str) -> Vec<(String, FieldValue)> {
    values(&mapping(), source, ParseMode::Strict).0
}

fn long(path: &str, value: i64) -> (String, FieldValue) {
    (path.to_owned(), FieldValue::Long(value))
}

fn text(path: &str, value: &str) -> (String, FieldValue) {
    (path.to_owned(), FieldValue::Text(value.to_owned()))
}

#[test]
fn values_are_read_as_opensearch_reads_them() {
    let cases = [
        (r#"{"l":["5", 7.9, null, [3]]}"#, vec![long("l", 5), long("l", 7), long("l", 3)]),
        (r#"{"o":[{"x":1},{"x":2}]}"#, vec![long("o.x", 1), long("o.x", 2)]),
        (r#"{"o.x":"4"}"#, vec![long("o.x", 4)]),
        (r#"{"o":[[{"x":1}],null]}"#, vec![long("o.x", 1)]),
        (r#"{"k":[1.0, 1e30, true, "x"]}"#, vec![text("k", "1.0"), text("k", "1e30"), text("k", "true"), text("k", "x")]),
        (r#"{"ka":["abc","abcd","äöü"]}"#, vec![text("ka", "abc"), text("ka", "äöü")]),
        (r#"{"kk":"7"}"#, vec![text("kk", "7"), long("kk.n", 7)]),
        (r#"{"c":"12"}"#, vec![text("c", "12"), long("l", 12)]),
        (r#"{"nv":null,"k":null,"t":[]}"#, vec![text("nv", "NULL")]),
        (r#"{"d":"2024-01-01","b":""}"#, vec![long("d", 1_704_067_200_000), ("b".to_owned(), FieldValue::Bool(false))]),
        (r#"{"f":0.1}"#, vec![("f".to_owned(), FieldValue::Double(f64::from(0.1_f32)))]),
        (r#"{"dis":{"a":[{"b":1},2]},"new":1}"#, vec![]),
        (r#"{"l":""}"#, vec![]),
    ];
    for (source, expected) in cases {
        assert_eq!(strict(source), expected, "{source}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_opensearchs_words() {
    let cases: [(&str, &str, Option<&str>); 20] = [
        (
            r#"{"l":"abc"}"#,
            "failed to parse field [l] of type [long] in document with id '1'. Preview of field's value: 'abc'",
            Some("For input string: \"abc\""),
        ),
        (
            r#"{"l":{"a":[1,"b",null,true,1.0,{"z":"q"}]}}"#,
            "failed to parse field [l] of type [long] in document with id '1'. Preview of field's value: '{a=[1, b, null, true, 1.0, {z=q}]}'",
            None,
        ),
        (
            r#"{"t":{"x":1}}"#,
            "failed to parse field [t] of type [text] in document with id '1'. Preview of field's value: '{x=1}'",
            Some("Can't get text on a START_OBJECT at 1:6"),
        ),
        (
            r#"{"i":2147483648.5}"#,
            "failed to parse field [i] of type [integer] in document with id '1'. Preview of field's value: '2.1474836485E9'",
            None,
        ),
        (
            r#"{"f":1e39}"#,
            "failed to parse field [f] of type [float] in document with id '1'. Preview of field's value: 'Infinity'",
            Some("[float] supports only finite values, but got [Infinity]"),
        ),
        (
            r#"{"kk":"x"}"#,
            "failed to parse field [kk.n] of type [integer] in document with id '1'. Preview of field's value: 'x'",
            Some("For input string: \"x\""),
        ),
        (
            r#"{"c":"zz"}"#,
            "failed to parse field [l] of type [long] in document with id '1'. Preview of field's value: 'zz'",
            Some("For input string: \"zz\""),
        ),
        (
            r#"{"b":"yes"}"#,
            "failed to parse field [b] of type [boolean] in document with id '1'. Preview of field's value: 'yes'",
            Some("Failed to parse value [yes] as only [true] or [false] are allowed."),
        ),
        (
            r#"{"d":"nodate"}"#,
            "failed to parse field [d] of type [date] in document with id '1'. Preview of field's value: 'nodate'",
            Some("failed to parse date field [nodate] with format [strict_date_optional_time||epoch_millis]"),
        ),
        (
            r#"{"d":""}"#,
            "failed to parse field [d] of type [date] in document with id '1'. Preview of field's value: ''",
            Some("cannot parse empty date"),
        ),
        (r#"{"o":5}"#, "object mapping for [o] tried to parse field [o] as object, but found a concrete value", None),
        (r#"{"o":[1]}"#, "object mapping for [o] tried to parse field [null] as object, but found a concrete value", None),
        (r#"{"im":{"a":1}}"#, "failed to parse field [im] of type [long] in document with id '1'. Preview of field's value: '{a=1}'", None),
        (
            r#"{"_id":1}"#,
            "failed to parse field [_id] of type [_id] in document with id '1'. Preview of field's value: '1'",
            Some("Field [_id] is a metadata field and cannot be added inside a document. Use the index API request parameters."),
        ),
        (r#"{"":1}"#, "failed to parse", Some("field name cannot be an empty string")),
        (r#"{"a..b":1}"#, "failed to parse", Some("object field starting or ending with a [.] makes object resolution ambiguous: [a..b]")),
        ("5", "failed to parse", Some("Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes")),
        ("", "failed to parse", Some("Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes")),
        (r#"{"i":5}{"i":6}"#, "failed to parse", Some("Malformed content, found extra data after parsing: START_OBJECT")),
        (r#"{"i":5,"i":6}"#, "failed to parse", None),
    ];
    for (source, reason, cause) in cases {
        let error = mapping().parse_document("1", source.as_bytes(), ParseMode::Strict).unwrap_err();
        assert_eq!(error.to_string(), reason, "{source}");
        if let Some(cause) = cause {
            assert_eq!(error.cause().unwrap().to_string(), cause, "{source}");
        }
    }
    let long = format!(r#"{{"k":"{}"}}"#, "x".repeat(32_767));
    let error = mapping().parse_document("1", long.as_bytes(), ParseMode::Strict).unwrap_err();
    assert!(error.to_string().starts_with("Document contains at least one immense term in field=\"k\" (whose UTF8"));
    assert_eq!(error.type_name(), "illegal_argument_exception");
}

#[test]
fn malformed_values_are_listed_where_that_is_allowed() {
    let (found, ignored) = values(&mapping(), r#"{"im":[1,"x",2,"y"]}"#, ParseMode::Strict);
    assert_eq!(found, vec![long("im", 1), long("im", 2)]);
    assert_eq!(ignored, vec!["im"]);
}

#[test]
fn a_total_reading_never_fails_and_knows_the_version() {
    let before = mapping();
    let after = before.merge(&json!({"properties": {"new": {"type": "long"}, "n.x": {"type": "long"}}}), &MappingRules::default()).unwrap();
    let source = r#"{"l":"abc","new":1,"n":{"x":2},"o":5,"_id":1,"k":"v","":1,"a..b":2}"#;
    assert_eq!(values(&after, source, ParseMode::Total(1)), (vec![text("k", "v")], vec!["l".to_owned()]));
    let (found, _) = values(&after, source, ParseMode::Total(2));
    assert_eq!(found, vec![long("new", 1), long("n.x", 2), text("k", "v")]);
    for broken in ["", "{", "[]", "{\"a\":1,\"a\":2}", "\u{0}"] {
        assert_eq!(values(&after, broken, ParseMode::Total(2)), (vec![], vec![]));
    }
}

fn update(mapping: &Value, source: &str) -> Value {
    let mapping = Mapping::parse(mapping, &MappingRules::default()).unwrap();
    let parsed = mapping.parse_document("1", source.as_bytes(), ParseMode::Strict).unwrap();
    let Some(update) = parsed.dynamic_update else { return json!(null) };
    mapping.merge(&update, &MappingRules::default()).unwrap().to_json()
}

#[test]
fn unknown_fields_are_mapped_by_their_values() {
    let source = r#"{"s":"text here","n":5,"f":1.5,"b":true,"d":"2024-01-02","o":{"x":1},"arr":[1,2],"e":[],"nul":null,
        "d2":"2024/01/02 10:00:00","d3":"2024-01-02T10:00:00Z","a.b.c":1,"eo":{},"es":"","oa":[{"q":1}],"num":"12"}"#;
    let string = json!({"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}});
    let expected = json!({"properties": {
        "a": {"properties": {"b": {"properties": {"c": {"type": "long"}}}}}, "arr": {"type": "long"}, "b": {"type": "boolean"},
        "d": {"type": "date"},
        "d2": {"type": "date", "format": "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis", "print_format": "yyyy/MM/dd HH:mm:ss"},
        "d3": {"type": "date"}, "eo": {"type": "object"}, "es": string, "f": {"type": "float"}, "n": {"type": "long"}, "num": string,
        "o": {"properties": {"x": {"type": "long"}}}, "oa": {"properties": {"q": {"type": "long"}}}, "s": string
    }});
    assert_eq!(update(&json!({}), source), expected);
}

#[test]
fn two_values_of_a_new_field_must_fit_each_other() {
    let error = Mapping::default().parse_document("3", br#"{"n":[1,"x"]}"#, ParseMode::Strict).unwrap_err();
    assert_eq!(error.to_string(), "failed to parse field [n] of type [long] in document with id '3'. Preview of field's value: 'x'");
}

#[test]
fn dynamic_can_be_forbidden() {
    let strict = json!({"dynamic": "strict", "properties": {"o": {"properties": {}}}});
    let strict = Mapping::parse(&strict, &MappingRules::default()).unwrap();
    for (source, reason) in [
        (r#"{"new":1}"#, "mapping set to strict, dynamic introduction of [new] within [_doc] is not allowed"),
        (r#"{"o":{"new":1}}"#, "mapping set to strict, dynamic introduction of [new] within [o] is not allowed"),
    ] {
        assert_eq!(strict.parse_document("1", source.as_bytes(), ParseMode::Strict).unwrap_err().to_string(), reason);
    }
    assert!(strict.parse_document("1", br#"{"new":null}"#, ParseMode::Strict).is_ok());
    assert_eq!(update(&json!({"dynamic": false}), r#"{"new":1}"#), json!(null));
}

#[test]
fn templates_come_first() {
    let templates = json!({"dynamic_templates": [
        {"ids": {"match": "*_id", "match_mapping_type": "string", "mapping": {"type": "keyword"}}},
        {"whole": {"match_mapping_type": "long", "unmatch": "*_x", "mapping": {"type": "{dynamic_type}", "store": true}}},
        {"deep": {"path_match": "deep.*", "mapping": {"type": "keyword"}}}
    ], "date_detection": false, "numeric_detection": true});
    let found = update(&templates, r#"{"user_id":"u","n":1,"n_x":2,"deep":{"y":true},"d":"2024-01-01","num":"12","dec":"1.5"}"#);
    let string = json!({"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}});
    assert_eq!(
        found["properties"],
        json!({
            "d": string, "dec": {"type": "float"}, "deep": {"properties": {"y": {"type": "keyword"}}}, "n": {"type": "long", "store": true},
            "n_x": {"type": "long"}, "num": {"type": "long", "store": true}, "user_id": {"type": "keyword"}
        })
    );
}

#[test]
fn deep_documents_are_refused() {
    let source = format!("{}1{}", r#"{"a":"#.repeat(30), "}".repeat(30));
    let error = Mapping::default().parse_document("1", source.as_bytes(), ParseMode::Strict).unwrap_err();
    assert_eq!(error.cause().unwrap().type_name(), "parse_exception");
    let source = format!(r#"{{"a":{}1{}}}"#, "[".repeat(500), "]".repeat(500));
    assert!(Mapping::default().parse_document("1", source.as_bytes(), ParseMode::Strict).is_err());
}

#[test]
fn names_with_many_dots_are_refused_and_not_followed() {
    let name = ["a"; 20_000].join(".");
    let source = format!(r#"{{"{name}":1}}"#);
    assert!(Mapping::default().parse_document("1", source.as_bytes(), ParseMode::Strict).is_err());
    assert_eq!(values(&mapping(), &source, ParseMode::Total(9)), (vec![], vec![]));
    assert!(Mapping::parse(&json!({"properties": {name: {"type": "long"}}}), &MappingRules::default()).is_err());
    let mut deep = json!(1);
    for _ in 0..450 {
        deep = json!({"properties": {"a": deep}});
    }
    assert!(Mapping::parse(&deep, &MappingRules::default()).is_err());
    let mut meta = json!(1);
    for _ in 0..900 {
        meta = json!({"a": meta});
    }
    assert!(Mapping::parse(&json!({"_meta": meta, "foo": meta}), &MappingRules::default()).is_err());
}

proptest::proptest! {
    #[test]
    fn whatever_is_sent_is_read_or_refused(source in r#"[\[\]{}",:a-bilfdkto.0-9 \\eE+-]{0,60}"#) {
        let mapping = mapping();
        let _ = mapping.parse_document("1", source.as_bytes(), ParseMode::Strict);
        proptest::prop_assert!(mapping.parse_document("1", source.as_bytes(), ParseMode::Total(1)).is_ok());
    }

    #[test]
    fn whatever_value_a_field_gets_is_read_or_refused(
        field in "l|i|f|b|d|k|t|im|kk|ka|o|c|nv|dis|new",
        value in r#"-?[0-9]{1,25}(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,4})?|"[0-9a-zTZ:.+-]{0,30}"|\[[0-9,]{0,5}1\]|\{"x":[0-9]\}|null|true"#,
    ) {
        let mapping = mapping();
        let source = format!(r#"{{"{field}":{value}}}"#);
        let _ = Mapping::default().parse_document("1", source.as_bytes(), ParseMode::Strict);
        let strict = mapping.parse_document("1", source.as_bytes(), ParseMode::Strict);
        let total = mapping.parse_document("1", source.as_bytes(), ParseMode::Total(1)).unwrap();
        // Where reading strictly succeeds, both read the same.
        if let Ok(strict) = strict {
            proptest::prop_assert_eq!(strict, total);
        }
    }
}

#[test]
fn what_is_wrong_first_in_a_broken_document_is_told() {
    let body = serde_json::json!({"properties": {"n": {"type": "integer"}, "o": {"properties": {"x": {"type": "keyword"}}}, "off": {"type": "object", "enabled": false}}});
    let mapping = Mapping::parse(&body, &MappingRules::default()).unwrap();
    let refused = |source: &str| mapping.parse_document("1", source.as_bytes(), ParseMode::Strict).unwrap_err();
    let lists = "[".repeat(900) + &"]".repeat(900);
    for (source, expected) in [
        (
            r#"{"n":"x","b":"#.to_owned(),
            "failed to parse field [n] of type [integer] in document with id '1'. Preview of field's value: 'x'",
        ),
        (
            r#"{"n":{"a":1"#.to_owned(),
            "failed to parse field [n] of type [integer] in document with id '1'. Could not parse field value preview,",
        ),
        (r#"{"n":1,"b"#.to_owned(), "failed to parse"),
    ] {
        assert_eq!(refused(&source).to_string(), expected);
    }
    for source in [r#"{"a":"#.repeat(10_000), r#"{"a":"#.repeat(10_000) + "1" + &"}".repeat(10_000)] {
        assert!(refused(&source).cause().unwrap().to_string().starts_with("The depth of the field has exceeded the allowed limit of [20]"));
    }
    for field in ["o", "off", "new"] {
        let error = refused(&format!(r#"{{"{field}":{lists}}}"#));
        assert!(error.cause().unwrap().to_string().starts_with("The depth of the nested array field has exceeded"), "{field}");
    }
    // Where nothing is read, the reader of the text is the first to mind.
    let deep = format!(r#"{{"off":{}1{}}}"#, r#"{"a":"#.repeat(1_500), "}".repeat(1_500));
    assert_eq!(refused(&deep).cause().unwrap().type_name(), "stream_constraints_exception");
}
