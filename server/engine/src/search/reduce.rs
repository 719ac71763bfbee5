//! The results of several shards become one.

use super::query_phase::{QueryResult, TotalRelation, Winner, counted, sort_winners};
use super::source::{SearchSource, TrackTotalHits};

/// What all shards found together.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduced {
    /// How many documents match, up to the limit of counting; `None` if they are not counted.
    pub total: Option<u64>,
    /// Whether that is exact.
    pub relation: TotalRelation,
    /// The best score, where scores were asked for and something matched.
    pub max_score: Option<f32>,
    /// Those that are shown, best first; [`Winner::shard_position`] says whose they are.
    pub winners: Vec<Winner>,
    /// Whether time ran out on a shard.
    pub timed_out: bool,
    /// Whether a shard reached `terminate_after`.
    pub terminated_early: bool,
}

/// Merges the results of shards, in the order in which they are given.
pub fn reduce(results: Vec<QueryResult>, source: &SearchSource) -> Reduced {
    let mut total = 0;
    let mut is_exact = true;
    let mut reduced = Reduced {
        total: None,
        relation: TotalRelation::Equal,
        max_score: None,
        winners: Vec::new(),
        timed_out: false,
        terminated_early: false,
    };
    for (position, result) in results.into_iter().enumerate() {
        total += result.total.unwrap_or(0);
        is_exact &= result.relation == TotalRelation::Equal;
        reduced.max_score = match (reduced.max_score, result.max_score) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        reduced.timed_out |= result.timed_out;
        reduced.terminated_early |= result.terminated_early;
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        reduced.winners.extend(result.winners.into_iter().map(|winner| Winner { shard_position: position, ..winner }));
    }
    if source.is_by_score() {
        reduced.winners.sort_by(|a, b| {
            let by_score = b.score.unwrap_or(0.0).total_cmp(&a.score.unwrap_or(0.0));
            by_score.then_with(|| (a.shard_position, a.seq_no, a.segment, a.doc).cmp(&(b.shard_position, b.seq_no, b.segment, b.doc)))
        });
    } else {
        sort_winners(&source.sort, &mut reduced.winners);
    }
    reduced.winners = reduced.winners.into_iter().skip(source.from()).take(source.size()).collect();
    (reduced.total, reduced.relation) = counted(source.track_total_hits(), total);
    if !is_exact && source.track_total_hits() != TrackTotalHits::Exact {
        reduced.relation = TotalRelation::AtLeast;
    }
    reduced
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{SortSpec, SortValue};
    use serde_json::json;

    fn winner(score: f32, seq_no: i64, sort: Vec<SortValue>) -> Winner {
        Winner { shard_position: 0, segment: 0, doc: 0, score: Some(score), sort, seq_no }
    }

    fn result(total: u64, winners: Vec<Winner>) -> QueryResult {
        let max_score = winners.iter().filter_map(|winner| winner.score).reduce(f32::max);
        QueryResult { total: Some(total), relation: TotalRelation::Equal, max_score, winners, timed_out: false, terminated_early: false }
    }

    #[test]
    fn the_best_of_all_shards_come_first_and_equals_in_the_order_of_shards() {
        let source = SearchSource::parse(&json!({"from": 1, "size": 3})).unwrap();
        let first = result(2, vec![winner(3.0, 7, vec![]), winner(1.0, 9, vec![])]);
        let second = result(3, vec![winner(5.0, 1, vec![]), winner(3.0, 2, vec![]), winner(1.0, 3, vec![])]);
        let reduced = reduce(vec![first, second], &source);
        let order: Vec<(u32, i64)> = reduced.winners.iter().map(|winner| (winner.shard_position, winner.seq_no)).collect();
        assert_eq!(order, [(0, 7), (1, 2), (0, 9)]);
        assert_eq!((reduced.total, reduced.relation, reduced.max_score), (Some(5), TotalRelation::Equal, Some(5.0)));
    }

    #[test]
    fn totals_stop_at_the_limit() {
        for (track, total, relation) in [
            (json!(4), Some(4), TotalRelation::AtLeast),
            (json!(5), Some(5), TotalRelation::Equal),
            (json!(true), Some(5), TotalRelation::Equal),
            (json!(false), None, TotalRelation::AtLeast),
        ] {
            let source = SearchSource::parse(&json!({"track_total_hits": track})).unwrap();
            let reduced = reduce(vec![result(2, vec![]), result(3, vec![])], &source);
            assert_eq!((reduced.total, reduced.relation), (total, relation), "{track}");
        }
        let mut more = result(10, vec![]);
        more.relation = TotalRelation::AtLeast;
        let source = SearchSource::parse(&json!({"track_total_hits": 10})).unwrap();
        assert_eq!(reduce(vec![more], &source).relation, TotalRelation::AtLeast);
    }

    #[test]
    fn sort_values_decide_where_there_is_a_sort() {
        let source = SearchSource::parse(&json!({"sort": [{"n": "desc"}]})).unwrap();
        assert_eq!(source.sort, [SortSpec { order: crate::search::SortOrder::Desc, ..SortSpec::by("n") }]);
        let first = result(1, vec![winner(0.0, 1, vec![SortValue::Long(3)])]);
        let second = result(1, vec![winner(0.0, 1, vec![SortValue::Long(30)])]);
        let reduced = reduce(vec![first, second], &source);
        assert_eq!(reduced.winners.iter().map(|winner| winner.shard_position).collect::<Vec<_>>(), [1, 0]);
    }
}
