//! The rules of synonyms, in Solr's and in WordNet's form.

use super::synonym_map::SynonymMap;
use std::collections::BTreeMap;

/// What reads the words of a rule: `None` where nothing, or no plain run of words, is left of a text.
pub(super) type ReadWords<'a> = dyn Fn(&str) -> Option<Vec<String>> + 'a;

/// Reads a rule in Solr's form. False for one that is none; of it nothing is added.
pub(super) fn read_solr(line: &str, expand: bool, words: &ReadWords<'_>, map: &mut SynonymMap) -> bool {
    if line.is_empty() || line.starts_with('#') {
        return true;
    }
    let sides = split(line, "=>");
    let read = |side: &str| split(side, ",").iter().map(|phrase| words(unescape(phrase).trim())).collect::<Option<Vec<_>>>();
    match sides.as_slice() {
        [all] => {
            let Some(phrases) = read(all) else { return false };
            for (number, input) in phrases.iter().enumerate() {
                if expand {
                    for (other, output) in phrases.iter().enumerate() {
                        if number != other {
                            map.add(input, output, true);
                        }
                    }
                } else if let Some(first) = phrases.first() {
                    map.add(input, first, false);
                }
            }
            true
        }
        [left, right] => {
            let (Some(inputs), Some(outputs)) = (read(left), read(right)) else { return false };
            for input in &inputs {
                for output in &outputs {
                    map.add(input, output, false);
                }
            }
            true
        }
        _ => false,
    }
}

/// Splits at a separator that no backslash stands before.
fn split(text: &str, separator: &str) -> Vec<String> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix(separator) {
            if !part.is_empty() {
                parts.push(std::mem::take(&mut part));
            }
            rest = after;
            continue;
        }
        part.push(letter);
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        if letter == '\\'
            && let Some(next) = rest.chars().next()
        {
            part.push(next);
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

fn unescape(text: &str) -> String {
    let mut letters = text.chars();
    let mut out = String::with_capacity(text.len());
    while let Some(letter) = letters.next() {
        if letter == '\\' {
            out.extend(letters.next());
        } else {
            out.push(letter);
        }
    }
    out
}

/// Reads rules in WordNet's form, `s(100000001,1,'word',v,1,0).`: words with the same number are synonyms. False where a
/// line is none and `lenient` does not pass over it.
pub(super) fn read_wordnet(lines: &[String], expand: bool, lenient: bool, words: &ReadWords<'_>, map: &mut SynonymMap) -> bool {
    let mut groups: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
    for line in lines {
        let parsed = wordnet_line(line).and_then(|(group, text)| Some((group, words(&text)?)));
        match parsed {
            Some((group, phrase)) => groups.entry(group).or_default().push(phrase),
            None if lenient => {}
            None => return false,
        }
    }
    for phrases in groups.values().filter(|phrases| phrases.len() > 1) {
        for (number, input) in phrases.iter().enumerate() {
            for (other, output) in phrases.iter().enumerate() {
                if expand && number != other {
                    map.add(input, output, true);
                } else if !expand && other == 0 {
                    map.add(input, output, false);
                }
            }
        }
    }
    true
}

fn wordnet_line(line: &str) -> Option<(&str, String)> {
    let body = line.strip_prefix("s(")?;
    let (group, rest) = body.split_once(',')?;
    let start = rest.find('\'')? + 1;
    let end = rest.rfind('\'').filter(|end| *end >= start)?;
    // A quote within the word is written twice.
    Some((group, rest.get(start..end)?.replace("''", "'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Option<Vec<String>> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        (!words.is_empty()).then_some(words)
    }

    #[test]
    fn solr_rules_are_read() {
        let mut map = SynonymMap::new();
        assert!(read_solr("i-pod, i pod => ipod", true, &words, &mut map));
        assert!(read_solr("a\\,b, c", true, &words, &mut map));
        assert!(read_solr("# a comment", true, &words, &mut map));
        assert!(!read_solr("a => b => c", true, &words, &mut map));
        assert!(!read_solr("a => ", true, &words, &mut map));
        let found = map.longest_match(["i", "pod", "x"].into_iter()).unwrap();
        assert_eq!((found.0, &found.1.outputs, found.1.keeps_original), (2, &vec![vec!["ipod".to_owned()]], false));
        assert_eq!(map.longest_match(["a,b"].into_iter()).unwrap().1.outputs, [["c"]]);
    }

    #[test]
    fn wordnet_rules_are_read() {
        let lines = ["s(1,1,'abstain',v,1,0).", "s(1,2,'refrain',v,1,0).", "s(2,1,'o''clock',n,1,0)."].map(str::to_owned);
        let mut map = SynonymMap::new();
        assert!(read_wordnet(&lines, true, false, &words, &mut map));
        assert_eq!(map.longest_match(["refrain"].into_iter()).unwrap().1.outputs, [["abstain"]]);
        assert!(!read_wordnet(&["x".to_owned()], true, false, &words, &mut map));
    }
}
