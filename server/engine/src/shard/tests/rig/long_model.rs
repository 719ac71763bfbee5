//! A shard against a map under many random operations, crashes of the process and of the machine among them.
//!
//! Every call has returned when the crash comes, so the map says exactly what must be there: nothing less, nothing more.

use super::crash_states::cases_max;
use super::*;
use tandem_common::env::disk::Variant;

/// One life of a store each.
const SEEDS: std::ops::Range<u64> = 0..20;

/// Operations of one life.
const OPERATIONS: usize = 5_100;

/// Documents.
const IDS: u64 = 60;

/// Small numbers that look random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % limit
    }
}

#[derive(Clone, Debug, PartialEq)]
struct State {
    version: i64,
    seq_no: i64,
    op_term: u64,
    source: Option<Bytes>,
}

/// What must be there.
struct Model {
    states: BTreeMap<String, State>,
    /// (id, source) by sequence number.
    log: Vec<(String, Option<Bytes>)>,
    leases: BTreeMap<String, i64>,
    term: u64,
    /// Deletions are forgotten, so that a version can begin anew.
    forgetful: bool,
}

/// How many of what there was.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    operations: usize,
    crashes: usize,
    restarts: usize,
}

struct Life {
    place: Place,
    folder: TempDir,
    disk: TestDisk,
    shard: Option<Arc<IndexShard>>,
    model: Model,
    dice: Dice,
    count: Count,
}

impl Life {
    async fn begin(seed: u64) -> Life {
        let forgetful = seed % 2 == 1;
        let place = Place::new().with("index.translog.generation_threshold_size", "4kb");
        let place = if forgetful { place.with("index.gc_deletes", "0s") } else { place };
        let place = if seed.is_multiple_of(3) { place.with("index.refresh_interval", "-1") } else { place };
        let folder = tempfile::tempdir().unwrap();
        let disk = TestDisk::install(folder.path()).unwrap();
        let model = Model { states: BTreeMap::new(), log: Vec::new(), leases: BTreeMap::new(), term: 1, forgetful };
        let mut life = Life { place, folder, disk, shard: None, model, dice: Dice(seed << 32), count: Count::default() };
        let shard = IndexShard::create(life.open_shard(), HistoryId("history".into())).await.unwrap();
        shard.activate_primary(PrimaryTerm(1)).await.unwrap();
        life.shard = Some(shard);
        life
    }

    fn open_shard(&self) -> OpenShard {
        OpenShard { path: self.folder.path().join("shard"), ..self.place.open_shard() }
    }

    fn shard(&self) -> Arc<IndexShard> {
        self.shard.clone().unwrap()
    }

    fn operation(&mut self) -> WriteOperation {
        let id = self.dice.below(IDS).to_string();
        let text = source(&"v".repeat(1 + self.dice.below(30) as usize));
        let known = self.model.states.get(&id);
        let (kind, condition) = match self.dice.below(10) {
            0..=3 => (WriteKind::Index { source: text }, Condition::None),
            4 => (WriteKind::Create { source: text }, Condition::None),
            5 | 6 => (WriteKind::Delete, Condition::None),
            7 => {
                let version = known.map_or(1, |state| state.version) + self.dice.below(3) as i64;
                (WriteKind::Index { source: text }, Condition::External(version))
            }
            _ => {
                let wrong = i64::from(self.dice.below(3) == 0);
                let (seq_no, term) = known.map_or((0, 1), |state| (state.seq_no + wrong, state.op_term));
                (WriteKind::Index { source: text }, Condition::IfSeqNo { seq_no: SeqNo(seq_no), term: PrimaryTerm(term) })
            }
        };
        operation(&id, kind, condition)
    }

    async fn write(&mut self, operations: Vec<WriteOperation>) {
        self.count.operations += operations.len();
        let results = self.shard().all(operations.clone()).await;
        for (operation, result) in operations.into_iter().zip(results) {
            self.model.take(&operation, result);
        }
    }

