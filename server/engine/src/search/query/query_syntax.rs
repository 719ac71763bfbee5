//! Lucene's query syntax: `title:(quick OR "brown fox"~2) -tag:x* n:[1 TO 5}^2`.

/// How deep parentheses may nest, which bounds recursion.
const DEPTH_MAX: usize = 50;

/// A part of a query with how it must match.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Clause {
    pub(super) occurs: Occurs,
    pub(super) node: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occurs {
    May,
    Must,
    Not,
}

/// What a part of a query looks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// `*:*`
    All,
    /// Words, analyzed together.
    Words(String),
    /// `"…"~slop`
    Phrase(String, Option<u32>),
    /// `wor?d*`, backslashes still in it.
    Pattern(String),
    /// `word~`, with the number of changes.
    Fuzzy(String, Option<u8>),
    /// `[a TO b}`: the text and whether it is inside; `None` for `*`.
    Range { lower: Option<(String, bool)>, upper: Option<(String, bool)> },
    /// `_exists_:field`, `field:*`
    Exists(String),
    /// `(…)`
    Group(Vec<Clause>),
    /// `field:…`
    In(String, Box<Node>),
    /// `…^2`
    Boosted(Box<Node>, f32),
}

/// Why a text is no query.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Syntax(pub(super) String);

/// Reads a query; `all_words` makes parts required that nothing is said of.
pub(super) fn parse_syntax(text: &str, all_words: bool) -> Result<Vec<Clause>, Syntax> {
    let mut parser = Parser { letters: text.chars().collect(), at: 0, all_words, text };
    let clauses = parser.clauses(0)?;
    if parser.at < parser.letters.len() {
        return Err(parser.error());
    }
    Ok(clauses)
}

struct Parser<'t> {
    letters: Vec<char>,
    at: usize,
    all_words: bool,
    text: &'t str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Joined {
    Plainly,
    And,
    Or,
}

