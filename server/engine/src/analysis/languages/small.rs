//! What some languages need besides a stemmer of the usual kind.

use super::endings::{begins, cut_beginning, cut_one, ends};
use crate::analysis::chain::Filter;
use crate::analysis::char_filters::{CharFilter, Corrections, Filtered};
use crate::analysis::filters::cjk_bigrams;

/// The words that the `cjk` analyzer leaves out.
pub(super) const CJK_STOP_WORDS: &[&str] = &[
    "a", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of", "on", "or", "s", "such",
    "t", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with", "www",
];

/// Pairs of every script.
pub(super) fn cjk_bigram() -> Filter {
    cjk_bigrams()
}

/// Persian writes some endings behind a joint without width: it parts words.
#[derive(Debug)]
pub(super) struct HalfSpaces;

impl CharFilter for HalfSpaces {
    fn apply(&self, text: &str) -> Filtered {
        Filtered { text: text.replace('\u{200C}', " "), corrections: Corrections::default() }
    }
}

/// Letters of a word that make syllables in Indonesian.
fn syllables(word: &[char]) -> usize {
    word.iter().filter(|letter| is_vowel(**letter)).count()
}

fn is_vowel(letter: char) -> bool {
    matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u')
}

/// What an Indonesian word has lost, on which depends what it may lose yet.
#[derive(Default)]
struct Lost {
    ke: bool,
    peng: bool,
    di: bool,
    meng: bool,
    ter: bool,
    ber: bool,
    pe: bool,
}

/// Indonesian, particles and pronouns only.
pub(super) fn light_indonesian(word: &mut Vec<char>) {
    let mut count = syllables(word);
    if count > 2 && cut_one(word, &["kah", "lah", "pun"], 0) {
        count -= 1;
    }
    if count > 2 {
        cut_one(word, &["ku", "mu", "nya"], 0);
    }
}

/// Indonesian, with what makes words of words.
pub(super) fn indonesian(word: &mut Vec<char>) {
    let mut count = syllables(word);
    if count > 2 && cut_one(word, &["kah", "lah", "pun"], 0) {
        count -= 1;
    }
    if count > 2 && cut_one(word, &["ku", "mu", "nya"], 0) {
        count -= 1;
    }
    let mut lost = Lost::default();
    let first = count > 2 && first_prefix(word, &mut lost);
    count -= usize::from(first);
    if first {
        let suffix = count > 2 && indonesian_suffix(word, &lost);
        count -= usize::from(suffix);
        if suffix && count > 2 {
            second_prefix(word, &mut lost);
        }
    } else {
        if count > 2 && second_prefix(word, &mut lost) {
            count -= 1;
        }
        if count > 2 {
            indonesian_suffix(word, &lost);
        }
    }
}

fn first_prefix(word: &mut Vec<char>, lost: &mut Lost) -> bool {
    let vowel_at = |word: &[char], at: usize| word.get(at).copied().is_some_and(is_vowel);
    if cut_beginning(word, &["meng"], 0) {
        lost.meng = true;
    } else if begins(word, "meny") && vowel_at(word, 4) {
        lost.meng = true;
        word.splice(..4, ['s']);
    } else if cut_beginning(word, &["men", "mem", "me"], 0) {
        lost.meng = true;
    } else if cut_beginning(word, &["peng"], 0) {
        lost.peng = true;
    } else if begins(word, "peny") && vowel_at(word, 4) {
        lost.peng = true;
        word.splice(..4, ['s']);
    } else if cut_beginning(word, &["peny"], 0) {
        lost.peng = true;
    } else if begins(word, "pen") && vowel_at(word, 3) {
        lost.peng = true;
        word.splice(..3, ['t']);
    } else if cut_beginning(word, &["pen", "pem"], 0) {
        lost.peng = true;
    } else if cut_beginning(word, &["di"], 0) {
        lost.di = true;
    } else if cut_beginning(word, &["ter"], 0) {
        lost.ter = true;
    } else if cut_beginning(word, &["ke"], 0) {
        lost.ke = true;
    } else {
        return false;
    }
    true
}

