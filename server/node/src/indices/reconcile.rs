//! The loop that makes the local shards what the cluster state says.
//!
//! Each new state, and each step that ended, only wakes it; then every copy that should be here, or is, is compared with what
//! it should be, and the next step is decided by `next_step`, which is pure. A step is carried out by a task of its own; while
//! it runs its slot is busy and nothing else is decided for it. Doing a step twice does no harm: reports name the copy and the
//! opening of its store, and activation is by term. The order that makes a restart safe: open the store, report it, and only
//! under the term that answers the report become active.

use super::recovery;
use super::{IndicesService, Role, ShardKey, Slot};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tandem_cluster::command::{ShardFailed, ShardStarted};
use tandem_cluster::state::{ClusterState, CopyState, IndexMetadata, IndexOrigin};
use tandem_cluster::{Command, state};
use tandem_common::tasks::CancellationToken;
use tandem_common::{Action, AllocationId, Context, Error, HistoryId, PrimaryTerm, Result, SessionId, Tasks, blocking};
use tandem_engine::analysis::AnalyzerRegistry;
use tandem_engine::shard::{IndexShard, OpenShard};

/// From so many replayed operations on, a flush is worth its syncs.
const REPLAYED_MAX: u64 = 5_000;
const ACTION: Action = Action("internal:cluster/shard/started");

/// A copy that should be on this node.
#[derive(Clone, Debug)]
struct Desired {
    index: Arc<IndexMetadata>,
    shard: u32,
    allocation_id: AllocationId,
    /// The opening that was reported, if any.
    session: Option<SessionId>,
    follows: bool,
}

/// What a copy needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Nothing,
    /// Open, create or copy its store.
    Open,
    /// Tell the cluster that the store is open.
    Report,
    /// Serve under this term.
    Activate {
        term: PrimaryTerm,
        role: Role,
        /// The history it should be in.
        history: HistoryId,
    },
    /// Close its store.
    Close,
}

/// What is known of a slot, for the decision.
struct SlotView<'a> {
    allocation_id: &'a AllocationId,
    session: SessionId,
    open: bool,
    active: Option<(PrimaryTerm, Role)>,
}

/// Decides the next step of a copy. Pure.
fn next_step(desired: Option<&Desired>, slot: Option<&SlotView<'_>>) -> Step {
    let (desired, slot) = match (desired, slot) {
        (None, None) => return Step::Nothing,
        (None, Some(_)) => return Step::Close,
        (Some(_), None) => return Step::Open,
        (Some(desired), Some(slot)) => (desired, slot),
    };
    if desired.allocation_id != *slot.allocation_id {
        return Step::Close;
    }
    if !slot.open {
        return Step::Open;
    }
    if desired.session != Some(slot.session) {
        return Step::Report;
    }
    let Some(shard) = desired.index.shards.get(desired.shard as usize) else { return Step::Nothing };
    let role = if desired.follows { Role::Follower } else { Role::Primary };
    match slot.active {
        Some((term, active)) if term >= shard.primary_term && active == role => Step::Nothing,
        _ => Step::Activate { term: shard.primary_term, role, history: shard.history.clone() },
    }
}

