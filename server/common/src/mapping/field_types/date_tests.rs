use super::*;

fn millis(text: &str) -> i64 {
    DateFormat::default().parse(text, Rounding::Down, None).unwrap()
}

#[test]
fn the_default_format_reads_what_clients_send() {
    let cases = [
        ("2024", 1_704_067_200_000),
        ("2024-01-01", 1_704_067_200_000),
        ("2024-01-01T10", 1_704_103_200_000),
        ("2024-01-01T", 1_704_067_200_000),
        ("2024-01-01T10:00Z", 1_704_103_200_000),
        ("2024-01-01T10:00:00.123456789+02:00", 1_704_096_000_123),
        ("2024-01-01T10:00:00,5", 1_704_103_200_500),
        ("1700000000000", 1_700_000_000_000),
        ("12345", 12_345),
        ("-5", -5),
    ];
    for (text, expected) in cases {
        assert_eq!(millis(text), expected, "{text}");
    }
}

#[test]
fn the_default_format_refuses_what_is_no_date() {
    for text in [
        "2024-1-1",
        "2024-13-01",
        "2024-02-30",
        "2024-01-01 10:00:00",
        "2024-W05",
        "2024-01-01T24:00:00",
        "2024-01-01Z",
        "+2024-01-01",
        "2024-01-01T10:00:00[Europe/Paris]",
        "99999999999999999999",
        "nodate",
    ] {
        let error = DateFormat::default().parse(text, Rounding::Down, None).unwrap_err();
        let reason = format!("failed to parse date field [{text}] with format [strict_date_optional_time||epoch_millis]");
        assert_eq!(error.to_string(), reason);
    }
}

#[test]
fn named_formats_and_patterns_are_read_and_printed() {
    let cases = [
        ("yyyy-MM-dd HH:mm:ss", "2024-01-02 03:04:05", 1_704_164_645_000),
        ("yyyy/MM/dd", "2024/01/02", 1_704_153_600_000),
        ("dd/MM/yyyy", "02/01/2024", 1_704_153_600_000),
        ("basic_date", "20240102", 1_704_153_600_000),
        ("epoch_second", "1704153600", 1_704_153_600_000),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2024-01-02T03:04:05.678Z", 1_704_164_645_678),
        ("dd MMM yyyy", "02 Jan 2024", 1_704_153_600_000),
        ("hh:mm a, dd.MM.yyyy", "03:04 PM, 02.01.2024", 1_704_207_840_000),
    ];
    for (format, text, expected) in cases {
        let format = DateFormat::new(format).unwrap();
        assert_eq!(format.parse(text, Rounding::Down, None).unwrap(), expected, "{text}");
        assert_eq!(format.print(expected), text);
    }
    assert_eq!(DateFormat::default().print(1_704_164_645_678), "2024-01-02T03:04:05.678Z");
}

#[test]
fn every_name_has_a_pattern_that_can_be_read() {
    for (name, _, strict) in NAMED {
        DateFormat::new(name).unwrap();
        let found = DateFormat::new(&format!("strict_{name}"));
        assert_eq!(found.is_err(), strict.is_empty(), "{name}");
    }
}

#[test]
fn names_are_read_as_opensearch_reads_them() {
    let noon = 1_709_634_030_123;
    for (format, text, expected) in [
        ("basic_ordinal_date_time", "2024065T102030.123Z", Some(noon)),
        ("basic_week_date_time", "2024W102T102030.123Z", Some(noon)),
        ("basic_t_time", "T102030.123Z", Some(37_230_123)),
        ("date", "2024-3", Some(1_709_251_200_000)),
        ("date", "20240305", None),
        ("strict_date", "2024-3-5", None),
        ("date_time_no_millis", "2024-03-05T10:20", Some(1_709_634_000_000)),
        ("date_hour_minute_second_millis", "2024-03-05T10:20:30.1234", None),
        ("strict_date_hour_minute_second_millis", "2024-03-05T10:20:30.123456", Some(noon)),
        ("strict_date_time", "2024-03-05T10:20:30+01:00", Some(1_709_630_430_000)),
        ("week_date", "2024-W1-2", Some(1_704_153_600_000)),
        ("strict_week_date", "2024-W1-2", None),
        ("weekyear", "2024", None),
        ("strict_year_month_day", "2024-03", Some(1_709_251_200_000)),
        ("rfc3339_lenient", "2024-03-05T10:20:30.123+0000", None),
        ("strict_date_optional_time_nanos", "2024-03-05T10:20", None),
        ("YYYY-'W'ww-e", "2024-W10-2", Some(1_709_510_400_000)),
        ("QQQ yyyy", "Q2 2024", Some(1_711_929_600_000)),
        ("k:mm", "24:20", Some(1_200_000)),
        ("yyyy-MM-dd xxx", "2024-03-05 Europe/Paris", None),
        ("yyyy-MM-dd VV", "2024-03-05 Europe/Paris", Some(1_709_593_200_000)),
    ] {
        let found = DateFormat::new(format).unwrap().parse(text, Rounding::Down, None).ok();
        assert_eq!(found, expected, "{format}: {text}");
    }
}

#[test]
fn letters_are_printed_as_java_prints_them() {
    for (format, text) in [
        ("MMMM d, yyyy", "Mar 5, 2024"),
        ("EEEE e c EEEEE", "Tue 3 3 T"),
        ("YYYY ww QQQ QQ", "2024 10 Q1 01"),
        ("k K h a", "10 10 10 AM"),
        ("X xxx Z ZZZZ ZZZZZ z", "Z +00:00 +0000 GMT Z Z"),
        ("A n G", "37230123 123000000 CE"),
        ("weekyear_week_day", "2024-W10-2"),
        ("epoch_second", "1709634030.123"),
        ("year", "2024"),
    ] {
        assert_eq!(DateFormat::new(format).unwrap().print(1_709_634_030_123), text, "{format}");
    }
    assert_eq!(DateFormat::default().print(1_709_634_030_123_000), "+56146-02-22T21:42:03.000Z");
}

#[test]
fn a_format_that_is_none_is_refused() {
    let error = DateFormat::new("nosuch-fmt").unwrap_err();
    assert_eq!(error.to_string(), "Invalid format: [nosuch-fmt]: Unknown pattern letter: o");
}

#[test]
fn zones_shift_local_times() {
    let format = DateFormat::default();
    let zone = parse_zone("+01:00").unwrap();
    assert_eq!(format.parse("2024-01-01", Rounding::Down, Some(&zone)).unwrap(), millis("2023-12-31T23:00"));
    let zone = parse_zone("Europe/Paris").unwrap();
    assert_eq!(format.parse("2024-07-01", Rounding::Down, Some(&zone)).unwrap(), millis("2024-06-30T22:00"));
    assert_eq!(
        crate::mapping::field_types::parse_date_math("2024-07-01||/M", &format, 0, Rounding::Down, Some(&zone)).unwrap(),
        millis("2024-06-30T22:00")
    );
}
