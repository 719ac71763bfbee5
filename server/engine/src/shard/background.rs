//! The work behind the writes: group commits, applying, publishing, flushing.
//!
//! Two loops, each running only while there is something to do: one drives the log to the disk, so that one sync serves
//! all that arrived during the sync before; one drives the index behind the global checkpoint and decides when to publish.
//! An idle shard has neither, and no index writer.

use super::engine::{CommitPayload, Engine};
use super::planted::{self, Bug};
use super::schedule::{Situation, Step, next_step};
use super::stats::Progress;
use super::{IndexShard, Inner, Role, SELF};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tandem_common::env::clock::{self, Instant};
use tandem_common::{Error, Result, SeqNo, blocking};
use tokio::sync::OwnedMutexGuard;

/// Operations are applied in steps of about this size, so that a publish or a flush does not wait long for its turn.
const APPLY_STEP_BYTES: usize = 4 << 20;

/// How much of the newest log an idle shard keeps in memory.
const IDLE_TAIL_BYTES: usize = 16 << 10;

/// A forced merge looks again this often when other merges hold its segments or new segments arrive.
const FORCE_MERGE_ATTEMPTS: usize = 20;

/// The log counts as quiet when nothing was written for this long.
const QUIET_PAUSE: Duration = Duration::from_millis(20);

/// How long to wait before background work that could not be done is tried again.
const RETRY_PAUSE: Duration = if cfg!(test) { Duration::from_millis(5) } else { Duration::from_secs(1) };

/// How long a flush waits for the log.
const FLUSH_WAIT: Duration = Duration::from_secs(60);

impl Inner {
    fn stopped(&self) -> bool {
        self.work.stopped.load(Ordering::Acquire)
    }

    /// Makes sure that queued operations are on their way to the disk.
    pub(super) fn wake_log(self: &Arc<Self>) {
        self.work.log_wake.notify_one();
        if !self.stopped() && !self.work.log_running.swap(true, Ordering::AcqRel) {
            self.tasks.spawn("shard-log", run_log(self.clone()));
        }
    }

    /// Makes sure that the index follows.
    pub(super) fn wake_index(self: &Arc<Self>) {
        self.work.index_wake.notify_one();
        if !self.stopped() && !self.work.index_running.swap(true, Ordering::AcqRel) {
            self.tasks.spawn("shard-index", run_index(self.clone()));
        }
    }

    /// One group commit. Returns whether something is written that is not durable yet.
    async fn commit_log(self: &Arc<Self>) -> Result<bool> {
        let settings = self.settings.load_full();
        let now = clock::now();
        let due = now >= self.work.times.lock().synced + settings.sync_interval;
        // Taken in any case: a wish that stayed would keep the loop going.
        let wanted = self.work.sync_wanted.swap(false, Ordering::AcqRel);
        let sync = !settings.asynchronous || due || wanted;
        let owned = self.clone();
        let committed = self.syncs.run(move || owned.log.commit(sync, settings.generation_threshold_bytes)).await;
        let committed = committed?;
        self.note_space(committed.full, &self.work.log_full);
        if sync {
            self.work.times.lock().synced = now;
        }
        let global = committed.durable.map(|durable| {
            let mut tracker = self.tracker.lock();
            // Under the lock: a cut lowers what this copy counts for under it, after the log is cut.
            let valid = self.log.cuts() == committed.cuts;
            let global = if valid { tracker.update_local_checkpoint(SELF, durable) } else { tracker.global_checkpoint() };
            drop(tracker);
            self.log.set_global_checkpoint(global);
            global
        });
        self.progress.send_modify(|progress| {
            if progress.cuts != committed.cuts {
                return;
            }
            progress.written = progress.written.max(committed.written);
            progress.local = progress.local.max(committed.durable.unwrap_or(progress.local));
            progress.global = progress.global.max(global.unwrap_or(progress.global));
        });
        if global.is_some() {
            self.wake_index();
        }
        if committed.full {
            // Whoever asked for a sync of what is queued still waits for it.
            self.work.sync_wanted.store(sync, Ordering::Release);
            return Err(Error::DiskFull { reason: format!("{} has no space for its log", self.shard) });
        }
        Ok(committed.durable.is_none())
    }