/// Starts the loop.
pub fn start(indices: &Arc<IndicesService>, tasks: &Tasks) {
    let indices = Arc::clone(indices);
    tasks.spawn("reconcile-shards", async move {
        let mut states = indices.cluster.watch();
        let mut changes = indices.changes.subscribe();
        loop {
            let state = states.borrow_and_update().clone();
            changes.borrow_and_update();
            reconcile(&indices, &state);
            tokio::select! {
                changed = states.changed() => if changed.is_err() { return },
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    });
}

fn desired_copies(indices: &IndicesService, cluster: &ClusterState) -> BTreeMap<ShardKey, Desired> {
    let me = &indices.cluster.local_node().id;
    let mut desired = BTreeMap::new();
    for index in cluster.indices.values().filter(|index| index.state == state::IndexState::Open) {
        let Some(routing) = cluster.routing.get(&index.uuid) else { continue };
        let follows = cluster.replications.get(&index.name).is_some_and(|entry| entry.follows(index));
        for (shard, copies) in (0u32..).zip(&routing.shards) {
            let mine = copies.iter().find(|copy| copy.node.as_ref() == Some(me) && copy.state != CopyState::Unassigned);
            if let Some(id) = mine.and_then(|copy| copy.allocation_id.clone()) {
                let session = mine.and_then(|copy| copy.session);
                let copy = Desired { index: Arc::clone(index), shard, allocation_id: id, session, follows };
                desired.insert((index.uuid.clone(), shard), copy);
            }
        }
    }
    desired
}

fn reconcile(indices: &Arc<IndicesService>, cluster: &ClusterState) {
    let desired = desired_copies(indices, cluster);
    let mut slots = indices.slots.lock();
    if indices.closing.load(Ordering::SeqCst) {
        return;
    }
    let keys: BTreeSet<ShardKey> = desired.keys().chain(slots.keys()).cloned().collect();
    for key in keys {
        let wanted = desired.get(&key);
        if let Some(slot) = slots.get_mut(&key) {
            give_metadata(slot, wanted);
            if slot.busy {
                if wanted.is_none() {
                    slot.cancelled.cancel();
                }
                continue;
            }
        }
        let view = slots.get(&key).map(|slot| SlotView {
            allocation_id: &slot.allocation_id,
            session: slot.session,
            open: slot.shard.is_some(),
            active: slot.active,
        });
        let step = next_step(wanted, view.as_ref());
        if step == Step::Nothing {
            continue;
        }
        let slot = match (slots.get_mut(&key), wanted) {
            (Some(slot), _) => slot,
            (None, Some(wanted)) => slots.entry(key.clone()).or_insert_with(|| new_slot(wanted)),
            (None, None) => continue,
        };
        slot.busy = true;
        let gone = cluster.index_by_uuid(&key.0).is_none();
        let job = Job {
            indices: Arc::clone(indices),
            key,
            desired: wanted.cloned(),
            shard: slot.shard.clone(),
            session: slot.session,
            cancelled: slot.cancelled.clone(),
            gone,
        };
        indices.tasks.spawn("shard-step", job.run(step));
    }
}

fn new_slot(desired: &Desired) -> Slot {
    Slot {
        allocation_id: desired.allocation_id.clone(),
        session: SessionId::random(),
        shard: None,
        active: None,
        busy: false,
        cancelled: CancellationToken::new(),
        recovery: Arc::default(),
        follow: Arc::default(),
        given: None,
    }
}

/// Hands a new mapping and new settings to an open shard.
fn give_metadata(slot: &mut Slot, desired: Option<&Desired>) {
    let (Some(shard), Some(desired)) = (&slot.shard, desired) else { return };
    let same = slot.given.as_ref().is_some_and(|given| Arc::ptr_eq(given, &desired.index));
    if !same {
        shard.set_mapping(Arc::clone(&desired.index.mapping));
        shard.set_settings(Arc::clone(&desired.index.settings));
        slot.given = Some(Arc::clone(&desired.index));
    }
}

/// One step of one copy.
struct Job {
    indices: Arc<IndicesService>,
    key: ShardKey,
    desired: Option<Desired>,
    shard: Option<Arc<IndexShard>>,
    session: SessionId,
    cancelled: CancellationToken,
    gone: bool,
}

impl Job {
    async fn run(self, step: Step) {
        let outcome = match step {
            Step::Nothing => Ok(()),
            Step::Open => self.open().await,
            Step::Report => self.report().await,
            Step::Activate { term, role, history } => self.activate(term, role, history).await,
            Step::Close => self.close().await,
        };
        if let Err(error) = outcome {
            self.fail(&error).await;
        }
        if let Some(slot) = self.indices.slots.lock().get_mut(&self.key) {
            slot.busy = false;
        }
        self.indices.changed();
    }

    async fn open(&self) -> Result<()> {
        let Some(desired) = &self.desired else { return Ok(()) };
        let shard = tokio::select! {
            biased;
            () = self.cancelled.cancelled() => return Ok(()),
            opened = open_store(&self.indices, &self.key, desired) => opened?,
        };
        let mut slots = self.indices.slots.lock();
        if let Some(slot) = slots.get_mut(&self.key) {
            slot.shard = Some(shard);
            slot.given = Some(Arc::clone(&desired.index));
        }
        Ok(())
    }

    async fn report(&self) -> Result<()> {
        let Some(desired) = &self.desired else { return Ok(()) };
        let started = ShardStarted {
            uuid: self.key.0.clone(),
            shard: self.key.1,
            allocation_id: desired.allocation_id.clone(),
            session: self.session,
        };
        match self.indices.cluster.submit(&Context::background(ACTION), Command::ShardStarted(started)).await {
            // The cluster no longer expects this copy: the next state says what to do.
            Err(Error::IllegalState { reason }) => {
                tracing::info!(index = desired.index.name, shard = self.key.1, reason, "a report was refused");
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }

    async fn activate(&self, term: PrimaryTerm, role: Role, history: HistoryId) -> Result<()> {
        let Some(shard) = &self.shard else { return Ok(()) };
        match role {
            Role::Follower => shard.activate_follower(term).await?,
            // A history of its own: what was a follower until now opens for writes.
            Role::Primary if shard.history().history != history => shard.open_for_writes(history, term).await?,
            Role::Primary => shard.activate_primary(term).await?,
        }
        if let Some(slot) = self.indices.slots.lock().get_mut(&self.key) {
            slot.active = Some((term, role));
        }
        tracing::info!(shard = %self.name(), primary_term = term.0, ?role, "shard is active");
        self.flush_what_was_replayed(shard);
        Ok(())
    }

    /// Makes durable in the index what was replayed from the log, so that the next crash does not replay it again.
    fn flush_what_was_replayed(&self, shard: &Arc<IndexShard>) {
        if shard.stats().translog_operations < REPLAYED_MAX {
            return;
        }
        let shard = Arc::clone(shard);
        self.indices.tasks.spawn("flush-after-replay", async move {
            if let Err(error) = shard.flush().await {
                tracing::warn!(shard = %shard.shard_id(), %error, "flush after a replay failed");
            }
        });
    }

    async fn close(&self) -> Result<()> {
        if let Some(slot) = self.indices.slots.lock().get_mut(&self.key) {
            slot.active = None;
        }
        if let Some(shard) = &self.shard {
            shard.close().await?;
        }
        if self.gone {
            let shard_folder = self.indices.shard_folder(&self.key);
            let index_folder = self.indices.folder.join(self.key.0.as_str());
            blocking::run(move || {
                use tandem_common::env::fs;
                fs::remove_folder(&shard_folder)?;
                if fs::list(&index_folder)?.is_empty() {
                    fs::remove_folder(&index_folder)?;
                }
                Ok(())
            })
            .await?;
        }
        self.indices.slots.lock().remove(&self.key);
        Ok(())
    }

    async fn fail(&self, error: &Error) {
        tracing::error!(shard = %self.name(), %error, "shard copy failed");
        let shard = self.indices.slots.lock().remove(&self.key).and_then(|slot| slot.shard);
        if let Some(shard) = shard
            && let Err(error) = shard.close().await
        {
            tracing::warn!(shard = %self.name(), %error, "a failed copy did not close cleanly");
        }
        let Some(desired) = &self.desired else { return };
        let failed = ShardFailed {
            uuid: self.key.0.clone(),
            shard: self.key.1,
            allocation_id: desired.allocation_id.clone(),
            reason: error.to_string(),
        };
        if let Err(error) = self.indices.cluster.submit(&Context::background(ACTION), Command::ShardFailed(failed)).await {
            tracing::warn!(shard = %self.name(), %error, "a failed copy could not be reported");
        }
    }

    fn name(&self) -> String {
        let index = self.desired.as_ref().map_or_else(|| self.key.0.to_string(), |desired| desired.index.name.clone());
        format!("[{index}][{}]", self.key.1)
    }
}

async fn open_store(indices: &IndicesService, key: &ShardKey, desired: &Desired) -> Result<Arc<IndexShard>> {
    let index = &desired.index;
    let shard = index.shards.get(key.1 as usize).ok_or_else(|| Error::internal("a shard without metadata"))?;
    let open = || -> Result<OpenShard> {
        Ok(OpenShard {
            shard: index.shard_id(key.1),
            path: indices.shard_folder(key),
            mapping: Arc::clone(&index.mapping),
            analysis: Arc::new(AnalyzerRegistry::new(&index.settings)?),
            settings: Arc::clone(&index.settings),
            tasks: indices.tasks.clone(),
            buffer: indices.buffer.clone(),
        })
    };
    // A copy that was in sync has data, or has lost it; it is never made anew, because that would lose what it acknowledged.
    if shard.in_sync.contains(&desired.allocation_id) {
        return IndexShard::open(open()?).await;
    }
    let leftover = indices.shard_folder(key);
    blocking::run(move || Ok(tandem_common::env::fs::remove_folder(&leftover)?)).await?;
    match &index.origin {
        IndexOrigin::Empty => IndexShard::create(open()?, shard.history.clone()).await,
        IndexOrigin::Leader { alias, index: leader, uuid } => {
            let progress = indices.recovery_progress(key).unwrap_or_default();
            let source = recovery::target::Source { alias, index: leader, uuid, follower: index, shard: key.1 };
            recovery::target::copy(&indices.cluster, &indices.remotes, &source, &open, &progress).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use tandem_cluster::state::{IndexState, ShardMetadata};
    use tandem_common::IndexUuid;

    fn desired(term: u64, session: Option<u64>, follows: bool) -> Desired {
        let shard = ShardMetadata { primary_term: PrimaryTerm(term), in_sync: BTreeSet::new(), history: HistoryId("h".into()) };
        let index = IndexMetadata {
            name: "i".into(),
            uuid: IndexUuid("u".into()),
            creation_date: 0,
            state: IndexState::Open,
            settings: Arc::default(),
            settings_version: 1,
            mapping: Arc::default(),
            aliases: BTreeMap::new(),
            aliases_version: 1,
            origin: IndexOrigin::Empty,
            shards: vec![shard],
        };
        Desired { index: Arc::new(index), shard: 0, allocation_id: AllocationId("a".into()), session: session.map(SessionId), follows }
    }

    fn activate(term: u64, role: Role) -> Step {
        Step::Activate { term: PrimaryTerm(term), role, history: HistoryId("h".into()) }
    }

    #[test]
    fn a_copy_goes_from_open_to_reported_to_active_and_never_skips_a_step() {
        let id = AllocationId("a".into());
        let slot = |open, active| SlotView { allocation_id: &id, session: SessionId(7), open, active };
        let primary = |term| Some((PrimaryTerm(term), Role::Primary));
        let cases = [
            (Some(desired(1, None, false)), None, Step::Open),
            (Some(desired(1, None, false)), Some(slot(false, None)), Step::Open),
            (Some(desired(1, None, false)), Some(slot(true, None)), Step::Report),
            (Some(desired(1, Some(6), false)), Some(slot(true, None)), Step::Report),
            (Some(desired(1, Some(7), false)), Some(slot(true, None)), activate(1, Role::Primary)),
            (Some(desired(1, Some(7), false)), Some(slot(true, primary(1))), Step::Nothing),
            (Some(desired(2, Some(7), false)), Some(slot(true, primary(1))), activate(2, Role::Primary)),
            (Some(desired(1, Some(7), true)), Some(slot(true, None)), activate(1, Role::Follower)),
            (Some(desired(9, Some(7), false)), Some(slot(true, Some((PrimaryTerm(1), Role::Follower)))), activate(9, Role::Primary)),
            (None, Some(slot(true, primary(1))), Step::Close),
            (None, None, Step::Nothing),
        ];
        for (number, (desired, slot, expected)) in cases.into_iter().enumerate() {
            assert_eq!(next_step(desired.as_ref(), slot.as_ref()), expected, "case {number}");
        }
    }

    #[test]
    fn the_data_of_another_copy_is_closed_first() {
        let other = AllocationId("b".into());
        let slot = SlotView { allocation_id: &other, session: SessionId(7), open: true, active: None };
        assert_eq!(next_step(Some(&desired(1, Some(7), false)), Some(&slot)), Step::Close);
    }
}
