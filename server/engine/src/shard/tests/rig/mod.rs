//! The crash rig: scripts over a recorded disk, the states that a crash may leave, and faults at every call.
//!
//! *What it is*: a [`Rig`] runs a script of writes, flushes, leases and changes of role on a shard whose folder is a disk
//! under test, and keeps in a [`Journal`] what was acknowledged and when. Any folder that a crash may leave is then opened
//! and held against the journal. · *Types to know*: [`Rig`], [`Journal`], `scripts::SCRIPTS`. · **Invariants**: something
//! counts as acknowledged from the position of the record at which the call had returned, never earlier; checks know the
//! journal only, not how the shard works. · *How it fails*: with the script, the position, the variant and the difference. ·
//! *How it is tested*: by the bugs planted in `shard/planted`, each of which a test here must find.

/// Ends a check with what is wrong.
macro_rules! must {
    ($holds:expr, $($text:tt)*) => {
        if !$holds {
            return Err(format!($($text)*));
        }
    };
}

mod crash_states;
mod faults;
mod flips;
mod long_model;
mod planted;
mod scripts;

use super::*;
use crate::shard::planted::switch;
use std::collections::BTreeMap;
use tandem_common::env::disk::TestDisk;

/// An operation as somebody asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    id: String,
    /// `None` for a deletion.
    source: Option<Bytes>,
}

/// An acknowledged operation.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Acknowledged {
    asked: Asked,
    version: i64,
    op_term: u64,
    /// When the call had returned.
    position: usize,
}

/// Something that is in force from some moment on, such as the leases.
#[derive(Clone, Debug)]
struct Stage<T> {
    value: T,
    began: usize,
    acknowledged: Option<usize>,
}

/// What was asked for and what was promised.
#[derive(Clone, Debug, Default)]
pub(in crate::shard) struct Journal {
    asked: Vec<Asked>,
    acknowledged: BTreeMap<i64, Acknowledged>,
    leases: Vec<Stage<BTreeMap<String, i64>>>,
    terms: Vec<Stage<u64>>,
    histories: Vec<Stage<String>>,
    /// Whether an acknowledgement promises only what was synced later.
    asynchronous: bool,
    /// (position, last operation) of what was synced then.
    synced: Vec<(usize, i64)>,
    /// What was cut off the log, durably from a position on.
    cut: Vec<(usize, Asked)>,
}

impl<T: Clone + PartialEq> Stage<T> {
    /// What may be in force after a crash at `position`: what was acknowledged last, or something begun after.
    fn possible(stages: &[Stage<T>], position: usize) -> Vec<T> {
        let last = stages.iter().rposition(|stage| stage.acknowledged.is_some_and(|at| at <= position)).unwrap_or(0);
        stages
            .iter()
            .enumerate()
            .filter(|(at, stage)| *at >= last && stage.began <= position)
            .map(|(_, stage)| stage.value.clone())
            .collect()
    }
}

/// A shard on a disk under test.
pub(in crate::shard) struct Rig {
    pub(super) place: Place,
    pub(super) disk: TestDisk,
    pub(super) shard: Option<Arc<IndexShard>>,
    pub(super) journal: Journal,
    pub(super) term: u64,
    /// How long a write may take before its outcome counts as unknown.
    patience: Duration,
    mapping: Arc<Mapping>,
}

/// Names the term under which checks activate a copy.
const CHECK_TERM: u64 = 1 << 40;

impl Rig {
    /// An empty folder; nothing is created yet.
    pub(in crate::shard) fn new(settings: &[(&str, &str)]) -> Rig {
        let place = settings.iter().fold(Place::new(), |place, (key, value)| place.with(key, value));
        let disk = TestDisk::install(place.path()).unwrap();
        switch::cover(place.path());
        let asynchronous = settings.contains(&("index.translog.durability", "async"));
        let stage = |value| Stage { value, began: 0, acknowledged: Some(0) };
        let journal = Journal {
            leases: vec![stage(BTreeMap::new())],
            terms: vec![Stage { value: 0, began: 0, acknowledged: Some(0) }],
            histories: vec![Stage { value: "history".to_owned(), began: 0, acknowledged: Some(0) }],
            asynchronous,
            ..Journal::default()
        };
        Rig { place, disk, shard: None, journal, term: 0, patience: Duration::from_secs(30), mapping: Arc::new(Mapping::default()) }
    }

