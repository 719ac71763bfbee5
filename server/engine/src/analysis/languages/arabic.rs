//! Stemmers of languages in Arabic letters: Arabic, Persian, Sorani.

use super::endings::{back, begins, cut, ends};

/// Light stemming of Arabic: one article or conjunction before, endings behind.
pub(super) fn arabic(word: &mut Vec<char>) {
    for beginning in ["ال", "وال", "بال", "كال", "فال", "لل", "و"] {
        let length = beginning.chars().count();
        let left = if length == 1 { 3 } else { 2 };
        if begins(word, beginning) && word.len() >= length + left {
            word.drain(..length);
            break;
        }
    }
    for ending in ["ها", "ان", "ات", "ون", "ين", "يه", "ية", "ه", "ة", "ي"] {
        let length = ending.chars().count();
        if ends(word, ending) && word.len() >= length + 2 {
            cut(word, length);
        }
    }
}

/// Light stemming of Persian: plurals, comparatives and possessives.
pub(super) fn persian(word: &mut Vec<char>) {
    for ending in ["ات", "ان", "ترين", "تر", "يي", "ي", "ها"] {
        let length = ending.chars().count();
        if ends(word, ending) && word.len() >= length + 2 {
            cut(word, length);
        }
    }
}

/// Light stemming of Sorani.
pub(super) fn sorani(word: &mut Vec<char>) {
    // A word after a preposition.
    if word.len() > 5 && ends(word, "دا") {
        cut(word, 2);
    } else if word.len() > 4 && ends(word, "نا") {
        cut(word, 1);
    } else if word.len() > 6 && ends(word, "ەوە") {
        cut(word, 3);
    }
    // Possessives.
    if word.len() > 6 && (ends(word, "مان") || ends(word, "یان") || ends(word, "تان")) {
        cut(word, 3);
    }
    // Indefinite, definite, demonstrative, and cases.
    if word.len() > 6 && ends(word, "ێکی") {
        cut(word, 3);
    } else if word.len() > 7 && ends(word, "یەکی") {
        cut(word, 4);
    }
    if word.len() > 5 && ends(word, "ێک") {
        cut(word, 2);
    } else if word.len() > 6 && ends(word, "یەک") {
        cut(word, 3);
    } else if word.len() > 6 && ends(word, "ەکە") {
        cut(word, 3);
    } else if word.len() > 5 && ends(word, "کە") {
        cut(word, 2);
    } else if word.len() > 7 && ends(word, "ەکان") {
        cut(word, 4);
    } else if word.len() > 6 && ends(word, "کان") {
        cut(word, 3);
    } else if word.len() > 7 && ends(word, "یانی") {
        cut(word, 4);
    } else if word.len() > 6 && ends(word, "انی") {
        cut(word, 3);
    } else if word.len() > 6 && ends(word, "یان") {
        cut(word, 3);
    } else if word.len() > 5 && ends(word, "ان") {
        cut(word, 2);
    } else if word.len() > 7 && ends(word, "یانە") {
        cut(word, 4);
    } else if word.len() > 6 && ends(word, "انە") {
        cut(word, 3);
    } else if word.len() > 5 && (ends(word, "ایە") || ends(word, "ەیە")) {
        cut(word, 2);
    } else if word.len() > 4 && back(word, 1) == 'ە' {
        cut(word, 1);
    } else if word.len() > 4 && back(word, 1) == 'ی' {
        cut(word, 1);
    }
}