    async fn lease(&mut self) {
        let id = format!("lease {}", self.dice.below(3));
        let (shard, end) = (self.shard(), self.model.log.len() as i64);
        match self.model.leases.get(&id).copied() {
            None => {
                let lowest = shard.history().lowest_retained.0;
                let retaining = lowest + self.dice.below((end - lowest + 1) as u64) as i64;
                shard.add_lease(&id, SeqNo(retaining), "ccr").await.unwrap();
                self.model.leases.insert(id, retaining);
            }
            Some(_) if self.dice.below(4) == 0 => {
                shard.remove_lease(&id).await.unwrap();
                self.model.leases.remove(&id);
            }
            Some(retaining) => {
                let further = retaining + self.dice.below((end - retaining + 1) as u64) as i64;
                shard.renew_lease(&id, SeqNo(further), "ccr").await.unwrap();
                self.model.leases.insert(id, further);
            }
        }
    }

    /// The machine loses its power, and the store goes on in what is left.
    async fn crash(&mut self) {
        self.count.crashes += 1;
        self.shard = None;
        let mut replay = self.disk.replay();
        replay.advance(replay.len());
        let variants = Variant::all(self.dice.below(1 << 30));
        let variant = variants[self.dice.below(variants.len() as u64) as usize];
        let folder = tempfile::tempdir().unwrap();
        replay.state(variant).write_to(folder.path()).unwrap();
        self.disk = TestDisk::install(folder.path()).unwrap();
        self.folder = folder;
        self.open().await;
    }

    async fn restart(&mut self, close: bool) {
        self.count.restarts += 1;
        if close {
            self.shard().close().await.unwrap();
        }
        self.shard = None;
        self.open().await;
    }

    async fn open(&mut self) {
        self.model.term += 1 + self.dice.below(2);
        let deadline = soon();
        let shard = loop {
            match IndexShard::open(self.open_shard()).await {
                Err(Error::ShardNotReady { .. }) if clock::now() < deadline => tokio::task::yield_now().await,
                other => break other.unwrap(),
            }
        };
        shard.activate_primary(PrimaryTerm(self.model.term)).await.unwrap();
        self.shard = Some(shard);
        self.check().await;
    }

    async fn check(&self) {
        let (shard, model) = (self.shard(), &self.model);
        shard.refresh().await.unwrap();
        for id in (0..IDS).map(|id| id.to_string()) {
            let expected = model.states.get(&id).filter(|state| state.source.is_some()).cloned();
            for realtime in [true, false] {
                let found = shard.get(&id, realtime, soon()).await.unwrap().map(|found| State {
                    version: found.version,
                    seq_no: found.seq_no.0,
                    op_term: found.op_term.0,
                    source: Some(found.source),
                });
                assert_eq!(found, expected, "document {id}, realtime {realtime}");
            }
        }
        let live = model.states.values().filter(|state| state.source.is_some()).count();
        assert_eq!(shard.stats().docs, live as u64);
        let history = shard.history();
        assert_eq!((history.max_seq_no.0, history.global_checkpoint.0), (model.log.len() as i64 - 1, model.log.len() as i64 - 1));
        let leases: BTreeMap<String, i64> = shard.leases().into_iter().map(|lease| (lease.id, lease.retaining_seq_no.0)).collect();
        assert_eq!(leases, model.leases);
        let lowest = history.lowest_retained.0;
        assert!(leases.values().all(|retaining| lowest <= *retaining));
        let operations = shard.operations(SeqNo(lowest), usize::MAX).await.unwrap();
        assert_eq!(operations.len() as i64, model.log.len() as i64 - lowest);
        for operation in operations {
            let asked = Asked::logged(&operation);
            let (id, source) = &model.log[usize::try_from(operation.seq_no.0).unwrap()];
            assert_eq!((&asked.id, &asked.source), (id, source), "operation {}", operation.seq_no);
        }
    }

