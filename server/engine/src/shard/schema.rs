//! From a mapping to the fields of the index, and from a parsed document to an index document.
//!
//! The schema is append-only: it depends on the mapping and on the schema before it, so that an index can be reopened
//! with more fields while its old segments stay as they are.
//!
//! Every leaf is a field of its own, named by its path. Text has frequencies, positions and lengths; a keyword is one term and
//! a column; whole numbers and booleans are terms and a column; floats and dates are a column alone, which ranges and terms
//! search as quickly. Ranges have two columns, one for each end, and flat objects two fields: the values, and the values with
//! their paths. The second is named after the first with `..` and a word: no path of a mapping has an empty part.
//! `_field_names` holds the path of every leaf that a document has a value in: it answers `exists`, and its
//! document frequencies are the number of documents that scores are computed with.

use crate::analysis::AnalyzerRegistry;
use std::collections::HashMap;
use std::sync::Arc;
use tandem_common::mapping::field_types::split_flat_entry;
use tandem_common::mapping::{FieldType, FieldValue, LeafField, Mapping, ParsedDocument, RangeBounds};
use tandem_common::{PrimaryTerm, SeqNo};
use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, FieldEntry, IndexRecordOption, IpAddrOptions, NumericOptions, STORED, Schema, SchemaBuilder, TextFieldIndexing,
    TextOptions,
};
use tantivy::tokenizer::TokenizerManager;

/// How many text fields keep lengths: each costs a byte per document, whether or not a document has the field.
const NORMED_FIELDS_MAX: usize = 256;

/// The fields of one index. Field numbers are never used again.
pub struct ShardSchema {
    schema: Schema,
    mapping: Arc<Mapping>,
    /// The field of each leaf, by the leaf's number; `None` if it is neither searched nor sorted.
    leaf_fields: Vec<Option<Field>>,
    /// The second field of the leaves that have two, by the leaf's number.
    second_fields: HashMap<u32, Field>,
    /// The leaves whose values are made of words, by number.
    word_counts: Vec<u32>,
    id: Field,
    source: Field,
    seq_no: Field,
    op_term: Field,
    version: Field,
    routing: Field,
    field_names: Field,
    ignored: Field,
    nested: Option<NestedFields>,
}

/// What the documents of nested objects have; only indices that have such objects have these fields.
#[derive(Clone, Copy, Debug)]
pub struct NestedFields {
    /// `_nested_path`: the path of the object. Documents without it are those that clients know.
    pub path: Field,
    /// `_root`: the id of the outermost document around it, which goes with it when that is replaced.
    pub root: Field,
}

/// What the index keeps of an operation beside its fields.
#[derive(Clone, Copy, Debug)]
pub struct DocumentMeta<'a> {
    /// The document's id.
    pub id: &'a str,
    /// Its routing, if it was given.
    pub routing: Option<&'a str>,
    /// The position of the operation in the log.
    pub seq_no: SeqNo,
    /// The term under which it was sequenced.
    pub op_term: PrimaryTerm,
    /// The document's version.
    pub version: i64,
    /// The document as it was sent.
    pub source: &'a [u8],
}

/// One untouched term per value, without frequencies or lengths.
fn raw_term() -> TextFieldIndexing {
    TextFieldIndexing::default().set_tokenizer("raw").set_fieldnorms(false).set_index_option(IndexRecordOption::Basic)
}

fn raw_text() -> TextOptions {
    TextOptions::default().set_indexing_options(raw_term())
}

/// The term in `_field_names` of a text without a single word: it exists, and does not count for scores.
fn wordless(path: &str) -> String {
    format!("\u{0}{path}")
}

/// The name of the column of upper ends of a range.
pub(crate) fn upper_name(path: &str) -> String {
    format!("{path}..upper")
}

/// The name of the field of a flat object's values with their paths.
pub(crate) fn entries_name(path: &str) -> String {
    format!("{path}..entries")
}

/// A field that takes its number from the schema before, or the next free one.
struct Appender {
    builder: SchemaBuilder,
    known: Schema,
}

impl Appender {
    fn new(previous: Option<&Schema>) -> Self {
        let mut appender = Appender { builder: SchemaBuilder::default(), known: SchemaBuilder::default().build() };
        if let Some(previous) = previous {
            for (_, entry) in previous.fields() {
                appender.builder.add_field(entry.clone());
            }
            appender.known = previous.clone();
        }
        appender
    }

