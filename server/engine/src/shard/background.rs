//! The work behind the writes: group commits, applying, publishing, flushing.
//!
//! Two loops, each running only while there is something to do: one drives the log to the disk, so that one sync serves
//! all that arrived during the sync before; one drives the index behind the global checkpoint and decides when to publish.
//! An idle shard has neither, and no index writer.

use super::engine::{CommitPayload, Engine};
use super::settings::RefreshInterval;
use super::{IndexShard, Inner, Role, SELF, Times};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tandem_common::env::clock::{self, Instant};
use tandem_common::{Result, SeqNo, blocking};
use tokio::sync::OwnedMutexGuard;

/// A searcher is not published more often than this by itself.
const PUBLISH_PAUSE_MIN: Duration = Duration::from_millis(20);

/// Under an adaptive interval nothing waits longer than this to become searchable.
const PUBLISH_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Publishing may take a tenth of the time.
const PUBLISH_COST_FACTOR: u32 = 10;

/// After this long without a write the index is made durable and its writer let go.
const IDLE_AFTER: Duration = Duration::from_secs(30);

/// Operations are applied in steps of about this size, so that a publish or a flush does not wait long for its turn.
const APPLY_STEP_BYTES: usize = 4 << 20;

/// How much of the newest log an idle shard keeps in memory.
const IDLE_TAIL_BYTES: usize = 16 << 10;

/// How long a flush waits for the log.
const FLUSH_WAIT: Duration = Duration::from_secs(60);

/// What the index loop does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Apply,
    Publish,
    Flush,
    WaitUntil(Instant),
    Retire,
    Stop,
}

/// What the decision rests on.
#[derive(Clone, Copy, Debug)]
struct Situation {
    stopped: bool,
    behind: bool,
    unpublished: bool,
    /// Publishing must not wait: memory is needed.
    pressed: bool,
    flush_due: bool,
    interval: RefreshInterval,
    times: Times,
}