    async fn live(&mut self, operations: usize) {
        while self.count.operations < operations {
            match self.dice.below(100) {
                0..=39 => {
                    let operation = self.operation();
                    self.write(vec![operation]).await;
                }
                40..=84 => {
                    let count = 1 + self.dice.below(90);
                    let batch = (0..count).map(|_| self.operation()).collect();
                    self.write(batch).await;
                }
                85..=88 => self.shard().refresh().await.unwrap(),
                89 | 90 => self.shard().flush().await.unwrap(),
                91 => self.shard().force_merge(1).await.unwrap(),
                92 | 93 => self.lease().await,
                94 => self.shard().trim_history().await.unwrap(),
                95 => {
                    self.model.term += 1;
                    self.shard().activate_primary(PrimaryTerm(self.model.term)).await.unwrap();
                }
                96 | 97 => self.crash().await,
                98 => self.restart(false).await,
                _ => {
                    let close = self.dice.below(2) == 0;
                    self.restart(close).await;
                }
            }
        }
        self.crash().await;
    }
}

impl Model {
    /// Holds a result against what is known, and takes it in.
    fn take(&mut self, operation: &WriteOperation, result: Result<WriteResult>) {
        let known = self.states.get(&operation.id);
        let live = known.filter(|state| state.source.is_some());
        // A forgotten deletion looks as if the document had never been there.
        let unsure = self.forgetful && known.is_some() && live.is_none();
        let refused = match (&operation.kind, operation.condition) {
            (WriteKind::Create { .. }, _) => live.is_some(),
            (_, Condition::IfSeqNo { seq_no, term }) => live.is_none_or(|live| (live.seq_no, live.op_term) != (seq_no.0, term.0)),
            (_, Condition::External(version)) => known.is_some_and(|known| known.version >= version),
            _ => false,
        };
        let result = match result {
            Ok(result) => result,
            Err(Error::VersionConflict { .. }) => {
                assert!(refused, "{operation:?} was refused, known is {known:?}");
                return;
            }
            Err(error) => panic!("{operation:?}: {error}"),
        };
        assert!(!refused || unsure, "{operation:?} was not refused, known is {known:?}");
        let before = known.map_or(0, |known| known.version);
        let version = match operation.condition {
            Condition::External(version) => version,
            _ => before + 1,
        };
        assert!(result.version == version || (unsure && result.version == 1), "{operation:?} gives {result:?}, known is {known:?}");
        assert_eq!((result.seq_no.0, result.op_term.0), (self.log.len() as i64, self.term));
        let outcome = match (&operation.kind, live) {
            (WriteKind::Delete, Some(_)) => WriteOutcome::Deleted,
            (WriteKind::Delete, None) => WriteOutcome::NotFound,
            (_, Some(_)) => WriteOutcome::Updated,
            (_, None) => WriteOutcome::Created,
        };
        assert_eq!(result.outcome, outcome, "{operation:?}");
        let Asked { id, source } = Asked::new(operation);
        let state = State { version: result.version, seq_no: result.seq_no.0, op_term: result.op_term.0, source: source.clone() };
        self.states.insert(id.clone(), state);
        self.log.push((id, source));
    }
}

async fn lives(parity: u64) {
    let started = clock::now();
    let mut total = Count::default();
    for seed in SEEDS.filter(|seed| seed % 2 == parity) {
        eprintln!("seed {seed}");
        let mut life = Life::begin(seed).await;
        life.live(cases_max(OPERATIONS)).await;
        total.operations += life.count.operations;
        total.crashes += life.count.crashes;
        total.restarts += life.count.restarts;
    }
    eprintln!("{total:?} in {:?}", clock::now().saturating_duration_since(started));
    assert!(total.operations >= 10 * cases_max(OPERATIONS) && total.crashes > 0 && total.restarts > 0);
}

#[tokio::test]
async fn a_shard_equals_a_map_through_many_crashes() {
    lives(0).await;
}

#[tokio::test]
async fn a_shard_that_forgets_deletions_equals_a_map_through_many_crashes() {
    lives(1).await;
}
