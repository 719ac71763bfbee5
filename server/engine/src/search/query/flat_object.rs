//! Searches below the name of a flat object: every leaf is an entry of one field, its path and its value.

use super::field::FieldTarget;
use super::{Built, QueryContext, constant};
use std::ops::Bound;
use tandem_common::mapping::field_types::{flat_entry, flat_path_bounds};
use tantivy::Term;
use tantivy::query::{RangeQuery, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

/// What a name below a flat object leads to.
#[derive(Clone, Copy)]
pub(super) struct FlatPath<'m> {
    /// The field of all entries.
    pub(super) entries: Field,
    /// The path below the flat object.
    pub(super) path: &'m str,
}

impl<'m> FlatPath<'m> {
    pub(super) fn find(context: &QueryContext<'m>, name: &'m str) -> Option<FlatPath<'m>> {
        let schema = &context.shard.schema;
        let (number, _, path) = schema.mapping().flat_field(name)?;
        Some(FlatPath { entries: schema.second_field(number)?, path })
    }

    /// The term of a value.
    pub(super) fn term(&self, value: &str) -> Term {
        Term::from_field_text(self.entries, &flat_entry(self.path, value))
    }

    /// One value.
    pub(super) fn value(&self, value: &str) -> Built {
        constant(Box::new(TermQuery::new(self.term(value), IndexRecordOption::Basic)))
    }

    /// Any value between two, or any at all.
    pub(super) fn between(&self, lower: Bound<&str>, upper: Bound<&str>) -> Built {
        let (first, last) = flat_path_bounds(self.path);
        let bound = |bound: Bound<&str>, open: Bound<Term>| match bound {
            Bound::Included(value) => Bound::Included(self.term(value)),
            Bound::Excluded(value) => Bound::Excluded(self.term(value)),
            Bound::Unbounded => open,
        };
        let lower = bound(lower, Bound::Included(Term::from_field_text(self.entries, &first)));
        let upper = bound(upper, Bound::Excluded(Term::from_field_text(self.entries, &last)));
        constant(Box::new(RangeQuery::new(lower, upper)))
    }
}

/// Whether the terms of a field can be searched with patterns.
pub(super) fn takes_patterns(target: &FieldTarget<'_>) -> bool {
    use tandem_common::mapping::FieldType;
    match target {
        FieldTarget::Leaf(_, leaf) => {
            leaf.field_type.is_text()
                || matches!(leaf.field_type, FieldType::Keyword | FieldType::Wildcard | FieldType::FlatObject | FieldType::ConstantKeyword)
        }
        FieldTarget::Flat(_) => true,
        FieldTarget::Raw(_) | FieldTarget::Column(_) | FieldTarget::IndexName | FieldTarget::Unmapped => false,
    }
}
