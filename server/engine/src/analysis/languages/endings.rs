//! Helpers of the stemmers: a word as its letters.

/// Whether the word ends so.
pub(super) fn ends(word: &[char], ending: &str) -> bool {
    let mut letters = word.iter().rev();
    ending.chars().rev().all(|letter| letters.next() == Some(&letter))
}

/// Whether the word begins so.
pub(super) fn begins(word: &[char], beginning: &str) -> bool {
    let mut letters = word.iter();
    beginning.chars().all(|letter| letters.next() == Some(&letter))
}

/// The letter so far from the end: 1 is the last.
pub(super) fn back(word: &[char], from_end: usize) -> char {
    word.len().checked_sub(from_end).and_then(|at| word.get(at)).copied().unwrap_or_default()
}

/// Takes letters off the end.
pub(super) fn cut(word: &mut Vec<char>, letters: usize) {
    word.truncate(word.len().saturating_sub(letters));
}

/// Sets the letter so far from the end.
pub(super) fn set(word: &mut [char], from_end: usize, letter: char) {
    if let Some(known) = word.len().checked_sub(from_end).and_then(|at| word.get_mut(at)) {
        *known = letter;
    }
}

/// Takes the first of these endings off that the word has, if so many letters are left. True if one was.
pub(super) fn cut_one(word: &mut Vec<char>, endings: &[&str], left_min: usize) -> bool {
    for ending in endings {
        let length = ending.chars().count();
        if word.len() >= length + left_min && ends(word, ending) {
            cut(word, length);
            return true;
        }
    }
    false
}

/// Takes the first of these beginnings off that the word has, if so many letters are left. True if one was.
pub(super) fn cut_beginning(word: &mut Vec<char>, beginnings: &[&str], left_min: usize) -> bool {
    for beginning in beginnings {
        let length = beginning.chars().count();
        if word.len() >= length + left_min && begins(word, beginning) {
            word.drain(..length);
            return true;
        }
    }
    false
}
