//! Two stores in one process: a leader, and a follower that was promoted.

use super::*;
use crate::shard::seqno::Lineage;
use crate::shard::tests::{Place, delete, index, operation, soon, source};
use crate::shard::{Condition, IndexShard, OpenShard, WriteKind, WriteOperation};
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tandem_common::env::clock;
use tandem_common::env::disk::{TestDisk, Variant};
use tandem_common::env::fs;
use tandem_common::mapping::{Mapping, MappingRules};
use tandem_common::settings::SettingValue;
use tandem_common::{Error, HistoryId, PrimaryTerm, Result, SeqNo};

/// Text that does not compress to nothing.
fn text(id: usize, round: usize) -> Bytes {
    let mut state = (id as u64 + 1) * 0x9e37_79b9 + round as u64;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:x}", state >> 24)
    };
    let words: Vec<String> = (0..24).map(|_| word()).collect();
    Bytes::from(format!("{{\"round\":{round},\"text\":\"{}\"}}", words.join(" ")))
}

fn write(id: usize, round: usize) -> WriteOperation {
    operation(&format!("{id}"), WriteKind::Index { source: text(id, round) }, Condition::None)
}

async fn follow(follower: &IndexShard, leader: &IndexShard) {
    let mut from = follower.history().global_checkpoint.next();
    loop {
        let operations = leader.operations(from, 64 << 10).await.unwrap();
        let Some(last) = operations.last().map(|operation| operation.seq_no) else { return };
        follower.append_replicated(operations, soon()).await.unwrap();
        from = last.next();
    }
}

async fn digest(shard: &IndexShard) -> Digest {
    shard.refresh().await.unwrap();
    shard.searcher().digest(SeqNo(0)..=SeqNo(i64::MAX)).unwrap()
}

/// A leader with documents in several segments, updated and deleted, and a follower that followed in other steps.
async fn pair(here: &Place, there: &Place, documents: usize) -> (Arc<IndexShard>, Arc<IndexShard>) {
    let leader = here.primary().await;
    let follower = IndexShard::create(there.open_shard(), HistoryId("history".into())).await.unwrap();
    follower.activate_follower(PrimaryTerm(1)).await.unwrap();
    for part in 0..4 {
        let ids = part * documents / 4..(part + 1) * documents / 4;
        leader.all(ids.clone().map(|id| write(id, 0)).collect()).await;
        leader.all(ids.filter(|id| id % 10 == 3).map(|id| write(id, 1)).collect()).await;
        leader.refresh().await.unwrap();
        if part % 2 == 1 {
            follow(&follower, &leader).await;
            follower.refresh().await.unwrap();
        }
    }
    leader.all((0..documents).filter(|id| id % 25 == 4).map(|id| delete(&format!("{id}"))).collect()).await;
    leader.force_merge(2).await.unwrap();
    follow(&follower, &leader).await;
    follower.force_merge(1).await.unwrap();
    assert_eq!(digest(&leader).await, digest(&follower).await);
    (leader, follower)
}

async fn delta(target: &IndexShard, source: &IndexShard) -> (Arc<DeltaSource>, PreparedGeneration) {
    let pinned = source.begin_delta(target.request_delta("back", "delta").await.unwrap()).await.unwrap();
    let prepared = target.prepare_delta(pinned.begin().clone(), &pinned, target.mapping()).await.unwrap();
    let leases: Vec<SeqNo> = source.leases().iter().map(|lease| lease.retaining_seq_no).collect();
    assert_eq!(leases, [pinned.begin().checkpoint.next()], "the history above the pin is kept, and no more");
    (pinned, prepared)
}

fn saved(report: &DeltaReport) -> BTreeSet<(String, String, i64)> {
    let Some(path) = &report.saved else { return BTreeSet::new() };
    let lines = String::from_utf8(fs::read(path).unwrap()).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let line = |line: serde_json::Value| {
        assert!(line["_source"].is_object() && line["_primary_term"].is_u64() && line["_version"].is_i64());
        (line["reason"].as_str().unwrap().to_owned(), line["_id"].as_str().unwrap().to_owned(), line["_seq_no"].as_i64().unwrap())
    };
    lines.map(line).collect()
}

