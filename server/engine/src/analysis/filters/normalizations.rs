//! Filters that write letters of a language in one way: the `*_normalization` filters and `scandinavian_folding`.

use crate::analysis::chain::{Fate, WordFilter};
use crate::analysis::token::Word;

/// Which language's letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::analysis) enum Normalization {
    Arabic,
    Bengali,
    German,
    Hindi,
    Indic,
    Persian,
    Scandinavian,
    ScandinavianFolding,
    Serbian,
    Sorani,
}

impl Normalization {
    /// The filter with a name.
    pub(in crate::analysis) fn named(name: &str) -> Option<Normalization> {
        Some(match name {
            "arabic_normalization" => Normalization::Arabic,
            "bengali_normalization" => Normalization::Bengali,
            "german_normalization" => Normalization::German,
            "hindi_normalization" => Normalization::Hindi,
            "indic_normalization" => Normalization::Indic,
            "persian_normalization" => Normalization::Persian,
            "scandinavian_normalization" => Normalization::Scandinavian,
            "scandinavian_folding" => Normalization::ScandinavianFolding,
            "serbian_normalization" => Normalization::Serbian,
            "sorani_normalization" => Normalization::Sorani,
            _ => return None,
        })
    }
}

impl WordFilter for Normalization {
    fn apply(&self, word: &mut Word) -> Fate {
        let plain = word.text.is_ascii();
        match self {
            Normalization::German => german(&mut word.text),
            Normalization::Scandinavian => scandinavian(&mut word.text, false),
            Normalization::ScandinavianFolding => scandinavian(&mut word.text, true),
            _ if plain => {}
            Normalization::Arabic => letters(&mut word.text, arabic),
            Normalization::Persian => letters(&mut word.text, persian),
            Normalization::Serbian => serbian(&mut word.text),
            Normalization::Sorani => sorani(&mut word.text),
            Normalization::Hindi => hindi(&mut word.text),
            Normalization::Bengali => bengali(&mut word.text),
            Normalization::Indic => indic(&mut word.text),
        }
        Fate::Kept
    }
}

/// Each letter by another or by none.
fn letters(text: &mut String, change: fn(char) -> Option<char>) {
    *text = text.chars().filter_map(change).collect();
}

fn arabic(letter: char) -> Option<char> {
    Some(match letter {
        'آ' | 'أ' | 'إ' => 'ا',
        'ة' => 'ه',
        'ى' => 'ي',
        '\u{640}' | '\u{64B}'..='\u{652}' => return None,
        other => other,
    })
}

fn persian(letter: char) -> Option<char> {
    Some(match letter {
        '\u{6CC}' | '\u{6D2}' => '\u{64A}',
        '\u{6A9}' => '\u{643}',
        '\u{6C1}' | '\u{6C0}' => '\u{647}',
        '\u{654}' => return None,
        other => other,
    })
}

/// `ä`, `ö`, `ü` lose their dots, `ae` and `oe` their e, `ue` too unless a vowel or q stands before it.
fn german(text: &mut String) {
    #[derive(PartialEq)]
    enum State {
        /// Nothing to mind.
        Plain,
        /// An e would go.
        Umlaut,
        /// A u may stay what it is.
        Vowel,
    }
    let mut state = State::Plain;
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            'a' | 'o' => {
                state = State::Umlaut;
                out.push(letter);
            }
            'u' => {
                state = if state == State::Plain { State::Umlaut } else { State::Vowel };
                out.push(letter);
            }
            'e' => {
                if state != State::Umlaut {
                    out.push(letter);
                }
                state = State::Vowel;
            }
            'i' | 'q' | 'y' => {
                state = State::Vowel;
                out.push(letter);
            }
            'ä' => {
                state = State::Vowel;
                out.push('a');
            }
            'ö' => {
                state = State::Vowel;
                out.push('o');
            }
            'ü' => {
                state = State::Vowel;
                out.push('u');
            }
            'ß' => {
                state = State::Plain;
                out.push_str("ss");
            }
            other => {
                state = State::Plain;
                out.push(other);
            }
        }
    }
    *text = out;
}

/// One way to write å, ä and ö; folded, they lose their marks.
fn scandinavian(text: &mut String, folded: bool) {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let pair = letters.peek().copied().unwrap_or_default();
        let (plain, takes_pair) = match (letter, pair) {
            ('a', 'a' | 'o' | 'A' | 'O') if !folded => ('å', true),
            ('A', 'a' | 'o' | 'A' | 'O') if !folded => ('Å', true),
            ('a', 'e' | 'E') if !folded => ('æ', true),
            ('A', 'e' | 'E') if !folded => ('Æ', true),
            ('o', 'e' | 'o' | 'E' | 'O') if !folded => ('ø', true),
            ('O', 'e' | 'o' | 'E' | 'O') if !folded => ('Ø', true),
            ('a', 'a' | 'e' | 'o' | 'A' | 'E' | 'O') => ('a', true),
            ('A', 'a' | 'e' | 'o' | 'A' | 'E' | 'O') => ('A', true),
            ('o', 'e' | 'o' | 'E' | 'O') => ('o', true),
            ('O', 'e' | 'o' | 'E' | 'O') => ('O', true),
            ('ä', _) => (if folded { 'a' } else { 'æ' }, false),
            ('Ä', _) => (if folded { 'A' } else { 'Æ' }, false),
            ('ö', _) => (if folded { 'o' } else { 'ø' }, false),
            ('Ö', _) => (if folded { 'O' } else { 'Ø' }, false),
            ('å' | 'æ', _) if folded => ('a', false),
            ('Å' | 'Æ', _) if folded => ('A', false),
            ('ø', _) if folded => ('o', false),
            ('Ø', _) if folded => ('O', false),
            (other, _) => (other, false),
        };
        out.push(plain);
        if takes_pair {
            letters.next();
        }
    }
    *text = out;
}

