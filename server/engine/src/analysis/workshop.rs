//! Puts analyzers together from names and settings.

use super::analyzer::Analyzer;
use super::chain::{Chain, Filter, Tokenizer};
use super::char_filters::{self, CharFilter};
use super::filters::{self, Multiplexer, Part};
use super::parts::{NamedFilter, Parts};
use super::registry::built_in;
use super::section::{Limits, Section};
use super::token::Word;
use super::tokenizers::{self, Made};
use std::collections::BTreeSet;
use std::sync::Arc;
use tandem_common::{Error, Result, Settings};

/// The empty positions between the values of a field, unless settings say otherwise.
pub(super) const POSITION_INCREMENT_GAP: usize = 100;
/// How deeply filters may name other filters.
const NESTING_MAX: usize = 8;

/// The settings of an index, and how its parts are found by name.
pub(super) struct Workshop<'s> {
    pub(super) settings: &'s Settings,
    limits: Limits,
}

/// What stands before a filter in its analyzer.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    pub(super) tokenizer: &'a Arc<dyn Tokenizer>,
    pub(super) own_filter: Option<&'a Filter>,
    pub(super) filters: &'a [NamedFilter],
}

/// How a name without settings of its own is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bare {
    /// As the filter that has this name everywhere.
    PreConfigured,
    /// As a type without settings.
    Type,
}

impl<'s> Workshop<'s> {
    pub(super) fn new(settings: &'s Settings) -> Workshop<'s> {
        Workshop { settings, limits: Limits::of(settings) }
    }

    /// The names below `index.analysis.<kind>.`.
    pub(super) fn names(&self, kind: &str) -> BTreeSet<String> {
        let prefix = format!("index.analysis.{kind}.");
        let names = self.settings.iter().filter_map(|(key, _)| key.strip_prefix(&prefix)?.split('.').next().map(str::to_owned));
        names.collect()
    }

    /// The settings of one part.
    pub(super) fn section(&self, kind: &str, name: &str) -> Section<'s> {
        Section::new(self.settings, format!("index.analysis.{kind}.{name}."), name, self.limits)
    }

    fn is_defined(&self, kind: &str, name: &str) -> bool {
        let prefix = format!("index.analysis.{kind}.{name}.");
        self.settings.iter().any(|(key, _)| key.starts_with(&prefix))
    }

    /// A char filter by name; `None` where there is none.
    pub(super) fn char_filter(&self, name: &str) -> Result<Option<Arc<dyn CharFilter>>> {
        let section = self.section("char_filter", name);
        if !self.is_defined("char_filter", name) {
            return if matches!(name, "mapping" | "pattern_replace") { Ok(None) } else { char_filters::build(name, &section) };
        }
        let type_name = section.text("type").unwrap_or(name);
        match char_filters::build(type_name, &section)? {
            Some(filter) => Ok(Some(filter)),
            None => Err(Error::illegal_argument(format!("Unknown char_filter type [{type_name}] for [{name}]"))),
        }
    }

    /// A tokenizer by name; `None` where there is none.
    pub(super) fn tokenizer(&self, name: &str) -> Result<Option<Made>> {
        let section = self.section("tokenizer", name);
        if !self.is_defined("tokenizer", name) {
            return tokenizers::build(name, &section);
        }
        let type_name = section.text("type").unwrap_or(name);
        match tokenizers::build(type_name, &section)? {
            Some(made) => Ok(Some(made)),
            None => Err(Error::illegal_argument(format!("Unknown tokenizer type [{type_name}] for [{name}]"))),
        }
    }

    /// What settings make of a filter, before it knows what stands before it; with its type. `None` where there is none.
    pub(super) fn part(&self, name: &str, bare: Bare) -> Result<Option<(String, Part)>> {
        let section = self.section("filter", name);
        if self.is_defined("filter", name) {
            let type_name = section.text("type").unwrap_or(name);
            return match filters::build(type_name, &section)? {
                Some(part) => Ok(Some((type_name.to_owned(), part))),
                None => Err(Error::illegal_argument(format!("Unknown filter type [{type_name}] for [{name}]"))),
            };
        }
        if bare == Bare::PreConfigured {
            if filters::needs_settings(name) {
                return Ok(None);
            }
            if let Some(filter) = filters::pre_configured(name)? {
                return Ok(Some((name.to_owned(), Part::Ready(filter))));
            }
        }
        Ok(filters::build(name, &section)?.map(|part| (name.to_owned(), part)))
    }

