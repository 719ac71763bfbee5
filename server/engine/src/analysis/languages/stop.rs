//! The stop words of each language, one file each.

macro_rules! lists {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("stop_words/", $name, ".txt")))),*]
    };
}

/// The languages, with their words between blanks.
const LISTS: &[(&str, &str)] = lists!(
    "arabic",
    "armenian",
    "basque",
    "bengali",
    "brazilian",
    "bulgarian",
    "catalan",
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
);

/// Whether a language has stop words.
pub(in crate::analysis) fn has_stop_words(language: &str) -> bool {
    LISTS.iter().any(|(name, _)| *name == language)
}

/// The stop words of a language; none for one that is not known.
pub(in crate::analysis) fn stop_words(language: &str) -> impl Iterator<Item = &'static str> {
    LISTS.iter().find(|(name, _)| *name == language).into_iter().flat_map(|(_, words)| words.split_whitespace())
}
