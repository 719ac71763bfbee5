//! What `_analyze` asks and answers: the tokens of some texts, by an analyzer of an index or one put together for the request.

use super::analyzer::Analyzer;
use super::chain::{Chain, Filter, utf16_length};
use super::char_filters;
use super::filters::{self, Part};
use super::parts::{NamedFilter, Parts};
use super::registry::AnalyzerRegistry;
use super::section::{Limits, Section};
use super::token::{Token, Word};
use super::tokenizers;
use super::workshop::{Bare, Before, POSITION_INCREMENT_GAP, Workshop, assemble, keyword};
use serde_json::{Map, Value};
use std::sync::Arc;
use tandem_common::{Error, Result, Settings};

/// A part of an analyzer, in a request.
#[derive(Clone, Debug, PartialEq)]
pub enum ComponentRef {
    /// By name.
    Name(String),
    /// By its settings, `type` among them.
    Definition(Map<String, Value>),
}

/// How a field's text is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldAnalysis {
    /// By an analyzer, with so many empty positions between two values.
    Analyzer(String, usize),
    /// By a normalizer.
    Normalizer(String),
    /// As it is.
    Keyword,
}

/// What to analyze, and how. Of the ways to say how the first that is given counts: analyzer, parts, normalizer, field; the
/// `default` analyzer of the index else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnalyzeRequest {
    /// The texts; positions and offsets run on from one to the next.
    pub texts: Vec<String>,
    /// The name of an analyzer.
    pub analyzer: Option<String>,
    /// A tokenizer; without one, char filters and filters make a normalizer.
    pub tokenizer: Option<ComponentRef>,
    /// Token filters.
    pub filters: Vec<ComponentRef>,
    /// Char filters.
    pub char_filters: Vec<ComponentRef>,
    /// The name of a normalizer.
    pub normalizer: Option<String>,
    /// How a field is read, if the request names one.
    pub field: Option<FieldAnalysis>,
    /// Show every step.
    pub explain: bool,
    /// Whether names are looked up in an index; in the refusals they are called global otherwise.
    pub of_index: bool,
    /// `index.analyze.max_token_count`.
    pub token_count_max: usize,
}

/// The tokens after one step.
#[derive(Clone, Debug, PartialEq)]
pub struct StageTokens {
    /// The name of the step.
    pub name: String,
    /// Its tokens; offsets in UTF-16 units.
    pub tokens: Vec<Token>,
    /// Whether a step so far knows of words that stemmers leave alone.
    pub shows_keyword: bool,
}

/// Every step.
#[derive(Clone, Debug, PartialEq)]
pub enum AnalyzeDetail {
    /// An analyzer that is one step.
    Analyzer(StageTokens),
    /// An analyzer of parts.
    Custom {
        /// The name of each char filter, and the texts after it.
        char_filters: Vec<(String, Vec<String>)>,
        /// After the tokenizer.
        tokenizer: StageTokens,
        /// After each filter.
        filters: Vec<StageTokens>,
    },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum AnalyzeOutcome {
    /// The tokens; offsets in UTF-16 units.
    Tokens(Vec<Token>),
    /// Every step.
    Detail(AnalyzeDetail),
}

impl AnalyzerRegistry {
    /// Answers a request.
    ///
    /// # Errors
    /// Parts that do not exist or are badly made; more tokens than allowed.
    pub fn answer(&self, request: &AnalyzeRequest) -> Result<AnalyzeOutcome> {
        let (name, analyzer, gap) = self.chosen(request)?;
        if !request.explain {
            return Ok(AnalyzeOutcome::Tokens(tokens(&analyzer, request, gap)?));
        }
        let Some(parts) = analyzer.parts.clone() else {
            let shows_keyword = super::languages::ANALYZERS.contains(&name.as_str()) && !matches!(name.as_str(), "cjk" | "thai");
            let stage = StageTokens { name, tokens: tokens(&analyzer, request, gap)?, shows_keyword };
            return Ok(AnalyzeOutcome::Detail(AnalyzeDetail::Analyzer(stage)));
        };
        // Step by step, parts that were put together for the request leave no gap.
        let gap = if name.is_empty() { 0 } else { gap };
        explained(&parts, request, gap).map(AnalyzeOutcome::Detail)
    }

