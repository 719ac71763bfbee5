//! Stemmers by their names, and the filters that use them.

use super::{arabic, indic, light, light_romance, minimal, porter, small};
use crate::analysis::chain::{Fate, Filter, WordFilter};
use crate::analysis::section::Section;
use crate::analysis::token::Word;
use tandem_common::{Error, Result};
use waken_snowball::Algorithm;

/// Changes a word to its stem.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stemmer {
    /// One of the Snowball project.
    Snowball(Algorithm),
    /// One that works on the letters of the word.
    Letters(fn(&mut Vec<char>)),
    /// One that works on the text of the word.
    Text(fn(&mut String)),
}

/// The longest word that is stemmed, in bytes: longer ones are no words of a language.
const STEMMED_BYTES_MAX: usize = 1_024;

impl WordFilter for Stemmer {
    fn apply(&self, word: &mut Word) -> Fate {
        if word.keyword || word.text.len() > STEMMED_BYTES_MAX {
            return Fate::Kept;
        }
        match self {
            Stemmer::Snowball(algorithm) => {
                let stem = waken_snowball::stem(*algorithm, &word.text);
                if stem != word.text {
                    word.text = stem.into_owned();
                }
            }
            Stemmer::Letters(stem) => {
                let mut letters: Vec<char> = word.text.chars().collect();
                stem(&mut letters);
                word.text.clear();
                word.text.extend(letters);
            }
            Stemmer::Text(stem) => stem(&mut word.text),
        }
        Fate::Kept
    }
}

/// The endings of the English possessive.
pub(super) fn possessive_english(text: &mut String) {
    for ending in ["'s", "'S", "\u{2019}s", "\u{2019}S", "\u{FF07}s", "\u{FF07}S"] {
        if text.ends_with(ending) {
            text.truncate(text.len() - ending.len());
            return;
        }
    }
}

/// The stemmer with a name, as `stemmer` and `snowball` take it.
pub(super) fn named(name: &str) -> Option<Stemmer> {
    use Stemmer::{Letters, Snowball, Text};
    Some(match name {
        "arabic" => Letters(arabic::arabic),
        "armenian" => Snowball(Algorithm::Armenian),
        "basque" => Snowball(Algorithm::Basque),
        "bengali" => Letters(indic::bengali),
        "brazilian" => Text(small::brazilian),
        "bulgarian" => Letters(light::bulgarian),
        "catalan" => Snowball(Algorithm::Catalan),
        "czech" => Letters(light::czech),
        "danish" => Snowball(Algorithm::Danish),
        "dutch" | "kp" | "dutch_kp" => Snowball(Algorithm::DutchPorter),
        "english" | "porter" => Text(porter::stem),
        "porter2" => Snowball(Algorithm::English),
        "minimal_english" | "minimalEnglish" => Letters(minimal::english),
        "possessive_english" | "possessiveEnglish" => Text(possessive_english),
        "estonian" => Snowball(Algorithm::Estonian),
        "finnish" => Snowball(Algorithm::Finnish),
        "french" => Snowball(Algorithm::French),
        "light_french" | "lightFrench" => Letters(light_romance::french),
        "minimal_french" | "minimalFrench" => Letters(minimal::french),
        "german" | "german2" => Snowball(Algorithm::German),
        "light_german" | "lightGerman" => Letters(light::german),
        "minimal_german" | "minimalGerman" => Letters(minimal::german),
        "greek" => Letters(small::greek),
        "hindi" => Letters(indic::hindi),
        "hungarian" => Snowball(Algorithm::Hungarian),
        "light_hungarian" | "lightHungarian" => Letters(light::hungarian),
        "indonesian" => Letters(small::indonesian),
        "light_indonesian" | "lightIndonesian" => Letters(small::light_indonesian),
        "irish" => Snowball(Algorithm::Irish),
        "italian" => Snowball(Algorithm::Italian),
        "light_italian" | "lightItalian" => Letters(light_romance::italian),
        "latvian" => Letters(light::latvian),
        "lithuanian" => Snowball(Algorithm::Lithuanian),
        "norwegian" => Snowball(Algorithm::Norwegian),
        "minimal_norwegian" | "minimalNorwegian" => Letters(minimal::norwegian),
        "minimal_nynorsk" | "minimalNynorsk" => Letters(minimal::nynorsk),
        "persian" => Letters(arabic::persian),
        "portuguese" => Snowball(Algorithm::Portuguese),
        "light_portuguese" | "lightPortuguese" => Letters(light_romance::portuguese),
        "romanian" => Snowball(Algorithm::Romanian),
        "russian" => Snowball(Algorithm::Russian),
        "light_russian" | "lightRussian" => Letters(light::russian),
        "spanish" => Snowball(Algorithm::Spanish),
        "light_spanish" | "lightSpanish" => Letters(light_romance::spanish),
        "spanish_plural" => Letters(minimal::spanish),
        "sorani" => Letters(arabic::sorani),
        "swedish" => Letters(small::swedish),
        "light_swedish" | "lightSwedish" => Letters(light::swedish),
        "minimal_swedish" | "minimalSwedish" => Letters(minimal::swedish),
        "turkish" => Snowball(Algorithm::Turkish),
        _ => return None,
    })
}

