//! Regular expressions in Java's dialect.
//!
//! Most expressions run in linear time. Those that look around or refer back are run by backtracking with a limit of
//! steps; past it a text counts as not matching.

use regex::RegexBuilder;
use tandem_common::{Error, Result};

/// Steps of backtracking at one place of a text.
const BACKTRACK_STEPS_MAX: usize = 100_000;
/// The largest compiled expression, in bytes.
const SIZE_BYTES_MAX: usize = 10 << 20;

/// A compiled expression.
#[derive(Clone, Debug)]
pub(super) enum JavaRegex {
    /// Runs in linear time.
    Linear(regex::Regex),
    /// Looks around or refers back.
    Backtracking(Box<fancy_regex::Regex>),
}

/// Where a match and its groups lie, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Groups(Vec<Option<(usize, usize)>>);

impl Groups {
    /// The bytes of a group; 0 is the whole match.
    pub(super) fn get(&self, group: usize) -> Option<(usize, usize)> {
        self.0.get(group).copied().flatten()
    }

    /// How many groups there are, the whole match among them.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl JavaRegex {
    /// Compiles an expression; `flags` are Java's names with `|` between them.
    ///
    /// # Errors
    /// An expression that is none, or that is too large.
    pub(super) fn new(pattern: &str, flags: &str) -> Result<JavaRegex> {
        let flags = Flags::parse(flags)?;
        let body = if flags.literal { regex::escape(pattern) } else { translate(pattern, flags.unicode_classes) };
        let mut switches = String::new();
        for (on, letter) in [(flags.ignore_case, 'i'), (flags.multi_line, 'm'), (flags.dot_all, 's'), (flags.comments, 'x')] {
            if on {
                switches.push(letter);
            }
        }
        let full = if switches.is_empty() { body } else { format!("(?{switches}){body}") };
        match RegexBuilder::new(&full).size_limit(SIZE_BYTES_MAX).build() {
            Ok(regex) => Ok(JavaRegex::Linear(regex)),
            Err(linear) => {
                let mut builder = fancy_regex::RegexBuilder::new(&full);
                let built = builder.backtrack_limit(BACKTRACK_STEPS_MAX).delegate_size_limit(SIZE_BYTES_MAX).build();
                built.map(|regex| JavaRegex::Backtracking(Box::new(regex))).map_err(|_| unreadable(pattern, &linear))
            }
        }
    }

    /// The first match at or after a byte.
    pub(super) fn find_at(&self, text: &str, at: usize) -> Option<(usize, usize)> {
        if at > text.len() {
            return None;
        }
        match self {
            JavaRegex::Linear(regex) => regex.find_at(text, at).map(|found| (found.start(), found.end())),
            JavaRegex::Backtracking(regex) => regex.find_from_pos(text, at).ok().flatten().map(|found| (found.start(), found.end())),
        }
    }

    /// The same with its groups.
    pub(super) fn groups_at(&self, text: &str, at: usize) -> Option<Groups> {
        if at > text.len() {
            return None;
        }
        match self {
            JavaRegex::Linear(regex) => {
                let found = regex.captures_at(text, at)?;
                Some(Groups(found.iter().map(|group| group.map(|group| (group.start(), group.end()))).collect()))
            }
            JavaRegex::Backtracking(regex) => {
                let found = regex.captures_from_pos(text, at).ok().flatten()?;
                Some(Groups(found.iter().map(|group| group.map(|group| (group.start(), group.end()))).collect()))
            }
        }
    }

    /// Whether the whole text matches.
    pub(super) fn matches_whole(&self, text: &str) -> bool {
        self.find_at(text, 0) == Some((0, text.len()))
    }

    /// The number of a group with a name.
    fn named(&self, name: &str) -> Option<usize> {
        match self {
            JavaRegex::Linear(regex) => regex.capture_names().position(|known| known == Some(name)),
            JavaRegex::Backtracking(regex) => regex.capture_names().position(|known| known == Some(name)),
        }
    }

