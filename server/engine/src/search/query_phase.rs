//! The first phase of a search: how many documents of a shard match, and which are the best.

use super::collect::{Best, Candidate};
use super::query::{Query, QueryContext, without_nested};
use super::sort::{SortSpec, SortValue};
use super::sort_keys::{KeyReader, SortKey, index_error};
use super::source::{SearchSource, TrackTotalHits};
use crate::shard::searcher::ShardSearcher;
use serde::{Deserialize, Serialize};
use tandem_common::env::clock;
use tandem_common::{Error, Result, Settings};
use tantivy::columnar::Column;
use tantivy::query::{EnableScoring, Weight};
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED};

/// `index.max_result_window` unless set.
const RESULT_WINDOW_DEFAULT: usize = 10_000;

/// After how many documents the clock is looked at.
const CLOCK_INTERVAL: u64 = 4_096;

/// Whether a total is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TotalRelation {
    /// It is.
    #[serde(rename = "eq")]
    Equal,
    /// There are at least as many.
    #[serde(rename = "gte")]
    AtLeast,
}

/// One of the best documents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Winner {
    /// Which of the merged results it came from; 0 before they are merged.
    pub shard_position: u32,
    /// Its segment, in the searcher that found it.
    pub segment: u32,
    /// Its place in the segment.
    pub doc: u32,
    /// Its score, where scores were asked for.
    pub score: Option<f32>,
    /// What it is ordered by; empty when by score alone.
    pub sort: Vec<SortValue>,
    /// The sequence number of its last change.
    pub seq_no: i64,
}

/// What a shard found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryResult {
    /// How many documents match, up to the limit of counting; `None` if they are not counted.
    pub total: Option<u64>,
    /// Whether that is exact.
    pub relation: TotalRelation,
    /// The best score, where scores were asked for and something matched.
    pub max_score: Option<f32>,
    /// The best, best first: `from + size` of them at most.
    pub winners: Vec<Winner>,
    /// Whether time ran out.
    pub timed_out: bool,
    /// Whether `terminate_after` was reached.
    pub terminated_early: bool,
}

/// Finds the best documents of a shard.
///
/// `now_millis` is what `now` in dates means; `settings` are those of the index.
///
/// # Errors
/// A window that is too large, and queries or sorts that do not fit the mapping.
pub fn query_phase(shard: &ShardSearcher, source: &SearchSource, now_millis: i64, settings: &Settings) -> Result<QueryResult> {
    source.check()?;
    check_window(source, settings)?;
    let context = QueryContext::new(shard, now_millis);
    let all = Query::match_all();
    let query = without_nested(&context, source.query.as_ref().unwrap_or(&all).build_on_shard(&context)?);
    let by_score = source.is_by_score();
    let best_score = SortSpec::by("_score");
    let specs: &[SortSpec] = if by_score { std::slice::from_ref(&best_score) } else { &source.sort };
    let keys = specs.iter().map(|spec| SortKey::resolve(&context, spec)).collect::<Result<Vec<_>>>()?;
    if let Some(after) = &source.search_after {
        check_search_after(after, source, keys.len())?;
    }
    let limit = source.from() + source.size();
    let shows_scores = (by_score && source.size() > 0) || source.track_scores || keys.iter().any(SortKey::needs_score);
    let needs_scores = (limit > 0 && shows_scores) || source.min_score.is_some();
    let scoring = if needs_scores {
        EnableScoring::enabled_from_searcher(&shard.searcher)
    } else {
        EnableScoring::disabled_from_searcher(&shard.searcher)
    };
    let weight = query.weight(scoring).map_err(index_error)?;
    let mut collector = Collector {
        context,
        source,
        keys,
        weight,
        by_score,
        needs_scores,
        limit,
        total: 0,
        count_limit: match source.track_total_hits() {
            TrackTotalHits::Exact => u64::MAX,
            TrackTotalHits::Off => 0,
            TrackTotalHits::UpTo(limit) => limit,
        },
        max_score: None,
        deadline: source.timeout.map(|timeout| clock::now() + timeout),
        ended: None,
    };
    let mut winners = collector.run()?;
    sort_winners(specs, &mut winners);
    winners.truncate(limit);
    if by_score {
        winners.iter_mut().for_each(|winner| winner.sort.clear());
    }
    if !shows_scores {
        winners.iter_mut().for_each(|winner| winner.score = None);
    }
    let shows_max = limit > 0 && source.size() > 0 && (by_score || source.track_scores);
    let (total, relation) = counted(source.track_total_hits(), collector.total);
    Ok(QueryResult {
        total,
        relation,
        max_score: collector.max_score.filter(|_| shows_max),
        winners,
        timed_out: collector.ended == Some(Ended::TimedOut),
        terminated_early: collector.ended == Some(Ended::Enough),
    })
}

