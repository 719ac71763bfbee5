//! The few shapes of YAML that a configuration file of a node uses: nested or dotted keys, scalars, lists, comments.

use crate::error::{Error, Result};
use crate::settings::SettingValue;

/// How deep keys may nest; a configuration file is flat.
const DEPTH_MAX: usize = 20;

/// Reads `text` into flat keys with their values and line numbers, in the order of the file.
///
/// # Errors
/// A line that is none of: a key with a value, a key that opens a deeper block, a list item, a comment.
pub(super) fn parse(text: &str) -> Result<Vec<(String, SettingValue, usize)>> {
    let mut found: Vec<(String, SettingValue, usize)> = Vec::new();
    // The open blocks: (indentation, full key).
    let mut open: Vec<(usize, String)> = Vec::new();
    for (number, raw) in text.lines().enumerate() {
        let number = number + 1;
        let line = without_comment(raw).trim_end();
        if line.trim().is_empty() || line.trim() == "---" {
            continue;
        }
        let content = line.trim_start();
        let indent = line.len() - content.len();
        if line[..indent].contains('\t') {
            return Err(broken(number, "indented with a tab; use blanks"));
        }
        if let Some(item) = content.strip_prefix('-').filter(|rest| rest.is_empty() || rest.starts_with(' ')) {
            // A list may stand as deep as its key, so only deeper blocks are closed.
            while open.last().is_some_and(|(at, _)| *at > indent) {
                open.pop();
            }
            let Some((_, key)) = open.last() else { return Err(broken(number, "a list item without a key")) };
            let item = scalar(item.trim(), number)?;
            match found.last_mut() {
                Some((last, SettingValue::List(items), _)) if last == key => items.push(item),
                _ => found.push((key.clone(), SettingValue::List(vec![item]), number)),
            }
            continue;
        }
        while open.last().is_some_and(|(at, _)| *at >= indent) {
            open.pop();
        }
        let (key, value) = split_key(content).ok_or_else(|| broken(number, "expected `key: value`"))?;
        let key = match open.last() {
            Some((_, parent)) => format!("{parent}.{}", unquote(key)),
            None => unquote(key).to_owned(),
        };
        if value.is_empty() {
            if open.len() >= DEPTH_MAX {
                return Err(broken(number, "nested too deeply"));
            }
            open.push((indent, key));
        } else {
            found.push((key, read_value(value, number)?, number));
        }
    }
    Ok(found)
}

/// Reads what stands after a key: a scalar or `[a, b]`.
pub(super) fn read_value(text: &str, line: usize) -> Result<SettingValue> {
    let Some(inner) = text.strip_prefix('[') else { return Ok(SettingValue::One(scalar(text, line)?)) };
    let inner = inner.strip_suffix(']').ok_or_else(|| broken(line, "a list that is not closed with ]"))?;
    let mut items = Vec::new();
    let mut rest = inner.trim();
    while !rest.is_empty() {
        let end = match rest.chars().next().filter(|first| matches!(first, '"' | '\'')) {
            Some(quote) => rest[1..].find(quote).map(|at| at + 2).ok_or_else(|| broken(line, "a text that is not closed"))?,
            None => rest.find(',').unwrap_or(rest.len()),
        };
        items.push(scalar(rest[..end].trim(), line)?);
        rest = rest[end..].trim_start();
        rest = match rest.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None if rest.is_empty() => rest,
            None => return Err(broken(line, "expected a comma between the items of a list")),
        };
    }
    Ok(SettingValue::List(items))
}

fn scalar(text: &str, line: usize) -> Result<String> {
    let quoted = |quote: char| text.len() >= 2 && text.starts_with(quote) && text.ends_with(quote);
    if quoted('\'') || quoted('"') {
        return Ok(unquote(text).to_owned());
    }
    if text.starts_with(['"', '\'', '{', '&', '*', '|', '>']) {
        return Err(broken(line, "a value that is neither a text, a number, a boolean nor a list"));
    }
    Ok(text.to_owned())
}

fn unquote(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

/// A colon ends the key when a blank or the end follows: `seeds: a:9300`.
fn split_key(content: &str) -> Option<(&str, &str)> {
    match content.find(": ") {
        Some(at) => Some((content[..at].trim_end(), content[at + 2..].trim())),
        None => Some((content.strip_suffix(':')?.trim_end(), "")),
    }
}

/// A `#` starts a comment at the start of a line or after a blank, outside of quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') if matches!(before, ' ' | '[' | ',') => quote = Some(character),
            (None, '#') if before.is_whitespace() => return &line[..at],
            _ => {}
        }
        before = character;
    }
    line
}

fn broken(line: usize, what: &str) -> Error {
    Error::Settings { reason: format!("line {line} of the configuration file: {what}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(text: &str) -> Vec<(String, SettingValue)> {
        parse(text).unwrap().into_iter().map(|(key, value, _)| (key, value)).collect()
    }

    fn one(text: &str) -> SettingValue {
        SettingValue::One(text.into())
    }

    #[test]
    fn nested_and_dotted_keys_are_the_same() {
        let nested = "cluster:\n  name: a # the name\n  remote:\n    leader:\n      seeds: [\"h:9300\", 'i:9300']\nhttp.port: 9200\n";
        let dotted = "cluster.name: a\ncluster.remote.leader.seeds:\n  - h:9300\n  - \"i:9300\"\n# end\nhttp:\n  port: 9200";
        assert_eq!(flat(nested), flat(dotted));
        assert_eq!(flat(nested)[0], ("cluster.name".to_owned(), one("a")));
    }

    #[test]
    fn a_hash_inside_a_text_is_no_comment() {
        assert_eq!(
            flat("node.name: \"a # b\"\npath.data: /x#y"),
            vec![("node.name".into(), one("a # b")), ("path.data".into(), one("/x#y"))]
        );
    }

    #[test]
    fn a_broken_line_is_named_by_its_number() {
        for (text, line) in [("a: 1\nnonsense", 2), ("- a", 1), ("a: [b", 1), ("a:\n\tb: c", 2), ("a: {b: c}", 1), ("a: ['b' 'c']", 1)] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("line {line} ")), "{text:?}: {error}");
        }
    }
}
