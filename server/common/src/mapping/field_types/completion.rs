//! What suggestions are made from: a text, several, or an object with a weight.

use crate::error::{Error, Result};
use crate::json::{Node, NodeValue};

/// The inputs of one value.
pub(in crate::mapping) fn read_completion(node: &Node<'_>, field: Option<&str>) -> Result<Vec<String>> {
    match &node.value {
        NodeValue::Text(text) => Ok(vec![text.to_string()]),
        NodeValue::Object(fields) => {
            let mut inputs = Vec::new();
            for (key, value) in fields {
                match key.as_ref() {
                    "input" => read_inputs(value, &mut inputs)?,
                    "weight" => check_weight(value)?,
                    other => {
                        let reason = format!("unknown field name [{other}], must be one of [input, weight, contexts]");
                        return Err(Error::illegal_argument(reason));
                    }
                }
            }
            Ok(inputs)
        }
        _ => {
            // Inside a list the parser has no name for it.
            let (field, token) = (field.unwrap_or("null"), node.kind_name());
            let reason = format!("failed to parse [{field}]: expected text or object, but got {token}");
            Err(Error::Parsing { reason, position: Some(node.place), cause: None })
        }
    }
}

fn read_inputs(node: &Node<'_>, into: &mut Vec<String>) -> Result<()> {
    match &node.value {
        NodeValue::Text(text) => into.push(text.to_string()),
        NodeValue::Array(items) => {
            for item in items {
                match &item.value {
                    NodeValue::Text(text) => into.push(text.to_string()),
                    _ => return Err(Error::illegal_argument("input array must contain only string values")),
                }
            }
        }
        _ => return Err(Error::illegal_argument(format!("input must be a string or array, but was [{}]", node.kind_name()))),
    }
    Ok(())
}

/// Weights order suggestions; a search does not see them.
fn check_weight(node: &Node<'_>) -> Result<()> {
    let weight = match &node.value {
        NodeValue::Text(text) => {
            text.parse::<i64>().map_err(|_| Error::illegal_argument(format!("weight must be an integer, but was [{text}]")))?
        }
        NodeValue::Number(text) => {
            text.parse::<i64>().map_err(|_| Error::illegal_argument(format!("weight must be an integer, but was [{text}]")))?
        }
        _ => return Err(Error::illegal_argument("weight must be a number or string")),
    };
    if (0..=i64::from(i32::MAX)).contains(&weight) {
        return Ok(());
    }
    Err(Error::illegal_argument(format!("weight must be in the interval [0..2147483647], but was [{weight}]")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse_tree as parse;

    #[test]
    fn inputs_come_in_three_forms() {
        for (source, expected) in
            [(r#""a b""#, vec!["a b"]), (r#"{"input":"a","weight":3}"#, vec!["a"]), (r#"{"input":["a","b"],"weight":"3"}"#, vec!["a", "b"])]
        {
            assert_eq!(read_completion(&parse(source.as_bytes()).unwrap(), Some("c")).unwrap(), expected);
        }
        for (source, reason) in [
            ("5", "failed to parse [c]: expected text or object, but got VALUE_NUMBER"),
            (r#"{"inptu":"a"}"#, "unknown field name [inptu], must be one of [input, weight, contexts]"),
            (r#"{"input":5}"#, "input must be a string or array, but was [VALUE_NUMBER]"),
            (r#"{"input":"a","weight":-3}"#, "weight must be in the interval [0..2147483647], but was [-3]"),
            (r#"{"input":"a","weight":"x"}"#, "weight must be an integer, but was [x]"),
        ] {
            assert_eq!(read_completion(&parse(source.as_bytes()).unwrap(), Some("c")).unwrap_err().to_string(), reason);
        }
    }
}