    fn open_at(&self, folder: &Path) -> OpenShard {
        OpenShard { path: folder.join("shard"), mapping: self.mapping.clone(), ..self.place.open_shard() }
    }

    fn deadline(&self) -> Instant {
        clock::now() + self.patience
    }

    pub(super) fn shard(&self) -> Result<Arc<IndexShard>> {
        self.shard.clone().ok_or_else(|| Error::ShardNotReady { reason: "not open".into() })
    }

    /// Creates the store; acknowledged as an empty history under `history`.
    pub(super) async fn create(&mut self) -> Result<()> {
        self.shard = Some(IndexShard::create(self.open_at(self.place.path()), HistoryId("history".into())).await?);
        Ok(())
    }

    pub(super) async fn primary(&mut self) -> Result<()> {
        self.term += 1;
        let term = self.term;
        self.staged_term(term, async |shard| shard.activate_primary(PrimaryTerm(term)).await).await
    }

    pub(super) async fn follow(&mut self) -> Result<()> {
        self.term += 1;
        let term = self.term;
        self.staged_term(term, async |shard| shard.activate_follower(PrimaryTerm(term)).await).await
    }

    pub(super) async fn open_for_writes(&mut self, history: &str, term: u64) -> Result<()> {
        self.term = term;
        self.journal.histories.push(Stage { value: history.to_owned(), began: self.disk.position(), acknowledged: None });
        let name = HistoryId(history.to_owned());
        self.staged_term(term, async |shard| shard.open_for_writes(name, PrimaryTerm(term)).await).await?;
        let position = self.disk.position();
        self.journal.histories.last_mut().unwrap().acknowledged = Some(position);
        Ok(())
    }

    async fn staged_term(&mut self, value: u64, change: impl AsyncFnOnce(&IndexShard) -> Result<()>) -> Result<()> {
        let shard = self.shard()?;
        self.journal.terms.push(Stage { value, began: self.disk.position(), acknowledged: None });
        change(&shard).await?;
        self.journal.terms.last_mut().unwrap().acknowledged = Some(self.disk.position());
        Ok(())
    }

    fn note(journal: &mut Journal, asked: Asked, result: &WriteResult, position: usize) {
        let WriteResult { seq_no, op_term, version, .. } = *result;
        let acknowledged = Acknowledged { asked, version, op_term: op_term.0, position };
        assert_eq!(journal.acknowledged.insert(seq_no.0, acknowledged), None, "[{seq_no}] was given twice");
    }

    /// Writes a batch as one bulk.
    pub(super) async fn bulk(&mut self, operations: Vec<WriteOperation>) -> Result<()> {
        let shard = self.shard()?;
        let asked: Vec<Asked> = operations.iter().map(Asked::new).collect();
        let parsed = operations.into_iter().map(|operation| shard.parse_any(operation)).collect();
        self.journal.asked.extend(asked.iter().cloned());
        let results = shard.write(parsed, self.deadline()).await?;
        let position = self.disk.position();
        for (asked, result) in asked.into_iter().zip(results) {
            if let Ok(result) = result {
                Self::note(&mut self.journal, asked, &result, position);
            }
        }
        Ok(())
    }

    pub(super) async fn write(&mut self, operation: WriteOperation) -> Result<()> {
        self.bulk(vec![operation]).await
    }

