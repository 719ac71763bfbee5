//! Filters with regular expressions: `pattern_replace`, `pattern_capture`.

use crate::analysis::chain::{Expander, ExpanderFactory, Fate, Queue, WordFilter};
use crate::analysis::java_regex::JavaRegex;
use crate::analysis::token::Word;

/// Replaces what an expression matches in a word.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct PatternReplace {
    pub(in crate::analysis) regex: JavaRegex,
    pub(in crate::analysis) replacement: String,
    pub(in crate::analysis) all: bool,
}

impl WordFilter for PatternReplace {
    fn apply(&self, word: &mut Word) -> Fate {
        let text = std::mem::take(&mut word.text);
        let (mut out, mut at, mut copied) = (String::with_capacity(text.len()), 0, 0);
        while let Some(groups) = self.regex.groups_at(&text, at) {
            let Some((start, end)) = groups.get(0) else { break };
            out.push_str(text.get(copied..start).unwrap_or_default());
            self.regex.expand(&self.replacement, &text, &groups, &mut out);
            copied = end;
            at = JavaRegex::after(&text, (start, end));
            if !self.all {
                break;
            }
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        word.text = out;
        Fate::Kept
    }
}

/// Gives what the groups of some expressions match in a word, besides it.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct PatternCapture {
    pub(in crate::analysis) patterns: Vec<JavaRegex>,
    pub(in crate::analysis) preserve_original: bool,
}

struct PatternCaptureAtWork<'a>(&'a PatternCapture);

impl ExpanderFactory for PatternCapture {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(PatternCaptureAtWork(self))
    }
}

impl PatternCapture {
    /// The bytes of every group, in the order in which they begin; of those that begin together the pattern's order counts.
    fn captured(&self, text: &str) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for (number, pattern) in self.patterns.iter().enumerate() {
            let mut at = 0;
            while let Some(groups) = pattern.groups_at(text, at) {
                let Some(whole) = groups.get(0) else { break };
                // An expression without groups gives its match.
                let from = usize::from(groups.len() > 1);
                for group in from..groups.len() {
                    if let Some((start, end)) = groups.get(group).filter(|(start, end)| end > start)
                        && !(self.preserve_original && start == 0 && end == text.len())
                    {
                        found.push((start, number, group, end));
                    }
                }
                at = JavaRegex::after(text, whole);
            }
        }
        found.sort_by_key(|(start, ..)| *start);
        found.into_iter().map(|(start, _, _, end)| (start, end)).collect()
    }
}

impl Expander for PatternCaptureAtWork<'_> {
    fn push(&mut self, word: Word, out: &mut Queue) {
        let captured = self.0.captured(&word.text);
        if self.0.preserve_original || captured.is_empty() {
            out.push_back(word.clone());
        }
        for (number, (start, end)) in captured.into_iter().enumerate() {
            let piece = word.text.get(start..end).unwrap_or_default();
            let increment = if number == 0 && !self.0.preserve_original { word.increment } else { 0 };
            out.push_back(Word { increment, ..word.with_text(piece) });
        }
    }
}
