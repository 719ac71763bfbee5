//! `pattern_replace`: replaces what an expression matches.

use super::{CharFilter, Corrections, Filtered};
use crate::analysis::chain::utf16_length;
use crate::analysis::java_regex::JavaRegex;
use crate::analysis::section::Section;
use tandem_common::{Error, Result};

/// An expression and what stands in place of its matches.
#[derive(Debug)]
pub(super) struct PatternReplace {
    regex: JavaRegex,
    replacement: String,
}

impl PatternReplace {
    /// Reads `pattern`, `replacement` and `flags`.
    ///
    /// # Errors
    /// No pattern, or one that is none.
    pub(super) fn new(section: &Section<'_>) -> Result<PatternReplace> {
        let Some(pattern) = section.text("pattern") else {
            return Err(Error::illegal_argument(format!(
                "pattern is missing for [{}] char filter of type 'pattern_replace'",
                section.name()
            )));
        };
        let regex = JavaRegex::new(pattern, section.text("flags").unwrap_or_default())?;
        Ok(PatternReplace { regex, replacement: section.text("replacement").unwrap_or_default().to_owned() })
    }
}

impl CharFilter for PatternReplace {
    fn apply(&self, text: &str) -> Filtered {
        let (mut out, mut corrections) = (String::with_capacity(text.len()), Corrections::default());
        let (mut at, mut copied, mut written, mut further) = (0, 0, 0_usize, 0_isize);
        while let Some(groups) = self.regex.groups_at(text, at) {
            let Some((start, end)) = groups.get(0) else { break };
            let skipped = text.get(copied..start).unwrap_or_default();
            out.push_str(skipped);
            written += utf16_length(skipped);
            let before = out.len();
            self.regex.expand(&self.replacement, text, &groups, &mut out);
            let replaced = utf16_length(out.get(before..).unwrap_or_default());
            let matched = utf16_length(text.get(start..end).unwrap_or_default());
            if replaced < matched {
                further += (matched - replaced).cast_signed();
                corrections.add(written + replaced, further);
            } else {
                for extra in matched..replaced {
                    further -= 1;
                    corrections.add(written + extra, further);
                }
            }
            written += replaced;
            copied = end;
            at = JavaRegex::after(text, (start, end));
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        Filtered { text: out, corrections }
    }
}
