//! Light stemmers: case, number and article endings of Bulgarian, Czech, German, Hungarian, Latvian, Russian and Swedish.

use super::endings::{back, cut, cut_one, ends, set};

/// Bulgarian.
pub(super) fn bulgarian(word: &mut Vec<char>) {
    if word.len() < 4 {
        return;
    }
    if word.len() > 5 && ends(word, "ища") {
        return cut(word, 3);
    }
    // The article.
    if word.len() > 6 && ends(word, "ият") {
        cut(word, 3);
    } else if word.len() > 5 && ["ът", "то", "те", "та", "ия"].iter().any(|ending| ends(word, ending)) || word.len() > 4 && ends(word, "ят")
    {
        cut(word, 2);
    }
    bulgarian_plural(word);
    if word.len() > 3 {
        if back(word, 1) == 'я' {
            cut(word, 1);
        }
        if matches!(back(word, 1), 'а' | 'о' | 'е') {
            cut(word, 1);
        }
    }
    if word.len() > 4 && ends(word, "ен") {
        set(word, 2, 'н');
        cut(word, 1);
    }
    if word.len() > 5 && back(word, 2) == 'ъ' {
        let last = back(word, 1);
        set(word, 2, last);
        cut(word, 1);
    }
}

fn bulgarian_plural(word: &mut Vec<char>) {
    if word.len() > 6 {
        if ends(word, "овци") || ends(word, "ове") {
            return cut(word, 3);
        }
        if ends(word, "еве") {
            set(word, 3, 'й');
            return cut(word, 2);
        }
    }
    if word.len() > 5 {
        if ends(word, "ища") {
            return cut(word, 3);
        }
        if ends(word, "та") {
            return cut(word, 2);
        }
        for (ending, letter) in [("ци", 'к'), ("зи", 'г')] {
            if ends(word, ending) {
                set(word, 2, letter);
                return cut(word, 1);
            }
        }
        if back(word, 3) == 'е' && back(word, 1) == 'и' {
            set(word, 3, 'я');
            return cut(word, 1);
        }
    }
    if word.len() > 4 {
        if ends(word, "си") {
            set(word, 2, 'х');
            cut(word, 1);
        } else if back(word, 1) == 'и' {
            cut(word, 1);
        }
    }
}

/// Czech.
pub(super) fn czech(word: &mut Vec<char>) {
    const THREE: &[&str] = &[
        "ech", "ich", "ích", "ého", "ěmi", "emi", "ému", "ěte", "ete", "ěti", "eti", "ího", "iho", "ími", "ímu", "imu", "ách", "ata",
        "aty", "ých", "ama", "ami", "ové", "ovi", "ými",
    ];
    const TWO: &[&str] = &["em", "es", "ém", "ím", "ům", "at", "ám", "os", "us", "ým", "mi", "ou"];
    let _ = cut_one(word, &["atech"], 3)
        || cut_one(word, &["ětem", "etem", "atům"], 3)
        || cut_one(word, THREE, 3)
        || cut_one(word, TWO, 3)
        || cut_one(word, &["a", "e", "i", "o", "u", "ů", "y", "á", "é", "í", "ý", "ě"], 3);
    if word.len() > 5 && (ends(word, "ov") || ends(word, "in") || ends(word, "ův")) {
        cut(word, 2);
    }
    if ends(word, "čt") {
        set(word, 2, 'c');
        set(word, 1, 'k');
    } else if ends(word, "št") {
        set(word, 2, 's');
        set(word, 1, 'k');
    } else if matches!(back(word, 1), 'c' | 'č') {
        set(word, 1, 'k');
    } else if matches!(back(word, 1), 'z' | 'ž') {
        set(word, 1, 'h');
    } else if word.len() > 1 && back(word, 2) == 'e' {
        let last = back(word, 1);
        set(word, 2, last);
        cut(word, 1);
    } else if word.len() > 2 && back(word, 2) == 'ů' {
        set(word, 2, 'o');
    }
}