    /// Writes a document whose new fields are added to the mapping first.
    pub(super) async fn write_dynamic(&mut self, id: &str, text: &str) -> Result<()> {
        let shard = self.shard()?;
        let operation = operation(id, WriteKind::Index { source: text.to_owned().into() }, Condition::None);
        let asked = Asked::new(&operation);
        let mut parsed = shard.parse(operation).unwrap();
        if let Some(update) = parsed.dynamic_update().cloned() {
            let rules = tandem_common::mapping::MappingRules::from_settings(&Settings::new());
            self.mapping = Arc::new(shard.mapping().merge(&update, &rules).unwrap());
            shard.set_mapping(self.mapping.clone());
            parsed = shard.parse(parsed.into_operation()).unwrap();
        }
        self.journal.asked.push(asked.clone());
        let result = shard.write(vec![parsed], self.deadline()).await?.pop().unwrap()?;
        Self::note(&mut self.journal, asked, &result, self.disk.position());
        Ok(())
    }

    /// Appends operations of a leader, whose log is `from..to`.
    pub(super) async fn replicate(&mut self, operations: Vec<LoggedOperation>) -> Result<()> {
        let shard = self.shard()?;
        self.journal.asked.extend(operations.iter().map(Asked::logged));
        shard.append_replicated(operations.clone(), self.deadline()).await?;
        let position = self.disk.position();
        for operation in &operations {
            let entry =
                Acknowledged { asked: Asked::logged(operation), version: operation.version, op_term: operation.op_term.0, position };
            self.journal.acknowledged.entry(operation.seq_no.0).or_insert(entry);
        }
        Ok(())
    }

    /// A change of the leases and what they are after it.
    pub(super) async fn lease(&mut self, id: &str, retaining: Option<i64>) -> Result<()> {
        let shard = self.shard()?;
        let mut value = self.journal.leases.last().unwrap().value.clone();
        let had = value.contains_key(id);
        match retaining {
            Some(retaining) => value.insert(id.to_owned(), retaining),
            None => value.remove(id),
        };
        self.journal.leases.push(Stage { value, began: self.disk.position(), acknowledged: None });
        match retaining {
            Some(retaining) if had => shard.renew_lease(id, SeqNo(retaining), "ccr").await.map(|_| ())?,
            Some(retaining) => shard.add_lease(id, SeqNo(retaining), "ccr").await.map(|_| ())?,
            None => shard.remove_lease(id).await?,
        }
        self.journal.leases.last_mut().unwrap().acknowledged = Some(self.disk.position());
        Ok(())
    }

    pub(super) async fn refresh(&mut self) -> Result<()> {
        self.shard()?.refresh().await
    }

    pub(super) async fn flush(&mut self) -> Result<()> {
        self.shard()?.flush().await
    }

    pub(super) async fn merge(&mut self) -> Result<()> {
        self.shard()?.force_merge(1).await
    }

    pub(super) async fn trim(&mut self) -> Result<()> {
        self.shard()?.trim_history().await
    }

    /// Ends the shard as a crash of the process would, and opens it again.
    pub(super) async fn restart(&mut self) -> Result<()> {
        self.shard = None;
        let deadline = soon();
        self.shard = Some(loop {
            match IndexShard::open(self.open_at(self.place.path())).await {
                Err(Error::ShardNotReady { .. }) if clock::now() < deadline => tokio::task::yield_now().await,
                other => break other?,
            }
        });
        Ok(())
    }

    /// Cuts the log above what is committed, as a copy does whose new primary went another way.
    pub(super) async fn truncate(&mut self) -> Result<()> {
        let shard = self.shard()?;
        let committed = shard.history().global_checkpoint;
        shard.truncate_above(committed).await?;
        let position = self.disk.position();
        let above = self.journal.acknowledged.split_off(&committed.next().0);
        self.journal.cut.extend(above.into_values().map(|operation| (position, operation.asked)));
        Ok(())
    }

    /// Takes everything that the log shows for promised, also what was never acknowledged because of a fault.
    pub(super) async fn note_shown(&mut self) -> Result<()> {
        let shard = self.shard()?;
        let operations = shard.operations(shard.history().lowest_retained, usize::MAX).await?;
        let position = self.disk.position();
        for operation in operations {
            let asked = Asked::logged(&operation);
            let shown = Acknowledged { asked, version: operation.version, op_term: operation.op_term.0, position };
            self.journal.acknowledged.entry(operation.seq_no.0).or_insert(shown);
        }
        Ok(())
    }

