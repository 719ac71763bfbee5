//! The analyzers of languages.

use super::stemmers::{Stemmer, named, stemming};
use super::{CATALAN_ARTICLES, FRENCH_ARTICLES, IRISH_ARTICLES, ITALIAN_ARTICLES, elision, small};
use crate::analysis::analyzer::Analyzer;
use crate::analysis::chain::Filter;
use crate::analysis::filters::letters::{CjkWidth, DecimalDigit, Lowercase};
use crate::analysis::filters::words::{KeywordMarker, StemmerOverride, Stop, WordSet};
use crate::analysis::filters::{Normalization, letters, stop_words};
use crate::analysis::section::Section;
use crate::analysis::tokenizers::runs::{Runs, Sort};
use crate::analysis::tokenizers::standard::{Standard, TOKEN_LENGTH_MAX};
use std::sync::Arc;
use tandem_common::Result;

/// The languages that have an analyzer.
pub(in crate::analysis) const NAMES: &[&str] = &[
    "arabic",
    "armenian",
    "basque",
    "bengali",
    "brazilian",
    "bulgarian",
    "catalan",
    "cjk",
    "czech",
    "danish",
    "dutch",
    "english",
    "estonian",
    "finnish",
    "french",
    "galician",
    "german",
    "greek",
    "hindi",
    "hungarian",
    "indonesian",
    "irish",
    "italian",
    "latvian",
    "lithuanian",
    "norwegian",
    "persian",
    "portuguese",
    "romanian",
    "russian",
    "sorani",
    "spanish",
    "swedish",
    "thai",
    "turkish",
];

/// The analyzer of a language; `None` for one that has none.
///
/// # Errors
/// Words that are to come from a file.
pub(in crate::analysis) fn analyzer(language: &str, section: &Section<'_>) -> Result<Option<Analyzer>> {
    if !NAMES.contains(&language) {
        return Ok(None);
    }
    let list = if language == "cjk" { "english" } else { language };
    let words = if language == "cjk" && !section.has("stopwords") {
        small::CJK_STOP_WORDS.iter().map(|word| (*word).to_owned()).collect()
    } else {
        stop_words(section, list)?
    };
    let stop = Filter::word(Stop(WordSet::new(words, false)));
    let excluded = section.words("stem_exclusion")?.filter(|words| !words.is_empty());
    let marker = excluded.map(|words| Filter::word(KeywordMarker::Words(WordSet::new(words, false))));
    let lower = || Filter::word(Lowercase::Plain);
    let normal = |normalization: Normalization| Filter::word(normalization);
    let stemmer = |name: &str| named(name).map(stemming);
    let mut filters: Vec<Option<Filter>> = Vec::new();
    match language {
        "arabic" => filters.extend([
            Some(lower()),
            Some(Filter::word(DecimalDigit)),
            Some(stop),
            Some(normal(Normalization::Arabic)),
            marker,
            stemmer("arabic"),
        ]),
        "bengali" => filters.extend([
            Some(lower()),
            Some(Filter::word(DecimalDigit)),
            marker,
            Some(normal(Normalization::Indic)),
            Some(normal(Normalization::Bengali)),
            Some(stop),
            stemmer("bengali"),
        ]),
        "catalan" => {
            filters.extend([Some(Filter::word(elision(CATALAN_ARTICLES))), Some(lower()), Some(stop), marker, stemmer("catalan")]);
        }
        "cjk" => filters.extend([Some(Filter::word(CjkWidth)), Some(lower()), Some(small::cjk_bigram()), Some(stop)]),
        "dutch" => {
            let irregular = ["fiets => fiets", "bromfiets => bromfiets", "ei => eier", "kind => kinder"].map(str::to_owned);
            let irregular = StemmerOverride::new(&irregular)?;
            filters.extend([Some(lower()), Some(stop), marker, Some(Filter::word(irregular)), stemmer("dutch")]);
        }
        "english" => filters.extend([
            Some(stemming(Stemmer::Text(super::stemmers::possessive_english))),
            Some(lower()),
            Some(stop),
            marker,
            stemmer("english"),
        ]),
        "french" => {
            filters.extend([Some(Filter::word(elision(FRENCH_ARTICLES))), Some(lower()), Some(stop), marker, stemmer("light_french")]);
        }
        "german" => {
            filters.extend([Some(lower()), Some(stop), marker, Some(normal(Normalization::German)), stemmer("light_german")]);
        }
        "greek" => filters.extend([Some(Filter::word(Lowercase::Greek)), Some(stop), stemmer("greek")]),
        "hindi" => filters.extend([
            Some(lower()),
            Some(Filter::word(DecimalDigit)),
            marker,
            Some(normal(Normalization::Indic)),
            Some(normal(Normalization::Hindi)),
            Some(stop),
            stemmer("hindi"),
        ]),
        "irish" => {
            let hyphens = WordSet::new(["h", "n", "t"], true);
            filters.extend([
                Some(Filter::word(Stop(hyphens))),
                Some(Filter::word(elision(IRISH_ARTICLES))),
                Some(Filter::word(Lowercase::Irish)),
                Some(stop),
                marker,
                stemmer("irish"),
            ]);
        }
        "italian" => {
            filters.extend([Some(Filter::word(elision(ITALIAN_ARTICLES))), Some(lower()), Some(stop), marker, stemmer("light_italian")]);
        }
        "persian" => filters.extend([
            Some(lower()),
            Some(Filter::word(DecimalDigit)),
            Some(normal(Normalization::Arabic)),
            Some(normal(Normalization::Persian)),
            Some(stop),
            marker,
            stemmer("persian"),
        ]),
        "sorani" => filters.extend([
            Some(normal(Normalization::Sorani)),
            Some(lower()),
            Some(Filter::word(DecimalDigit)),
            Some(stop),
            marker,
            stemmer("sorani"),
        ]),
        "thai" => filters.extend([Some(lower()), Some(Filter::word(DecimalDigit)), Some(stop)]),
        "turkish" => filters.extend([
            Some(Filter::word(letters::Apostrophe)),
            Some(Filter::word(Lowercase::Turkish)),
            Some(stop),
            marker,
            stemmer("turkish"),
        ]),
        "brazilian" | "portuguese" | "spanish" => {
            let light = format!("light_{language}");
            let name = if language == "brazilian" { language } else { light.as_str() };
            filters.extend([Some(lower()), Some(stop), marker, stemmer(name)]);
        }
        plain => filters.extend([Some(lower()), Some(stop), marker, stemmer(plain)]),
    }
    let filters = filters.into_iter().flatten().collect();
    let standard = || Arc::new(Standard { token_length_max: TOKEN_LENGTH_MAX });
    let mut analyzer = if language == "thai" {
        Analyzer::new(Arc::new(Runs { sort: Sort::NoBlanks, length_max: usize::MAX }), filters)
    } else {
        Analyzer::new(standard(), filters)
    };
    if language == "persian" {
        analyzer.char_filters.push(Arc::new(small::HalfSpaces));
    }
    Ok(Some(analyzer))
}
