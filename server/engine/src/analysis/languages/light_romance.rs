//! Light stemmers of French, Italian, Portuguese and Spanish: gender, number and what makes words of words.

use super::endings::{back, cut, ends, set};

/// A letter without the marks that these languages set.
pub(super) fn plain(letter: char) -> char {
    match letter {
        'à' | 'á' | 'â' | 'ä' | 'ã' => 'a',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ò' | 'ó' | 'ô' | 'ö' | 'õ' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        other => other,
    }
}

/// Italian.
pub(super) fn italian(word: &mut Vec<char>) {
    if word.len() < 6 {
        return;
    }
    for letter in word.iter_mut() {
        *letter = match *letter {
            same @ ('ã' | 'õ') => same,
            other => plain(other),
        };
    }
    match back(word, 1) {
        'e' => {
            if matches!(back(word, 2), 'i' | 'h') {
                cut(word, 2);
            } else {
                cut(word, 1);
            }
        }
        'i' => {
            if matches!(back(word, 2), 'h' | 'i') {
                cut(word, 2);
            } else {
                cut(word, 1);
            }
        }
        'a' | 'o' => {
            if back(word, 2) == 'i' {
                cut(word, 2);
            } else {
                cut(word, 1);
            }
        }
        _ => {}
    }
}

/// Spanish.
pub(super) fn spanish(word: &mut Vec<char>) {
    if word.len() < 5 {
        return;
    }
    for letter in word.iter_mut() {
        *letter = match *letter {
            same @ ('ã' | 'õ') => same,
            other => plain(other),
        };
    }
    match back(word, 1) {
        'o' | 'a' | 'e' => cut(word, 1),
        's' => {
            if back(word, 2) == 'e' && back(word, 3) == 's' && back(word, 4) == 'e' {
                cut(word, 2);
            } else if back(word, 2) == 'e' && back(word, 3) == 'c' {
                set(word, 3, 'z');
                cut(word, 2);
            } else if matches!(back(word, 2), 'o' | 'a' | 'e') {
                cut(word, 2);
            }
        }
        _ => {}
    }
}

/// Portuguese.
pub(super) fn portuguese(word: &mut Vec<char>) {
    if word.len() < 4 {
        return;
    }
    portuguese_plural(word);
    if word.len() > 3 && back(word, 1) == 'a' {
        portuguese_gender(word);
    }
    if word.len() > 4 && matches!(back(word, 1), 'e' | 'a' | 'o') {
        cut(word, 1);
    }
    for letter in word.iter_mut() {
        *letter = match *letter {
            'ç' => 'c',
            other => plain(other),
        };
    }
}

fn portuguese_plural(word: &mut Vec<char>) {
    if word.len() > 4 && ends(word, "es") && matches!(back(word, 3), 'r' | 's' | 'l' | 'z') {
        cut(word, 2);
        return;
    }
    if word.len() > 3 && ends(word, "ns") {
        set(word, 2, 'm');
        cut(word, 1);
        return;
    }
    if word.len() > 4 && (ends(word, "eis") || ends(word, "éis")) {
        set(word, 3, 'e');
        set(word, 2, 'l');
        cut(word, 1);
        return;
    }
    if word.len() > 4 && ends(word, "ais") {
        set(word, 2, 'l');
        cut(word, 1);
        return;
    }
    if word.len() > 4 && ends(word, "óis") {
        set(word, 3, 'o');
        set(word, 2, 'l');
        cut(word, 1);
        return;
    }
    if word.len() > 4 && ends(word, "is") {
        set(word, 1, 'l');
        return;
    }
    if word.len() > 3 && (ends(word, "ões") || ends(word, "ães")) {
        cut(word, 1);
        set(word, 2, 'ã');
        set(word, 1, 'o');
        return;
    }
    if word.len() > 6 && ends(word, "mente") {
        cut(word, 5);
        return;
    }
    if word.len() > 3 && back(word, 1) == 's' {
        cut(word, 1);
    }
}

