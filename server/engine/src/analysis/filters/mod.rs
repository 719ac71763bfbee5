//! Token filters: what is done to each word after the text was cut.
//!
//! *What it is*: a catalogue, one file per family. · *Types to know*: [`Part`] (a filter that is ready, or that must know the
//! filters before it), [`super::chain::Filter`]. · **Invariants**: a filter is made from settings alone and never fails on
//! a text; it takes time linear in the text and in what it gives; a word that is left out leaves its place empty unless the
//! filter says otherwise. · *How it fails*: bad settings when the index is made. · *How it is tested*: tables beside the
//! code and in `analysis/registry_tests.rs`, with what OpenSearch answers.

mod cjk_bigram;
pub(super) mod folding;
mod grams;
pub(super) mod letters;
mod min_hash;
mod multiplexer;
mod normalizations;
mod patterns;
mod repeats;
mod shingles;
mod subwords;
mod synonym_map;
mod synonym_rules;
mod synonyms;
mod word_delimiter;
pub(super) mod words;

pub(super) use multiplexer::Multiplexer;
pub(super) use normalizations::Normalization;
pub(super) use synonyms::SynonymSettings;

use super::chain::Filter;
use super::java_regex::JavaRegex;
use super::languages;
use super::section::Section;
use super::token::TokenKind;
use letters::Lowercase;
use std::collections::HashSet;
use std::sync::Arc;
use tandem_common::{Error, Result};
use words::WordSet;

/// What settings make of a filter.
pub(super) enum Part {
    /// A filter.
    Ready(Filter),
    /// Synonyms, whose rules are read by what stands before them.
    Synonyms(SynonymSettings),
    /// Several chains of named filters.
    Multiplexer { chains: Vec<String>, preserve_original: bool },
}

/// How many hashes `min_hash` keeps of a text.
const MIN_HASHES_MAX: i64 = 1 << 20;

/// Filters that are nothing without settings.
const NEED_SETTINGS: &[&str] = &[
    "condition",
    "dictionary_decompounder",
    "hunspell",
    "hyphenation_decompounder",
    "keep",
    "keep_types",
    "keyword_marker",
    "pattern_capture",
    "pattern_replace",
    "predicate_token_filter",
    "stemmer_override",
    "synonym",
    "synonym_graph",
];

/// Whether a filter is nothing without settings.
pub(super) fn needs_settings(type_name: &str) -> bool {
    NEED_SETTINGS.contains(&type_name)
}

/// Whether a filter changes letters and nothing else, so that a normalizer may use it.
pub(super) fn is_for_normalizers(type_name: &str) -> bool {
    matches!(type_name, "lowercase" | "uppercase" | "asciifolding" | "trim" | "elision" | "decimal_digit" | "cjk_width" | "pattern_replace")
        || Normalization::named(type_name).is_some()
}

/// Whether the filter must not stand before synonyms: their rules could not be read through it.
pub(super) fn spoils_synonyms(type_name: &str) -> bool {
    matches!(
        type_name,
        "ngram"
            | "edge_ngram"
            | "shingle"
            | "word_delimiter"
            | "word_delimiter_graph"
            | "multiplexer"
            | "common_grams"
            | "cjk_bigram"
            | "fingerprint"
            | "min_hash"
            | "concatenate_graph"
    )
}

/// Whether the filter knows of words that stemmers leave alone, so that `explain` shows the mark.
pub(super) fn knows_keywords(type_name: &str) -> bool {
    matches!(
        type_name,
        "stemmer"
            | "snowball"
            | "porter_stem"
            | "kstem"
            | "keyword_marker"
            | "keyword_repeat"
            | "stemmer_override"
            | "truncate"
            | "word_delimiter_graph"
            | "word_delimiter"
    ) || type_name.ends_with("_stem")
}

fn missing(reason: impl Into<String>) -> Error {
    Error::illegal_argument(reason.into())
}