    /// Waits a moment for more to write. Whoever writes one after the other finds the loop still running, and no mark is in
    /// the way of the next operation.
    async fn more_to_log(&self) -> bool {
        let until = clock::now() + QUIET_PAUSE;
        loop {
            if self.log.has_pending() || self.work.sync_wanted.load(Ordering::Acquire) {
                return true;
            }
            let left = until.saturating_duration_since(clock::now());
            if self.stopped() || clock::timeout(left, self.work.log_wake.notified()).await.is_none() {
                return false;
            }
        }
    }

    /// Waits until everything that is in the log now is durable and, on a copy that decides it, below the global checkpoint.
    pub(super) async fn sync_log(self: &Arc<Self>, deadline: Instant) -> Result<()> {
        let cuts = self.log.cuts();
        let end = self.log.max_seq_no();
        if self.progress.borrow().local < end {
            // Done here, not by the loop: this also runs while a node stops, when the loops have ended.
            self.work.sync_wanted.store(true, Ordering::Release);
            self.commit_log().await.inspect_err(|error| {
                self.judge(error);
                self.wake_log();
            })?;
        }
        let active = self.tracker.lock().is_active();
        let reached = |progress: &Progress| if active { progress.global >= end } else { progress.local >= end };
        self.wait(deadline, "the log", |progress| progress.cuts > cuts || reached(progress)).await
    }

    /// Applies up to `target`, which must not lie above the global checkpoint.
    fn apply_up_to(&self, engine: &mut Engine, target: SeqNo, bytes_max: usize) -> Result<()> {
        let target = if planted::is(Bug::AppliedAboveGlobal, &self.path) { self.log.max_seq_no() } else { target };
        let mut bytes = 0;
        while engine.applied() < target && bytes < bytes_max {
            let operations = self.log.read(engine.applied().next(), target, APPLY_STEP_BYTES)?;
            let Some(last) = operations.last().map(|operation| operation.seq_no) else { break };
            // Taken before the mapping is looked at, so that the mapping is never older than what was parsed under it.
            let mut prepared = self.sequencer.lock().take_prepared(last);
            self.refresh_schema(engine)?;
            for operation in &operations {
                while prepared.front().is_some_and(|first| first.seq_no < operation.seq_no) {
                    prepared.pop_front();
                }
                let mine = prepared.pop_front_if(|first| first.seq_no == operation.seq_no);
                let may_exist = mine.as_ref().is_none_or(|mine| mine.may_exist);
                engine.apply(operation, mine.and_then(|mine| mine.document), may_exist)?;
                bytes += operation.bytes();
            }
        }
        Ok(())
    }

    fn payload(&self, engine: &Engine, checkpoint: SeqNo) -> CommitPayload {
        let checkpoint = if planted::is(Bug::CommitAhead, &self.path) { checkpoint.next() } else { checkpoint };
        CommitPayload::new(checkpoint, engine.mapping_version(), self.log.lineage())
    }

    fn refresh_schema(&self, engine: &mut Engine) -> Result<()> {
        let mapping = self.mapping.load_full();
        let version = engine.mapping_version();
        let lineage = || self.log.lineage();
        engine.ensure_schema(&mapping, |checkpoint| CommitPayload::new(checkpoint, version, lineage()))
    }