    fn field(&mut self, entry: FieldEntry) -> Field {
        match self.known.get_field(entry.name()) {
            Ok(field) => field,
            Err(_) => self.builder.add_field(entry),
        }
    }

    fn number(&mut self, name: &str, entry: fn(String, NumericOptions) -> FieldEntry, options: NumericOptions) -> Field {
        self.field(entry(name.to_owned(), options))
    }

    fn text(&mut self, name: &str, options: TextOptions) -> Field {
        self.field(FieldEntry::new_text(name.to_owned(), options))
    }

    fn address(&mut self, name: &str, index: bool, column: bool) -> Field {
        let options = IpAddrOptions::default();
        let options = if index { options.set_indexed() } else { options };
        let options = if column { options.set_fast() } else { options };
        self.field(FieldEntry::new_ip_addr(name.to_owned(), options))
    }

    fn leaf(&mut self, leaf: &LeafField, has_room_for_norms: bool) -> Option<Field> {
        let options = leaf.options();
        let numeric = |index: bool, column: bool| {
            let numeric = NumericOptions::default();
            let numeric = if index { numeric.set_indexed() } else { numeric };
            if column { numeric.set_fast() } else { numeric }
        };
        if !options.index && !options.doc_values {
            return None;
        }
        Some(match leaf.field_type {
            FieldType::Text | FieldType::MatchOnlyText | FieldType::SearchAsYouType => {
                let indexing = TextFieldIndexing::default()
                    .set_tokenizer(&AnalyzerRegistry::tokenizer_name(&options.analyzer))
                    .set_fieldnorms(has_norms(leaf) && has_room_for_norms)
                    .set_index_option(IndexRecordOption::WithFreqsAndPositions);
                self.text(&leaf.path, TextOptions::default().set_indexing_options(indexing))
            }
            FieldType::Keyword | FieldType::Wildcard | FieldType::Completion => {
                let tokenizer = options.normalizer.as_deref().map(AnalyzerRegistry::normalizer_tokenizer_name);
                let tokenizer = tokenizer.as_deref().unwrap_or("raw");
                let mut text = TextOptions::default();
                if options.index {
                    text = text.set_indexing_options(raw_term().set_tokenizer(tokenizer));
                }
                if options.doc_values {
                    text = text.set_fast(tokenizer);
                }
                self.text(&leaf.path, text)
            }
            FieldType::FlatObject => self.text(&leaf.path, raw_text()),
            FieldType::Binary => self.text(&leaf.path, TextOptions::default().set_fast("raw")),
            FieldType::Boolean => self.number(&leaf.path, FieldEntry::new_bool, numeric(options.index, options.doc_values)),
            FieldType::Long | FieldType::Integer | FieldType::Short | FieldType::Byte | FieldType::TokenCount => {
                self.number(&leaf.path, FieldEntry::new_i64, numeric(options.index, options.doc_values))
            }
            FieldType::UnsignedLong => self.number(&leaf.path, FieldEntry::new_u64, numeric(options.index, options.doc_values)),
            // A column answers everything; terms are only needed where there is none.
            FieldType::Date | FieldType::DateNanos | FieldType::ScaledFloat => {
                self.number(&leaf.path, FieldEntry::new_i64, numeric(!options.doc_values, options.doc_values))
            }
            FieldType::Double | FieldType::Float | FieldType::HalfFloat => {
                self.number(&leaf.path, FieldEntry::new_f64, numeric(!options.doc_values, options.doc_values))
            }
            FieldType::Ip => self.address(&leaf.path, options.index, options.doc_values),
            // These are searched through their columns alone.
            FieldType::GeoPoint => self.number(&leaf.path, FieldEntry::new_u64, numeric(false, true)),
            FieldType::IntegerRange | FieldType::LongRange | FieldType::FloatRange | FieldType::DoubleRange | FieldType::DateRange => {
                self.number(&leaf.path, FieldEntry::new_i64, numeric(false, true))
            }
            FieldType::IpRange => self.address(&leaf.path, false, true),
            FieldType::ConstantKeyword | FieldType::Alias => return None,
        })
    }

