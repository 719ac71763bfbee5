//! Tokenizers: where words begin and end in a text.
//!
//! *What it is*: a catalogue, one file per family. · *Types to know*: [`super::chain::Tokenizer`], [`super::chain::Cut`]. ·
//! **Invariants**: a tokenizer holds no more of a text than a place in it; it takes time linear in the text and in what it
//! gives; words come in the order in which they begin. · *How it fails*: bad settings when the index is made. · *How it is
//! tested*: tables beside the code, compared with what OpenSearch answers.

mod grams;
mod machine;
mod path;
pub(super) mod pattern;
pub(super) mod runs;
pub(super) mod standard;
mod unicode_classes;

use super::chain::{Filter, Tokenizer};
use super::filters::{check_grams, letters::Lowercase, old_name};
use super::java_regex::JavaRegex;
use super::section::Section;
use runs::{Group, Runs, Sort};
use standard::TOKEN_LENGTH_MAX;
use std::sync::Arc;
use tandem_common::{Error, Result};

/// The longest limit that may be set for a token, in UTF-16 units.
const TOKEN_LENGTH_LIMIT: i32 = 1 << 20;

/// What settings make of a tokenizer: it, and the filter that belongs to it.
pub(super) type Made = (Arc<dyn Tokenizer>, Option<Filter>);

/// The tokenizer that a section of settings describes; `None` for a type that does not exist.
///
/// # Errors
/// Settings that are missing or wrong.
pub(super) fn build(type_name: &str, section: &Section<'_>) -> Result<Option<Made>> {
    let tokenizer: Arc<dyn Tokenizer> = match type_name {
        "standard" => Arc::new(standard::Standard { token_length_max: standard_length(section)? }),
        "classic" => Arc::new(machine::Classic { token_length_max: standard_length(section)? }),
        "uax_url_email" => Arc::new(machine::UrlEmail { token_length_max: standard_length(section)? }),
        "whitespace" => Arc::new(Runs { sort: Sort::NoBlanks, length_max: run_length(section)? }),
        "thai" => Arc::new(Runs { sort: Sort::NoBlanks, length_max: usize::MAX }),
        "letter" => Arc::new(Runs { sort: Sort::Letters, length_max: TOKEN_LENGTH_MAX }),
        "lowercase" => {
            let letters = Arc::new(Runs { sort: Sort::Letters, length_max: TOKEN_LENGTH_MAX });
            return Ok(Some((letters, Some(Filter::word(Lowercase::Plain)))));
        }
        "keyword" => Arc::new(runs::Keyword),
        "ngram" | "edge_ngram" => Arc::new(grams(section, type_name == "edge_ngram")?),
        "path_hierarchy" | "PathHierarchy" => Arc::new(path(section)?),
        "char_group" => Arc::new(char_group(section)?),
        "pattern" => {
            let regex = JavaRegex::new(section.text("pattern").unwrap_or("\\W+"), section.text("flags").unwrap_or_default())?;
            let group = usize::try_from(section.integer("group", -1)?).ok();
            Arc::new(pattern::Pattern { regex, group })
        }
        "simple_pattern" => Arc::new(machine::SimplePattern::new(section.text("pattern").unwrap_or_default(), false)?),
        "simple_pattern_split" => Arc::new(machine::SimplePattern::new(section.text("pattern").unwrap_or_default(), true)?),
        "edgeNGram" | "nGram" => return Err(old_name(type_name, "tokenizer")),
        _ => return Ok(None),
    };
    Ok(Some((tokenizer, None)))
}

fn standard_length(section: &Section<'_>) -> Result<usize> {
    let default = i32::try_from(TOKEN_LENGTH_MAX).unwrap_or(255);
    match section.integer("max_token_length", default)? {
        ..1 => Err(Error::illegal_argument("maxTokenLength must be greater than zero")),
        length if length > TOKEN_LENGTH_LIMIT => {
            Err(Error::illegal_argument(format!("maxTokenLength may not exceed {TOKEN_LENGTH_LIMIT}")))
        }
        length => Ok(usize::try_from(length).unwrap_or(TOKEN_LENGTH_MAX)),
    }
}

fn run_length(section: &Section<'_>) -> Result<usize> {
    let default = i32::try_from(TOKEN_LENGTH_MAX).unwrap_or(255);
    match section.integer("max_token_length", default)? {
        length if !(1..=TOKEN_LENGTH_LIMIT).contains(&length) => {
            Err(Error::illegal_argument(format!("maxTokenLen must be greater than 0 and less than {TOKEN_LENGTH_LIMIT} passed: {length}")))
        }
        length => Ok(usize::try_from(length).unwrap_or(TOKEN_LENGTH_MAX)),
    }
}

