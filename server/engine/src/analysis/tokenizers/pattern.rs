//! `pattern`: what an expression matches, or what lies between.

use crate::analysis::chain::{Cut, Tokenizer};
use crate::analysis::java_regex::JavaRegex;
use crate::analysis::token::{TokenKind, Word};

/// Cuts by an expression.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct Pattern {
    pub(in crate::analysis) regex: JavaRegex,
    /// The group that is a word; `None` for what lies between matches.
    pub(in crate::analysis) group: Option<usize>,
}

impl Tokenizer for Pattern {
    fn start(&self) -> Box<dyn Cut + '_> {
        Box::new(PatternCut { pattern: self, at: 0, look: 0, finished: false })
    }
}

struct PatternCut<'a> {
    pattern: &'a Pattern,
    /// The end of the match before.
    at: usize,
    /// Where the next look begins.
    look: usize,
    finished: bool,
}

impl PatternCut<'_> {
    fn found(&mut self, text: &str) -> Option<(usize, usize)> {
        while !self.finished {
            let Some(group) = self.pattern.group else {
                let start = self.at;
                let Some(found) = self.pattern.regex.find_at(text, self.look) else {
                    self.finished = true;
                    return (start < text.len()).then_some((start, text.len()));
                };
                (self.at, self.look) = (found.1, JavaRegex::after(text, found));
                if found.0 > start {
                    return Some((start, found.0));
                }
                continue;
            };
            let Some(groups) = self.pattern.regex.groups_at(text, self.look) else {
                self.finished = true;
                return None;
            };
            self.look = groups.get(0).map_or(text.len() + 1, |whole| JavaRegex::after(text, whole));
            if let Some((start, end)) = groups.get(group).filter(|(start, end)| end > start) {
                return Some((start, end));
            }
        }
        None
    }
}

impl Cut for PatternCut<'_> {
    fn next(&mut self, text: &str, word: &mut Word) -> bool {
        let Some((start, end)) = self.found(text) else { return false };
        word.set(text.get(start..end).unwrap_or_default(), start, end, TokenKind::WORD);
        true
    }
}