    /// A filter by name, behind others; `None` where there is none.
    pub(super) fn filter(&self, name: &str, bare: Bare, before: Before<'_>, nesting: usize) -> Result<Option<NamedFilter>> {
        let Some((type_name, part)) = self.part(name, bare)? else { return Ok(None) };
        let filter = self.finish(name, part, before, nesting)?;
        Ok(Some(NamedFilter { name: name.to_owned(), type_name, filter }))
    }

    /// A filter that knows what stands before it.
    pub(super) fn finish(&self, name: &str, part: Part, before: Before<'_>, nesting: usize) -> Result<Filter> {
        match part {
            Part::Ready(filter) => Ok(filter),
            Part::Synonyms(settings) => {
                if let Some(bad) = before.filters.iter().find(|filter| filters::spoils_synonyms(&filter.type_name)) {
                    return Err(Error::illegal_argument(format!("Token filter [{}] cannot be used to parse synonyms", bad.name)));
                }
                let mut all: Vec<Filter> = before.own_filter.cloned().into_iter().collect();
                all.extend(before.filters.iter().map(|filter| filter.filter.clone()));
                let reader = Analyzer::new(Arc::clone(before.tokenizer), all);
                settings.build(|text| {
                    let (mut chain, mut words, mut word) = (Chain::new(&reader, text, false), Vec::new(), Word::default());
                    while chain.next(&mut word) {
                        words.push(std::mem::take(&mut word));
                    }
                    words
                })
            }
            Part::Multiplexer { chains, preserve_original } => {
                if nesting >= NESTING_MAX {
                    return Err(Error::illegal_argument(format!("Multiplexing filter [{name}] refers to itself")));
                }
                let mut made = Vec::new();
                if preserve_original {
                    made.push(Vec::new());
                }
                for chain in chains {
                    let mut named: Vec<NamedFilter> = before.filters.to_vec();
                    for inner in chain.split(',').map(str::trim).filter(|inner| !inner.is_empty()) {
                        let behind = Before { filters: &named, ..before };
                        let found = self.filter(inner, Bare::PreConfigured, behind, nesting + 1)?;
                        named.push(found.ok_or_else(|| {
                            Error::illegal_argument(format!("Multiplexing filter [{name}] refers to undefined tokenfilter [{inner}]"))
                        })?);
                    }
                    made.push(named.into_iter().skip(before.filters.len()).map(|filter| filter.filter).collect());
                }
                Ok(Filter::expand(Multiplexer { chains: made }))
            }
        }
    }

    /// An analyzer by name.
    ///
    /// # Errors
    /// Settings that make none.
    pub(super) fn analyzer(&self, name: &str) -> Result<Analyzer> {
        let section = self.section("analyzer", name);
        match section.text("type") {
            None if !section.has("tokenizer") => {
                Err(Error::illegal_argument(format!("analyzer [{name}] must specify either an analyzer type, or a tokenizer")))
            }
            None | Some("custom") => self.custom(name, &section),
            Some(type_name) => built_in(type_name, &section)?
                .ok_or_else(|| Error::illegal_argument(format!("Unknown analyzer type [{type_name}] for [{name}]"))),
        }
    }

    fn custom(&self, name: &str, section: &Section<'_>) -> Result<Analyzer> {
        let Some(tokenizer_name) = section.text("tokenizer") else {
            return Err(Error::illegal_argument(format!("Custom Analyzer [{name}] must be configured with a tokenizer")));
        };
        let missing =
            |what: &str, part: &str| Error::illegal_argument(format!("Custom Analyzer [{name}] failed to find {what} under name [{part}]"));
        let (tokenizer, own_filter) = self.tokenizer(tokenizer_name)?.ok_or_else(|| missing("tokenizer", tokenizer_name))?;
        let mut char_filters = Vec::new();
        for part in section.list("char_filter").unwrap_or_default() {
            let filter = self.char_filter(&part)?.ok_or_else(|| missing("char_filter", &part))?;
            char_filters.push((part, filter));
        }
        let mut named = Vec::new();
        for part in section.list("filter").unwrap_or_default() {
            let before = Before { tokenizer: &tokenizer, own_filter: own_filter.as_ref(), filters: &named };
            let filter = self.filter(&part, Bare::PreConfigured, before, 0)?.ok_or_else(|| missing("filter", &part))?;
            named.push(filter);
        }
        let parts = Parts { char_filters, tokenizer: (tokenizer_name.to_owned(), tokenizer, own_filter), filters: named };
        let mut analyzer = assemble(parts);
        analyzer.position_increment_gap = section.count("position_increment_gap", POSITION_INCREMENT_GAP)?;
        Ok(analyzer)
    }