#[tokio::test]
async fn an_old_leader_becomes_equal_to_the_new_one_by_what_differs() {
    const DOCUMENTS: usize = 4000;
    let (here, there) = (Place::new(), Place::new());
    let (old, new) = pair(&here, &there, DOCUMENTS).await;
    // One operation that the follower never got, then both go their own ways.
    old.one(write(0, 7)).await.unwrap();
    let fork = new.history().max_seq_no;
    new.open_for_writes(HistoryId("own".into()), PrimaryTerm(1000)).await.unwrap();
    new.all((0..DOCUMENTS).filter(|id| id % 100 == 11).map(|id| write(id, 2)).collect()).await;
    new.all(vec![write(DOCUMENTS, 2), delete("15"), delete("16"), delete("17"), write(17, 3)]).await;
    new.force_merge(1).await.unwrap();
    // Changed, created, deleted on the old side; also documents that the new side has changed or deleted.
    old.all(vec![write(20, 5), write(11, 5), write(15, 5), write(DOCUMENTS + 1, 5)]).await;
    old.all(vec![delete("21"), delete("111"), delete("16"), delete(&format!("{}", DOCUMENTS + 2))]).await;
    old.all(vec![write(22, 5), delete("22")]).await;
    let size = new.stats().store_bytes - new.stats().translog_bytes;

    let before = digest(&old).await;
    let (pinned, prepared) = delta(&old, &new).await;
    assert_eq!((prepared.shared, prepared.checkpoint), (fork, new.history().global_checkpoint));
    assert_eq!(digest(&old).await, before, "searches go on as they were");
    let searcher = old.searcher();
    // The source goes on meanwhile.
    new.all((500..600).map(|id| write(id, 6)).collect()).await;
    new.one(delete("700")).await.unwrap();
    new.force_merge(1).await.unwrap();

    let report = prepared.report.clone();
    assert!(report.bytes_moved * 20 < size, "{} of {size} bytes moved", report.bytes_moved);
    let switched = old.switch_generation(&prepared, here.open_shard()).await.unwrap();
    let pinned_digest = pinned.searcher_digest();
    assert_eq!(digest(&switched).await, pinned_digest);
    assert_eq!(searcher.digest(SeqNo(0)..=SeqNo(i64::MAX)).unwrap(), before, "and a searcher that is held sees what it saw");
    assert_eq!(switched.history().lineage, pinned.begin().lineage);

    let first = fork.0 + 1;
    let expected: BTreeSet<(String, String, i64)> = [
        ("dropped", "0", first),
        ("dropped", "20", first + 1),
        ("dropped", "11", first + 2),
        ("dropped", "15", first + 3),
        ("dropped", "4001", first + 4),
        ("brought_back", "21", seq_no_of(&pinned, "21")),
        ("brought_back", "111", seq_no_of(&pinned, "111")),
        ("brought_back", "22", seq_no_of(&pinned, "22")),
    ]
    .into_iter()
    .map(|(reason, id, seq_no)| (reason.to_owned(), id.to_owned(), seq_no))
    .collect();
    assert_eq!(saved(&report), expected);
    assert_eq!((report.dropped, report.brought_back), (5, 3));

    switched.activate_follower(PrimaryTerm(1001)).await.unwrap();
    follow(&switched, &new).await;
    assert_eq!(digest(&switched).await, digest(&new).await);
    switched.flush().await.unwrap();
    drop(switched);
    let reopened = here.try_reopen().await.unwrap();
    assert_eq!(digest(&reopened).await, digest(&new).await);
    assert_eq!(reopened.prepared_delta().await.unwrap(), None);
}

impl DeltaSource {
    fn searcher_digest(&self) -> Digest {
        self.pinned().digest(SeqNo(0)..=SeqNo(i64::MAX)).unwrap()
    }
}