/// The filter that a section of settings describes; `None` for a type that does not exist.
///
/// # Errors
/// Settings that are missing or wrong.
pub(super) fn build(type_name: &str, section: &Section<'_>) -> Result<Option<Part>> {
    let filter = match type_name {
        "lowercase" => Filter::word(match section.text("language").map(str::to_lowercase).as_deref() {
            Some("greek") => Lowercase::Greek,
            Some("irish") => Lowercase::Irish,
            Some("turkish") => Lowercase::Turkish,
            _ => Lowercase::Plain,
        }),
        "uppercase" => Filter::word(letters::Uppercase),
        "trim" => Filter::word(letters::Trim),
        "reverse" => Filter::word(letters::Reverse),
        "decimal_digit" => Filter::word(letters::DecimalDigit),
        "apostrophe" => Filter::word(letters::Apostrophe),
        "classic" => Filter::word(letters::Classic),
        "cjk_width" => Filter::word(letters::CjkWidth),
        "truncate" => match section.count("length", 0)? {
            0 => return Err(missing("length parameter must be provided")),
            length => Filter::word(letters::Truncate(length)),
        },
        "length" => {
            let (min, max) = (section.integer("min", 0)?, section.integer("max", i32::MAX)?);
            if min < 0 {
                return Err(missing("minimum length must be greater than or equal to zero"));
            }
            if min > max {
                return Err(missing("maximum length must not be greater than minimum length"));
            }
            Filter::word(letters::Length { min: section.count("min", 0)?, max: section.count("max", i32::MAX as usize)? })
        }
        "asciifolding" if section.flag("preserve_original", false)? => Filter::expand(folding::FoldingBeside),
        "asciifolding" => Filter::word(folding::AsciiFolding),
        "elision" => {
            let Some(articles) = section.words("articles")? else {
                return Err(missing("elision filter requires [articles] or [articles_path] setting"));
            };
            let ignore_case = section.flag("articles_case", false)?;
            let small = |article: String| if ignore_case { article.to_lowercase() } else { article };
            let articles: HashSet<String> = articles.into_iter().map(small).collect();
            Filter::word(letters::Elision { articles: Arc::new(articles), ignore_case })
        }
        "stop" => {
            let ignore_case = section.flag("ignore_case", false)?;
            let words = stop_words(section, "english")?;
            if section.flag("remove_trailing", true)? {
                Filter::word(words::Stop(WordSet::new(words, ignore_case)))
            } else {
                return Err(missing("[remove_trailing] of [stop] is not supported"));
            }
        }
        "keep" => {
            let Some(words) = section.words("keep_words")? else {
                return Err(missing("keep requires either `keep_words` or `keep_words_path` to be configured"));
            };
            Filter::word(words::Keep(WordSet::new(words, section.flag("keep_words_case", false)?)))
        }
        "keep_types" => keep_types(section)?,
        "keyword_marker" => keyword_marker(section)?,
        "stemmer_override" => match section.words("rules")? {
            Some(rules) => Filter::word(words::StemmerOverride::new(&rules)?),
            None => return Err(missing("stemmer override filter requires either `rules` or `rules_path` to be configured")),
        },
        "unique" => Filter::expand(repeats::Unique { only_on_same_position: section.flag("only_on_same_position", false)? }),
        "remove_duplicates" => Filter::expand(repeats::Unique { only_on_same_position: true }),
        "keyword_repeat" => Filter::expand(repeats::KeywordRepeat),
        "limit" => match section.integer("max_token_count", 1)? {
            ..1 => return Err(missing("maxTokenCount must be greater than zero")),
            _ => Filter::expand(repeats::Limit { words_max: section.count("max_token_count", 1)? }),
        },
        "fingerprint" => fingerprint(section)?,
        "min_hash" => min_hash(section)?,
        "ngram" | "edge_ngram" => grams(section, type_name == "edge_ngram")?,
        "shingle" => shingle(section)?,
        "common_grams" => common_grams(section)?,
        "cjk_bigram" => cjk_bigram(section)?,
        "word_delimiter" | "word_delimiter_graph" => word_delimiter(section, type_name == "word_delimiter_graph")?,
        "pattern_replace" => pattern_replace(section)?,
        "pattern_capture" => pattern_capture(section)?,
        "flatten_graph" => Filter::expand(synonyms::FlattenGraph),
        "multiplexer" => {
            let chains = section.list("filters").unwrap_or_default();
            return Ok(Some(Part::Multiplexer { chains, preserve_original: section.flag("preserve_original", true)? }));
        }
        "synonym" | "synonym_graph" => {
            return SynonymSettings::read(section, type_name == "synonym_graph").map(|settings| Some(Part::Synonyms(settings)));
        }
        "condition" | "predicate_token_filter" => {
            return Err(Error::illegal_argument(format!("[{type_name}] token filters need scripts, which are not supported")));
        }
        "standard" => return Err(missing("The [standard] token filter has been removed.")),
        "edgeNGram" | "nGram" => return Err(old_name(type_name, "token filter")),
        other => match Normalization::named(other) {
            Some(normalization) => Filter::word(normalization),
            None => match languages::filter(other, section)? {
                Some(filter) => filter,
                None => return Ok(None),
            },
        },
    };
    Ok(Some(Part::Ready(filter)))
}

