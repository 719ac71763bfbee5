//! Searches on fields that hold ranges: which of a document's ranges meet, hold or lie within the one that was asked for.

use super::Built;
use crate::shard::schema::upper_name;
use std::net::Ipv6Addr;
use tandem_common::mapping::{LeafField, RangeBounds};
use tantivy::SegmentReader;
use tantivy::columnar::Column;

use tantivy::query::doc_predicate_query::{DocPredicateQuery, FunctionPredicate};

/// How a range of a document and that of a query must lie to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// They have something in common.
    Intersects,
    /// The document's holds all of the query's.
    Contains,
    /// The query's holds all of the document's.
    Within,
}

impl Relation {
    pub(super) fn from_name(name: &str) -> Option<Relation> {
        match name.to_lowercase().as_str() {
            "intersects" => Some(Relation::Intersects),
            "contains" => Some(Relation::Contains),
            "within" => Some(Relation::Within),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Relation::Intersects => "INTERSECTS",
            Relation::Contains => "CONTAINS",
            Relation::Within => "WITHIN",
        }
    }

    fn holds<T: Ord>(self, (low, high): (T, T), (asked_low, asked_high): (T, T)) -> bool {
        match self {
            Relation::Intersects => low <= asked_high && high >= asked_low,
            Relation::Contains => low <= asked_low && high >= asked_high,
            Relation::Within => low >= asked_low && high <= asked_high,
        }
    }
}

/// Documents with at least one range that lies so to the one that was asked for.
pub(super) fn range_field_query(leaf: &LeafField, asked: RangeBounds, relation: Relation) -> Built {
    let (lower, upper) = (leaf.path.to_string(), upper_name(&leaf.path));
    match asked {
        RangeBounds::Number(low, high) => {
            let predicate = move |segment: &SegmentReader| {
                let fast = segment.fast_fields();
                let columns: Option<(Column<i64>, Column<i64>)> = fast.column_opt(&lower)?.zip(fast.column_opt(&upper)?);
                Ok(move |doc: u32| {
                    // Both columns have the ranges of a document in the same order.
                    columns.as_ref().is_some_and(|(lower, upper)| {
                        lower.values_for_doc(doc).zip(upper.values_for_doc(doc)).any(|range| relation.holds(range, (low, high)))
                    })
                })
            };
            Box::new(DocPredicateQuery::from(FunctionPredicate::from(predicate)))
        }
        RangeBounds::Ip(low, high) => {
            let predicate = move |segment: &SegmentReader| {
                let fast = segment.fast_fields();
                let columns: Option<(Column<Ipv6Addr>, Column<Ipv6Addr>)> = fast.column_opt(&lower)?.zip(fast.column_opt(&upper)?);
                Ok(move |doc: u32| {
                    columns.as_ref().is_some_and(|(lower, upper)| {
                        lower.values_for_doc(doc).zip(upper.values_for_doc(doc)).any(|range| relation.holds(range, (low, high)))
                    })
                })
            };
            Box::new(DocPredicateQuery::from(FunctionPredicate::from(predicate)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_are_told_by_the_ends() {
        let cases = [
            ((10, 20), (true, true, false)),
            ((12, 15), (true, true, false)),
            ((5, 30), (true, false, true)),
            ((15, 30), (true, false, false)),
            ((20, 30), (true, false, false)),
            ((21, 30), (false, false, false)),
        ];
        for (asked, (intersects, contains, within)) in cases {
            assert_eq!(Relation::Intersects.holds((10, 20), asked), intersects, "{asked:?}");
            assert_eq!(Relation::Contains.holds((10, 20), asked), contains, "{asked:?}");
            assert_eq!(Relation::Within.holds((10, 20), asked), within || asked == (10, 20), "{asked:?}");
        }
        assert_eq!(Relation::from_name("CONTAINS"), Some(Relation::Contains));
        assert_eq!(Relation::from_name("disjoint"), None);
    }
}
