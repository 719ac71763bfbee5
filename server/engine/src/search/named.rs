//! Which of the named queries a hit fits, and how well.

use super::query::{Query, QueryContext};
use super::query_phase::Winner;
use super::sort_keys::index_error;
use std::collections::HashMap;
use tandem_common::Result;
use tantivy::query::EnableScoring;
use tantivy::{DocId, DocSet};

/// The names of each winner, in the order in which they are shown, with their scores if `with_scores` (0 otherwise); empty without
/// named queries. A name that is given twice is that of the last query.
///
/// # Errors
/// A named query that does not fit the mapping.
pub(super) fn matched(
    context: &QueryContext<'_>,
    query: Option<&Query>,
    winners: &[Winner],
    with_scores: bool,
) -> Result<Vec<Vec<(String, f32)>>> {
    let mut matched = vec![Vec::new(); winners.len()];
    let mut named: Vec<(&str, &Query)> = Vec::new();
    query.into_iter().for_each(|query| query.collect_named(&mut named));
    for (position, (name, query)) in named.iter().enumerate() {
        let is_last = named.iter().skip(position + 1).all(|(later, _)| later != name);
        if is_last {
            mark(context, query, winners, with_scores, |winner, score| {
                if let Some(names) = matched.get_mut(winner) {
                    names.push(((*name).to_owned(), score));
                }
            })?;
        }
    }
    matched.iter_mut().for_each(|names| order(names));
    Ok(matched)
}

/// Calls `found` with the place and the score of each winner that the query matches.
fn mark(context: &QueryContext<'_>, query: &Query, winners: &[Winner], with_scores: bool, mut found: impl FnMut(usize, f32)) -> Result<()> {
    let searcher = &context.shard.searcher;
    let scoring =
        if with_scores { EnableScoring::enabled_from_searcher(searcher) } else { EnableScoring::disabled_from_searcher(searcher) };
    let weight = query.build(context)?.weight(scoring).map_err(index_error)?;
    // A scorer only goes forward, so the documents of a segment are asked for in their order.
    let mut segments: HashMap<u32, Vec<(DocId, usize)>> = HashMap::new();
    for (place, winner) in winners.iter().enumerate() {
        segments.entry(winner.segment).or_default().push((winner.doc, place));
    }
    for (segment, mut docs) in segments {
        let ord = usize::try_from(segment).unwrap_or(usize::MAX);
        let Some(reader) = searcher.segment_readers().get(ord) else { continue };
        docs.sort_unstable();
        let mut scorer = weight.scorer(reader, 1.0).map_err(index_error)?;
        for (doc, place) in docs {
            let at = if scorer.doc() < doc { scorer.seek(doc) } else { scorer.doc() };
            if at == doc {
                found(place, if with_scores { scorer.score() } else { 0.0 });
            }
        }
    }
    Ok(())
}

/// The order in which Java's hash table of these texts lists them.
fn order(names: &mut [(String, f32)]) {
    let mut buckets = 16_u32;
    while names.len() as f64 > f64::from(buckets) * 0.75 {
        buckets *= 2;
    }
    names.sort_by_key(|(name, _)| {
        let hash = name.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
        (hash ^ (hash >> 16)) & (buckets - 1)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_the_order_of_a_hash_table() {
        for (names, expected) in [
            (vec!["first", "second", "third", "fourth"], vec!["third", "fourth", "first", "second"]),
            (vec!["foxes", "as", "zz", "b", "alpha", "whole"], vec!["zz", "as", "b", "alpha", "whole", "foxes"]),
        ] {
            let mut names: Vec<(String, f32)> = names.into_iter().map(|name| (name.to_owned(), 0.0)).collect();
            order(&mut names);
            assert_eq!(names.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), expected);
        }
    }
}