fn portuguese_gender(word: &mut Vec<char>) {
    if word.len() > 7 && (ends(word, "inha") || ends(word, "iaca") || ends(word, "eira")) {
        set(word, 1, 'o');
        return;
    }
    if word.len() > 6 {
        if ["osa", "ica", "ida", "ada", "iva", "ama"].iter().any(|ending| ends(word, ending)) {
            set(word, 1, 'o');
            return;
        }
        if ends(word, "ona") {
            set(word, 3, 'ã');
            set(word, 2, 'o');
            cut(word, 1);
            return;
        }
        if ends(word, "ora") {
            cut(word, 1);
            return;
        }
        if ends(word, "esa") {
            set(word, 3, 'ê');
            cut(word, 1);
            return;
        }
        if ends(word, "na") {
            set(word, 1, 'o');
        }
    }
}

/// French.
pub(super) fn french(word: &mut Vec<char>) {
    if word.len() > 5 && back(word, 1) == 'x' {
        if back(word, 3) == 'a' && back(word, 2) == 'u' && back(word, 4) != 'e' {
            set(word, 2, 'l');
        }
        cut(word, 1);
    }
    if word.len() > 3 && back(word, 1) == 'x' {
        cut(word, 1);
    }
    if word.len() > 3 && back(word, 1) == 's' {
        cut(word, 1);
    }
    french_derivation(word);
    french_norm(word);
}

/// Ending, how long the word must be, what takes its place.
const FRENCH_ENDINGS: &[(&str, usize, &str)] = &[
    ("issement", 9, "ir"),
    ("issant", 8, "ir"),
    ("ement", 6, ""),
    ("ficatrice", 11, "fier"),
    ("ficateur", 10, "fier"),
    ("catrice", 9, "quer"),
    ("cateur", 8, "quer"),
    ("atrice", 8, "er"),
    ("ateur", 7, "er"),
    ("trice", 6, "teur"),
    ("ième", 5, ""),
    ("teuse", 7, "ter"),
    ("teur", 6, "ter"),
    ("euse", 5, "eu"),
    ("ère", 8, "er"),
    ("ive", 7, "if"),
    ("folle", 4, "fou"),
    ("molle", 4, "mou"),
    ("nnelle", 9, "n"),
    ("nnel", 9, "n"),
    ("ète", 4, "et"),
    ("ique", 8, ""),
    ("esse", 8, "e"),
    ("inage", 7, "in"),
    ("isation", 9, "ual"),
    ("isateur", 9, "ual"),
    ("ation", 8, ""),
    ("ition", 8, ""),
];

fn french_derivation(word: &mut Vec<char>) {
    for (ending, longer_than, instead) in FRENCH_ENDINGS {
        if word.len() <= *longer_than || !ends(word, ending) {
            continue;
        }
        match *ending {
            // Only behind some letters.
            "isation" | "isateur" if !ends(word, &format!("ual{ending}")) => {
                cut(word, 7);
                return;
            }
            "isation" | "isateur" => cut(word, 7 + 3),
            "ement" => {
                cut(word, 4);
                if word.len() > 3 && ends(word, "ive") {
                    cut(word, 1);
                    set(word, 1, 'f');
                }
                return;
            }
            _ => cut(word, ending.chars().count()),
        }
        word.extend(instead.chars());
        return;
    }
}

/// No accents, no double letters, no `e` behind.
fn french_norm(word: &mut Vec<char>) {
    if word.len() > 4 {
        for letter in word.iter_mut() {
            *letter = match *letter {
                'à' | 'á' | 'â' => 'a',
                'ô' => 'o',
                'è' | 'é' | 'ê' => 'e',
                'ù' | 'û' => 'u',
                'î' => 'i',
                'ç' => 'c',
                other => other,
            };
        }
        word.dedup_by(|letter, before| letter == before && letter.is_alphabetic());
    }
    if word.len() > 4 && ends(word, "ie") {
        cut(word, 2);
    }
    if word.len() > 4 {
        for letter in ['r', 'e'] {
            if back(word, 1) == letter {
                cut(word, 1);
            }
        }
        if back(word, 1) == 'e' {
            cut(word, 1);
        }
        if back(word, 1) == back(word, 2) && back(word, 1).is_alphabetic() {
            cut(word, 1);
        }
    }
}