    /// Where the next look begins after a match that ended here: past a character where the match was empty.
    pub(super) fn after(text: &str, (start, end): (usize, usize)) -> usize {
        if end > start {
            return end;
        }
        end + text.get(end..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
    }

    /// What a replacement stands for: `$1`, `${name}`, `\$`.
    pub(super) fn expand(&self, replacement: &str, text: &str, groups: &Groups, out: &mut String) {
        let group = |number: usize| groups.get(number).and_then(|(start, end)| text.get(start..end)).unwrap_or_default();
        let mut letters = replacement.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => out.extend(letters.next()),
                '$' => {
                    if letters.next_if_eq(&'{').is_some() {
                        let name: String = letters.by_ref().take_while(|letter| *letter != '}').collect();
                        out.push_str(self.named(&name).map_or("", group));
                        continue;
                    }
                    let mut number = None;
                    // As many digits as still name a group.
                    while let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(10)) {
                        let longer = number.unwrap_or(0) * 10 + digit as usize;
                        if number.is_some() && longer >= groups.len() {
                            break;
                        }
                        number = Some(longer);
                        letters.next();
                    }
                    if let Some(number) = number {
                        out.push_str(group(number));
                    }
                }
                other => out.push(other),
            }
        }
    }
}

fn unreadable(pattern: &str, error: &regex::Error) -> Error {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    Error::illegal_argument(format!("{last} near index {}\n{pattern}", pattern.encode_utf16().count().saturating_sub(1)))
}

#[derive(Default)]
struct Flags {
    ignore_case: bool,
    multi_line: bool,
    dot_all: bool,
    comments: bool,
    literal: bool,
    unicode_classes: bool,
}

impl Flags {
    fn parse(text: &str) -> Result<Flags> {
        let mut flags = Flags::default();
        for name in text.split('|').map(str::trim).filter(|name| !name.is_empty()) {
            match name.to_ascii_uppercase().as_str() {
                "CASE_INSENSITIVE" => flags.ignore_case = true,
                "MULTILINE" => flags.multi_line = true,
                "DOTALL" => flags.dot_all = true,
                "COMMENTS" => flags.comments = true,
                "LITERAL" => flags.literal = true,
                "UNICODE_CHAR_CLASS" | "UNICODE_CHARACTER_CLASS" => flags.unicode_classes = true,
                "UNICODE_CASE" | "CANON_EQ" | "UNIX_LINES" => {}
                _ => return Err(Error::illegal_argument(format!("Unknown regex flag [{name}]"))),
            }
        }
        Ok(flags)
    }
}

/// Java's short classes know ASCII only, and some have other names.
fn translate(pattern: &str, unicode_classes: bool) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut letters = pattern.chars().peekable();
    let mut depth = 0_usize;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('Q') => {
                    // Quoted up to `\E`.
                    let mut quoted = String::new();
                    while let Some(letter) = letters.next() {
                        if letter == '\\' && letters.peek() == Some(&'E') {
                            letters.next();
                            break;
                        }
                        quoted.push(letter);
                    }
                    out.push_str(&regex::escape(&quoted));
                }
                Some(class @ ('w' | 'W' | 'd' | 'D' | 's' | 'S' | 'h' | 'H' | 'b' | 'B' | 'Z' | 'R' | 'e')) => {
                    out.push_str(&short_class(class, depth > 0, unicode_classes));
                }
                Some(class @ ('p' | 'P')) => {
                    let name: String = if letters.next_if_eq(&'{').is_some() {
                        letters.by_ref().take_while(|letter| *letter != '}').collect()
                    } else {
                        letters.next().map(String::from).unwrap_or_default()
                    };
                    out.push_str(&property(class == 'P', &name));
                }
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => out.push('\\'),
            },
            '[' => {
                depth += 1;
                out.push('[');
            }
            ']' => {
                depth = depth.saturating_sub(1);
                out.push(']');
            }
            other => out.push(other),
        }
    }
    out
}

