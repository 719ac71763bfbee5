//! Words that are nearly the same: what `fuzziness` makes of a word.

use super::text::{field_documents, with_statistics};
use super::{Built, CLAUSES_MAX, QueryContext, boosted, text as shown, whole};
use std::collections::BTreeMap;
use tandem_common::json::Node;
use tandem_common::mapping::LeafField;
use tandem_common::{Error, Result};
use tantivy::Term;
use tantivy::query::{BooleanQuery, FuzzyTermQuery, TermQuery};
use tantivy::schema::IndexRecordOption;

/// How many words one word may stand for unless set.
const EXPANSIONS_DEFAULT: usize = 50;

/// How far words may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fuzziness {
    /// One change from `low` letters on, two from `high` on.
    Auto { low: usize, high: usize },
    /// This many changes.
    Edits(u8),
}

/// `fuzziness` and what goes with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct FuzzyOptions {
    pub(super) fuzziness: Option<Fuzziness>,
    pub(super) prefix_length: usize,
    pub(super) expansions_max: usize,
    pub(super) transpositions: bool,
}

impl Default for FuzzyOptions {
    fn default() -> Self {
        FuzzyOptions { fuzziness: None, prefix_length: 0, expansions_max: EXPANSIONS_DEFAULT, transpositions: true }
    }
}

impl Fuzziness {
    /// `AUTO`
    pub(super) const AUTO: Fuzziness = Fuzziness::Auto { low: 3, high: 6 };

    fn parse(value: &Node<'_>) -> Result<Fuzziness> {
        let shown = shown(value)?;
        let text = shown.to_uppercase();
        let refused = || Error::illegal_argument(format!("Invalid fuzziness value: {shown}"));
        if text == "AUTO" {
            return Ok(Self::AUTO);
        }
        if let Some(ends) = text.strip_prefix("AUTO:") {
            let (low, high) = ends.split_once(',').ok_or_else(refused)?;
            let read = |text: &str| text.trim().parse::<usize>().map_err(|_| refused());
            return Ok(Fuzziness::Auto { low: read(low)?, high: read(high)? });
        }
        match text.parse::<f64>() {
            // More than two are taken for two.
            Ok(edits) if edits >= 0.0 => Ok(Fuzziness::Edits((edits as u8).min(2))),
            _ => Err(refused()),
        }
    }

    pub(super) fn shown(self) -> String {
        match self {
            Self::AUTO => "AUTO".to_owned(),
            Fuzziness::Auto { low, high } => format!("AUTO:{low},{high}"),
            Fuzziness::Edits(edits) => edits.to_string(),
        }
    }

    fn edits(self, word: &str) -> u8 {
        match self {
            Fuzziness::Edits(edits) => edits,
            Fuzziness::Auto { low, high } => match word.chars().count() {
                length if length < low => 0,
                length if length < high => 1,
                _ => 2,
            },
        }
    }
}

impl FuzzyOptions {
    /// Whether the key was one of them.
    pub(super) fn take(&mut self, key: &str, value: &Node<'_>) -> Result<bool> {
        let size = |value: &Node<'_>| whole(value).map(|number| usize::try_from(number).unwrap_or(0));
        match key {
            "fuzziness" => self.fuzziness = Some(Fuzziness::parse(value)?),
            "prefix_length" => self.prefix_length = size(value)?,
            "max_expansions" => self.expansions_max = size(value)?.min(CLAUSES_MAX),
            "fuzzy_transpositions" => self.transpositions = super::flag(value)?,
            // How words are expanded is always the same here.
            "fuzzy_rewrite" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Any of the words of the index that are near enough to `word`; the nearer, the higher the score. `None` if only the word
/// itself will do.
///
/// # Errors
/// An index that cannot be read.
pub(super) fn fuzzy_query(
    context: &QueryContext<'_>,
    leaf: &LeafField,
    term: &Term,
    word: &str,
    options: &FuzzyOptions,
) -> Result<Option<Built>> {
    let edits = options.fuzziness.map_or(0, |fuzziness| fuzziness.edits(word));
    if edits == 0 {
        return Ok(None);
    }
    let near = near_words(context, term, word, edits, options)?;
    let length = word.chars().count();
    let closeness = |found: &str, edits: u8| {
        let shorter = found.chars().count().min(length).max(1);
        1.0 - f32::from(edits) / shorter as f32
    };
    let mut words: Vec<(f32, String)> = near.into_iter().map(|(found, edits)| (closeness(&found, edits), found)).collect();
    words.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    words.truncate(options.expansions_max);
    let terms: Vec<Term> = words.iter().map(|(_, found)| Term::from_field_text(term.field(), found)).collect();
    // They are scored as if all of them were as frequent as the most frequent one.
    let frequency = terms.iter().map(|term| context.shard.searcher.doc_freq(term).unwrap_or(0)).max().unwrap_or(0);
    let clauses: Vec<Built> = words
        .iter()
        .zip(&terms)
        .map(|((closeness, _), term)| boosted(Box::new(TermQuery::new(term.clone(), IndexRecordOption::WithFreqs)), *closeness))
        .collect();
    let documents = field_documents(context, leaf).max(frequency);
    Ok(Some(with_statistics(context, leaf, Box::new(BooleanQuery::union(clauses)), (documents, term.field(), Some(frequency)))))
}

/// The words of the index within `edits` changes, with how many it takes.
fn near_words(context: &QueryContext<'_>, term: &Term, word: &str, edits: u8, options: &FuzzyOptions) -> Result<BTreeMap<String, u8>> {
    let prefix: String = word.chars().take(options.prefix_length).collect();
    let mut near = BTreeMap::new();
    for distance in 0..=edits {
        let automaton =
            FuzzyTermQuery::new(term.clone(), distance, options.transpositions).automaton().map_err(crate::search::index_error)?;
        for segment in context.shard.searcher.segment_readers() {
            let index = segment.inverted_index(term.field()).map_err(crate::search::index_error)?;
            let mut stream = index.terms().search(&automaton).into_stream()?;
            while stream.advance() {
                if let Ok(found) = std::str::from_utf8(stream.key())
                    && found.starts_with(&prefix)
                {
                    near.entry(found.to_owned()).or_insert(distance);
                }
            }
        }
    }
    Ok(near)
}
