use super::*;

fn reason(source: &str) -> String {
    parse(source.as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_tree_holds_what_serde_reads() {
    let source = r#" {"a": [1, -2.50, "x\u00e9\n\ud83d\ude00", null, true], "b": {}, "c": "plain"} "#;
    let node = parse(source.as_bytes()).unwrap();
    assert_eq!(node.preview(), "{a=[1, -2.5, xé\n😀, null, true], b={}, c=plain}");
}

#[test]
fn errors_name_the_place() {
    assert!(reason(r#"{"a":1,"a":2}"#).starts_with("Duplicate field 'a'\n at "));
    assert!(reason(r#"{"a":1,"a":2}"#).ends_with("line: 1, column: 11]"));
    assert!(reason(r#"{"a":}"#).starts_with("Unexpected character ('}' (code 125)): expected a value"));
    assert!(reason(r#"{"a":}"#).ends_with("line: 1, column: 6]"));
    assert!(reason(r#"{"a":1"#).starts_with("Unexpected end-of-input: expected close marker for Object (start marker at "));
    let (_, extra) = parse_with_breaks(br#"{"a":1}{"b":2}"#);
    assert_eq!(extra.unwrap().to_string(), "Malformed content, found extra data after parsing: START_OBJECT");
    assert!(reason(r#"{"f":NaN}"#).ends_with("line: 1, column: 9]"));
}

#[test]
fn a_broken_text_is_read_up_to_its_break() {
    for text in [r#"{"a":1,"b":[2,{"c":"#, r#"{"a":1,"b":[2,{"c":tru"#, r#"{"a":1,"b":[2,{"c":3 5"#] {
        let (root, extra) = parse_open(text.as_bytes());
        assert!(extra.is_none());
        let fields: Vec<_> = root.fields().collect::<Result<_>>().unwrap();
        assert_eq!(fields.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["a", "b"]);
        let items: Vec<_> = fields[1].1.items().collect::<Result<_>>().unwrap();
        assert!(items[1].fields().any(|field| field.is_err()), "{text}");
        assert_eq!(root.to_value().unwrap_err(), parse(text.as_bytes()).unwrap_err());
    }
    assert!(parse_open(b"{\"a\":1,").0.fields().nth(1).unwrap().is_err());
    assert!(parse_open(b"{} x").1.unwrap().unbroken().is_err());
    assert_eq!(parse_open(b"{} []").1.unwrap().place, (1, 4));
}

#[test]
fn values_and_keys_know_their_places() {
    let root = parse(b" {\"a\": 5,\n  \"b\" : [1,\n2 ]}").unwrap();
    let places: Vec<_> = root.fields().map(|field| field.unwrap().1).map(|node| (node.key_place, node.place, node.close)).collect();
    assert_eq!(places, [((1, 3), (1, 8), (1, 8)), ((2, 3), (2, 9), (3, 3))]);
    assert_eq!((root.place, root.close), ((1, 2), (3, 4)));
}

#[test]
fn many_keys_are_still_compared() {
    let fields: String = (0..40).map(|number| format!("\"k{number}\":1,")).collect();
    assert!(parse(format!("{{{fields}\"z\":1}}").as_bytes()).is_ok());
    assert!(reason(&format!("{{{fields}\"k39\":1}}")).starts_with("Duplicate field 'k39'"));
}

#[test]
fn depth_is_bounded_without_overflow() {
    assert!(matches!(parse("[".repeat(5_000).as_bytes()), Err(Error::StreamConstraints { .. })));
}