fn serbian(text: &mut String) {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        let latin = match letter {
            'а' => "a",
            'б' => "b",
            'в' => "v",
            'г' => "g",
            'д' => "d",
            'ђ' | 'đ' => "dj",
            'е' => "e",
            'ж' | 'ž' | 'з' => "z",
            'и' => "i",
            'ј' => "j",
            'к' => "k",
            'л' => "l",
            'љ' => "lj",
            'м' => "m",
            'н' => "n",
            'њ' => "nj",
            'о' => "o",
            'п' => "p",
            'р' => "r",
            'с' | 'ш' | 'š' => "s",
            'т' => "t",
            'ћ' | 'ц' | 'ч' | 'ć' | 'č' => "c",
            'у' => "u",
            'ф' => "f",
            'х' => "h",
            'џ' => "dz",
            other => {
                out.push(other);
                continue;
            }
        };
        out.push_str(latin);
    }
    *text = out;
}

/// Arabic letters as Sorani has them; invisible signs go.
fn sorani(text: &mut String) {
    let source: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (place, letter) in source.iter().copied().enumerate() {
        let last = place + 1 == source.len();
        match letter {
            '\u{64A}' | '\u{649}' => out.push('\u{6CC}'),
            '\u{643}' => out.push('\u{6A9}'),
            '\u{200C}' => {
                if out.ends_with('\u{647}') {
                    out.pop();
                    out.push('\u{6D5}');
                }
            }
            '\u{647}' if last => out.push('\u{6D5}'),
            '\u{629}' => out.push('\u{6D5}'),
            '\u{6BE}' => out.push('\u{647}'),
            '\u{631}' if place == 0 => out.push('\u{695}'),
            '\u{692}' => out.push('\u{695}'),
            '\u{640}' | '\u{64B}'..='\u{652}' => {}
            other if is_format(other) => {}
            other => out.push(other),
        }
    }
    *text = out;
}

/// Signs without a shape.
fn is_format(letter: char) -> bool {
    matches!(
        letter,
        '\u{AD}' | '\u{600}'..='\u{605}' | '\u{61C}' | '\u{6DD}' | '\u{70F}' | '\u{890}' | '\u{891}' | '\u{8E2}' | '\u{180E}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206F}' | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
    )
}

fn hindi(text: &mut String) {
    let source: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut place = 0;
    while let Some(letter) = source.get(place).copied() {
        place += 1;
        let plain = match letter {
            // A dead n is the dot above.
            '\u{928}' if source.get(place) == Some(&'\u{94D}') => {
                place += 1;
                '\u{902}'
            }
            '\u{901}' => '\u{902}',
            '\u{93C}' | '\u{94D}' | '\u{200C}' | '\u{200D}' => continue,
            '\u{929}' => '\u{928}',
            '\u{931}' => '\u{930}',
            '\u{934}' => '\u{933}',
            '\u{958}' => '\u{915}',
            '\u{959}' => '\u{916}',
            '\u{95A}' => '\u{917}',
            '\u{95B}' => '\u{91C}',
            '\u{95C}' => '\u{921}',
            '\u{95D}' => '\u{922}',
            '\u{95E}' => '\u{92B}',
            '\u{95F}' => '\u{92F}',
            '\u{945}' | '\u{946}' | '\u{948}' => '\u{947}',
            '\u{949}' | '\u{94A}' | '\u{94C}' => '\u{94B}',
            '\u{90D}' | '\u{90E}' | '\u{910}' => '\u{90F}',
            '\u{911}' | '\u{912}' | '\u{914}' => '\u{913}',
            '\u{972}' | '\u{906}' => '\u{905}',
            '\u{908}' => '\u{907}',
            '\u{90A}' => '\u{909}',
            '\u{960}' => '\u{90B}',
            '\u{961}' => '\u{90C}',
            '\u{940}' => '\u{93F}',
            '\u{942}' => '\u{941}',
            '\u{944}' => '\u{943}',
            '\u{963}' => '\u{962}',
            other => other,
        };
        out.push(plain);
    }
    *text = out;
}