/// The filters that have a name without settings, where their defaults differ from those of their type.
///
/// # Errors
/// Names that were taken back.
pub(super) fn pre_configured(name: &str) -> Result<Option<Filter>> {
    Ok(Some(match name {
        "truncate" => Filter::word(letters::Truncate(10)),
        "edge_ngram" => Filter::expand(grams::Grams { min: 1, max: 1, only_edges: true, preserve_original: false }),
        "common_grams" => Filter::Both(Vec::new()),
        "elision" => Filter::word(languages::french_elision()),
        "edgeNGram" | "nGram" => {
            let new = if name == "nGram" { "ngram" } else { "edge_ngram" };
            return Err(Error::illegal_argument(format!(
                "The [{name}] token filter name was deprecated in 6.4 and cannot be used in new indices. Please change the filter name \
                 to [{new}] instead."
            )));
        }
        _ => return Ok(None),
    }))
}

/// The refusal of names that OpenSearch had before.
pub(super) fn old_name(name: &str, _what: &str) -> Error {
    let new = if name == "nGram" { "ngram" } else { "edge_ngram" };
    Error::illegal_argument(format!(
        "The [{name}] tokenizer name was deprecated pre 1.0. Please change the tokenizer name to [{new}] for indices created in versions \
         3.0 or higher instead."
    ))
}

