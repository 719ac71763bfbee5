//! `minimum_should_match`: `2`, `-1`, `75%`, `-25%`, `2<75%`, `2<-25% 9<-3`.

use super::{text, wrong_kind};
use tandem_common::json::Node;
use tandem_common::{Error, Result};

/// How many optional clauses must match, as it was written.
#[derive(Clone, Debug)]
pub(super) struct MinimumShouldMatch(pub(super) String);

impl MinimumShouldMatch {
    /// Reads it for the query called `query`.
    ///
    /// # Errors
    /// A list or an object.
    pub(super) fn read(query: &str, value: &Node<'_>) -> Result<Self> {
        if value.is_object() || value.is_array() {
            return Err(wrong_kind(query, "minimum_should_match", value));
        }
        text(value).map(MinimumShouldMatch)
    }

    /// How many of `clauses` must match; more than there are means that none can.
    ///
    /// # Errors
    /// A text that says no number.
    pub(super) fn of(&self, clauses: usize) -> Result<usize> {
        let count = i64::try_from(clauses).unwrap_or(i64::MAX);
        let wanted = calculate(self.0.trim(), count)?;
        Ok(usize::try_from(wanted).unwrap_or(0))
    }
}

fn parse(text: &str) -> Result<i64> {
    text.trim().parse().map_err(|_| Error::NumberFormat { input: text.trim().to_owned() })
}

fn calculate(spec: &str, count: i64) -> Result<i64> {
    if spec.contains('<') {
        let mut result = count;
        for part in spec.split_whitespace() {
            let (above, then) = part.split_once('<').ok_or_else(|| Error::NumberFormat { input: part.to_owned() })?;
            if count <= parse(above)? {
                return Ok(result);
            }
            result = calculate(then, count)?;
        }
        return Ok(result);
    }
    let number = match spec.strip_suffix('%') {
        Some(percent) => (count as f64 * (parse(percent)? as f64) / 100.0) as i64,
        None => parse(spec)?,
    };
    Ok(if spec.starts_with('-') { (count + number).max(0) } else { number.max(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood() {
        for (spec, clauses, expected) in [
            ("2", 3, 2),
            ("-1", 3, 2),
            ("75%", 3, 2),
            ("-25%", 3, 3),
            ("2<75%", 2, 2),
            ("2<75%", 4, 3),
            ("2<-25% 9<-3", 2, 2),
            ("2<-25% 9<-3", 8, 6),
            ("2<-25% 9<-3", 12, 9),
            ("5", 3, 5),
            ("-5", 3, 0),
            ("0%", 3, 0),
        ] {
            assert_eq!(MinimumShouldMatch(spec.to_owned()).of(clauses).unwrap(), expected, "{spec} of {clauses}");
        }
        assert_eq!(MinimumShouldMatch("x".to_owned()).of(1).unwrap_err().to_string(), "For input string: \"x\"");
    }
}