/// How many documents match.
///
/// # Errors
/// A query that does not fit the mapping.
pub fn count(shard: &ShardSearcher, query: Option<&Query>, now_millis: i64) -> Result<u64> {
    let context = QueryContext::new(shard, now_millis);
    let all = Query::match_all();
    let built = without_nested(&context, query.unwrap_or(&all).build_on_shard(&context)?);
    let weight = built.weight(EnableScoring::disabled_from_searcher(&shard.searcher)).map_err(index_error)?;
    let mut total = 0;
    for segment in shard.searcher.segment_readers() {
        total += u64::from(weight.count(segment).map_err(index_error)?);
    }
    Ok(total)
}

pub(super) fn counted(track: TrackTotalHits, total: u64) -> (Option<u64>, TotalRelation) {
    match track {
        TrackTotalHits::Off => (None, TotalRelation::AtLeast),
        TrackTotalHits::Exact => (Some(total), TotalRelation::Equal),
        TrackTotalHits::UpTo(limit) if total > limit => (Some(limit), TotalRelation::AtLeast),
        TrackTotalHits::UpTo(_) => (Some(total), TotalRelation::Equal),
    }
}

pub(super) fn sort_winners(specs: &[SortSpec], winners: &mut [Winner]) {
    winners.sort_by(|a, b| {
        let by_values = specs.iter().zip(a.sort.iter().zip(&b.sort)).map(|(spec, (a, b))| spec.compare(a, b));
        let first = by_values.into_iter().find(|ordering| ordering.is_ne());
        first.unwrap_or_else(|| (a.shard_position, a.seq_no, a.segment, a.doc).cmp(&(b.shard_position, b.seq_no, b.segment, b.doc)))
    });
}

fn check_window(source: &SearchSource, settings: &Settings) -> Result<()> {
    let window = settings.text("index.max_result_window").and_then(|text| text.parse().ok()).unwrap_or(RESULT_WINDOW_DEFAULT);
    let asked = source.from().saturating_add(source.size());
    if asked <= window {
        return Ok(());
    }
    Err(Error::illegal_argument(format!(
        "Result window is too large, from + size must be less than or equal to: [{window}] but was [{asked}]. See the scroll api for a more \
         efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting."
    )))
}

fn check_search_after(after: &[serde_json::Value], source: &SearchSource, keys: usize) -> Result<()> {
    if source.sort.is_empty() {
        return Err(Error::illegal_argument("Sort must contain at least one field."));
    }
    if after.len() != keys {
        return Err(Error::illegal_argument(format!("search_after has {} value(s) but sort has {keys}.", after.len())));
    }
    Ok(())
}

/// Why collecting ended before the last document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    TimedOut,
    Enough,
}

struct Collector<'c> {
    context: QueryContext<'c>,
    source: &'c SearchSource,
    keys: Vec<SortKey<'c>>,
    weight: Box<dyn Weight>,
    by_score: bool,
    needs_scores: bool,
    limit: usize,
    total: u64,
    /// Beyond this the total need not be exact.
    count_limit: u64,
    max_score: Option<Score>,
    deadline: Option<clock::Instant>,
    ended: Option<Ended>,
}

