//! `indices:admin/analyze`: the tokens of some texts.

use crate::action::resolve::{self, Purpose};
use crate::action::{IndexNames, IndicesOptions, Services};
use tandem_cluster::IndexMetadata;
use tandem_common::mapping::FieldType;
use tandem_common::{Context, Error, Result, blocking};
use tandem_engine::analysis::{AnalyzeOutcome, AnalyzeRequest, AnalyzerRegistry, FieldAnalysis};

/// How many tokens an answer holds, unless the index says otherwise.
const TOKENS_MAX: usize = 10_000;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct AnalyzeTextRequest {
    /// The index whose analyzers count.
    pub index: Option<String>,
    /// The field whose analyzer counts.
    pub field: Option<String>,
    /// The rest.
    pub analyze: AnalyzeRequest,
}

/// Analyzes.
///
/// # Errors
/// A request that contradicts itself, names what does not exist, or gives more tokens than allowed.
pub async fn execute(services: &Services, _context: &Context, request: AnalyzeTextRequest) -> Result<AnalyzeOutcome> {
    validate(&request)?;
    let AnalyzeTextRequest { index, field, mut analyze } = request;
    analyze.token_count_max = TOKENS_MAX;
    let Some(name) = index else {
        let describes_itself =
            analyze.analyzer.is_some() || analyze.tokenizer.is_some() || !analyze.filters.is_empty() || !analyze.char_filters.is_empty();
        if field.is_some() && !describes_itself {
            return Err(Error::illegal_argument("analysis based on a specific field requires an index"));
        }
        return blocking::run(move || AnalyzerRegistry::default().answer(&analyze)).await;
    };
    let index = index_named(services, name)?;
    if let Some(limit) = index.settings.text("index.analyze.max_token_count").and_then(|text| text.parse().ok()) {
        analyze.token_count_max = limit;
    }
    analyze.of_index = true;
    if analyze.analyzer.is_none() && analyze.normalizer.is_none() {
        analyze.field = field.map(|field| analysis_of(&index, &field)).transpose()?.flatten();
    }
    blocking::run(move || AnalyzerRegistry::new(&index.settings)?.answer(&analyze)).await
}

/// The one index of a name, which may be an alias but no pattern.
fn index_named(services: &Services, name: String) -> Result<std::sync::Arc<IndexMetadata>> {
    if name == "_all" {
        return Err(Error::IndexNotFoundForWrite { index: name });
    }
    let options = IndicesOptions { expand_open: false, allow_no_indices: false, ..IndicesOptions::default() };
    let names = IndexNames { names: vec![name.clone()], options };
    let found = resolve::indices(&services.cluster.state(), &names, Purpose::Open).map_err(|error| match error {
        Error::IndexNotFound { index } => Error::IndexNotFoundForWrite { index },
        other => other,
    })?;
    match found.as_slice() {
        [index] => Ok(std::sync::Arc::clone(index)),
        [] => Err(Error::IndexNotFoundForWrite { index: name }),
        several => {
            let names: Vec<&str> = several.iter().map(|index| index.name.as_str()).collect();
            Err(Error::illegal_argument(format!(
                "alias [{name}] has more than one index associated with it [{}], can't execute a single index op",
                names.join(", ")
            )))
        }
    }
}

/// How a field is read; `None` for one that is not mapped.
fn analysis_of(index: &IndexMetadata, field: &str) -> Result<Option<FieldAnalysis>> {
    let Some((_, leaf)) = index.mapping.field(field) else { return Ok(None) };
    let options = leaf.options();
    match (leaf.field_type, &options.normalizer) {
        (FieldType::Text, _) => Ok(Some(FieldAnalysis::Analyzer(options.analyzer.clone(), options.position_increment_gap))),
        (FieldType::Keyword, Some(name)) => Ok(Some(FieldAnalysis::Normalizer(name.clone()))),
        (FieldType::Keyword, None) => Ok(Some(FieldAnalysis::Keyword)),
        _ => {
            Err(Error::illegal_argument(format!("Can't process field [{field}], Analysis requests are only supported on tokenized fields")))
        }
    }
}

fn validate(request: &AnalyzeTextRequest) -> Result<()> {
    let AnalyzeTextRequest { index, field, analyze } = request;
    let has_parts = analyze.tokenizer.is_some() || !analyze.filters.is_empty() || !analyze.char_filters.is_empty();
    let mut reasons = Vec::new();
    let mut add = |wrong: bool, reason: &str| {
        if wrong {
            reasons.push(reason.to_owned());
        }
    };
    add(analyze.texts.is_empty(), "text is missing");
    let has_normalizer = analyze.normalizer.is_some();
    add(index.is_none() && has_normalizer, "index is required if normalizer is specified");
    add(
        has_normalizer && (analyze.tokenizer.is_some() || analyze.analyzer.is_some()),
        "tokenizer/analyze should be null if normalizer is specified",
    );
    add(analyze.analyzer.is_some() && has_parts, "cannot define extra components on a named analyzer");
    add(has_normalizer && has_parts, "cannot define extra components on a named normalizer");
    add(field.is_some() && has_parts, "cannot define extra components on a field-specific analyzer");
    if reasons.is_empty() { Ok(()) } else { Err(Error::ActionRequestValidation { reasons }) }
}