fn seq_no_of(pinned: &DeltaSource, id: &str) -> i64 {
    pinned.pinned().find(id).unwrap().unwrap().seq_no.0
}

#[tokio::test]
async fn a_copy_that_only_fell_behind_gets_what_is_new_and_loses_what_is_gone() {
    let (here, there) = (Place::new().with("index.gc_deletes", "0s"), Place::new());
    let (leader, follower) = pair(&here, &there, 400).await;
    leader.all((0..10).map(|id| write(id, 3)).collect()).await;
    leader.all((10..20).map(|id| delete(&format!("{id}"))).collect()).await;
    leader.flush().await.unwrap();
    assert!(leader.operations(follower.history().max_seq_no.next(), 1).await.is_err(), "the history is gone");
    let (_, prepared) = delta(&follower, &leader).await;
    let report = &prepared.report;
    // Of the ten that were written again, document 4 had been deleted before.
    assert_eq!((report.added, report.removed, report.dropped, report.fetched), (10, 19, 0, 0));
    assert_eq!(report.saved, None);
    let follower = follower.switch_generation(&prepared, there.open_shard()).await.unwrap();
    assert_eq!(digest(&follower).await, digest(&leader).await);
    follower.activate_follower(PrimaryTerm(1)).await.unwrap();
    leader.one(write(1, 4)).await.unwrap();
    follow(&follower, &leader).await;
    assert_eq!(digest(&follower).await, digest(&leader).await);
}

#[tokio::test]
async fn tombstones_come_along_and_end_when_the_index_has_gone_on() {
    let (here, there) = (Place::new(), Place::new());
    let (leader, follower) = pair(&here, &there, 40).await;
    let deleted = leader.one(delete("1")).await.unwrap();
    leader.one(index("again", "a")).await.unwrap();
    leader.one(delete("again")).await.unwrap();
    let (_, prepared) = delta(&follower, &leader).await;
    let follower = follower.switch_generation(&prepared, there.open_shard()).await.unwrap();
    follower.open_for_writes(HistoryId("own".into()), PrimaryTerm(50)).await.unwrap();
    assert_eq!(follower.one(index("1", "b")).await.unwrap().version, deleted.version + 1);
    drop(follower);
    let follower = there.reopen(51).await;
    assert_eq!(follower.one(index("again", "b")).await.unwrap().version, 3);
    assert_eq!(follower.one(index("1", "c")).await.unwrap().version, deleted.version + 2);
    follower.set_settings(Arc::new([("index.gc_deletes".to_owned(), SettingValue::One("0s".into()))].into_iter().collect()));
    follower.flush().await.unwrap();
    drop(follower);
    let follower = there.reopen(52).await;
    assert!(follower.history().lowest_retained > deleted.seq_no, "the log does not know it either");
    assert_eq!(follower.one(index("again", "c")).await.unwrap().version, 4);
}

/// Fails at the n-th call, and counts them.
struct Fails {
    source: Arc<DeltaSource>,
    calls: AtomicUsize,
    at: usize,
}

impl Fails {
    fn call(&self) -> Result<()> {
        let lost = || Error::ResourceNotFound { reason: "the pin is lost".into() };
        if self.calls.fetch_add(1, Ordering::Relaxed) == self.at { Err(lost()) } else { Ok(()) }
    }
}

impl DeltaPeer for Fails {
    async fn live(&self, from: SeqNo) -> Result<LiveChunk> {
        self.call()?;
        Ok(self.source.live_from(from))
    }

    async fn documents(&self, from: SeqNo) -> Result<DocumentChunk> {
        self.call()?;
        self.source.documents_from(from)
    }

    async fn fetch(&self, wanted: SeqNoSet) -> Result<DocumentChunk> {
        self.call()?;
        self.source.fetch_live(&wanted)
    }

    async fn tombstones(&self, from: SeqNo) -> Result<TombstoneChunk> {
        self.call()?;
        Ok(self.source.tombstones_from(from))
    }
}

