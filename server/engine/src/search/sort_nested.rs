//! Sorting by the fields of nested objects: the documents before the one around them that have a say in its order.

use super::query::{Bits, Query, QueryContext, around, bits_of};
use super::sort_keys::index_error;
use serde_json::Value;
use tandem_common::json::Node;
use tandem_common::{Error, Result};
use tantivy::query::EnableScoring;
use tantivy::{DocId, DocSet, SegmentReader, TERMINATED, Term};

/// How deep objects of a sort may nest, which bounds recursion.
const LEVELS_MAX: usize = 20;

/// `nested` of a sort.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NestedSort {
    /// The paths from the outermost object on, each with the filter that its objects must match.
    levels: Vec<(String, Option<Value>)>,
    /// Only the first of the objects count.
    children_max: usize,
    /// What it was read from.
    json: Value,
}

impl NestedSort {
    /// The objects of one path.
    pub(super) fn of_path(path: &str) -> Self {
        let json = serde_json::json!({"path": path});
        NestedSort { levels: vec![(path.to_owned(), None)], children_max: usize::MAX, json }
    }

    /// Reads the value of `nested`; `None` when it names no path.
    pub(super) fn read(node: &Node<'_>) -> Result<Option<Self>> {
        let mut sort = NestedSort { levels: Vec::new(), children_max: usize::MAX, json: node.to_value()? };
        let mut level = Some(node);
        while let Some(node) = level.take() {
            if sort.levels.len() >= LEVELS_MAX {
                return Err(Error::illegal_argument(format!("more than [{LEVELS_MAX}] nested objects in a sort")));
            }
            let (mut path, mut filter) = (None, None);
            for field in node.fields() {
                let (key, value) = field?;
                match key {
                    "path" => path = value.as_str().map(str::to_owned),
                    "filter" => {
                        Query::read(value)?;
                        filter = Some(value.to_value()?);
                    }
                    "max_children" => {
                        sort.children_max = value.to_value()?.as_u64().and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
                    }
                    "nested" => level = Some(value),
                    other => return Err(Error::illegal_argument(format!("malformed nested sort format, unknown field name [{other}]"))),
                }
            }
            match path {
                Some(path) => sort.levels.push((path, filter)),
                None => return Ok(None),
            }
        }
        Ok(Some(sort))
    }

    pub(super) fn to_json(&self) -> Value {
        self.json.clone()
    }

    /// Whether all its paths are nested objects.
    ///
    /// # Errors
    /// One that is not.
    pub(super) fn check(&self, context: &QueryContext<'_>) -> Result<()> {
        let mapping = context.shard.schema.mapping();
        if let Some((path, _)) = self.levels.iter().find(|(path, _)| !mapping.is_nested(path)) {
            let reason = match mapping.resolve(path) {
                Some(tandem_common::mapping::Resolved::Object) => {
                    format!("[nested] nested object under path [{path}] is not of nested type")
                }
                _ => format!("[nested] failed to find nested object under path [{path}]"),
            };
            return Err(context.query_shard(reason, None));
        }
        Ok(())
    }

    /// The objects of a segment that have a say.
    ///
    /// # Errors
    /// A filter that does not fit the mapping, and an index that cannot be read.
    pub(super) fn children(&self, context: &QueryContext<'_>, segment: &SegmentReader) -> Result<Children> {
        let Some(fields) = context.shard.schema.nested() else {
            return Ok(Children { objects: Bits::new(0, false), around: Bits::new(0, false), max: 0 });
        };
        let mut outer: Option<(Bits, Bits)> = None;
        let mut objects = Bits::new(0, false);
        for (path, filter) in &self.levels {
            let all = bits_of(segment, &Term::from_field_text(fields.path, path)).map_err(index_error)?;
            let mut allowed = match filter {
                Some(filter) => matching(context, segment, path, filter)?.and(&all),
                None => all.clone(),
            };
            if let Some((outer_all, outer_allowed)) = &outer {
                // An object counts where the one around it does.
                allowed.keep(|doc| outer_allowed.has(outer_all.next(doc)));
            }
            objects = allowed.clone();
            outer = Some((all, allowed));
        }
        let around = around(segment, fields.path, None).map_err(index_error)?;
        Ok(Children { objects, around, max: self.children_max })
    }
}

fn matching(context: &QueryContext<'_>, segment: &SegmentReader, path: &str, filter: &Value) -> Result<Bits> {
    let query = Query::parse(filter)?.build(&QueryContext { scope: Some(path), ..*context })?;
    let weight = query.weight(EnableScoring::disabled_from_searcher(&context.shard.searcher)).map_err(index_error)?;
    let mut scorer = weight.scorer(segment, 1.0).map_err(index_error)?;
    let mut bits = Bits::new(segment.max_doc(), false);
    while scorer.doc() != TERMINATED {
        bits.set(scorer.doc(), true);
        scorer.advance();
    }
    Ok(bits)
}

/// The objects of one segment that have a say in the order of the documents around them.
pub(super) struct Children {
    objects: Bits,
    around: Bits,
    max: usize,
}

impl Children {
    /// Those before a document, in their order.
    pub(super) fn before(&self, doc: DocId) -> Vec<DocId> {
        let is_inner = |doc: &DocId| !self.around.has(*doc);
        let mut found: Vec<DocId> = (0..doc).rev().take_while(is_inner).filter(|doc| self.objects.has(*doc)).collect();
        found.reverse();
        found.truncate(self.max);
        found
    }
}