    fn publish(&self, engine: &mut Engine) -> Result<()> {
        self.refresh_schema(engine)?;
        if !engine.has_unpublished() {
            return Ok(());
        }
        let started = clock::now();
        let version = engine.mapping_version();
        let searcher = engine.publish(|checkpoint| CommitPayload::new(checkpoint, version, self.log.lineage()))?;
        self.note_space(false, &self.work.index_full);
        let before = self.searcher.load().checkpoint;
        let checkpoint = searcher.checkpoint;
        self.searcher.store(Arc::new(searcher));
        let now = clock::now();
        let cost = now.saturating_duration_since(started);
        self.counters.refresh.add(1, cost);
        {
            let mut times = self.work.times.lock();
            times.published = now;
            times.publish_cost = cost;
        }
        {
            let mut sequencer = self.sequencer.lock();
            // One publish behind, so that look-ups made in the searcher before still hold.
            sequencer.versions.prune(before, now);
            sequencer.versions.expire(now, self.settings.load().gc_deletes);
            sequencer.operation_ids.expire(self.global(), now);
            sequencer.backlog.release(checkpoint);
        }
        self.progress.send_modify(|progress| progress.published = progress.published.max(checkpoint));
        Ok(())
    }

    /// Runs blocking work that owns the index meanwhile.
    pub(super) async fn with_engine<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Inner, &mut Engine) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut engine: OwnedMutexGuard<Engine> = self.engine.clone().lock_owned().await;
        let owned = self.clone();
        blocking::run(move || match work(&owned, &mut engine) {
            Err(error) if engine.ran_out_of_space() || matches!(error, Error::DiskFull { .. }) => {
                owned.note_space(true, &owned.work.index_full);
                engine.rewind()?;
                // Whoever was at work, it is the loop that tries again.
                owned.wake_index();
                Err(Error::DiskFull { reason: error.to_string() })
            }
            outcome => outcome,
        })
        .await
    }

    /// Applies and publishes everything up to `target`.
    pub(super) async fn catch_up(self: &Arc<Self>, target: SeqNo) -> Result<()> {
        if self.progress.borrow().published >= target && self.searcher.load().schema.mapping().version == self.mapping.load().version {
            return Ok(());
        }
        let outcome = self
            .with_engine(move |inner, engine| {
                if !planted::is(Bug::PublishedBeforeApplied, &inner.path) {
                    inner.apply_up_to(engine, target, usize::MAX)?;
                }
                inner.publish(engine)
            })
            .await;
        outcome.inspect_err(|error| self.judge(error))
    }

    /// Makes everything up to the global checkpoint durable in the index, then drops the log that nobody needs.
    pub(super) async fn flush_all(self: &Arc<Self>) -> Result<()> {
        let _turn = self.flush_turn.lock().await;
        if let Some(error) = &self.progress.borrow().failed {
            return Err(error.clone());
        }
        self.sync_log(clock::now() + FLUSH_WAIT).await?;
        let target = self.global();
        let outcome = self.with_engine(move |inner, engine| inner.flush_with(engine, target)).await;
        outcome.inspect_err(|error| self.judge(error))
    }

    fn flush_with(&self, engine: &mut Engine, target: SeqNo) -> Result<()> {
        let started = clock::now();
        self.apply_up_to(engine, target, usize::MAX)?;
        self.publish(engine)?;
        let payload = self.payload(engine, engine.applied());
        if engine.flush(payload)? {
            self.durable.store(engine.applied().0, Ordering::Release);
            self.log.roll()?;
        }
        self.counters.flush.add(1, clock::now().saturating_duration_since(started));
        self.trim_log(engine.applied())
    }

    fn situation(&self) -> Situation {
        let settings = self.settings.load();
        // Copied, not borrowed: a borrow held while waiting for another lock can block against a waiting sender.
        let progress = self.progress.borrow().clone();
        let (applied, unpublished) = match self.engine.try_lock() {
            Ok(engine) => (engine.applied(), engine.has_unpublished() || !engine.knows(&self.mapping.load())),
            // Somebody else is at work on it; look again when that is done.
            Err(_) => (progress.published, true),
        };
        let durable = SeqNo(self.durable.load(Ordering::Acquire));
        let pressed = {
            let mut sequencer = self.sequencer.lock();
            sequencer.backlog.note_applied(applied);
            // After a lack of space a commit shows whether there is some again.
            sequencer.backlog.pressed() || (applied >= progress.global && self.work.index_full.load(Ordering::Acquire))
        };
        Situation {
            stopped: self.stopped() || progress.failed.is_some(),
            behind: applied < progress.global,
            unpublished,
            pressed,
            flush_due: applied > durable && self.log.bytes_above(durable) > settings.flush_threshold_bytes,
            merging: self.work.merging.load(Ordering::Acquire) > 0,
            interval: settings.refresh_interval,
            times: *self.work.times.lock(),
        }
    }

    /// The index goes on taking operations while a merge runs.
    async fn force_merge(self: &Arc<Self>, max_segments: usize) -> Result<()> {
        let started = clock::now();
        self.catch_up(self.global()).await?;
        for _ in 0..FORCE_MERGE_ATTEMPTS {
            let Some(merge) = self.with_engine(move |_, engine| engine.begin_force_merge(max_segments)).await? else {
                self.counters.force_merge.add(1, clock::now().saturating_duration_since(started));
                return self.with_engine(Inner::publish).await;
            };
            let merged = blocking::run(move || Ok(merge.wait().is_ok())).await?;
            self.with_engine(move |_, engine| {
                if merged {
                    return engine.note_merged();
                }
                engine.settle_merges()?;
                let full = || Error::DiskFull { reason: "a merge found no space on the disk".into() };
                if engine.ran_out_of_space() { Err(full()) } else { Ok(()) }
            })
            .await?;
        }
        Err(Error::internal("the forced merge did not come to an end"))
    }

    /// When an idle shard has something to forget: tombstones, and operations that nobody will retry any more.
    fn forgets_at(&self) -> Option<Instant> {
        let sequencer = self.sequencer.lock();
        let tombstones = sequencer.versions.expires_at(self.settings.load().gc_deletes);
        tombstones.max(sequencer.operation_ids.expires_at())
    }

    /// Lets go of everything that an idle shard does not need.
    async fn retire(self: &Arc<Self>) -> Result<()> {
        self.flush_all().await?;
        self.with_engine(|inner, engine| {
            engine.release_writer();
            inner.log.shrink_tail(IDLE_TAIL_BYTES);
            let now = clock::now();
            let mut sequencer = inner.sequencer.lock();
            sequencer.versions.prune(inner.searcher.load().checkpoint, now);
            sequencer.versions.expire(now, inner.settings.load().gc_deletes);
            sequencer.operation_ids.expire(inner.global(), now);
            Ok(())
        })
        .await
    }
}