async fn diverged(here: &Place, there: &Place) -> (Arc<IndexShard>, Arc<IndexShard>) {
    let (old, new) = pair(here, there, 60).await;
    new.open_for_writes(HistoryId("own".into()), PrimaryTerm(1000)).await.unwrap();
    new.all(vec![write(1, 2), delete("2"), write(100, 2)]).await;
    old.all(vec![write(3, 5), delete("5"), write(1, 5)]).await;
    (old, new)
}

#[tokio::test]
async fn an_attempt_that_ends_anywhere_leaves_everything_as_it_was_and_the_next_one_succeeds() {
    let mut at = 0;
    loop {
        let (here, there) = (Place::new(), Place::new());
        let (old, new) = diverged(&here, &there).await;
        let before = digest(&old).await;
        let pinned = new.begin_delta(old.request_delta("back", "delta").await.unwrap()).await.unwrap();
        let peer = Fails { source: pinned.clone(), calls: AtomicUsize::new(0), at };
        let attempt = old.prepare_delta(pinned.begin().clone(), &peer, old.mapping()).await;
        let Err(error) = attempt else {
            assert!(at >= 4, "all four kinds of calls were tried");
            return;
        };
        assert!(matches!(error, Error::ResourceNotFound { .. }), "{error}");
        drop(old);
        let old = here.try_reopen().await.unwrap();
        assert_eq!(old.prepared_delta().await.unwrap(), None);
        assert_eq!(digest(&old).await, before);
        old.activate_primary(PrimaryTerm(2)).await.unwrap();
        new.one(write(50, 9)).await.unwrap();
        let (_, prepared) = delta(&old, &new).await;
        assert_eq!(prepared.report.dropped, 2);
        let old = old.switch_generation(&prepared, here.open_shard()).await.unwrap();
        assert_eq!(digest(&old).await, digest(&new).await);
        at += 1;
    }
}

#[tokio::test]
async fn a_complete_generation_outlives_a_crash_before_the_switch() {
    let (here, there) = (Place::new(), Place::new());
    let (old, new) = diverged(&here, &there).await;
    let (_, prepared) = delta(&old, &new).await;
    drop(old);
    let old = here.try_reopen().await.unwrap();
    assert_eq!(old.prepared_delta().await.unwrap().as_ref(), Some(&prepared));
    let switched = old.switch_generation(&prepared, here.open_shard()).await.unwrap();
    assert_eq!(digest(&switched).await, digest(&new).await);
    assert_eq!(saved(&prepared.report).len(), 3);
    let again = old.switch_generation(&prepared, here.open_shard()).await;
    assert!(again.is_err(), "it is closed");
    // And back again: the generations count on.
    switched.activate_follower(PrimaryTerm(2000)).await.unwrap();
    switched.open_for_writes(HistoryId("third".into()), PrimaryTerm(3000)).await.unwrap();
    switched.one(write(7, 8)).await.unwrap();
    let (_, prepared) = delta(&new, &switched).await;
    let new = new.switch_generation(&prepared, there.open_shard()).await.unwrap();
    assert_eq!(digest(&switched).await, digest(&new).await);
    let (_, prepared) = delta(&switched, &new).await;
    assert_eq!(prepared.generation, 2);
    let switched = switched.switch_generation(&prepared, here.open_shard()).await.unwrap();
    assert_eq!(digest(&switched).await, digest(&new).await);
}

#[tokio::test]
async fn a_copy_that_went_on_is_not_replaced() {
    let (here, there) = (Place::new(), Place::new());
    let (old, new) = diverged(&here, &there).await;
    let (_, prepared) = delta(&old, &new).await;
    old.activate_primary(PrimaryTerm(1)).await.unwrap();
    assert!(matches!(old.switch_generation(&prepared, here.open_shard()).await, Err(Error::IllegalState { .. })));
    old.one(write(9, 9)).await.unwrap();
    old.request_delta("back", "delta").await.unwrap();
    assert!(matches!(old.switch_generation(&prepared, here.open_shard()).await, Err(Error::IllegalState { .. })));
}