/// The groups that `token_chars` may name, in the order in which the refusal lists them.
const TOKEN_CHARS: &str = "symbol, private_use, paragraph_separator, start_punctuation, unassigned, enclosing_mark, connector_punctuation, \
     letter_number, other_number, math_symbol, lowercase_letter, space_separator, surrogate, initial_quote_punctuation, \
     decimal_digit_number, digit, other_punctuation, dash_punctuation, currency_symbol, non_spacing_mark, custom, format, modifier_letter, \
     control, uppercase_letter, other_symbol, end_punctuation, modifier_symbol, other_letter, line_separator, titlecase_letter, letter, \
     punctuation, combining_spacing_mark, final_quote_punctuation, whitespace";

fn grams(section: &Section<'_>, only_edges: bool) -> Result<grams::Grams> {
    let (min, max) = (section.integer("min_gram", 1)?, section.integer("max_gram", 2)?);
    let difference = max.saturating_sub(min);
    let limit = section.limits.ngram_diff_max;
    if !only_edges && usize::try_from(difference).is_ok_and(|difference| difference > limit) {
        return Err(Error::illegal_argument(format!(
            "The difference between max_gram and min_gram in NGram Tokenizer must be less than or equal to: [{limit}] but was \
             [{difference}]. This limit can be set by changing the [index.max_ngram_diff] index level setting."
        )));
    }
    check_grams(min, max)?;
    let (mut groups, mut characters) = (Vec::new(), Vec::new());
    for name in section.list("token_chars").unwrap_or_default() {
        groups.push(match name.to_lowercase().trim() {
            "letter" => Group::Letter,
            "digit" => Group::Digit,
            "whitespace" => Group::Whitespace,
            "punctuation" => Group::Punctuation,
            "symbol" => Group::Symbol,
            "custom" => {
                let Some(custom) = section.text("custom_token_chars") else {
                    return Err(Error::illegal_argument("Token type: 'custom' requires setting `custom_token_chars`"));
                };
                characters.extend(custom.chars());
                continue;
            }
            other => {
                return Err(Error::illegal_argument(format!("Unknown token type: '{other}', must be one of [{TOKEN_CHARS}]")));
            }
        });
    }
    let (min, max) = (usize::try_from(min).unwrap_or(1), usize::try_from(max).unwrap_or(1));
    Ok(grams::Grams { min, max, only_edges, groups, characters })
}

fn path(section: &Section<'_>) -> Result<path::PathHierarchy> {
    let one = |key: &str, default: char| match section.text(key) {
        None => Ok(default),
        Some(text) => {
            let mut letters = text.chars();
            match (letters.next(), letters.next()) {
                (Some(letter), None) => Ok(letter),
                _ => Err(Error::illegal_argument(format!("{key} must be a one char value"))),
            }
        }
    };
    let delimiter = one("delimiter", '/')?;
    Ok(path::PathHierarchy {
        delimiter,
        replacement: one("replacement", delimiter)?,
        skip: section.count("skip", 0)?,
        reverse: section.flag("reverse", false)?,
    })
}

fn char_group(section: &Section<'_>) -> Result<Runs> {
    let (mut groups, mut characters) = (Vec::new(), Vec::new());
    for entry in section.list("tokenize_on_chars").unwrap_or_default() {
        let mut letters = entry.chars();
        match (letters.next(), letters.next(), letters.next()) {
            (None, ..) => return Err(Error::illegal_argument("[tokenize_on_chars] cannot contain empty characters")),
            (Some(letter), None, _) => characters.push(letter),
            (Some('\\'), Some(escaped), None) => characters.push(match escaped {
                '\\' => '\\',
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{C}',
                other => return Err(Error::illegal_argument(format!("Invalid escaped char {other} in [{entry}]"))),
            }),
            _ => groups.push(match entry.as_str() {
                "letter" => Group::Letter,
                "digit" => Group::Digit,
                "whitespace" => Group::Whitespace,
                "punctuation" => Group::Punctuation,
                "symbol" => Group::Symbol,
                other => match other.strip_prefix("\\u").and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
                    Some(letter) => {
                        characters.push(letter);
                        continue;
                    }
                    None => return Err(Error::illegal_argument(format!("Invalid escaped char in [{other}]"))),
                },
            }),
        }
    }
    Ok(Runs { sort: Sort::Not { groups, characters }, length_max: run_length(section)? })
}