    /// The analyzer that a request means, with its name and the empty positions between texts.
    fn chosen(&self, request: &AnalyzeRequest) -> Result<(String, Arc<Analyzer>, usize)> {
        let global = if request.of_index { "" } else { "global " };
        let named = |name: &str| {
            let analyzer = self.analyzer(name);
            analyzer.cloned().ok_or_else(|| Error::illegal_argument(format!("failed to find {global}analyzer [{name}]")))
        };
        if let Some(name) = &request.analyzer {
            let analyzer = named(name)?;
            let gap = analyzer.position_increment_gap;
            return Ok((name.clone(), analyzer, gap));
        }
        if let Some(tokenizer) = &request.tokenizer {
            let analyzer = Temporary::new(self, request).analyzer(tokenizer)?;
            return Ok((String::new(), Arc::new(analyzer), POSITION_INCREMENT_GAP));
        }
        if !request.filters.is_empty() || !request.char_filters.is_empty() {
            let analyzer = Temporary::new(self, request).normalizer()?;
            return Ok((String::new(), Arc::new(analyzer), 0));
        }
        let normalizer = |name: &str| {
            let found = self.normalizer(name).cloned();
            found.ok_or_else(|| Error::illegal_argument(format!("failed to find normalizer under [{name}]")))
        };
        if let Some(name) = &request.normalizer {
            return Ok((name.clone(), normalizer(name)?, 0));
        }
        Ok(match &request.field {
            Some(FieldAnalysis::Analyzer(name, gap)) => (name.clone(), named(name)?, *gap),
            Some(FieldAnalysis::Normalizer(name)) => (name.clone(), normalizer(name)?, 0),
            Some(FieldAnalysis::Keyword) => ("keyword".to_owned(), named("keyword")?, 0),
            None => {
                let analyzer = named("default")?;
                let gap = analyzer.position_increment_gap;
                ("default".to_owned(), analyzer, gap)
            }
        })
    }
}

/// The tokens of all texts, one behind the other.
fn tokens(analyzer: &Analyzer, request: &AnalyzeRequest, gap: usize) -> Result<Vec<Token>> {
    let (mut tokens, mut next_position, mut offset) = (Vec::new(), 0, 0);
    for text in &request.texts {
        let mut chain = Chain::new(analyzer, text, true);
        let mut word = Word::default();
        while chain.next(&mut word) {
            if tokens.len() >= request.token_count_max {
                return Err(Error::IllegalState {
                    reason: format!(
                        "The number of tokens produced by calling _analyze has exceeded the allowed maximum of [{}]. This limit can be \
                         set by changing the [index.analyze.max_token_count] index level setting.",
                        request.token_count_max
                    ),
                });
            }
            next_position += word.increment;
            tokens.push(Token {
                text: std::mem::take(&mut word.text),
                position: next_position.saturating_sub(1),
                position_length: word.length,
                start_offset: offset + word.start,
                end_offset: offset + word.end,
                kind: word.kind,
                keyword: word.keyword,
            });
        }
        let (trailing, end) = chain.end();
        next_position += trailing + gap;
        offset += end.max(utf16_length(text).min(end)) + analyzer.offset_gap;
    }
    Ok(tokens)
}

fn explained(parts: &Arc<Parts>, request: &AnalyzeRequest, gap: usize) -> Result<AnalyzeDetail> {
    let mut texts = request.texts.clone();
    let mut char_filters = Vec::new();
    for (name, filter) in &parts.char_filters {
        texts = texts.iter().map(|text| filter.apply(text).text).collect();
        char_filters.push((name.clone(), texts.clone()));
    }
    let (tokenizer_name, tokenizer, own_filter) = &parts.tokenizer;
    let up_to = |count: usize| -> Result<Vec<Token>> {
        let mut all: Vec<Filter> = own_filter.clone().into_iter().collect();
        all.extend(parts.filters.iter().take(count).map(|filter| filter.filter.clone()));
        let mut analyzer = Analyzer::new(Arc::clone(tokenizer), all);
        analyzer.char_filters = parts.char_filters.iter().map(|(_, filter)| Arc::clone(filter)).collect();
        tokens(&analyzer, request, gap)
    };
    let mut stages = Vec::new();
    let mut shows_keyword = false;
    for (number, filter) in parts.filters.iter().enumerate() {
        shows_keyword |= filters::knows_keywords(&filter.type_name);
        stages.push(StageTokens { name: filter.name.clone(), tokens: up_to(number + 1)?, shows_keyword });
    }
    let tokenizer = StageTokens { name: tokenizer_name.clone(), tokens: up_to(0)?, shows_keyword: false };
    Ok(AnalyzeDetail::Custom { char_filters, tokenizer, filters: stages })
}

/// An analyzer put together for one request.
struct Temporary<'a> {
    request: &'a AnalyzeRequest,
    settings: &'a Settings,
    bare: Bare,
}