#[tokio::test]
async fn a_field_of_another_type_is_refused() {
    let (here, there) = (Place::new(), Place::new());
    let (old, new) = diverged(&here, &there).await;
    let typed = |kind: &str| {
        let body = serde_json::json!({"properties": {"field": {"type": kind}}});
        Arc::new(old.mapping().merge(&body, &MappingRules::default()).unwrap())
    };
    let (long, keyword) = (typed("long"), typed("keyword"));
    old.set_mapping(long.clone());
    let pinned = new.begin_delta(old.request_delta("back", "delta").await.unwrap()).await.unwrap();
    let refused = old.prepare_delta(pinned.begin().clone(), &pinned, keyword).await.unwrap_err();
    assert!(matches!(&refused, Error::IllegalState { reason } if reason.contains("[field]")), "{refused}");
    old.prepare_delta(pinned.begin().clone(), &pinned, long).await.unwrap();
}

#[tokio::test]
async fn nested_objects_go_and_come_with_their_document() {
    let (here, there) = (Place::new(), Place::new());
    let body = serde_json::json!({"properties": {"a": {"type": "nested", "properties": {"x": {"type": "long"}}}}});
    let mapping = Arc::new(Mapping::parse(&body, &MappingRules::default()).unwrap());
    let old = here.primary().await;
    let new = IndexShard::create(there.open_shard(), HistoryId("history".into())).await.unwrap();
    new.activate_follower(PrimaryTerm(1)).await.unwrap();
    for shard in [&old, &new] {
        shard.set_mapping(mapping.clone());
    }
    let write = async |shard: &IndexShard, ids: std::ops::Range<usize>, objects: usize| {
        let source = serde_json::json!({"a": (0..objects).map(|x| serde_json::json!({"x": x})).collect::<Vec<_>>()}).to_string();
        let operation = |id: usize| operation(&format!("{id}"), WriteKind::Index { source: source.clone().into() }, Condition::None);
        let parsed = ids.map(|id| shard.parse(operation(id)).unwrap()).collect();
        shard.write(parsed, soon()).await.unwrap().into_iter().for_each(|result| assert!(result.is_ok()));
    };
    write(&old, 0..20, 2).await;
    follow(&new, &old).await;
    new.open_for_writes(HistoryId("own".into()), PrimaryTerm(1000)).await.unwrap();
    write(&new, 0..5, 3).await;
    new.one(delete("6")).await.unwrap();
    write(&old, 3..9, 4).await;
    old.one(delete("10")).await.unwrap();
    let (_, prepared) = delta(&old, &new).await;
    let open = OpenShard { mapping: mapping.clone(), ..here.open_shard() };
    let old = old.switch_generation(&prepared, open).await.unwrap();
    assert_eq!(digest(&old).await, digest(&new).await);
    let parts = |shard: &IndexShard| shard.searcher().searcher.num_docs();
    assert_eq!((parts(&old), parts(&new)), (14 * 3 + 5 * 4, 14 * 3 + 5 * 4));
}

#[tokio::test]
async fn strangers_and_lies_are_refused() {
    let (here, there, elsewhere) = (Place::new(), Place::new(), Place::new());
    let (old, new) = diverged(&here, &there).await;
    let stranger = IndexShard::create(elsewhere.open_shard(), HistoryId("stranger".into())).await.unwrap();
    let request = old.request_delta("back", "delta").await.unwrap();
    let refused = stranger.begin_delta(request.clone()).await;
    assert!(matches!(refused, Err(Error::HistoryMismatch { .. })));
    let pinned = new.begin_delta(request).await.unwrap();
    let begin = pinned.begin().clone();
    let lies: [fn(&mut DeltaBegin); 5] = [
        |begin| begin.shared = begin.shared.next(),
        |begin| begin.lineage = Lineage::new(HistoryId("other".into())),
        |begin| begin.live_shared += 1,
        |begin| begin.live_above += 1,
        |begin| begin.mapping_version += 1,
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let mut begin = begin.clone();
        lie(&mut begin);
        assert!(old.prepare_delta(begin, &pinned, old.mapping()).await.is_err(), "lie {number}");
        assert_eq!(old.prepared_delta().await.unwrap(), None);
    }
    old.prepare_delta(begin, &pinned, old.mapping()).await.unwrap();
}