impl Parser<'_> {
    fn error(&self) -> Syntax {
        let found = self.letters.get(self.at).map_or_else(|| "<EOF>".to_owned(), char::to_string);
        Syntax(format!("Cannot parse '{}': Encountered \"{found}\" at line 1, column {}.", self.text, self.at))
    }

    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn take(&mut self, letter: char) -> bool {
        let found = self.peek() == Some(letter);
        self.at += usize::from(found);
        found
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// A word with a meaning, standing alone.
    fn take_word(&mut self, word: &str) -> bool {
        let end = self.at + word.chars().count();
        let found = self.letters.get(self.at..end).is_some_and(|letters| letters.iter().copied().eq(word.chars()));
        let alone = self.letters.get(end).is_none_or(|next| next.is_whitespace() || matches!(next, '(' | ')' | '"'));
        if found && (alone || word == "&&" || word == "||") {
            self.at = end;
            return true;
        }
        false
    }

    fn clauses(&mut self, depth: usize) -> Result<Vec<Clause>, Syntax> {
        if depth > DEPTH_MAX {
            return Err(self.error());
        }
        let mut clauses: Vec<Clause> = Vec::new();
        // Whether the last clause is words that nothing was said of, which more words may join.
        let mut may_join = false;
        loop {
            self.skip_blanks();
            if self.peek().is_none_or(|letter| letter == ')') {
                return Ok(clauses);
            }
            let joined = if self.take_word("AND") || self.take_word("&&") {
                Joined::And
            } else if self.take_word("OR") || self.take_word("||") {
                Joined::Or
            } else {
                Joined::Plainly
            };
            if joined != Joined::Plainly && clauses.is_empty() {
                return Err(self.error());
            }
            self.skip_blanks();
            let modifier = if self.take('+') {
                Some(Occurs::Must)
            } else if self.take('-') || self.take('!') || self.take_word("NOT") {
                Some(Occurs::Not)
            } else {
                None
            };
            self.skip_blanks();
            let node = self.clause(depth)?;
            let is_plain = joined == Joined::Plainly && modifier.is_none() && matches!(node, Node::Words(_));
            // A word that is joined to what follows stands for itself.
            let stands_alone = is_plain && !self.is_joined_next();
            if let (true, true, Node::Words(word), Some(Clause { node: Node::Words(words), .. })) =
                (stands_alone, may_join, &node, clauses.last_mut())
            {
                words.push(' ');
                words.push_str(word);
                continue;
            }
            if joined == Joined::And
                && let Some(last) = clauses.last_mut().filter(|last| last.occurs != Occurs::Not)
            {
                last.occurs = Occurs::Must;
            }
            if joined == Joined::Or
                && self.all_words
                && let Some(last) = clauses.last_mut().filter(|last| last.occurs != Occurs::Not)
            {
                last.occurs = Occurs::May;
            }
            let occurs = match modifier {
                Some(occurs) => occurs,
                None if joined == Joined::And || (self.all_words && joined != Joined::Or) => Occurs::Must,
                None => Occurs::May,
            };
            may_join = stands_alone;
            clauses.push(Clause { occurs, node });
        }
    }

    fn is_joined_next(&mut self) -> bool {
        let back = self.at;
        self.skip_blanks();
        let joined = ["AND", "&&", "OR", "||"].iter().any(|word| self.take_word(word));
        self.at = back;
        joined
    }

    fn clause(&mut self, depth: usize) -> Result<Node, Syntax> {
        if let Some(field) = self.field_name() {
            if field == "*" && self.take('*') {
                return self.suffixed(Node::All);
            }
            if field == "_exists_" {
                let (word, _) = self.word()?;
                return self.suffixed(Node::Exists(word));
            }
            let node = self.value(depth)?;
            if node == Node::Pattern("*".to_owned()) {
                return self.suffixed(Node::Exists(field));
            }
            return Ok(Node::In(field, Box::new(node)));
        }
        self.value(depth)
    }

    /// A name before a colon.
    fn field_name(&mut self) -> Option<String> {
        let back = self.at;
        let mut name = String::new();
        loop {
            match self.peek() {
                Some('\\') => {
                    self.at += 1;
                    name.extend(self.peek());
                    self.at += 1;
                }
                Some(':') if !name.is_empty() => {
                    self.at += 1;
                    return Some(name);
                }
                Some(letter) if letter.is_whitespace() || "()[]{}\"^~:/+!<>=".contains(letter) => break,
                Some(letter) => {
                    name.push(letter);
                    self.at += 1;
                }
                None => break,
            }
        }
        self.at = back;
        None
    }

    fn value(&mut self, depth: usize) -> Result<Node, Syntax> {
        let node = match self.peek() {
            Some('(') => {
                self.at += 1;
                let inner = self.clauses(depth + 1)?;
                if !self.take(')') || inner.is_empty() {
                    return Err(self.error());
                }
                Node::Group(inner)
            }
            Some('"') => self.phrase()?,
            Some('[' | '{') => self.range()?,
            Some('<' | '>') => self.comparison()?,
            Some(letter) if ")]}^~:/".contains(letter) => return Err(self.error()),
            Some(_) => self.term()?,
            None => return Err(self.error()),
        };
        self.suffixed(node)
    }

    fn suffixed(&mut self, node: Node) -> Result<Node, Syntax> {
        if !self.take('^') {
            return Ok(node);
        }
        match self.number().parse() {
            Ok(boost) => Ok(Node::Boosted(Box::new(node), boost)),
            Err(_) => Err(self.error()),
        }
    }

    fn number(&mut self) -> String {
        let mut number = String::new();
        while let Some(letter) = self.peek().filter(|letter| letter.is_ascii_digit() || *letter == '.') {
            number.push(letter);
            self.at += 1;
        }
        number
    }

    fn phrase(&mut self) -> Result<Node, Syntax> {
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(self.error()),
                Some('"') => break,
                Some('\\') => {
                    self.at += 1;
                    text.extend(self.peek());
                }
                Some(letter) => text.push(letter),
            }
            self.at += 1;
        }
        self.at += 1;
        let slop = if self.take('~') { self.number().parse::<f32>().ok().map(|slop| slop as u32) } else { None };
        Ok(Node::Phrase(text, slop))
    }

    /// A word up to what ends it; the second is the word with its backslashes.
    fn word(&mut self) -> Result<(String, String), Syntax> {
        let (mut word, mut raw) = (String::new(), String::new());
        while let Some(letter) = self.peek() {
            if letter.is_whitespace() || "()[]{}\"^~:".contains(letter) {
                break;
            }
            raw.push(letter);
            self.at += 1;
            if letter != '\\' {
                word.push(letter);
                continue;
            }
            match self.peek() {
                Some(escaped) => {
                    word.push(escaped);
                    raw.push(escaped);
                    self.at += 1;
                }
                None => return Err(self.error()),
            }
        }
        if word.is_empty() { Err(self.error()) } else { Ok((word, raw)) }
    }

    fn term(&mut self) -> Result<Node, Syntax> {
        let (word, raw) = self.word()?;
        let mut escaped = false;
        let is_pattern = raw.chars().any(|letter| {
            let found = !escaped && matches!(letter, '*' | '?');
            escaped = letter == '\\' && !escaped;
            found
        });
        if is_pattern {
            return Ok(Node::Pattern(raw));
        }
        if self.take('~') {
            let number = self.number();
            return Ok(Node::Fuzzy(word, number.parse::<f32>().ok().map(|edits| (edits as u8).min(2))));
        }
        Ok(Node::Words(word))
    }

    fn range(&mut self) -> Result<Node, Syntax> {
        let include_lower = self.take('[');
        self.at += usize::from(!include_lower);
        let lower = self.bound()?;
        self.skip_blanks();
        if !self.take_word("TO") {
            return Err(self.error());
        }
        let upper = self.bound()?;
        self.skip_blanks();
        let include_upper = match self.peek() {
            Some(']') => true,
            Some('}') => false,
            _ => return Err(self.error()),
        };
        self.at += 1;
        let open = |bound: String, included: bool| (bound != "*").then_some((bound, included));
        Ok(Node::Range { lower: open(lower, include_lower), upper: open(upper, include_upper) })
    }

    fn bound(&mut self) -> Result<String, Syntax> {
        self.skip_blanks();
        if self.peek() == Some('"') {
            return match self.phrase()? {
                Node::Phrase(text, _) => Ok(text),
                _ => Err(self.error()),
            };
        }
        let mut text = String::new();
        while let Some(letter) = self.peek().filter(|letter| !letter.is_whitespace() && !matches!(letter, ']' | '}')) {
            self.at += 1;
            match letter {
                '\\' => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                letter => text.push(letter),
            }
        }
        if text.is_empty() { Err(self.error()) } else { Ok(text) }
    }

    fn comparison(&mut self) -> Result<Node, Syntax> {
        let is_lower = self.take('>');
        self.at += usize::from(!is_lower);
        let included = self.take('=');
        let bound = Some((self.bound()?, included));
        Ok(if is_lower { Node::Range { lower: bound, upper: None } } else { Node::Range { lower: None, upper: bound } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, all_words: bool) -> String {
        fn node(node: &Node) -> String {
            match node {
                Node::Group(inner) => format!("({})", clauses(inner)),
                Node::In(field, inner) => format!("{field}={}", strip(inner)),
                Node::Boosted(inner, boost) => format!("{}^{boost}", strip(inner)),
                other => format!("{other:?}"),
            }
        }
        fn clauses(all: &[Clause]) -> String {
            let sign = |occurs| match occurs {
                Occurs::May => "",
                Occurs::Must => "+",
                Occurs::Not => "-",
            };
            all.iter().map(|clause| format!("{}{}", sign(clause.occurs), node(&clause.node))).collect::<Vec<_>>().join(" ")
        }
        match parse_syntax(text, all_words) {
            Ok(parsed) => clauses(&parsed),
            Err(_) => "refused".to_owned(),
        }
    }

    fn strip(node: &Node) -> String {
        format!("{node:?}")
    }

    #[test]
    fn the_syntax_is_lucenes() {
        for (text, expected) in [
            ("a b c", r#"Words("a b c")"#),
            ("a AND b OR c", r#"+Words("a") +Words("b") Words("c")"#),
            ("a OR b", r#"Words("a") Words("b")"#),
            ("+a -b c d", r#"+Words("a") -Words("b") Words("c d")"#),
            ("a NOT b", r#"Words("a") -Words("b")"#),
            ("a && !b", r#"+Words("a") -Words("b")"#),
            (r#""a b"~2"#, r#"Phrase("a b", Some(2))"#),
            ("f:x y", r#"f=Words("x") Words("y")"#),
            ("(a b) c", r#"(Words("a b")) Words("c")"#),
            ("*:*", "All"),
            ("_exists_:f", r#"Exists("f")"#),
            ("f:*", r#"Exists("f")"#),
            ("wo?d*", r#"Pattern("wo?d*")"#),
            (r"a\:b\*", r#"Words("a:b*")"#),
            ("word~", r#"Fuzzy("word", None)"#),
            ("word~1", r#"Fuzzy("word", Some(1))"#),
            ("a^2.5", r#"Words("a")^2.5"#),
            ("[1 TO 5}", r#"Range { lower: Some(("1", true)), upper: Some(("5", false)) }"#),
            ("n:>=5", r#"n=Range { lower: Some(("5", true)), upper: None }"#),
            ("[* TO b]", r#"Range { lower: None, upper: Some(("b", true)) }"#),
            ("(a", "refused"),
            ("a)", "refused"),
            ("AND a", "refused"),
            ("\"a", "refused"),
            ("[1 5]", "refused"),
            ("a-b", r#"Words("a-b")"#),
        ] {
            assert_eq!(shown(text, false), expected, "{text}");
        }
        assert_eq!(shown("a b OR c", true), r#"+Words("a") Words("b") Words("c")"#);
        assert_eq!(shown(&"(".repeat(10_000), false), "refused");
    }
}