impl Collector<'_> {
    fn run(&mut self) -> Result<Vec<Winner>> {
        let searcher = &self.context.shard.searcher;
        let mut winners = Vec::new();
        if self.source.terminate_after < 0 {
            self.ended = Some(Ended::Enough);
            return Ok(winners);
        }
        let plain = self.source.min_score.is_none() && self.source.terminate_after == 0 && self.deadline.is_none();
        if self.limit == 0 && plain {
            for segment in searcher.segment_readers() {
                self.total += u64::from(self.weight.count(segment).map_err(index_error)?);
            }
            return Ok(winners);
        }
        // With more matches than are counted, most of them need no score: the best are found by skipping over the others.
        let skips = self.by_score && plain && self.source.search_after.is_none() && self.has_more_than_counted()?;
        for (ord, segment) in searcher.segment_readers().iter().enumerate() {
            let segment_ord = u32::try_from(ord).unwrap_or(u32::MAX);
            let best = if skips { self.skipping(segment)? } else { self.every(segment)? };
            let readers = self.readers(segment)?;
            for candidate in best.into_candidates() {
                let sort = self.keys.iter().zip(&readers).map(|(key, reader)| key.value(reader, candidate.doc, candidate.score)).collect();
                winners.push(Winner {
                    shard_position: 0,
                    segment: segment_ord,
                    doc: candidate.doc,
                    score: self.needs_scores.then_some(candidate.score),
                    sort,
                    seq_no: candidate.seq_no,
                });
            }
            if self.ended.is_some() {
                break;
            }
        }
        if skips {
            self.total = self.count_limit.saturating_add(1);
        }
        Ok(winners)
    }

    fn readers(&self, segment: &SegmentReader) -> Result<Vec<KeyReader>> {
        self.keys.iter().map(|key| key.reader(&self.context, segment)).collect()
    }

    /// Counts without scores, and no further than needed.
    fn has_more_than_counted(&self) -> Result<bool> {
        if self.count_limit == u64::MAX {
            return Ok(false);
        }
        let mut total = 0;
        for segment in self.context.shard.searcher.segment_readers() {
            let mut scorer = self.weight.scorer(segment, 1.0).map_err(index_error)?;
            let alive = segment.alive_bitset();
            let mut doc = scorer.doc();
            while doc != TERMINATED {
                if alive.is_none_or(|alive| alive.is_alive(doc)) {
                    total += 1;
                    if total > self.count_limit {
                        return Ok(true);
                    }
                }
                doc = scorer.advance();
            }
        }
        Ok(false)
    }

    fn seq_nos(&self, segment: &SegmentReader) -> Result<Option<Column<i64>>> {
        segment.fast_fields().column_opt("_seq_no").map_err(index_error)
    }

    fn skipping(&mut self, segment: &SegmentReader) -> Result<Best> {
        let mut best = Best::new(self.limit);
        let seq_nos = self.seq_nos(segment)?;
        let alive = segment.alive_bitset();
        let mut max_score = self.max_score;
        let key = self.keys.first();
        let mut callback = |doc: DocId, score: Score| {
            if alive.is_none_or(|alive| alive.is_alive(doc)) {
                max_score = Some(max_score.map_or(score, |max| max.max(score)));
                let keys = key.map(|key| key.key(&KeyReader::Score, doc, score)).into_iter().collect();
                best.offer(Candidate { keys, seq_no: first(seq_nos.as_ref(), doc), doc, score });
            }
            best.score_wanted()
        };
        self.weight.for_each_pruning(Score::NEG_INFINITY, segment, &mut callback).map_err(index_error)?;
        self.max_score = max_score;
        Ok(best)
    }

    fn every(&mut self, segment: &SegmentReader) -> Result<Best> {
        let mut best = Best::new(self.limit);
        let readers = self.readers(segment)?;
        let after = match &self.source.search_after {
            Some(values) => {
                let keys = self.keys.iter().zip(&readers).zip(values).map(|((key, reader), value)| key.key_after(reader, value));
                Some(keys.collect::<Result<smallvec::SmallVec<[u64; 2]>>>()?)
            }
            None => None,
        };
        let seq_nos = self.seq_nos(segment)?;
        let alive = segment.alive_bitset();
        let mut scorer = self.weight.scorer(segment, 1.0).map_err(index_error)?;
        let mut doc = scorer.doc();
        while doc != TERMINATED {
            if alive.is_none_or(|alive| alive.is_alive(doc)) {
                let score = if self.needs_scores { scorer.score() } else { 0.0 };
                if self.source.min_score.is_none_or(|min| score >= min) {
                    // It ends early only where there would have been more.
                    if self.is_enough() {
                        self.ended = Some(Ended::Enough);
                        break;
                    }
                    self.total += 1;
                    self.max_score = Some(self.max_score.map_or(score, |max| max.max(score)));
                    self.offer(&mut best, &readers, after.as_deref(), seq_nos.as_ref(), (doc, score));
                    if self.is_over() {
                        break;
                    }
                }
            }
            doc = scorer.advance();
        }
        Ok(best)
    }

    fn offer(
        &self,
        best: &mut Best,
        readers: &[KeyReader],
        after: Option<&[u64]>,
        seq_nos: Option<&Column<i64>>,
        (doc, score): (DocId, Score),
    ) {
        let mut pairs = self.keys.iter().zip(readers);
        let Some((key, reader)) = pairs.next() else { return };
        let first_key = key.key(reader, doc, score);
        if best.refuses(first_key) {
            return;
        }
        let mut keys = smallvec::SmallVec::<[u64; 2]>::new();
        keys.push(first_key);
        keys.extend(pairs.map(|(key, reader)| key.key(reader, doc, score)));
        // What equals the values to start after was shown before.
        if after.is_some_and(|after| keys.as_slice() <= after) {
            return;
        }
        best.offer(Candidate { keys, seq_no: first(seq_nos, doc), doc, score });
    }

    /// Whether the one more document that was found is one too many.
    fn is_enough(&self) -> bool {
        let wanted = self.source.terminate_after;
        wanted != 0 && u64::try_from(wanted).is_ok_and(|wanted| self.total >= wanted)
    }

    /// Whether to stop here.
    fn is_over(&mut self) -> bool {
        if self.total.is_multiple_of(CLOCK_INTERVAL) && self.deadline.is_some_and(|deadline| clock::now() >= deadline) {
            self.ended = Some(Ended::TimedOut);
        }
        self.ended.is_some()
    }
}

fn first(column: Option<&Column<i64>>, doc: DocId) -> i64 {
    column.and_then(|column| column.first(doc)).unwrap_or(i64::MAX)
}