    pub(super) async fn close(&mut self) -> Result<()> {
        self.shard()?.close().await
    }

    /// Opens a folder that a crash at `position` left, and holds it against the journal.
    pub(in crate::shard) async fn check(&self, folder: &Path, position: usize) -> Result<(), String> {
        switch::cover(folder);
        let shard = match IndexShard::open(self.open_at(folder)).await {
            Ok(shard) => shard,
            Err(error) => return Err(format!("it does not open: {error}")),
        };
        self.journal.check(&shard, position).await
    }
}

impl Asked {
    fn new(operation: &WriteOperation) -> Asked {
        let source = match &operation.kind {
            WriteKind::Index { source } | WriteKind::Create { source } | WriteKind::IndexNew { source } => Some(source.clone()),
            WriteKind::Delete => None,
        };
        Asked { id: operation.id.clone(), source }
    }

    fn logged(operation: &LoggedOperation) -> Asked {
        let source = match &operation.kind {
            LoggedKind::Index { source } => Some(source.clone()),
            LoggedKind::Delete => None,
        };
        Asked { id: operation.id.clone(), source }
    }
}

impl Journal {
    /// Everything up to `last` was shown by then: nobody may lose it any more.
    fn shown_until(&mut self, position: usize, last: i64) {
        self.synced.push((position, last));
    }

    /// Under asynchronous durability: everything acknowledged so far is promised from here on.
    fn synced_until(&mut self, position: usize) {
        let last = self.acknowledged.keys().next_back().copied();
        self.synced.extend(last.map(|last| (position, last)));
    }

    /// The last operation that must be there after a crash at `position`.
    fn promised(&self, position: usize) -> Option<i64> {
        let synced = self.synced.iter().filter(|(at, _)| *at <= position).map(|(_, last)| *last).max();
        let acknowledged = self.acknowledged.iter().filter(|(_, operation)| operation.position <= position && !self.asynchronous);
        synced.max(acknowledged.map(|(seq_no, _)| *seq_no).max())
    }

    /// How much was acknowledged by then: at the same number, the same folder is as good as before.
    fn promises(&self, position: usize) -> usize {
        fn count<T>(stages: &[Stage<T>], position: usize) -> usize {
            stages.iter().filter(|stage| stage.acknowledged.is_some_and(|at| at <= position)).count()
        }
        let operations = self.acknowledged.values().filter(|operation| operation.position <= position).count();
        let synced = self.synced.iter().filter(|(at, _)| *at <= position).count();
        operations + synced + count(&self.leases, position) + count(&self.terms, position) + count(&self.histories, position)
    }

    /// What a check writes, for a check after it.
    fn after_a_check(&self) -> Vec<Asked> {
        let ids = self.asked.iter().map(|asked| asked.id.clone()).chain(["first".to_owned()]);
        ids.map(|id| Asked { id, source: Some(source("after the crash")) }).collect()
    }