/// German.
pub(super) fn german(word: &mut Vec<char>) {
    for letter in word.iter_mut() {
        *letter = match *letter {
            'ä' | 'à' | 'á' | 'â' => 'a',
            'ö' | 'ò' | 'ó' | 'ô' => 'o',
            'ï' | 'ì' | 'í' | 'î' => 'i',
            'ü' | 'ù' | 'ú' | 'û' => 'u',
            other => other,
        };
    }
    let hard = |letter: char| matches!(letter, 'b' | 'd' | 'f' | 'g' | 'h' | 'k' | 'l' | 'm' | 'n' | 't');
    if word.len() > 5 && ends(word, "ern") {
        cut(word, 3);
    } else if word.len() > 4 && back(word, 2) == 'e' && matches!(back(word, 1), 'm' | 'n' | 'r' | 's') {
        cut(word, 2);
    } else if word.len() > 3 && (back(word, 1) == 'e' || back(word, 1) == 's' && hard(back(word, 2))) {
        cut(word, 1);
    }
    if word.len() > 5 && ends(word, "est") {
        cut(word, 3);
    } else if word.len() > 4 && (ends(word, "er") || ends(word, "en") || ends(word, "st") && hard(back(word, 3))) {
        cut(word, 2);
    }
}

/// Hungarian.
pub(super) fn hungarian(word: &mut Vec<char>) {
    for letter in word.iter_mut() {
        *letter = match *letter {
            'á' => 'a',
            'ë' | 'é' => 'e',
            'í' => 'i',
            'ó' | 'ő' | 'õ' | 'ö' | 'ô' => 'o',
            'ú' | 'ű' | 'ũ' | 'ü' | 'û' => 'u',
            other => other,
        };
    }
    hungarian_case(word);
    hungarian_possessive(word);
    if word.len() > 3 && back(word, 1) == 'k' {
        if matches!(back(word, 2), 'a' | 'o' | 'e') {
            if word.len() > 4 {
                cut(word, 2);
            } else {
                cut(word, 1);
            }
        } else {
            cut(word, 1);
        }
    }
    if word.len() > 3 && matches!(back(word, 1), 'a' | 'e' | 'i' | 'o') {
        cut(word, 1);
    }
}

fn is_vowel(letter: char) -> bool {
    matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
}

fn hungarian_case(word: &mut Vec<char>) {
    if cut_one(word, &["kent"], 3) {
        return;
    }
    if word.len() > 5 {
        if cut_one(word, &["nak", "nek", "val", "vel", "ert", "rol", "ban", "ben", "bol", "nal", "nel", "hoz", "hez", "tol"], 0) {
            return;
        }
        if (ends(word, "al") || ends(word, "el")) && !is_vowel(back(word, 3)) && back(word, 3) == back(word, 4) {
            return cut(word, 3);
        }
    }
    if word.len() > 4 {
        if cut_one(word, &["at", "et", "ot", "va", "ve", "ra", "re", "ba", "be", "ul", "ig"], 0) {
            return;
        }
        if (ends(word, "on") || ends(word, "en")) && !is_vowel(back(word, 3)) {
            return cut(word, 2);
        }
        match back(word, 1) {
            't' | 'n' => cut(word, 1),
            'a' | 'e' if back(word, 2) == back(word, 3) && !is_vowel(back(word, 2)) => cut(word, 2),
            _ => {}
        }
    }
}

fn hungarian_possessive(word: &mut Vec<char>) {
    let one_of = |word: &[char], endings: &[&str]| endings.iter().any(|ending| ends(word, ending));
    if word.len() > 6 && (!is_vowel(back(word, 5)) && one_of(word, &["atok", "otok", "etek"]) || one_of(word, &["itek", "itok"])) {
        return cut(word, 4);
    }
    if word.len() > 5
        && (!is_vowel(back(word, 4)) && one_of(word, &["unk", "tok", "tek"])
            || is_vowel(back(word, 4)) && ends(word, "juk")
            || ends(word, "ink"))
    {
        return cut(word, 3);
    }
    if word.len() > 4
        && (!is_vowel(back(word, 3)) && one_of(word, &["am", "em", "om", "ad", "ed", "od", "uk"])
            || is_vowel(back(word, 3)) && one_of(word, &["nk", "ja", "je"])
            || one_of(word, &["im", "id", "ik"]))
    {
        return cut(word, 2);
    }
    if word.len() > 3 {
        match back(word, 1) {
            'a' | 'e' if !is_vowel(back(word, 2)) => cut(word, 1),
            'm' | 'd' if is_vowel(back(word, 2)) => cut(word, 1),
            'i' => cut(word, 1),
            _ => {}
        }
    }
}