fn unknown(name: &str) -> Error {
    let mut class = name.to_owned();
    class.get_mut(..1).into_iter().for_each(str::make_ascii_uppercase);
    Error::IllegalArgument {
        reason: format!("Invalid stemmer class specified: {class}"),
        cause: Some(Box::new(Error::illegal_argument(format!("org.tartarus.snowball.ext.{class}Stemmer")))),
    }
}

/// The stemming filter that a section of settings describes; `None` for a type that does not exist.
///
/// # Errors
/// A stemmer that does not exist.
pub(in crate::analysis) fn filter(type_name: &str, section: &Section<'_>) -> Result<Option<Filter>> {
    let stemmer = match type_name {
        "stemmer" => {
            let name = section.text("language").or_else(|| section.text("name")).unwrap_or("porter");
            named(name).ok_or_else(|| unknown(name))?
        }
        "snowball" => {
            // Here the names are those of the Snowball project, with a capital letter.
            let name = section.text("language").or_else(|| section.text("name")).unwrap_or("English");
            match name.to_lowercase().as_str() {
                "english" => Stemmer::Snowball(Algorithm::English),
                "arabic" => Stemmer::Snowball(Algorithm::Arabic),
                "porter" => Stemmer::Text(porter::stem),
                "hindi" => Stemmer::Snowball(Algorithm::Hindi),
                "indonesian" => Stemmer::Snowball(Algorithm::Indonesian),
                "greek" => Stemmer::Snowball(Algorithm::Greek),
                "dutch" | "kp" => Stemmer::Snowball(Algorithm::DutchPorter),
                "nepali" => Stemmer::Snowball(Algorithm::Nepali),
                "serbian" => Stemmer::Snowball(Algorithm::Serbian),
                "tamil" => Stemmer::Snowball(Algorithm::Tamil),
                "yiddish" => Stemmer::Snowball(Algorithm::Yiddish),
                other => match named(other) {
                    Some(stemmer @ Stemmer::Snowball(_)) => stemmer,
                    _ => return Err(unknown(name)),
                },
            }
        }
        "porter_stem" => Stemmer::Text(porter::stem),
        "arabic_stem" => Stemmer::Letters(arabic::arabic),
        "brazilian_stem" => Stemmer::Text(small::brazilian),
        "czech_stem" => Stemmer::Letters(light::czech),
        "dutch_stem" => Stemmer::Snowball(Algorithm::DutchPorter),
        "french_stem" => Stemmer::Snowball(Algorithm::French),
        "persian_stem" => Stemmer::Letters(arabic::persian),
        "russian_stem" => Stemmer::Snowball(Algorithm::Russian),
        _ => return Ok(None),
    };
    Ok(Some(Filter::word(stemmer)))
}

/// The stemmer as a filter.
pub(super) fn stemming(stemmer: Stemmer) -> Filter {
    Filter::word(stemmer)
}