fn short_class(class: char, in_class: bool, unicode: bool) -> String {
    if unicode && !matches!(class, 'h' | 'H' | 'Z' | 'R' | 'e') {
        return format!("\\{class}");
    }
    let (inside, negated) = match class {
        'w' | 'W' => ("a-zA-Z0-9_", class == 'W'),
        'd' | 'D' => ("0-9", class == 'D'),
        's' | 'S' => (" \\t\\n\\x0B\\f\\r", class == 'S'),
        'h' | 'H' => (" \\t\\x{A0}\\x{1680}\\x{180E}\\x{2000}-\\x{200A}\\x{202F}\\x{205F}\\x{3000}", class == 'H'),
        'b' => return "(?-u:\\b)".to_owned(),
        'B' => return "\\B".to_owned(),
        'Z' => return "\\z".to_owned(),
        'R' => return "(?:\\r\\n|[\\n\\x0B\\f\\r\\x{85}\\x{2028}\\x{2029}])".to_owned(),
        _ => return "\\x1B".to_owned(),
    };
    match (in_class, negated) {
        (_, true) => format!("[^{inside}]"),
        (true, false) => inside.to_owned(),
        (false, false) => format!("[{inside}]"),
    }
}

fn property(negated: bool, name: &str) -> String {
    let ascii = match name {
        "Lower" => "[a-z]",
        "Upper" => "[A-Z]",
        "ASCII" => "[\\x00-\\x7F]",
        "Alpha" => "[a-zA-Z]",
        "Digit" => "[0-9]",
        "Alnum" => "[a-zA-Z0-9]",
        "Punct" => "[!-/:-@\\[-`{-~]",
        "Graph" => "[!-~]",
        "Print" => "[ -~]",
        "Blank" => "[ \\t]",
        "Cntrl" => "[\\x00-\\x1F\\x7F]",
        "XDigit" => "[0-9a-fA-F]",
        "Space" => "[ \\t\\n\\x0B\\f\\r]",
        "javaLowerCase" => "\\p{Lowercase}",
        "javaUpperCase" => "\\p{Uppercase}",
        "javaWhitespace" => "\\p{White_Space}",
        "javaLetter" => "\\p{L}",
        "javaDigit" => "\\p{Nd}",
        _ => {
            let plain = name.strip_prefix("Is").or_else(|| name.strip_prefix("In")).unwrap_or(name);
            return format!("\\{}{{{plain}}}", if negated { 'P' } else { 'p' });
        }
    };
    match (negated, ascii.strip_prefix('[')) {
        (false, _) => ascii.to_owned(),
        (true, Some(inside)) => format!("[^{inside}"),
        (true, None) => ascii.replacen("\\p", "\\P", 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<'t>(pattern: &str, text: &'t str) -> Vec<&'t str> {
        let regex = JavaRegex::new(pattern, "").unwrap();
        let (mut at, mut found) = (0, Vec::new());
        while let Some((start, end)) = regex.find_at(text, at) {
            found.push(&text[start..end]);
            at = JavaRegex::after(text, (start, end));
        }
        found
    }

    #[test]
    fn short_classes_know_ascii_only() {
        assert_eq!(all(r"\w+", "é_1 ab"), ["_1", "ab"]);
        assert_eq!(all(r"[\w-]+", "a-b é"), ["a-b"]);
        assert_eq!(all(r"[^\W_]+", "a_b"), ["a", "b"]);
        assert_eq!(all(r"\p{L}+", "éa1"), ["éa"]);
        assert_eq!(all(r"\p{Punct}", "a.b-c"), [".", "-"]);
    }

    #[test]
    fn what_looks_around_is_run_by_backtracking() {
        assert_eq!(all(r"(?<=a)b|c(?=d)", "ab cb cd"), ["b", "c"]);
        let slow = JavaRegex::new(r"(a*)*\1b", "").unwrap();
        assert_eq!(slow.find_at(&"a".repeat(2_000), 0), None);
    }

    #[test]
    fn replacements_name_groups() {
        let regex = JavaRegex::new(r"(?<first>\w)(\w)", "").unwrap();
        let groups = regex.groups_at("ab", 0).unwrap();
        let mut out = String::new();
        regex.expand(r"${first}-$2\$$1x", "ab", &groups, &mut out);
        assert_eq!(out, "a-b$ax");
    }
}