    /// The second field of a leaf that has two.
    fn second(&mut self, leaf: &LeafField) -> Option<Field> {
        match leaf.field_type {
            FieldType::FlatObject => Some(self.text(&entries_name(&leaf.path), raw_text().set_fast("raw"))),
            FieldType::IpRange => Some(self.address(&upper_name(&leaf.path), false, true)),
            field_type if field_type.is_range() => {
                Some(self.number(&upper_name(&leaf.path), FieldEntry::new_i64, NumericOptions::default().set_fast()))
            }
            _ => None,
        }
    }
}

/// Whether the lengths of a leaf's texts are kept.
fn has_norms(leaf: &LeafField) -> bool {
    matches!(leaf.field_type, FieldType::Text | FieldType::SearchAsYouType) && leaf.options().norms
}

impl ShardSchema {
    /// The schema for `mapping`, keeping every field of `previous` at its number.
    pub fn derive(mapping: Arc<Mapping>, previous: Option<&Schema>) -> ShardSchema {
        let mut fields = Appender::new(previous);
        let column = NumericOptions::default().set_fast();
        let id = fields.text("_id", raw_text().set_stored());
        let source = fields.field(FieldEntry::new_bytes("_source".to_owned(), STORED.into()));
        let seq_no = fields.number("_seq_no", FieldEntry::new_i64, column.clone().set_indexed());
        let op_term = fields.field(FieldEntry::new_u64("_primary_term".to_owned(), FAST.into()));
        let version = fields.number("_version", FieldEntry::new_i64, column);
        let routing = fields.text("_routing", raw_text().set_stored());
        let field_names = fields.text("_field_names", raw_text());
        let ignored = fields.text("_ignored", raw_text().set_stored());
        let nested = (!mapping.nested_paths().is_empty())
            .then(|| NestedFields { path: fields.text("_nested_path", raw_text()), root: fields.text("_root", raw_text()) });
        let mut normed = 0;
        let mut second_fields = HashMap::new();
        let mut leaf_fields = Vec::with_capacity(mapping.leaves().len());
        let mut word_counts = Vec::new();
        for (number, leaf) in (0..).zip(mapping.leaves()) {
            normed += usize::from(has_norms(leaf));
            let field = fields.leaf(leaf, normed <= NORMED_FIELDS_MAX);
            leaf_fields.push(field);
            if field.is_some()
                && let Some(second) = fields.second(leaf)
            {
                second_fields.insert(number, second);
            }
            if leaf.field_type == FieldType::TokenCount {
                word_counts.push(number);
            }
        }
        let schema = fields.builder.build();
        ShardSchema {
            schema,
            mapping,
            leaf_fields,
            second_fields,
            word_counts,
            id,
            source,
            seq_no,
            op_term,
            version,
            routing,
            field_names,
            ignored,
            nested,
        }
    }