/// Endings of Latvian: how many vowels the word must have more than, and whether the ending softens what is before it.
const LATVIAN: &[(&str, usize, bool)] = &[
    ("ajiem", 3, false),
    ("ajai", 3, false),
    ("ajam", 2, false),
    ("ajām", 2, false),
    ("ajos", 2, false),
    ("ajās", 2, false),
    ("iem", 2, true),
    ("ajā", 2, false),
    ("ais", 2, false),
    ("ai", 2, false),
    ("ei", 2, false),
    ("ām", 1, false),
    ("am", 1, false),
    ("ēm", 1, false),
    ("īm", 1, false),
    ("im", 1, false),
    ("um", 1, false),
    ("us", 1, true),
    ("as", 1, false),
    ("ās", 1, false),
    ("es", 1, false),
    ("os", 1, true),
    ("ij", 1, false),
    ("īs", 1, false),
    ("ēs", 1, false),
    ("is", 1, false),
    ("ie", 1, false),
    ("u", 1, true),
    ("a", 1, true),
    ("i", 1, true),
    ("e", 1, false),
    ("ā", 1, false),
    ("ē", 1, false),
    ("ī", 1, false),
    ("ū", 1, false),
    ("o", 1, false),
    ("s", 0, false),
    ("š", 0, false),
];

/// Latvian.
pub(super) fn latvian(word: &mut Vec<char>) {
    let vowels = word.iter().filter(|letter| matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u' | 'ā' | 'ī' | 'ē' | 'ū')).count();
    for (ending, more_than, softens) in LATVIAN {
        let length = ending.chars().count();
        if vowels > *more_than && word.len() >= length + 3 && ends(word, ending) {
            cut(word, length);
            if *softens {
                latvian_hard(word, ending.starts_with('u'));
            }
            return;
        }
    }
}

/// Takes the softening of the last consonants back.
fn latvian_hard(word: &mut Vec<char>, before_u: bool) {
    if before_u && ends(word, "kš") {
        word.push('t');
        set(word, 2, 's');
        return;
    }
    let pairs = [("šņ", "sn"), ("žņ", "zn"), ("šļ", "sl"), ("žļ", "zl"), ("ļņ", "ln"), ("ļļ", "ll")];
    if before_u && ends(word, "ņņ") {
        set(word, 2, 'n');
        set(word, 1, 'n');
    } else if ["pj", "bj", "mj", "vj"].iter().any(|ending| ends(word, ending)) {
        cut(word, 1);
    } else if let Some((_, hard)) = pairs.iter().find(|(soft, _)| ends(word, soft)) {
        cut(word, 2);
        word.extend(hard.chars());
    } else {
        match back(word, 1) {
            'č' => set(word, 1, 'c'),
            'ļ' => set(word, 1, 'l'),
            'ņ' => set(word, 1, 'n'),
            _ => {}
        }
    }
}

/// Russian.
pub(super) fn russian(word: &mut Vec<char>) {
    const THREE: &[&str] = &["иям", "иях", "оях", "ями", "оям", "оьв", "ами", "его", "ему", "ери", "ими", "ого", "ому", "ыми", "оев"];
    const TWO: &[&str] = &[
        "ая", "яя", "ях", "юю", "ах", "ею", "их", "ия", "ию", "ьв", "ою", "ую", "ям", "ых", "ея", "ам", "ем", "ей", "ём", "ев", "ий", "им",
        "ое", "ой", "ом", "ов", "ые", "ый", "ым", "ми",
    ];
    let _ = cut_one(word, &["иями", "оями"], 3)
        || cut_one(word, THREE, 3)
        || cut_one(word, TWO, 3)
        || cut_one(word, &["а", "е", "и", "о", "у", "й", "ы", "я", "ь"], 3);
    if word.len() > 3 && (matches!(back(word, 1), 'ь' | 'и') || ends(word, "нн")) {
        cut(word, 1);
    }
}

/// Swedish.
pub(super) fn swedish(word: &mut Vec<char>) {
    if word.len() > 4 && back(word, 1) == 's' {
        cut(word, 1);
    }
    let _ = cut_one(word, &["elser", "heten"], 3)
        || cut_one(word, &["arne", "erna", "ande", "else", "aste", "orna", "aren"], 3)
        || cut_one(word, &["are", "ast", "het"], 3)
        || cut_one(word, &["ar", "er", "or", "en", "at", "te", "et"], 3)
        || cut_one(word, &["t", "a", "e", "n"], 3);
}