/// Writes between the answers.
struct Busy {
    source: Arc<DeltaSource>,
    shard: Arc<IndexShard>,
    written: Mutex<BTreeMap<usize, usize>>,
}

impl Busy {
    async fn work(&self, round: usize) {
        let ids: Vec<usize> = (0..60).filter(|id| id % 7 == round % 7).collect();
        self.shard.all(ids.iter().map(|id| write(*id, 20 + round)).collect()).await;
        self.shard.all(vec![delete(&format!("{}", round % 60))]).await;
        self.shard.refresh().await.unwrap();
        self.shard.force_merge(1).await.unwrap();
        self.shard.flush().await.unwrap();
        self.written.lock().extend(ids.into_iter().map(|id| (id, round)));
    }
}

impl DeltaPeer for Busy {
    async fn live(&self, from: SeqNo) -> Result<LiveChunk> {
        self.work(1).await;
        Ok(self.source.live_from(from))
    }

    async fn documents(&self, from: SeqNo) -> Result<DocumentChunk> {
        self.work(2).await;
        self.source.documents_from(from)
    }

    async fn fetch(&self, wanted: SeqNoSet) -> Result<DocumentChunk> {
        self.work(3).await;
        self.source.fetch_live(&wanted)
    }

    async fn tombstones(&self, from: SeqNo) -> Result<TombstoneChunk> {
        self.work(4).await;
        Ok(self.source.tombstones_from(from))
    }
}

#[tokio::test]
async fn a_source_under_writes_gives_the_state_of_its_pin_and_the_rest_as_operations() {
    let (here, there) = (Place::new(), Place::new().with("index.gc_deletes", "0s"));
    let (old, new) = diverged(&here, &there).await;
    let pinned = new.begin_delta(old.request_delta("back", "delta").await.unwrap()).await.unwrap();
    let peer = Busy { source: pinned.clone(), shard: new.clone(), written: Mutex::default() };
    let prepared = old.prepare_delta(pinned.begin().clone(), &peer, old.mapping()).await.unwrap();
    assert!(peer.written.lock().len() > 20);
    let old = old.switch_generation(&prepared, here.open_shard()).await.unwrap();
    assert_eq!(digest(&old).await, pinned.searcher_digest());
    old.activate_follower(PrimaryTerm(5000)).await.unwrap();
    follow(&old, &new).await;
    assert_eq!(digest(&old).await, digest(&new).await);
    assert_eq!(old.text("59").await.is_some(), new.text("59").await.is_some());
    assert_ne!(old.text("1").await, Some(source("x")));
}

/// The states that a crash may leave of what was done from `began` on, each opened and checked: of those before `dense` one in
/// so many, of those after it all.
async fn crash_states<T>(
    place: &Place,
    disk: &TestDisk,
    (began, dense): (usize, usize),
    check: impl AsyncFn(Arc<IndexShard>, usize) -> std::result::Result<T, String>,
) -> Vec<T> {
    let mut replay = disk.replay();
    let (mut seen, mut outcomes) = (BTreeSet::new(), Vec::new());
    for position in began..=replay.len() {
        replay.advance(position);
        for variant in Variant::all(position as u64) {
            let state = replay.state(variant);
            // The same folder may come again after the work has ended.
            if !seen.insert((state.digest(), position == replay.len())) || seen.len() % CRASH_STRIDE != 0 && position < dense {
                continue;
            }
            let folder = tempfile::tempdir().unwrap();
            state.write_to(folder.path()).unwrap();
            let _quick = TestDisk::install(folder.path()).unwrap();
            let open = OpenShard { path: folder.path().join("shard"), ..place.open_shard() };
            let context = |error: String| format!("crash after {position} ({}), {variant:?}: {error}", replay.describe(position));
            let shard = IndexShard::open(open).await.map_err(|error| context(error.to_string())).unwrap();
            outcomes.push(check(shard, position).await.map_err(context).unwrap());
        }
    }
    outcomes
}