/// `stopwords`: words, or lists by the name of their language.
pub(super) fn stop_words(section: &Section<'_>, default: &str) -> Result<Vec<String>> {
    let Some(words) = section.words("stopwords")? else { return Ok(languages::stop_words(default).map(str::to_owned).collect()) };
    if words == ["_none_"] {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for word in words {
        match word.strip_prefix('_').and_then(|word| word.strip_suffix('_')).filter(|name| languages::has_stop_words(name)) {
            Some(name) => all.extend(languages::stop_words(name).map(str::to_owned)),
            None => all.push(word),
        }
    }
    Ok(all)
}

fn keep_types(section: &Section<'_>) -> Result<Filter> {
    let Some(types) = section.list("types").filter(|types| !types.is_empty()) else {
        return Err(missing("keep_types requires `types` to be configured"));
    };
    let include = match section.text("mode").unwrap_or("include") {
        "include" => true,
        "exclude" => false,
        other => {
            return Err(missing(format!("`keep_types` tokenfilter mode can only be [include] or [exclude] but was [{other}].")));
        }
    };
    Ok(Filter::word(words::KeepTypes { types: types.into_iter().collect(), include }))
}

fn keyword_marker(section: &Section<'_>) -> Result<Filter> {
    let words = section.words("keywords")?;
    Ok(Filter::word(match (section.text("keywords_pattern"), words) {
        (Some(_), Some(_)) => {
            return Err(missing("cannot specify both `keywords_pattern` and `keywords` or `keywords_path`"));
        }
        (Some(pattern), None) => words::KeywordMarker::Pattern(JavaRegex::new(pattern, "")?),
        (None, Some(words)) => words::KeywordMarker::Words(WordSet::new(words, section.flag("ignore_case", false)?)),
        (None, None) => {
            return Err(missing("keyword filter requires either `keywords`, `keywords_path`, or `keywords_pattern` to be configured"));
        }
    }))
}

/// `separator` and `max_output_size` of `fingerprint`.
pub(super) fn fingerprint(section: &Section<'_>) -> Result<Filter> {
    let separator = section.text("separator").unwrap_or(" ");
    let mut letters = separator.chars();
    let (Some(letter), None) = (letters.next(), letters.next()) else {
        return Err(missing(format!("Setting [separator] must be a single, non-null character. [{separator}] was provided.")));
    };
    let output_max = section.count("max_output_size", 255)?;
    Ok(Filter::expand(repeats::Fingerprint { separator: letter, output_max }))
}

fn min_hash(section: &Section<'_>) -> Result<Filter> {
    let (hashes, buckets, set_size) =
        (section.integer("hash_count", 1)?, section.integer("bucket_count", 512)?, section.integer("hash_set_size", 1)?);
    for (name, value) in [("hashCount", hashes), ("bucketCount", buckets), ("hashSetSize", set_size)] {
        if value < 1 {
            return Err(missing(format!("{name} must be greater than zero")));
        }
    }
    if i64::from(hashes) * i64::from(buckets) * i64::from(set_size) > MIN_HASHES_MAX {
        return Err(missing(format!("[min_hash] may not keep more than [{MIN_HASHES_MAX}] hashes of a text")));
    }
    let rotates = section.flag("with_rotation", buckets > 1)?;
    Ok(Filter::expand(min_hash::MinHash {
        hashes: section.count("hash_count", 1)?,
        buckets: section.count("bucket_count", 512)?,
        set_size: section.count("hash_set_size", 1)?,
        rotates,
    }))
}

fn grams(section: &Section<'_>, only_edges: bool) -> Result<Filter> {
    let (min, max) = (section.integer("min_gram", 1)?, section.integer("max_gram", 2)?);
    let difference = max.saturating_sub(min);
    let limit = section.limits.ngram_diff_max;
    if !only_edges && usize::try_from(difference).is_ok_and(|difference| difference > limit) {
        return Err(missing(format!(
            "The difference between max_gram and min_gram in NGram Tokenizer must be less than or equal to: [{limit}] but was \
             [{difference}]. This limit can be set by changing the [index.max_ngram_diff] index level setting."
        )));
    }
    let from_behind = match section.text("side") {
        Some(side) if only_edges => match side {
            "front" => false,
            "back" => true,
            other => return Err(missing(format!("invalid side: {other}"))),
        },
        _ => false,
    };
    check_grams(min, max)?;
    let preserve_original = section.flag("preserve_original", false)?;
    let (min, max) = (usize::try_from(min).unwrap_or(1), usize::try_from(max).unwrap_or(1));
    let filter = Filter::expand(grams::Grams { min, max, only_edges, preserve_original });
    if from_behind {
        return Ok(Filter::Both(vec![Filter::word(letters::Reverse), filter, Filter::word(letters::Reverse)]));
    }
    Ok(filter)
}

/// The bounds of pieces.
pub(super) fn check_grams(min: i32, max: i32) -> Result<()> {
    if min < 1 {
        return Err(missing("minGram must be greater than zero"));
    }
    if min > max {
        return Err(missing("minGram must not be greater than maxGram"));
    }
    Ok(())
}

fn shingle(section: &Section<'_>) -> Result<Filter> {
    let (min, max) = (section.integer("min_shingle_size", 2)?, section.integer("max_shingle_size", 2)?);
    let unigrams = section.flag("output_unigrams", true)?;
    let difference = max.saturating_sub(min).saturating_add(i32::from(unigrams));
    let limit = section.limits.shingle_diff_max;
    if usize::try_from(difference).is_ok_and(|difference| difference > limit) {
        return Err(missing(format!(
            "In Shingle TokenFilter the difference between max_shingle_size and min_shingle_size (and +1 if outputting unigrams) must be \
             less than or equal to: [{limit}] but was [{difference}]. This limit can be set by changing the [index.max_shingle_diff] index \
             level setting."
        )));
    }
    if max < 2 {
        return Err(missing("Max shingle size must be >= 2"));
    }
    if min < 2 {
        return Err(missing("Min shingle size must be >= 2"));
    }
    if min > max {
        return Err(missing("Min shingle size must be <= max shingle size"));
    }
    let (min, max) = (usize::try_from(min).unwrap_or(2), usize::try_from(max).unwrap_or(2));
    Ok(Filter::expand(shingles::Shingles {
        min,
        max,
        unigrams,
        unigrams_if_no_shingles: section.flag("output_unigrams_if_no_shingles", false)?,
        separator: section.text("token_separator").unwrap_or(" ").to_owned(),
        filler: section.text("filler_token").unwrap_or("_").to_owned(),
    }))
}

fn common_grams(section: &Section<'_>) -> Result<Filter> {
    let Some(words) = section.words("common_words")?.filter(|words| !words.is_empty()) else {
        return Err(missing("missing or empty [common_words] or [common_words_path] configuration for common_grams token filter"));
    };
    let common = WordSet::new(words, section.flag("ignore_case", false)?);
    let grams = Filter::expand(shingles::CommonGrams { common });
    if section.flag("query_mode", false)? {
        return Ok(Filter::Both(vec![grams, Filter::expand(shingles::OnlyGrams)]));
    }
    Ok(grams)
}

fn cjk_bigram(section: &Section<'_>) -> Result<Filter> {
    let ignored = section.list("ignored_scripts").unwrap_or_default();
    let scripts = [
        ("han", TokenKind::IDEOGRAPHIC),
        ("hiragana", TokenKind::HIRAGANA),
        ("katakana", TokenKind::KATAKANA),
        ("hangul", TokenKind::HANGUL),
    ];
    let kinds = scripts.into_iter().filter(|(name, _)| !ignored.iter().any(|other| other == name)).map(|(_, kind)| kind).collect();
    Ok(Filter::expand(cjk_bigram::CjkBigram { kinds, unigrams: section.flag("output_unigrams", false)? }))
}

fn word_delimiter(section: &Section<'_>, graph: bool) -> Result<Filter> {
    let table = match section.words("type_table")? {
        Some(rules) => subwords::Types::read_table(&rules)?,
        None => std::collections::HashMap::new(),
    };
    let types = subwords::Types {
        table,
        split_on_case_change: section.flag("split_on_case_change", true)?,
        split_on_numerics: section.flag("split_on_numerics", true)?,
        stem_possessive: section.flag("stem_english_possessive", true)?,
    };
    Ok(Filter::expand(word_delimiter::WordDelimiter {
        types,
        protected: WordSet::new(section.words("protected_words")?.unwrap_or_default(), false),
        word_parts: section.flag("generate_word_parts", true)?,
        number_parts: section.flag("generate_number_parts", true)?,
        join_words: section.flag("catenate_words", false)?,
        join_numbers: section.flag("catenate_numbers", false)?,
        join_all: section.flag("catenate_all", false)?,
        preserve_original: section.flag("preserve_original", false)?,
        adjust_offsets: section.flag("adjust_offsets", true)?,
        ignore_keywords: section.flag("ignore_keywords", false)?,
        graph,
    }))
}

fn pattern_replace(section: &Section<'_>) -> Result<Filter> {
    let Some(pattern) = section.text("pattern") else {
        return Err(missing(format!("pattern is missing for [{}] token filter of type 'pattern_replace'", section.name())));
    };
    let regex = JavaRegex::new(pattern, section.text("flags").unwrap_or_default())?;
    let replacement = section.text("replacement").unwrap_or_default().to_owned();
    Ok(Filter::word(patterns::PatternReplace { regex, replacement, all: section.flag("all", true)? }))
}

fn pattern_capture(section: &Section<'_>) -> Result<Filter> {
    let Some(patterns) = section.list("patterns") else {
        return Err(missing(format!("required setting 'patterns' is missing for token filter [{}]", section.name())));
    };
    let patterns = patterns.iter().map(|pattern| JavaRegex::new(pattern, "")).collect::<Result<_>>()?;
    Ok(Filter::expand(patterns::PatternCapture { patterns, preserve_original: section.flag("preserve_original", true)? }))
}

/// Pairs of every script, as the `cjk` analyzer has them.
pub(super) fn cjk_bigrams() -> Filter {
    let kinds = vec![TokenKind::IDEOGRAPHIC, TokenKind::HIRAGANA, TokenKind::KATAKANA, TokenKind::HANGUL];
    Filter::expand(cjk_bigram::CjkBigram { kinds, unigrams: false })
}