fn second_prefix(word: &mut Vec<char>, lost: &mut Lost) -> bool {
    if cut_beginning(word, &["ber"], 0) || word.len() == 7 && begins(word, "belajar") && cut_beginning(word, &["bel"], 0) {
        lost.ber = true;
    } else if begins(word, "be")
        && word.get(2).is_some_and(|letter| !is_vowel(*letter))
        && word.get(3) == Some(&'e')
        && word.get(4) == Some(&'r')
    {
        word.drain(..2);
        lost.ber = true;
    } else if cut_beginning(word, &["per"], 0) || word.len() == 7 && begins(word, "pelajar") && cut_beginning(word, &["pel"], 0) {
    } else if cut_beginning(word, &["pe"], 0) {
        lost.pe = true;
    } else {
        return false;
    }
    true
}

fn indonesian_suffix(word: &mut Vec<char>, lost: &Lost) -> bool {
    if !lost.ke && !lost.peng && !lost.pe && cut_one(word, &["kan"], 0) {
        return true;
    }
    if !lost.di && !lost.meng && !lost.ter && cut_one(word, &["an"], 0) {
        return true;
    }
    !ends(word, "si") && !lost.ber && !lost.ke && !lost.peng && cut_one(word, &["i"], 0)
}

/// The shortest word that is stemmed in Greek.
const GREEK_LENGTH_MIN: usize = 4;

/// Greek.
pub(super) fn greek(word: &mut Vec<char>) {
    if word.len() >= GREEK_LENGTH_MIN {
        let text: String = word.iter().collect();
        let stem: Vec<char> = waken_snowball::stem(waken_snowball::Algorithm::Greek, &text).chars().collect();
        // Some words are all endings.
        if !stem.is_empty() {
            *word = stem;
        }
    }
}

/// Portuguese as it is spoken in Brazil: without its accents, and then as the other.
pub(super) fn brazilian(text: &mut String) {
    // Shorter and longer ones are left as they are.
    if !(3..30).contains(&text.chars().count()) || !text.chars().all(char::is_alphabetic) {
        return;
    }
    let plain: String = text
        .chars()
        .map(|letter| match letter {
            'ç' => 'c',
            'ñ' => 'n',
            other => super::light_romance::plain(other),
        })
        .collect();
    *text = waken_snowball::stem(waken_snowball::Algorithm::Portuguese, &plain).into_owned();
}

/// Endings of Swedish that go where they stand behind the first syllable.
const SWEDISH: &[&str] = &[
    "heterna", "hetens", "anden", "andet", "andes", "arnas", "ernas", "ornas", "arens", "heten", "heter", "arna", "erna", "orna", "ande",
    "arne", "aste", "aren", "ades", "erns", "ade", "are", "ern", "ens", "het", "ast", "ad", "en", "ar", "er", "or", "as", "es", "at", "a",
    "e",
];

/// Swedish, in the form that the Snowball project first gave it.
pub(super) fn swedish(word: &mut Vec<char>) {
    let is_vowel = |letter: &char| matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'ä' | 'å' | 'ö');
    let vowel = word.iter().position(is_vowel);
    let after = vowel.and_then(|from| word.iter().skip(from).position(|letter| !is_vowel(letter)).map(|at| from + at + 1));
    // Endings stand behind the first consonant that follows a vowel, and behind three letters at the least.
    let region = after.map_or(word.len(), |at| at.max(3));
    let cut_in_region = |word: &mut Vec<char>, endings: &[&str]| {
        let left = word.len().saturating_sub(region);
        let found = endings.iter().find(|ending| ending.chars().count() <= left && ends(word, ending));
        if let Some(ending) = found {
            word.truncate(word.len() - ending.chars().count());
        }
        found.is_some()
    };
    if !cut_in_region(word, SWEDISH) && word.len() > region && word.last() == Some(&'s') {
        let before = word.len().checked_sub(2).and_then(|at| word.get(at)).copied().unwrap_or_default();
        if matches!(before, 'b' | 'c' | 'd' | 'f' | 'g' | 'h' | 'j' | 'k' | 'l' | 'm' | 'n' | 'o' | 'p' | 'r' | 't' | 'v' | 'y') {
            word.pop();
        }
    }
    let left = word.len().saturating_sub(region);
    if left >= 2 && ["dd", "gd", "nn", "dt", "gt", "kt", "tt"].iter().any(|ending| ends(word, ending)) {
        word.pop();
    }
    let left = word.len().saturating_sub(region);
    let comparative =
        left >= 3 && ends(word, "öst") && matches!(super::endings::back(word, 4), 'i' | 'k' | 'l' | 'n' | 'p' | 'r' | 't' | 'u' | 'v');
    if left >= 5 && ends(word, "fullt") || comparative {
        word.pop();
    } else {
        cut_in_region(word, &["lig", "els", "ig"]);
    }
}
