//! Stemmers of languages in Arabic letters: Arabic, Persian, Sorani.

use super::endings::{begins, cut, ends};

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

/// Endings of Sorani that stand before and behind the possessives: how long a word must be to lose each, the ending, and how
/// many of its letters go. The first that fits counts.
const SORANI_FIRST: &[(usize, &str, usize)] = &[(6, "دا", 2), (5, "نا", 1), (7, "ەوە", 3)];
const SORANI_POSSESSIVE: &[(usize, &str, usize)] = &[(7, "مان", 3), (7, "یان", 3), (7, "تان", 3)];
const SORANI_EZAFE: &[(usize, &str, usize)] = &[(7, "ێکی", 3), (8, "یەکی", 4)];
const SORANI_LAST: &[(usize, &str, usize)] = &[
    (6, "ێک", 2),
    (7, "یەک", 3),
    (7, "ەکە", 3),
    (6, "کە", 2),
    (8, "ەکان", 4),
    (7, "کان", 3),
    (8, "یانی", 4),
    (7, "انی", 3),
    (7, "یان", 3),
    (6, "ان", 2),
    (8, "یانە", 4),
    (7, "انە", 3),
    (6, "ایە", 2),
    (6, "ەیە", 2),
    (5, "ە", 1),
    (5, "ی", 1),
];

/// Light stemming of Sorani.
pub(super) fn sorani(word: &mut Vec<char>) {
    for endings in [SORANI_FIRST, SORANI_POSSESSIVE, SORANI_EZAFE, SORANI_LAST] {
        let found = endings.iter().find(|(length_min, ending, _)| word.len() >= *length_min && ends(word, ending));
        if let Some((_, _, letters)) = found {
            cut(word, *letters);
        }
    }
}