/// Pure.
fn next_step(situation: Situation, now: Instant) -> Step {
    let Situation { stopped, behind, unpublished, pressed, flush_due, interval, times } = situation;
    if stopped {
        return Step::Stop;
    }
    let publish_at = match interval {
        _ if !unpublished => None,
        _ if pressed => Some(now),
        RefreshInterval::Never => None,
        RefreshInterval::Every(pause) => Some(times.published + pause),
        RefreshInterval::Adaptive => {
            Some(times.published + (times.publish_cost * PUBLISH_COST_FACTOR).clamp(PUBLISH_PAUSE_MIN, PUBLISH_PAUSE_MAX))
        }
    };
    if publish_at.is_some_and(|at| at <= now) {
        return Step::Publish;
    }
    if flush_due {
        return Step::Flush;
    }
    if behind {
        return Step::Apply;
    }
    let retire_at = times.written + IDLE_AFTER;
    match publish_at {
        Some(at) => Step::WaitUntil(at),
        None if retire_at <= now => Step::Retire,
        None => Step::WaitUntil(retire_at),
    }
}

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
        let sync = !settings.asynchronous || due || self.work.sync_wanted.swap(false, Ordering::AcqRel);
        let owned = self.clone();
        let committed = blocking::run(move || owned.log.commit(sync, settings.generation_threshold_bytes)).await?;
        if sync {
            self.work.times.lock().synced = now;
        }
        let global = committed.durable.map(|durable| {
            let global = self.tracker.lock().update_local_checkpoint(SELF, durable);
            self.log.set_global_checkpoint(global);
            global
        });
        self.progress.send_modify(|progress| {
            progress.written = progress.written.max(committed.written);
            progress.local = progress.local.max(committed.durable.unwrap_or(progress.local));
            progress.global = progress.global.max(global.unwrap_or(progress.global));
        });
        if global.is_some() {
            self.wake_index();
        }
        Ok(committed.durable.is_none())
    }

    /// Waits until everything that is in the log now is durable and, on a copy that decides it, below the global checkpoint.
    pub(super) async fn sync_log(self: &Arc<Self>, deadline: Instant) -> Result<()> {
        let end = self.log.max_seq_no();
        if self.progress.borrow().local < end {
            self.work.sync_wanted.store(true, Ordering::Release);
            self.wake_log();
        }
        let active = self.tracker.lock().is_active();
        self.wait(deadline, "the log", |progress| if active { progress.global >= end } else { progress.local >= end }).await
    }

    /// Applies up to `target`, which must not lie above the global checkpoint.
    fn apply_up_to(&self, engine: &mut Engine, target: SeqNo, bytes_max: usize) -> Result<()> {
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
            sequencer.release(checkpoint);
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
        blocking::run(move || work(&owned, &mut engine)).await
    }

    /// Applies and publishes everything up to `target`.
    pub(super) async fn catch_up(self: &Arc<Self>, target: SeqNo) -> Result<()> {
        if self.progress.borrow().published >= target && self.searcher.load().schema.mapping().version == self.mapping.load().version {
            return Ok(());
        }
        let outcome = self
            .with_engine(move |inner, engine| {
                inner.apply_up_to(engine, target, usize::MAX)?;
                inner.publish(engine)
            })
            .await;
        outcome.inspect_err(|error| self.fail(error.clone()))
    }

    /// Makes everything up to the global checkpoint durable in the index, then drops the log that nobody needs.
    pub(super) async fn flush_all(self: &Arc<Self>) -> Result<()> {
        let _turn = self.flush_turn.lock().await;
        self.sync_log(clock::now() + FLUSH_WAIT).await?;
        let target = self.global();
        let outcome = self.with_engine(move |inner, engine| inner.flush_with(engine, target)).await;
        outcome.inspect_err(|error| self.fail(error.clone()))
    }

    fn flush_with(&self, engine: &mut Engine, target: SeqNo) -> Result<()> {
        let started = clock::now();
        self.apply_up_to(engine, target, usize::MAX)?;
        self.publish(engine)?;
        let payload = self.payload(engine, engine.applied());
        if engine.flush(&payload)? {
            self.durable.store(engine.applied().0, Ordering::Release);
            self.log.roll()?;
            self.counters.flush.add(1, clock::now().saturating_duration_since(started));
        }
        self.trim_log(engine.applied())
    }

    /// Drops log files that neither the durable index, nor a lease, nor the tombstone window needs.
    pub(super) fn trim_log(&self, durable: SeqNo) -> Result<()> {
        let settings = self.settings.load();
        let now = clock::now();
        let lowest = {
            let mut leases = self.leases.lock();
            if let Some(period) = settings.lease_period {
                for lease in leases.expire(now, period) {
                    tracing::warn!(shard = %self.shard, lease = lease.id, "retention lease expired");
                }
            }
            leases.lowest()
        };
        let keep_from = lowest.unwrap_or(durable.next()).min(durable.next());
        self.log.trim(keep_from, settings.gc_deletes, now)
    }

    fn situation(&self) -> Situation {
        let settings = self.settings.load();
        let progress = self.progress.borrow();
        let (applied, unpublished) = match self.engine.try_lock() {
            Ok(engine) => (engine.applied(), engine.has_unpublished() || !engine.knows(&self.mapping.load())),
            // Somebody else is at work on it; look again when that is done.
            Err(_) => (progress.published, true),
        };
        let durable = SeqNo(self.durable.load(Ordering::Acquire));
        Situation {
            stopped: self.stopped() || progress.failed.is_some(),
            behind: applied < progress.global,
            unpublished,
            pressed: self.sequencer.lock().pressed(),
            flush_due: applied > durable && self.log.bytes_above(durable) > settings.flush_threshold_bytes,
            interval: settings.refresh_interval,
            times: *self.work.times.lock(),
        }
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
            Ok(())
        })
        .await
    }
}

