//! The query string of a request: decoding, reading, and the refusal of parameters that a route does not take.

use percent_encoding::percent_decode_str;
use std::time::Duration;
use tandem_common::settings::{edit_distance, parse_bool};
use tandem_common::{Error, Result, units};

/// What every route takes.
pub(crate) const COMMON: &[&str] = &["pretty", "human", "error_trace", "filter_path", "format", "source", "source_content_type"];

/// The parameters of a request. Of a parameter that was given twice the last value counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    values: Vec<(String, String)>,
}

impl Params {
    /// Reads a query string.
    ///
    /// # Errors
    /// A broken percent-encoding.
    pub(crate) fn parse(query: &str) -> Result<Self> {
        let mut params = Self::default();
        for pair in query.split(['&', ';']).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name, true)?, decode(value, true)?);
            params.values.retain(|(known, _)| *known != name);
            params.values.push((name, value));
        }
        Ok(params)
    }

    /// The value as it was given.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value, unless it is empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The value as its own text, unless it is empty.
    pub(crate) fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// `true`, `false`, or a name without a value, which means true.
    pub(crate) fn bool(&self, name: &str, default: bool) -> Result<bool> {
        match self.get(name) {
            None => Ok(default),
            Some("") => Ok(true),
            Some(text) => parse_bool(text),
        }
    }

    /// A whole number.
    pub(crate) fn long(&self, name: &str) -> Result<Option<i64>> {
        self.number(name, "long")
    }

    /// A whole number of 32 bits.
    pub(crate) fn int(&self, name: &str) -> Result<Option<i32>> {
        self.number(name, "int")
    }

    fn number<T: std::str::FromStr>(&self, name: &str, kind: &str) -> Result<Option<T>> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Error::IllegalArgument {
            reason: format!("Failed to parse {kind} parameter [{name}] with value [{text}]"),
            cause: Some(Box::new(Error::NumberFormat { input: text.to_owned() })),
        })
    }

    /// A time with its unit; `None` when it was not given or is without limit.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Duration>> {
        self.get(name).map_or(Ok(None), |text| units::parse_time(text, name))
    }

    /// A list with commas; empty when it was not given.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        split_list(self.get(name).unwrap_or_default())
    }

    /// Refuses what is neither in `accepted` nor taken by every route, in OpenSearch's words.
    pub(crate) fn check(&self, path: &str, accepted: &[&[&str]]) -> Result<()> {
        let known = || accepted.iter().copied().chain([COMMON]).flatten().copied();
        let mut unknown: Vec<&str> =
            self.values.iter().map(|(name, _)| name.as_str()).filter(|name| !known().any(|other| other == *name)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        unknown.sort_unstable();
        // A body in the query string is known everywhere and meant by nobody who mistypes.
        let meant = || known().filter(|name| !name.starts_with("source"));
        let plural = if unknown.len() > 1 { "s" } else { "" };
        let named: Vec<String> = unknown.iter().map(|name| format!("[{name}]{}", did_you_mean(name, meant()))).collect();
        Err(Error::illegal_argument(format!("request [{path}] contains unrecognized parameter{plural}: {}", named.join(", "))))
    }
}

/// Splits at commas; empty parts are left out.
pub(crate) fn split_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Close means: more than half of the characters may stay.
pub(super) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut close: Vec<(usize, usize, &str)> = Vec::new();
    for candidate in known {
        let (distance, length) = (edit_distance(name, candidate), name.chars().count().max(candidate.chars().count()));
        if distance * 2 < length && !close.iter().any(|(_, _, other)| *other == candidate) {
            close.push((distance, length, candidate));
        }
    }
    // The best first: compares distance / length without dividing.
    close.sort_by(|a, b| (a.0 * b.1).cmp(&(b.0 * a.1)).then(a.2.cmp(b.2)));
    let names: Vec<&str> = close.iter().map(|(_, _, candidate)| *candidate).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!(" -> did you mean [{one}]?"),
        many => format!(" -> did you mean any of [{}]?", many.join(", ")),
    }
}

/// Decodes `%41`, and `+` as a blank where `plus_is_blank`.
///
/// # Errors
/// An escape that is none, or bytes that are not UTF-8.
pub(crate) fn decode(text: &str, plus_is_blank: bool) -> Result<String> {
    let broken = |at: usize, escape: &str| Error::illegal_argument(format!("invalid escape sequence `{escape}' at index {at} of: {text}"));
    for (at, _) in text.match_indices('%') {
        let escape = text
            .get(at..at + 3)
            .ok_or_else(|| Error::illegal_argument(format!("unterminated escape sequence at end of string: {text}")))?;
        if !escape.bytes().skip(1).all(|digit| digit.is_ascii_hexdigit()) {
            return Err(broken(at, escape));
        }
    }
    let blanks = if plus_is_blank { text.replace('+', " ") } else { text.to_owned() };
    let decoded = percent_decode_str(&blanks).decode_utf8().map_err(|_| broken(0, text))?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(query: &str, accepted: &[&[&str]]) -> String {
        Params::parse(query).unwrap().check("/_x", accepted).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_parameter_is_named_with_what_was_probably_meant() {
        assert_eq!(refusal("foo=1", &[]), "request [/_x] contains unrecognized parameter: [foo]");
        assert_eq!(refusal("prety", &[]), "request [/_x] contains unrecognized parameter: [prety] -> did you mean [pretty]?");
        assert_eq!(refusal("foo2=1&foo=2", &[]), "request [/_x] contains unrecognized parameters: [foo], [foo2]");
        assert_eq!(
            refusal("_sorce=a", &[&["_source"]]),
            "request [/_x] contains unrecognized parameter: [_sorce] -> did you mean [_source]?"
        );
        let health: &[&[&str]] = &[&["wait_for_status", "wait_for_events", "wait_for_nodes", "level"]];
        assert_eq!(
            refusal("wait_for_statu=green", health),
            "request [/_x] contains unrecognized parameter: [wait_for_statu] -> did you mean any of [wait_for_status, wait_for_events, wait_for_nodes]?"
        );
    }

    #[test]
    fn values_are_decoded_and_the_last_one_counts() {
        let params = Params::parse("a=1%2C2&b=x+y&a=3%2c4&c&d=").unwrap();
        assert_eq!((params.list("a"), params.get("b")), (vec!["3".to_owned(), "4".to_owned()], Some("x y")));
        assert!(params.bool("c", false).unwrap() && params.bool("d", false).unwrap());
        assert!(params.bool("b", false).is_err());
        for broken in ["a=%zz", "a=%4", "a=%ff"] {
            assert!(Params::parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_number_that_is_none_says_so() {
        let error = Params::parse("if_seq_no=x").unwrap().long("if_seq_no").unwrap_err();
        assert_eq!(error.to_string(), "Failed to parse long parameter [if_seq_no] with value [x]");
        assert_eq!(error.cause().unwrap().to_string(), "For input string: \"x\"");
    }
}