async fn run_log(inner: Arc<Inner>) {
    loop {
        let open = match inner.commit_log().await {
            Ok(open) => open,
            Err(Error::DiskFull { .. }) if !inner.stopped() => {
                clock::sleep(RETRY_PAUSE).await;
                continue;
            }
            Err(error) => return inner.judge(&error),
        };
        if inner.log.has_pending() {
            continue;
        }
        if open && inner.stopped() {
            return;
        }
        if open {
            let due = inner.work.times.lock().synced + inner.settings.load().sync_interval;
            let left = due.saturating_duration_since(clock::now());
            // Either somebody wants more, or the interval is over; both are looked at above.
            clock::timeout(left, inner.work.log_wake.notified()).await;
            continue;
        }
        if inner.more_to_log().await {
            continue;
        }
        let owned = inner.clone();
        if let Err(error) = blocking::run(move || owned.log.mark_quiet()).await {
            return inner.judge(&error);
        }
        if inner.stopped() {
            return;
        }
        inner.work.log_running.store(false, Ordering::Release);
        let more = inner.log.has_pending() || inner.work.sync_wanted.swap(false, Ordering::AcqRel);
        if !more || inner.work.log_running.swap(true, Ordering::AcqRel) {
            return;
        }
    }
}

async fn run_index(inner: Arc<Inner>) {
    loop {
        // Listened to before the look, so that nothing is missed in between.
        let others = inner.buffer.changed();
        tokio::pin!(others);
        others.as_mut().enable();
        let step = next_step(inner.situation(), clock::now());
        let outcome = match step {
            Step::Stop => return,
            Step::Apply => {
                let target = inner.global();
                inner.with_engine(move |inner, engine| inner.apply_up_to(engine, target, APPLY_STEP_BYTES)).await
            }
            Step::Publish => inner.with_engine(Inner::publish).await,
            Step::Flush => {
                inner.counters.periodic_flushes.fetch_add(1, Ordering::Relaxed);
                inner.flush_all().await
            }
            Step::WaitUntil(at) => {
                let woken = async {
                    tokio::select! {
                        () = inner.work.index_wake.notified() => {}
                        () = others => {}
                    }
                };
                clock::timeout(at.saturating_duration_since(clock::now()), woken).await;
                Ok(())
            }
            Step::Retire => match inner.retire().await {
                Ok(()) if let Some(at) = inner.forgets_at() => {
                    clock::timeout(at.saturating_duration_since(clock::now()), inner.work.index_wake.notified()).await;
                    Ok(())
                }
                Ok(()) => {
                    inner.work.index_running.store(false, Ordering::Release);
                    let situation = inner.situation();
                    let more = situation.behind || situation.unpublished;
                    if !more || inner.work.index_running.swap(true, Ordering::AcqRel) {
                        return;
                    }
                    Ok(())
                }
                Err(error) => Err(error),
            },
        };
        match outcome {
            // The shard is sound, something took too long or found no space: it is tried again.
            Err(error) if error.is_retryable() => {
                tracing::warn!(shard = %inner.shard, %error, "background work of a shard is tried again");
                clock::sleep(RETRY_PAUSE).await;
            }
            Err(error) => return inner.fail(error),
            Ok(()) => {}
        }
    }
}

