//! `mapping`: replaces texts by texts, the longest at each place.

use super::{CharFilter, Corrections, Filtered};
use crate::analysis::chain::utf16_length;
use std::collections::HashMap;
use tandem_common::{Error, Result};

/// The replacements as a tree of their letters.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    next: HashMap<char, usize>,
    replacement: Option<String>,
}

impl Mapping {
    /// Rules like `a => b`.
    ///
    /// # Errors
    /// A rule without `=>`, or the same text twice.
    pub(super) fn new(rules: &[String]) -> Result<Mapping> {
        let mut mapping = Mapping { nodes: vec![Node::default()] };
        for rule in rules {
            // The last arrow counts, as with a greedy expression.
            let Some((from, to)) = rule.rsplit_once("=>") else {
                return Err(Error::illegal_argument(format!("Invalid mapping rule : [{rule}]")));
            };
            let (from, to) = (unescape(from.trim())?, unescape(to.trim())?);
            if from.is_empty() {
                return Err(Error::illegal_argument("cannot match the empty string"));
            }
            mapping.add(&from, to)?;
        }
        Ok(mapping)
    }

    fn add(&mut self, from: &str, to: String) -> Result<()> {
        let mut at = 0;
        for letter in from.chars() {
            let fresh = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { return Ok(()) };
            at = *node.next.entry(letter).or_insert(fresh);
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        match self.nodes.get_mut(at) {
            Some(node) if node.replacement.is_some() => Err(Error::illegal_argument(format!("match \"{from}\" was already added"))),
            Some(node) => {
                node.replacement = Some(to);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The longest match at the beginning of a text: its bytes and its replacement.
    fn longest(&self, text: &str) -> Option<(usize, &str)> {
        let (mut node, mut best) = (self.nodes.first()?, None);
        for (byte, letter) in text.char_indices() {
            let Some(next) = node.next.get(&letter).and_then(|next| self.nodes.get(*next)) else { break };
            node = next;
            if let Some(replacement) = &node.replacement {
                best = Some((byte + letter.len_utf8(), replacement.as_str()));
            }
        }
        best
    }
}

/// `\n`, `\u0041` and the like.
fn unescape(text: &str) -> Result<String> {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            None => return Err(Error::illegal_argument(format!("Invalid escaped char in [{text}]"))),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{C}'),
            Some('u') => {
                let digits: String = letters.by_ref().take(4).collect();
                let code = if digits.len() == 4 { u32::from_str_radix(&digits, 16).ok() } else { None };
                match code {
                    Some(code) => out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)),
                    None => return Err(Error::illegal_argument(format!("Invalid escaped char in [{text}]"))),
                }
            }
            Some(other) => out.push(other),
        }
    }
    Ok(out)
}

impl CharFilter for Mapping {
    fn apply(&self, text: &str) -> Filtered {
        let (mut out, mut corrections) = (String::with_capacity(text.len()), Corrections::default());
        let (mut byte, mut written) = (0, 0);
        while let Some(letter) = text.get(byte..).and_then(|rest| rest.chars().next()) {
            let Some((length, replacement)) = self.longest(text.get(byte..).unwrap_or_default()) else {
                out.push(letter);
                byte += letter.len_utf8();
                written += letter.len_utf16();
                continue;
            };
            let matched = utf16_length(text.get(byte..byte + length).unwrap_or_default());
            let replaced = utf16_length(replacement);
            let before = corrections.last();
            if replaced < matched {
                corrections.add(written + replaced, before + (matched - replaced).cast_signed());
            } else {
                for extra in 0..replaced - matched {
                    corrections.add(written + matched + extra, before - extra.cast_signed() - 1);
                }
            }
            out.push_str(replacement);
            written += replaced;
            byte += length;
        }
        Filtered { text: out, corrections }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_text_is_replaced_and_offsets_are_kept() {
        let rules = ["a => x", "ab => yyyy", "ph => f", "\\u0041 => "].map(str::to_owned);
        let filtered = Mapping::new(&rules).unwrap().apply("ab phA ac");
        assert_eq!(filtered.text, "yyyy f xc");
        let origins: Vec<usize> = (0..=filtered.text.len()).map(|unit| filtered.corrections.original(unit)).collect();
        assert_eq!(origins, [0, 1, 1, 1, 2, 3, 6, 7, 8, 9]);
    }

    #[test]
    fn rules_that_are_none_are_refused() {
        for (rule, reason) in [("ab", "Invalid mapping rule : [ab]"), ("a\\ => b", "match \"a \" was already added")] {
            let rules = [rule.to_owned(), "a\\u0020 => c".to_owned()];
            let refused = Mapping::new(&rules);
            assert!(refused.is_err() || !reason.starts_with("Invalid mapping"), "{rule}");
        }
        let twice = ["a => b".to_owned(), "a => c".to_owned()];
        assert_eq!(Mapping::new(&twice).unwrap_err().to_string(), "match \"a\" was already added");
    }
}
