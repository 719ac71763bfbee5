//! Char filters: what is done to a text before it is cut.
//!
//! *What it is*: a catalogue, one file per filter. · *Types to know*: [`CharFilter`], [`Corrections`]. · **Invariants**: a filter
//! takes time linear in the text; for every unit of its output the corrections tell where it came from. · *How it fails*: bad
//! settings when the index is made, never on a text. · *How it is tested*: tables beside the code, with offsets.

mod html_strip;
mod mapping;
mod pattern_replace;

use super::section::Section;
use std::sync::Arc;
use tandem_common::{Error, Result};

/// A text after a filter.
#[derive(Debug)]
pub(super) struct Filtered {
    pub(super) text: String,
    pub(super) corrections: Corrections,
}

/// How far the units of a filtered text lie from where they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Corrections {
    /// (unit of the output, how many units further on the input is from there), rising.
    steps: Vec<(usize, isize)>,
}

impl Corrections {
    /// From this unit of the output on, the input is so many units further on. A later word on the same unit counts.
    fn add(&mut self, unit: usize, further: isize) {
        match self.steps.last_mut() {
            Some(last) if last.0 == unit => last.1 = further,
            _ => self.steps.push((unit, further)),
        }
    }

    fn last(&self) -> isize {
        self.steps.last().map_or(0, |(_, further)| *further)
    }

    /// The unit of the input that a unit of the output came from.
    pub(super) fn original(&self, unit: usize) -> usize {
        let known = self.steps.partition_point(|(from, _)| *from <= unit);
        let further = known.checked_sub(1).and_then(|last| self.steps.get(last)).map_or(0, |(_, further)| *further);
        unit.saturating_add_signed(further)
    }
}

/// Changes a text before it is cut.
pub(super) trait CharFilter: Send + Sync + std::fmt::Debug {
    /// The changed text.
    fn apply(&self, text: &str) -> Filtered;
}

/// The filter that a section of settings describes; `None` for a type that does not exist.
///
/// # Errors
/// Settings that are missing or wrong.
pub(super) fn build(type_name: &str, section: &Section<'_>) -> Result<Option<Arc<dyn CharFilter>>> {
    Ok(Some(match type_name {
        "html_strip" => Arc::new(html_strip::HtmlStrip::new(section.list("escaped_tags").unwrap_or_default())),
        "mapping" => {
            if section.has("mappings_path") {
                return Err(section.unreadable_path("mappings_path"));
            }
            let rules = section
                .list("mappings")
                .ok_or_else(|| Error::illegal_argument("mapping requires either `mappings` or `mappings_path` to be configured"))?;
            Arc::new(mapping::Mapping::new(&rules)?)
        }
        "pattern_replace" => Arc::new(pattern_replace::PatternReplace::new(section)?),
        _ => return Ok(None),
    }))
}