    /// Replaces the texts whose words are only counted by their counts.
    pub(super) fn count_words(&self, parsed: &mut ParsedDocument, tokenizers: &TokenizerManager) {
        if self.word_counts.is_empty() {
            return;
        }
        let inner = parsed.nested.iter_mut().flat_map(|document| &mut document.values);
        for (number, value) in parsed.values.iter_mut().chain(inner) {
            let FieldValue::Text(text) = value else { continue };
            let Some(leaf) = self.mapping.leaf(*number).filter(|leaf| leaf.field_type == FieldType::TokenCount) else { continue };
            let options = leaf.options();
            let tokenizer = tokenizers.get(&AnalyzerRegistry::tokenizer_name(&options.analyzer));
            let count = tokenizer.map_or(0, |mut tokenizer| {
                let mut stream = tokenizer.token_stream(text);
                let (mut words, mut places) = (0, 0);
                while stream.advance() {
                    words += 1;
                    places = stream.token().position + 1;
                }
                // Words that the analyzer leaves out keep their places.
                if options.counts_places { places } else { words }
            });
            *value = FieldValue::Long(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// The index library's schema.
    pub fn tantivy(&self) -> &Schema {
        &self.schema
    }

    /// The mapping behind it.
    pub fn mapping(&self) -> &Arc<Mapping> {
        &self.mapping
    }

    /// The field of a leaf, by the leaf's number; `None` if it is neither searched nor sorted.
    pub fn leaf_field(&self, leaf: u32) -> Option<Field> {
        self.leaf_fields.get(usize::try_from(leaf).ok()?).copied().flatten()
    }

    /// The second field of a leaf, by the leaf's number: the upper ends of a range, the entries of a flat object.
    pub fn second_field(&self, leaf: u32) -> Option<Field> {
        self.second_fields.get(&leaf).copied()
    }

    /// `_id`: one untouched term, stored.
    pub fn id(&self) -> Field {
        self.id
    }

    /// `_source`: stored bytes.
    pub fn source(&self) -> Field {
        self.source
    }

    /// `_seq_no`: a fast `i64`.
    pub fn seq_no(&self) -> Field {
        self.seq_no
    }

    /// `_primary_term` of the operation: a fast `u64`.
    pub fn op_term(&self) -> Field {
        self.op_term
    }

    /// `_version`: a fast `i64`.
    pub fn version(&self) -> Field {
        self.version
    }

    /// `_routing`: one untouched term, stored.
    pub fn routing(&self) -> Field {
        self.routing
    }

    /// `_field_names`: the paths that a document has values in.
    pub fn field_names(&self) -> Field {
        self.field_names
    }

    /// `_ignored`: the paths whose values were left out, stored.
    pub fn ignored(&self) -> Field {
        self.ignored
    }

    /// The terms of `_field_names` for a path: that it exists, and that it exists without a word.
    pub fn field_name_terms(&self, path: &str) -> (tantivy::Term, tantivy::Term) {
        (tantivy::Term::from_field_text(self.field_names, path), tantivy::Term::from_field_text(self.field_names, &wordless(path)))
    }

    /// What nested documents have, if there can be any.
    pub fn nested(&self) -> Option<NestedFields> {
        self.nested
    }

    /// The index documents of the nested objects of a document, in the order in which they stand before it.
    pub fn nested_documents(&self, parsed: &ParsedDocument, id: &str) -> Vec<TantivyDocument> {
        let Some(fields) = self.nested else { return Vec::new() };
        let documents = parsed.nested.iter().map(|nested| {
            let mut document = TantivyDocument::new();
            document.add_text(fields.path, &*nested.path);
            document.add_text(fields.root, id);
            self.add_values(&mut document, &nested.values);
            document
        });
        documents.collect()
    }

    /// The index document for a parsed document.
    pub fn document(&self, parsed: &ParsedDocument, meta: DocumentMeta<'_>) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_text(self.id, meta.id);
        document.add_bytes(self.source, meta.source);
        document.add_i64(self.seq_no, meta.seq_no.0);
        document.add_u64(self.op_term, meta.op_term.0);
        document.add_i64(self.version, meta.version);
        if let Some(routing) = meta.routing {
            document.add_text(self.routing, routing);
        }
        for path in &parsed.ignored {
            document.add_text(self.ignored, path);
        }
        self.add_values(&mut document, &parsed.values);
        document
    }

    fn add_values(&self, document: &mut TantivyDocument, values: &[(u32, FieldValue)]) {
        let mut present: Vec<(u32, bool)> = Vec::with_capacity(values.len());
        for (number, value) in values {
            let Some(field) = self.leaf_field(*number) else { continue };
            let has_words = match value {
                FieldValue::Text(text) => {
                    document.add_text(field, text);
                    text.contains(|letter: char| letter.is_alphanumeric() || !letter.is_ascii())
                }
                FieldValue::Long(value) => {
                    document.add_i64(field, *value);
                    true
                }
                FieldValue::Double(value) => {
                    document.add_f64(field, *value);
                    true
                }
                FieldValue::Bool(value) => {
                    document.add_bool(field, *value);
                    true
                }
                FieldValue::Unsigned(value) => {
                    document.add_u64(field, *value);
                    true
                }
                FieldValue::Ip(address) => {
                    document.add_ip_addr(field, *address);
                    true
                }
                FieldValue::Flat(entry) => {
                    let (_, value) = split_flat_entry(entry);
                    document.add_text(field, value);
                    if let Some(entries) = self.second_field(*number) {
                        document.add_text(entries, entry);
                    }
                    true
                }
                FieldValue::Range(bounds) => {
                    let Some(upper) = self.second_field(*number) else { continue };
                    match *bounds {
                        RangeBounds::Number(low, high) => {
                            document.add_i64(field, low);
                            document.add_i64(upper, high);
                        }
                        RangeBounds::Ip(low, high) => {
                            document.add_ip_addr(field, low);
                            document.add_ip_addr(upper, high);
                        }
                    }
                    true
                }
            };
            match present.iter_mut().find(|(known, _)| known == number) {
                Some((_, known)) => *known |= has_words,
                None => present.push((*number, has_words)),
            }
        }
        for (number, has_words) in present {
            let Some(leaf) = self.mapping.leaf(number) else { continue };
            document.add_text(self.field_names, &*leaf.path);
            if !has_words && leaf.field_type.is_text() {
                document.add_text(self.field_names, wordless(&leaf.path));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tandem_common::mapping::{MappingRules, ParseMode};
    use tantivy::collector::Count;
    use tantivy::query::TermQuery;
    use tantivy::{Index, IndexWriter, Term};

    fn mapping(body: &serde_json::Value) -> Arc<Mapping> {
        Arc::new(Mapping::parse(body, &MappingRules::default()).unwrap())
    }

    #[test]
    fn fields_keep_their_numbers() {
        let before = mapping(&json!({"properties": {"b": {"type": "text"}, "c": {"type": "long"}}}));
        let more = json!({"properties": {"a": {"type": "keyword", "normalizer": "lowercase"}, "d": {"type": "date"}}});
        let after = Arc::new(before.merge(&more, &MappingRules::default()).unwrap());
        let first = ShardSchema::derive(before, None);
        let second = ShardSchema::derive(after, Some(first.tantivy()));
        let names = |schema: &ShardSchema| schema.tantivy().fields().map(|(_, entry)| entry.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&second)[..names(&first).len()], names(&first));
        assert_eq!(names(&second)[names(&first).len()..], ["a", "d"]);
        for (field, entry) in first.tantivy().fields() {
            assert_eq!(second.tantivy().get_field_entry(field), entry);
        }
        // A schema read back from disk leads to the same.
        let text = serde_json::to_string(second.tantivy()).unwrap();
        let read: Schema = serde_json::from_str(&text).unwrap();
        assert_eq!(ShardSchema::derive(Arc::clone(second.mapping()), Some(&read)).tantivy(), second.tantivy());
    }

    #[test]
    fn numbers_have_no_lengths() {
        let body = json!({"properties": {"l": {"type": "long"}, "f": {"type": "float"}, "b": {"type": "boolean"}, "k": {"type": "keyword"},
            "t": {"type": "text"}, "off": {"type": "long", "index": false, "doc_values": false}}});
        let schema = ShardSchema::derive(mapping(&body), None);
        for (_, entry) in schema.tantivy().fields() {
            assert_eq!(entry.has_fieldnorms(), entry.name() == "t", "{}", entry.name());
        }
        assert!(schema.tantivy().get_field("off").is_err());
    }

    #[test]
    fn documents_say_which_fields_they_have() {
        let body =
            json!({"properties": {"t": {"type": "text"}, "k": {"type": "keyword"}, "l": {"type": "long", "ignore_malformed": true}}});
        let schema = ShardSchema::derive(mapping(&body), None);
        let index = Index::create_in_ram(schema.tantivy().clone());
        AnalyzerRegistry::default().register(index.tokenizers());
        let mut writer: IndexWriter = index.writer_with_num_threads(1, 20_000_000).unwrap();
        for (id, source) in [("1", r#"{"t":"a b","k":"x"}"#), ("2", r#"{"t":"...","l":"z"}"#), ("3", r#"{"l":[1,2]}"#)] {
            let parsed = schema.mapping().parse_document(id, source.as_bytes(), ParseMode::Strict).unwrap();
            let meta = DocumentMeta { id, routing: None, seq_no: SeqNo(0), op_term: PrimaryTerm(1), version: 1, source: source.as_bytes() };
            writer.add_document(schema.document(&parsed, meta)).unwrap();
        }
        writer.commit().unwrap();
        let searcher = index.reader().unwrap().searcher();
        let count = |term: Term| searcher.search(&TermQuery::new(term, IndexRecordOption::Basic), &Count).unwrap();
        assert_eq!(count(schema.field_name_terms("t").0), 2);
        assert_eq!(count(schema.field_name_terms("t").1), 1);
        assert_eq!(count(schema.field_name_terms("l").0), 1);
        assert_eq!(count(Term::from_field_text(schema.ignored(), "l")), 1);
        assert_eq!(count(Term::from_field_text(schema.id(), "2")), 1);
    }
}