async fn run_log(inner: Arc<Inner>) {
    loop {
        let open = match inner.commit_log().await {
            Ok(open) => open,
            Err(error) => return inner.fail(error),
        };
        if inner.log.has_pending() {
            continue;
        }
        if inner.stopped() && !open {
            return;
        }
        if open {
            let due = inner.work.times.lock().synced + inner.settings.load().sync_interval;
            let left = due.saturating_duration_since(clock::now());
            // Either somebody wants more, or the interval is over; both are looked at above.
            clock::timeout(left, inner.work.log_wake.notified()).await;
            continue;
        }
        let owned = inner.clone();
        if let Err(error) = blocking::run(move || owned.log.mark_quiet()).await {
            return inner.fail(error);
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
        let step = next_step(inner.situation(), clock::now());
        let outcome = match step {
            Step::Stop => return,
            Step::Apply => {
                let target = inner.global();
                inner.with_engine(move |inner, engine| inner.apply_up_to(engine, target, APPLY_STEP_BYTES)).await
            }
            Step::Publish => inner.with_engine(Inner::publish).await,
            Step::Flush => inner.flush_all().await,
            Step::WaitUntil(at) => {
                clock::timeout(at.saturating_duration_since(clock::now()), inner.work.index_wake.notified()).await;
                Ok(())
            }
            Step::Retire => match inner.retire().await {
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
        if let Err(error) = outcome {
            return inner.fail(error);
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
        let target = inner.global();
        let outcome = inner
            .with_engine(move |inner, engine| {
                let started = clock::now();
                inner.apply_up_to(engine, target, usize::MAX)?;
                inner.publish(engine)?;
                engine.force_merge(max_segments)?;
                inner.counters.force_merge.add(1, clock::now().saturating_duration_since(started));
                inner.publish(engine)
            })
            .await;
        inner.wake_index();
        outcome.inspect_err(|error| inner.fail(error.clone()))
    }

    /// Whether this copy takes writes or replicated operations.
    pub fn is_active(&self) -> bool {
        matches!(self.inner.sequencer.lock().role, Role::Primary(_) | Role::Follower(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn situation() -> Situation {
        let now = clock::now();
        Situation {
            stopped: false,
            behind: false,
            unpublished: false,
            pressed: false,
            flush_due: false,
            interval: RefreshInterval::Adaptive,
            times: Times { written: now, published: now, publish_cost: Duration::ZERO, synced: now },
        }
    }

    fn millis(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    #[test]
    fn a_cheap_publish_follows_after_the_shortest_pause() {
        let news = Situation { unpublished: true, ..situation() };
        let start = news.times.published;
        assert_eq!(next_step(news, start), Step::WaitUntil(start + millis(20)));
        assert_eq!(next_step(news, start + millis(20)), Step::Publish);
    }

    #[test]
    fn a_costly_publish_takes_a_tenth_of_the_time_but_nothing_waits_longer_than_a_second() {
        let mut news = Situation { unpublished: true, ..situation() };
        let start = news.times.published;
        news.times.publish_cost = millis(30);
        assert_eq!(next_step(news, start + millis(299)), Step::WaitUntil(start + millis(300)));
        news.times.publish_cost = millis(500);
        assert_eq!(next_step(news, start + millis(1000)), Step::Publish);
    }

    #[test]
    fn an_interval_of_never_publishes_only_under_pressure() {
        let news = Situation { unpublished: true, interval: RefreshInterval::Never, ..situation() };
        let start = news.times.published;
        assert_eq!(next_step(news, start + millis(10_000)), Step::WaitUntil(start + IDLE_AFTER));
        assert_eq!(next_step(Situation { pressed: true, ..news }, start), Step::Publish);
    }

    #[test]
    fn an_idle_shard_retires_and_a_stopped_one_does_nothing() {
        let idle = situation();
        assert_eq!(next_step(idle, idle.times.written + IDLE_AFTER), Step::Retire);
        assert_eq!(next_step(Situation { stopped: true, behind: true, ..idle }, idle.times.written), Step::Stop);
        assert_eq!(next_step(Situation { behind: true, ..idle }, idle.times.written + IDLE_AFTER), Step::Apply);
        assert_eq!(next_step(Situation { behind: true, flush_due: true, ..idle }, idle.times.written), Step::Flush);
    }
}