    /// A normalizer by name.
    ///
    /// # Errors
    /// Settings that make none.
    pub(super) fn normalizer(&self, name: &str) -> Result<Analyzer> {
        let section = self.section("normalizer", name);
        match section.text("type") {
            None | Some("custom") => {}
            Some("lowercase") => return Ok(lowercase_normalizer()),
            Some(type_name) => return Err(Error::illegal_argument(format!("Unknown normalizer type [{type_name}] for [{name}]"))),
        }
        if section.has("tokenizer") {
            return Err(Error::illegal_argument(format!("Custom normalizer [{name}] cannot configure a tokenizer")));
        }
        let char_filters = section.list("char_filter").unwrap_or_default();
        let names = section.list("filter").unwrap_or_default();
        let shown = format!("Custom normalizer [{name}]");
        let mut parts = Parts { char_filters: Vec::new(), tokenizer: keyword(), filters: Vec::new() };
        for part in char_filters {
            let filter = self.char_filter(&part)?;
            let filter =
                filter.ok_or_else(|| Error::illegal_argument(format!("{shown} failed to find char_filter under name [{part}]")))?;
            if self.section("char_filter", &part).text("type").unwrap_or(&part) == "html_strip" {
                return Err(Error::illegal_argument(format!("{shown} may not use char filter [{part}]")));
            }
            parts.char_filters.push((part, filter));
        }
        for part in names {
            let filter = self.normalizing_filter(&part, Bare::PreConfigured, &shown)?;
            let filter = filter
                .ok_or_else(|| Error::illegal_argument(format!("Custom Analyzer [{name}] failed to find filter under name [{part}]")))?;
            parts.filters.push(filter);
        }
        Ok(assemble(parts))
    }

    /// A filter for a normalizer; `None` where there is none.
    pub(super) fn normalizing_filter(&self, name: &str, bare: Bare, shown: &str) -> Result<Option<NamedFilter>> {
        let (_, tokenizer, _) = keyword();
        let before = Before { tokenizer: &tokenizer, own_filter: None, filters: &[] };
        let filter = self.filter(name, bare, before, 0)?;
        if filter.as_ref().is_some_and(|filter| !filters::is_for_normalizers(&filter.type_name)) {
            return Err(Error::illegal_argument(format!("{shown} may not use filter [{name}]")));
        }
        Ok(filter)
    }
}

/// The `keyword` tokenizer as a part.
pub(super) fn keyword() -> (String, Arc<dyn Tokenizer>, Option<Filter>) {
    ("keyword".to_owned(), Arc::new(tokenizers::runs::Keyword), None)
}

/// The normalizer that every index has.
pub(super) fn lowercase_normalizer() -> Analyzer {
    let lowercase = Filter::word(filters::letters::Lowercase::Plain);
    let named = NamedFilter { name: "lowercase".to_owned(), type_name: "lowercase".to_owned(), filter: lowercase };
    assemble(Parts { char_filters: Vec::new(), tokenizer: keyword(), filters: vec![named] })
}

/// An analyzer of parts.
pub(super) fn assemble(parts: Parts) -> Analyzer {
    let (_, tokenizer, own_filter) = &parts.tokenizer;
    let mut all: Vec<Filter> = own_filter.clone().into_iter().collect();
    all.extend(parts.filters.iter().map(|filter| filter.filter.clone()));
    let mut analyzer = Analyzer::new(Arc::clone(tokenizer), all);
    analyzer.char_filters = parts.char_filters.iter().map(|(_, filter)| Arc::clone(filter)).collect();
    analyzer.parts = Some(Arc::new(parts));
    analyzer
}