impl<'a> Temporary<'a> {
    fn new(registry: &'a AnalyzerRegistry, request: &'a AnalyzeRequest) -> Temporary<'a> {
        // An index knows types by their names, without one the names that have fixed settings count.
        let bare = if request.of_index { Bare::Type } else { Bare::PreConfigured };
        Temporary { request, settings: registry.settings(), bare }
    }

    fn missing(&self, kind: &str, name: &str) -> Error {
        let global = if self.request.of_index { "" } else { "global " };
        Error::illegal_argument(format!("failed to find {global}{kind} under [{name}]"))
    }

    /// Without an index, what needs settings cannot be named.
    fn refuse_unconfigured(&self, needs: bool) -> Result<()> {
        if needs && !self.request.of_index {
            return Err(Error::illegal_argument("Analysis settings required - can't instantiate analysis factory"));
        }
        Ok(())
    }

    /// The settings of an anonymous part: its type, and what to call it.
    fn definition(&self, kind: &str, fields: &Map<String, Value>) -> Result<(String, Settings)> {
        let settings = Settings::from_json(&Value::Object(fields.clone()))?;
        match settings.text("type") {
            Some(type_name) => Ok((type_name.to_owned(), settings)),
            None => {
                let shown: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                Err(Error::illegal_argument(format!("Missing [type] setting for anonymous {kind}: {{{}}}", shown.join(","))))
            }
        }
    }

    fn section<'s>(&self, settings: &'s Settings, type_name: &str) -> Section<'s> {
        Section::new(settings, String::new(), &anonymous(type_name), Limits::of(self.settings))
    }

    fn char_filters(&self, parts: &mut Parts) -> Result<()> {
        let workshop = Workshop::new(self.settings);
        for reference in &self.request.char_filters {
            let (name, filter) = match reference {
                ComponentRef::Name(name) => {
                    let filter = workshop.char_filter(name)?;
                    if filter.is_none() {
                        self.refuse_unconfigured(matches!(name.as_str(), "mapping" | "pattern_replace"))?;
                    }
                    (name.clone(), filter)
                }
                ComponentRef::Definition(fields) => {
                    let (type_name, settings) = self.definition("char_filter", fields)?;
                    let filter = char_filters::build(&type_name, &self.section(&settings, &type_name))?;
                    if filter.is_none() {
                        return Err(Error::illegal_argument(format!("failed to find global char_filter under [{type_name}]")));
                    }
                    (anonymous(&type_name), filter)
                }
            };
            let filter = filter.ok_or_else(|| self.missing("char_filter", &name))?;
            parts.char_filters.push((name, filter));
        }
        Ok(())
    }

    fn analyzer(&self, tokenizer: &ComponentRef) -> Result<Analyzer> {
        let workshop = Workshop::new(self.settings);
        let (name, made) = match tokenizer {
            ComponentRef::Name(name) => (name.clone(), workshop.tokenizer(name)?),
            ComponentRef::Definition(fields) => {
                let (type_name, settings) = self.definition("tokenizer", fields)?;
                let made = tokenizers::build(&type_name, &self.section(&settings, &type_name))?;
                if made.is_none() {
                    return Err(Error::illegal_argument(format!("failed to find global tokenizer under [{type_name}]")));
                }
                (anonymous(&type_name), made)
            }
        };
        let (tokenizer, own_filter) = made.ok_or_else(|| self.missing("tokenizer", &name))?;
        let mut parts = Parts { char_filters: Vec::new(), tokenizer: (name, tokenizer, own_filter), filters: Vec::new() };
        self.char_filters(&mut parts)?;
        for reference in &self.request.filters {
            let (_, tokenizer, own_filter) = &parts.tokenizer;
            let before = Before { tokenizer, own_filter: own_filter.as_ref(), filters: &parts.filters };
            let filter = self.filter(&workshop, reference, before)?;
            parts.filters.push(filter);
        }
        Ok(assemble(parts))
    }

    fn filter(&self, workshop: &Workshop<'_>, reference: &ComponentRef, before: Before<'_>) -> Result<NamedFilter> {
        match reference {
            ComponentRef::Name(name) => {
                let filter = workshop.filter(name, self.bare, before, 0)?;
                if filter.is_none() {
                    self.refuse_unconfigured(filters::needs_settings(name))?;
                }
                filter.ok_or_else(|| self.missing("filter", name))
            }
            ComponentRef::Definition(fields) => {
                let (type_name, settings) = self.definition("filter", fields)?;
                let name = anonymous(&type_name);
                let part: Option<Part> = filters::build(&type_name, &self.section(&settings, &type_name))?;
                let Some(part) = part else {
                    return Err(Error::illegal_argument(format!("failed to find global filter under [{type_name}]")));
                };
                let filter = workshop.finish(&name, part, before, 0)?;
                Ok(NamedFilter { name, type_name, filter })
            }
        }
    }

    fn normalizer(&self) -> Result<Analyzer> {
        let workshop = Workshop::new(self.settings);
        let mut parts = Parts { char_filters: Vec::new(), tokenizer: keyword(), filters: Vec::new() };
        self.char_filters(&mut parts)?;
        for reference in &self.request.filters {
            let (_, tokenizer, _) = &parts.tokenizer;
            let filter = self.filter(&workshop, reference, Before { tokenizer, own_filter: None, filters: &[] })?;
            if !filters::is_for_normalizers(&filter.type_name) {
                return Err(Error::illegal_argument(format!("Custom normalizer may not use filter [{}]", filter.name)));
            }
            parts.filters.push(filter);
        }
        Ok(assemble(parts))
    }
}

fn anonymous(type_name: &str) -> String {
    format!("__anonymous__{type_name}")
}