fn bengali(text: &mut String) {
    let source: Vec<char> = text.chars().collect();
    let mut out: Vec<char> = Vec::with_capacity(source.len());
    let mut place = 0;
    while let Some(letter) = source.get(place).copied() {
        let next = source.get(place + 1).copied();
        place += 1;
        match letter {
            '\u{981}' => {}
            '\u{9C0}' => out.push('\u{9BF}'),
            '\u{9C2}' => out.push('\u{9C1}'),
            '\u{9A3}' => out.push('\u{9A8}'),
            '\u{9B6}' | '\u{9B7}' => out.push('\u{9B8}'),
            '\u{9DC}' | '\u{9DD}' => out.push('\u{9B0}'),
            '\u{9CE}' => out.push('\u{9A4}'),
            '\u{999}' => out.push('\u{982}'),
            // At the end of a longer word it goes, of a shorter one it is an h; before a letter it doubles it.
            '\u{983}' => match next {
                None if out.len() > 2 => {}
                None => out.push('\u{9B9}'),
                Some(next) => out.push(next),
            },
            // A y that is joined to the letter before: behind the first letter it is heard as a vowel.
            '\u{9CD}' if next == Some('\u{9AF}') => {
                place += 1;
                if out.len() == 1 {
                    out.push('\u{9C7}');
                    place += usize::from(source.get(place) == Some(&'\u{9BE}'));
                }
            }
            // A b that is joined doubles the letter before, unless that begins the word or is joined itself.
            '\u{9CD}' if next == Some('\u{9AC}') => {
                place += 1;
                let joined = out.len().checked_sub(2).and_then(|at| out.get(at)) == Some(&'\u{9CD}');
                if out.len() > 1 && !joined {
                    out.extend(out.last().copied());
                }
            }
            other => out.push(other),
        }
    }
    *text = out.into_iter().collect();
}

/// Vowel signs that are written in two parts, in one.
const INDIC_PAIRS: &[(char, char, char)] = &[
    ('\u{905}', '\u{93E}', '\u{906}'),
    ('\u{905}', '\u{949}', '\u{911}'),
    ('\u{905}', '\u{94A}', '\u{912}'),
    ('\u{905}', '\u{94B}', '\u{913}'),
    ('\u{905}', '\u{94C}', '\u{914}'),
    ('\u{906}', '\u{945}', '\u{911}'),
    ('\u{906}', '\u{946}', '\u{912}'),
    ('\u{906}', '\u{947}', '\u{913}'),
    ('\u{906}', '\u{948}', '\u{914}'),
    ('\u{90F}', '\u{945}', '\u{90D}'),
    ('\u{90F}', '\u{946}', '\u{90E}'),
    ('\u{90F}', '\u{947}', '\u{910}'),
    ('\u{928}', '\u{93C}', '\u{929}'),
    ('\u{930}', '\u{93C}', '\u{931}'),
    ('\u{933}', '\u{93C}', '\u{934}'),
    ('\u{915}', '\u{93C}', '\u{958}'),
    ('\u{916}', '\u{93C}', '\u{959}'),
    ('\u{917}', '\u{93C}', '\u{95A}'),
    ('\u{91C}', '\u{93C}', '\u{95B}'),
    ('\u{921}', '\u{93C}', '\u{95C}'),
    ('\u{922}', '\u{93C}', '\u{95D}'),
    ('\u{92B}', '\u{93C}', '\u{95E}'),
    ('\u{92F}', '\u{93C}', '\u{95F}'),
    ('\u{93E}', '\u{945}', '\u{949}'),
    ('\u{93E}', '\u{946}', '\u{94A}'),
    ('\u{93E}', '\u{947}', '\u{94B}'),
    ('\u{93E}', '\u{948}', '\u{94C}'),
    ('\u{985}', '\u{9BE}', '\u{986}'),
    ('\u{9A1}', '\u{9BC}', '\u{9DC}'),
    ('\u{9A2}', '\u{9BC}', '\u{9DD}'),
    ('\u{9AF}', '\u{9BC}', '\u{9DF}'),
    ('\u{9C7}', '\u{9BE}', '\u{9CB}'),
    ('\u{9C7}', '\u{9D7}', '\u{9CC}'),
];

fn indic(text: &mut String) {
    let mut out: Vec<char> = Vec::new();
    for letter in text.chars() {
        let joined = out.last().and_then(|before| {
            INDIC_PAIRS.iter().find(|(first, second, _)| first == before && *second == letter).map(|(_, _, joined)| *joined)
        });
        match joined {
            Some(joined) => {
                out.pop();
                out.push(joined);
            }
            None => out.push(letter),
        }
    }
    *text = out.into_iter().collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn german_umlauts_have_one_form() {
        for (text, expected) in [("weißbier", "weissbier"), ("fuenf", "funf"), ("quelle", "quelle"), ("bäcker", "backer"), ("neue", "neue")]
        {
            let mut changed = text.to_owned();
            german(&mut changed);
            assert_eq!(changed, expected);
        }
    }

    #[test]
    fn scandinavian_letters_have_one_form() {
        let mut text = "blåbærsyltetöy aao".to_owned();
        scandinavian(&mut text, false);
        assert_eq!(text, "blåbærsyltetøy åo");
        scandinavian(&mut text, true);
        assert_eq!(text, "blabarsyltetoy ao");
    }
}
