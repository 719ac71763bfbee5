//! Stemmers that take little more than plurals off.

use super::endings::{back, cut, cut_one, ends, set};

/// English: `s` endings.
pub(super) fn english(word: &mut Vec<char>) {
    if word.len() < 3 || back(word, 1) != 's' {
        return;
    }
    match back(word, 2) {
        'u' | 's' => {}
        'e' => {
            if word.len() > 3 && back(word, 3) == 'i' && back(word, 4) != 'a' && back(word, 4) != 'e' {
                set(word, 3, 'y');
                cut(word, 2);
            } else if !matches!(back(word, 3), 'i' | 'a' | 'o' | 'e') {
                cut(word, 1);
            }
        }
        _ => cut(word, 1),
    }
}

/// French: plurals, then one letter of gender, accents and doubles.
pub(super) fn french(word: &mut Vec<char>) {
    if word.len() < 6 {
        return;
    }
    if back(word, 1) == 'x' {
        if back(word, 3) == 'a' && back(word, 2) == 'u' {
            set(word, 2, 'l');
        }
        cut(word, 1);
        return;
    }
    for letter in ['s', 'r', 'e', 'é'] {
        if back(word, 1) == letter {
            cut(word, 1);
        }
    }
    if back(word, 1) == back(word, 2) && back(word, 1).is_alphabetic() {
        cut(word, 1);
    }
}

/// German: plurals, umlauts.
pub(super) fn german(word: &mut Vec<char>) {
    if word.len() < 5 {
        return;
    }
    for letter in word.iter_mut() {
        *letter = match *letter {
            'ä' => 'a',
            'ö' => 'o',
            'ü' => 'u',
            other => other,
        };
    }
    if word.len() > 6 && ends(word, "nen") {
        cut(word, 3);
    } else if word.len() > 5 && ["en", "se", "es", "er"].iter().any(|ending| ends(word, ending)) {
        cut(word, 2);
    } else if matches!(back(word, 1), 'n' | 'e' | 's' | 'r') {
        cut(word, 1);
    }
}

/// Norwegian in its first written form.
pub(super) fn norwegian(word: &mut Vec<char>) {
    if word.len() > 4 && back(word, 1) == 's' {
        cut(word, 1);
    }
    if word.len() > 5 && (ends(word, "ene") || ends(word, "ane")) {
        cut(word, 3);
    } else if word.len() > 4 && ["er", "en", "et"].iter().any(|ending| ends(word, ending)) {
        cut(word, 2);
    } else if word.len() > 3 && matches!(back(word, 1), 'a' | 'e') {
        cut(word, 1);
    }
}

/// Norwegian in its second written form.
pub(super) fn nynorsk(word: &mut Vec<char>) {
    if word.len() > 4 && back(word, 1) == 's' {
        cut(word, 1);
    }
    if word.len() > 5 && (ends(word, "ene") || ends(word, "ane")) {
        cut(word, 3);
    } else if word.len() > 4 && ["er", "en", "et", "ar"].iter().any(|ending| ends(word, ending)) {
        cut(word, 2);
    } else if word.len() > 3 && matches!(back(word, 1), 'a' | 'e') {
        cut(word, 1);
    }
}

/// Swedish plurals.
pub(super) fn swedish(word: &mut Vec<char>) {
    if word.len() > 4 && back(word, 1) == 's' {
        cut(word, 1);
    }
    if word.len() > 6 && ["arne", "erna", "arna", "orna", "aren"].iter().any(|ending| ends(word, ending)) {
        cut(word, 4);
    } else if word.len() > 5 && ends(word, "are") {
        cut(word, 3);
    } else if word.len() > 4 && ["ar", "at", "er", "et", "or", "en"].iter().any(|ending| ends(word, ending)) {
        cut(word, 2);
    } else if word.len() > 3 && matches!(back(word, 1), 'a' | 'e' | 'n') {
        cut(word, 1);
    }
}

/// Spanish plurals.
pub(super) fn spanish(word: &mut Vec<char>) {
    if word.len() < 4 {
        return;
    }
    for letter in word.iter_mut() {
        *letter = super::light_romance::plain(*letter);
    }
    if back(word, 1) == 's' {
        if cut_one(word, &["eses"], 0) {
            word.extend("es".chars());
        } else if ends(word, "ces") {
            cut(word, 3);
            word.push('z');
        } else if ends(word, "es") && !matches!(back(word, 3), 'a' | 'e' | 'i' | 'o' | 'u') {
            cut(word, 2);
        } else if matches!(back(word, 2), 'a' | 'e' | 'o') {
            cut(word, 1);
        }
    }
}