    /// What a shard that was opened after a crash at `position` must hold.
    async fn check(&self, shard: &IndexShard, position: usize) -> Result<(), String> {
        let failed = |error: Error| format!("it answers with an error: {error}");
        let last = self.promised(position);
        let history = shard.history();
        let end = history.max_seq_no.0;
        must!(last.is_none_or(|last| end >= last), "the log ends at [{end}], operation [{last:?}] was acknowledged");
        must!(history.global_checkpoint.0 <= end, "the global checkpoint lies above the log");
        let histories = Stage::possible(&self.histories, position);
        must!(histories.contains(&history.history.0), "it belongs to history [{}], not one of {histories:?}", history.history.0);
        let highest = shard.inner.log.highest_term().0;
        let terms = Stage::possible(&self.terms, position);
        must!(terms.iter().any(|term| highest >= *term), "it has seen term [{highest}], not one of {terms:?}");
        let leases: BTreeMap<String, i64> = shard.leases().into_iter().map(|lease| (lease.id, lease.retaining_seq_no.0)).collect();
        let possible = Stage::possible(&self.leases, position);
        must!(possible.contains(&leases), "its leases are {leases:?}, not one of {possible:?}");
        let lowest = history.lowest_retained.0;
        for (id, retaining) in &leases {
            must!(lowest <= *retaining, "the log begins at [{lowest}], lease [{id}] keeps [{retaining}]");
        }
        let published = shard.searcher().checkpoint.0;
        let global = history.global_checkpoint.0;
        must!(published <= global, "the index is at [{published}], above the global checkpoint [{global}]");
        shard.activate_primary(PrimaryTerm(CHECK_TERM)).await.map_err(failed)?;
        let mut states: BTreeMap<String, (i64, i64, u64, Option<Bytes>)> = BTreeMap::new();
        for (seq_no, operation) in self.acknowledged.range(..lowest) {
            let state = (operation.version, *seq_no, operation.op_term, operation.asked.source.clone());
            states.insert(operation.asked.id.clone(), state);
        }
        must!(self.acknowledged.range(..lowest).count() as i64 == lowest, "operations below [{lowest}] were dropped unacknowledged");
        let mut next = lowest;
        while next <= end {
            let operations = shard.operations(SeqNo(next), 1 << 20).await.map_err(failed)?;
            must!(!operations.is_empty(), "the log has a gap at [{next}]");
            for operation in operations {
                must!(operation.seq_no.0 == next, "the log has [{}] where [{next}] should be", operation.seq_no);
                let asked = Asked::logged(&operation);
                match self.acknowledged.get(&next) {
                    // What was acknowledged later may have had another in its place, which was cut off.
                    Some(expected) if expected.position <= position => {
                        let same = expected.asked == asked && expected.version == operation.version;
                        must!(same && expected.op_term == operation.op_term.0, "[{next}] is {operation:?}, expected {expected:?}");
                    }
                    _ => must!(self.asked.contains(&asked), "[{next}] was never asked for: {operation:?}"),
                }
                let is_back = self.cut.iter().any(|(at, cut)| *at <= position && *cut == asked);
                must!(!is_back, "[{next}] was cut off and is back: {operation:?}");
                states.insert(asked.id, (operation.version, next, operation.op_term.0, asked.source));
                next += 1;
            }
        }
        shard.refresh().await.map_err(failed)?;
        must!(shard.searcher().checkpoint.0 == end, "the index ends at [{}], the log at [{end}]", shard.searcher().checkpoint);
        for (id, (version, seq_no, op_term, source)) in &states {
            for realtime in [true, false] {
                let found = shard.get(id, realtime, soon()).await.map_err(failed)?;
                let found = found.map(|found| (found.version, found.seq_no.0, found.op_term.0, found.source));
                let expected = source.clone().map(|source| (*version, *seq_no, *op_term, source));
                must!(found == expected, "document [{id}] (realtime {realtime}) is {found:?}, expected {expected:?}");
            }
        }
        let live = states.values().filter(|state| state.3.is_some()).count() as u64;
        must!(shard.stats().docs == live, "the index has [{}] documents, expected [{live}]", shard.stats().docs);
        // Life goes on, and a deleted document's version with it, as long as its tombstone is remembered.
        let (id, before) = states.iter().next().map_or(("first", 0), |(id, state)| (id.as_str(), state.0));
        let written = shard.one(index(id, "after the crash")).await.map_err(failed)?;
        must!(written.seq_no.0 == end + 1, "the next operation is [{}], not [{}]", written.seq_no, end + 1);
        let forgotten = states.get(id).is_some_and(|state| state.3.is_none() && state.1 < lowest);
        must!(forgotten || written.version == before + 1, "the next version is [{}], not [{}]", written.version, before + 1);
        Ok(())
    }
}
