//! Porter's stemmer for English, in its first published form, which is what the `english` analyzer uses.

/// Stems a lowercase word in place. Words shorter than three letters stay as they are; whatever is no vowel is a consonant.
pub(super) fn stem(word: &mut String) {
    let letters: Vec<char> = word.chars().collect();
    if letters.len() < 3 {
        return;
    }
    let mut stemmer = Stemmer { word: letters };
    stemmer.step_1a();
    stemmer.step_1b();
    stemmer.step_1c();
    stemmer.replace_by_table(STEP_2, 1);
    stemmer.replace_by_table(STEP_3, 1);
    stemmer.step_4();
    stemmer.step_5();
    word.clear();
    word.extend(stemmer.word);
}

const STEP_2: &[(&str, &str)] = &[
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("logi", "log"),
];

const STEP_3: &[(&str, &str)] =
    &[("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")];

const STEP_4: &[&str] = &[
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti", "ous", "ive", "ize",
];

struct Stemmer {
    word: Vec<char>,
}

impl Stemmer {
    fn is_consonant(&self, at: usize) -> bool {
        match self.word.get(at) {
            Some('a' | 'e' | 'i' | 'o' | 'u') => false,
            Some('y') => at == 0 || !self.is_consonant(at - 1),
            _ => true,
        }
    }

    /// How often a vowel is followed by a consonant among the first `length` letters.
    fn measure(&self, length: usize) -> usize {
        (1..length).filter(|&at| self.is_consonant(at) && !self.is_consonant(at - 1)).count()
    }

    fn has_vowel(&self, length: usize) -> bool {
        (0..length).any(|at| !self.is_consonant(at))
    }

    /// The length without `suffix`, if the word ends in it.
    fn without(&self, suffix: &str) -> Option<usize> {
        let length = self.word.len().checked_sub(suffix.len())?;
        let end = self.word.get(length..)?;
        end.iter().copied().eq(suffix.chars()).then_some(length)
    }

    fn set_end(&mut self, length: usize, ending: &str) {
        self.word.truncate(length);
        self.word.extend(ending.chars());
    }

    fn ends_double_consonant(&self, length: usize) -> bool {
        length >= 2 && self.word.get(length - 1) == self.word.get(length - 2) && self.is_consonant(length - 1)
    }

    /// Consonant, vowel, consonant, the last not w, x or y: `hop`, not `snow`.
    fn ends_short(&self, length: usize) -> bool {
        length >= 3
            && self.is_consonant(length - 1)
            && !self.is_consonant(length - 2)
            && self.is_consonant(length - 3)
            && !matches!(self.word.get(length - 1), Some('w' | 'x' | 'y'))
    }

    fn step_1a(&mut self) {
        if let Some(length) = self.without("sses").or_else(|| self.without("ies")) {
            self.word.truncate(length + if self.without("sses").is_some() { 2 } else { 1 });
        } else if self.without("ss").is_none()
            && let Some(length) = self.without("s")
        {
            self.word.truncate(length);
        }
    }

    fn step_1b(&mut self) {
        if let Some(length) = self.without("eed") {
            if self.measure(length) > 0 {
                self.word.truncate(length + 2);
            }
            return;
        }
        let Some(length) = self.without("ed").or_else(|| self.without("ing")).filter(|length| self.has_vowel(*length)) else { return };
        self.word.truncate(length);
        if ["at", "bl", "iz"].iter().any(|ending| self.without(ending).is_some()) {
            self.word.push('e');
        } else if self.ends_double_consonant(length) {
            if !matches!(self.word.last(), Some('l' | 's' | 'z')) {
                self.word.pop();
            }
        } else if self.measure(length) == 1 && self.ends_short(length) {
            self.word.push('e');
        }
    }

    fn step_1c(&mut self) {
        if let Some(length) = self.without("y").filter(|length| self.has_vowel(*length)) {
            self.set_end(length, "i");
        }
    }

    /// The longest suffix of the table decides, whether or not the measure then allows it.
    fn replace_by_table(&mut self, table: &[(&str, &str)], measure_min: usize) {
        let longest = table.iter().filter(|(suffix, _)| self.without(suffix).is_some()).max_by_key(|(suffix, _)| suffix.len());
        if let Some((suffix, ending)) = longest
            && let Some(length) = self.without(suffix).filter(|length| self.measure(*length) >= measure_min)
        {
            self.set_end(length, ending);
        }
    }

    fn step_4(&mut self) {
        let Some(suffix) = STEP_4.iter().filter(|suffix| self.without(suffix).is_some()).max_by_key(|suffix| suffix.len()) else { return };
        let length = self.word.len() - suffix.len();
        let fits = *suffix != "ion" || matches!(self.word.get(length.wrapping_sub(1)), Some('s' | 't'));
        if fits && self.measure(length) > 1 {
            self.word.truncate(length);
        }
    }

    fn step_5(&mut self) {
        if let Some(length) = self.without("e") {
            let measure = self.measure(length);
            if measure > 1 || (measure == 1 && !self.ends_short(length)) {
                self.word.truncate(length);
            }
        }
        let length = self.word.len();
        if self.word.last() == Some(&'l') && self.ends_double_consonant(length) && self.measure(length - 1) > 1 {
            self.word.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_their_stems() {
        for (word, expected) in [
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("cats", "cat"),
            ("feed", "feed"),
            ("agreed", "agre"),
            ("plastered", "plaster"),
            ("motoring", "motor"),
            ("conflated", "conflat"),
            ("hopping", "hop"),
            ("falling", "fall"),
            ("filing", "file"),
            ("happy", "happi"),
            ("sky", "sky"),
            ("relational", "relat"),
            ("conditional", "condit"),
            ("vietnamization", "vietnam"),
            ("triplicate", "triplic"),
            ("hopeful", "hope"),
            ("revival", "reviv"),
            ("adoption", "adopt"),
            ("probate", "probat"),
            ("rate", "rate"),
            ("controll", "control"),
            ("roll", "roll"),
            ("running", "run"),
            ("foxes", "fox"),
            ("is", "is"),
            ("naïve", "naïv"),
            ("node.js", "node.j"),
            ("generously", "gener"),
            ("university", "univers"),
        ] {
            let mut stemmed = word.to_owned();
            stem(&mut stemmed);
            assert_eq!(stemmed, expected, "{word}");
        }
    }
}