/// One in so many states is opened where they are many.
const CRASH_STRIDE: usize = 9;

#[tokio::test]
async fn a_crash_at_any_moment_leaves_the_old_state_or_the_new_one() {
    let (here, there) = (Place::new(), Place::new());
    let (old, new) = diverged(&here, &there).await;
    let before = digest(&old).await;
    old.close().await.unwrap();
    drop(old);
    let disk = TestDisk::install(here.path()).unwrap();
    let old = here.reopen(2).await;
    let began = disk.position();
    let (_, prepared) = delta(&old, &new).await;
    let complete = disk.position();
    let switched = old.switch_generation(&prepared, here.open_shard()).await.unwrap();
    let ended = disk.position();
    let after = digest(&switched).await;
    drop((old, switched));
    let check = async |shard: Arc<IndexShard>, position: usize| {
        let found = digest(&shard).await;
        let waiting = shard.prepared_delta().await.map_err(|error| error.to_string())?;
        if position >= ended && found != after {
            return Err("the new state is lost".to_owned());
        }
        if position >= complete && found != after && waiting.as_ref() != Some(&prepared) {
            return Err("the complete generation is lost".to_owned());
        }
        if found != before && found != after {
            return Err("it is neither the old state nor the new one".to_owned());
        }
        if waiting.is_some() && found == before {
            let open = OpenShard { path: shard.inner.base.clone(), ..here.open_shard() };
            let switched = shard.switch_generation(&prepared, open).await.map_err(|error| error.to_string())?;
            if digest(&switched).await != after {
                return Err("the generation that waits is not whole".to_owned());
            }
            switched.activate_primary(PrimaryTerm(6000)).await.map_err(|error| error.to_string())?;
        } else {
            shard.activate_primary(PrimaryTerm(6000)).await.map_err(|error| error.to_string())?;
        }
        Ok((found == after, waiting.is_some()))
    };
    let outcomes = crash_states(&here, &disk, (began, complete), check).await;
    for expected in [(false, false), (false, true), (true, false)] {
        assert!(outcomes.contains(&expected), "{expected:?} of {}", outcomes.len());
    }
}

#[tokio::test]
async fn a_crash_at_any_moment_of_a_cut_leaves_the_log_whole_or_cut() {
    let place = Place::new().with("index.translog.generation_threshold_size", "600b");
    let disk = TestDisk::install(place.path()).unwrap();
    let shard = place.primary().await;
    for id in 0..3 {
        shard.one(write(id, 0)).await.unwrap();
    }
    {
        let mut tracker = shard.inner.tracker.lock();
        tracker.track("silent", SeqNo(2));
        tracker.mark_in_sync("silent");
    }
    for id in 3..9 {
        let parsed = vec![shard.parse_any(write(id, 0))];
        let unknown = shard.write(parsed, clock::now()).await;
        assert!(matches!(unknown, Err(Error::Timeout { .. })));
        shard.inner.sync_log(clock::now()).await.unwrap_err();
    }
    let began = disk.position();
    shard.truncate_above(SeqNo(4)).await.unwrap();
    let ended = disk.position();
    drop(shard);
    let check = async |shard: Arc<IndexShard>, position: usize| {
        let end = shard.stats().max_seq_no;
        if !(4..=8).contains(&end) || position >= ended && end != 4 {
            return Err(format!("the log ends at [{end}]"));
        }
        shard.activate_primary(PrimaryTerm(2)).await.map_err(|error| error.to_string())?;
        let next = shard.one(write(50, 0)).await.map_err(|error| error.to_string())?;
        if next.seq_no.0 != end + 1 || shard.stats().docs as i64 != end + 1 {
            return Err(format!("[{}] documents up to [{end}]", shard.stats().docs));
        }
        Ok(end)
    };
    let ends = crash_states(&place, &disk, (began, began), check).await;
    assert!(ends.contains(&8) && ends.contains(&4), "{ends:?}");
}