impl IndexShard {
    /// Makes everything acknowledged so far searchable.
    ///
    /// # Errors
    /// The error of a failed shard.
    pub async fn refresh(&self) -> Result<()> {
        let inner = &self.inner;
        inner.check()?;
        if inner.settings.load().asynchronous {
            // Acknowledged means written to the file here; nothing is shown before it is durable.
            inner.sync_log(clock::now() + FLUSH_WAIT).await?;
        }
        inner.catch_up(inner.global()).await
    }

    /// Waits until the operation at `seq_no` is searchable.
    ///
    /// # Errors
    /// [`tandem_common::Error::Timeout`] at the deadline.
    pub async fn wait_published(&self, seq_no: SeqNo, deadline: Instant) -> Result<()> {
        self.inner.check()?;
        self.inner.wake_index();
        self.inner.wait(deadline, "a refresh", |progress| progress.published >= seq_no).await
    }

    /// Makes the index durable and drops the log that nobody needs.
    ///
    /// # Errors
    /// The error of a failed shard. A failed sync fails the shard.
    pub async fn flush(&self) -> Result<()> {
        self.inner.check()?;
        self.inner.flush_all().await
    }

    /// Merges the index down to `max_segments` segments and publishes the result.
    ///
    /// # Errors
    /// The error of a failed shard.
    pub async fn force_merge(&self, max_segments: usize) -> Result<()> {
        let inner = &self.inner;
        inner.check()?;
        inner.work.merging.fetch_add(1, Ordering::AcqRel);
        let outcome = inner.force_merge(max_segments).await;
        inner.work.merging.fetch_sub(1, Ordering::AcqRel);
        inner.wake_index();
        outcome.inspect_err(|error| inner.judge(error))
    }

    /// Whether this copy takes writes or replicated operations.
    pub fn is_active(&self) -> bool {
        matches!(self.inner.sequencer.lock().role, Role::Primary(_) | Role::Follower(_))
    }
}
