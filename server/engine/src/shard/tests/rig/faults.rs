//! One call fails, or all from one on: nothing acknowledged is lost, a failed sync is final and told, a full disk heals.

use super::crash_states::{cases_max, is_chosen};
use super::scripts::{SCRIPTS, Script, script};
use super::*;
use tandem_common::env::disk::{Failure, Fault, Kind, Variant};

/// No more calls of one script fail than this, for each kind of fault.
const FAULTS_MAX: usize = 4;

/// How long a write is waited for while the disk may be full.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a healthy disk holds after the fault: the process ended, or the machine.
const AFTER: [Variant; 3] = [Variant::Everything, Variant::Synced, Variant::NamesOnly];

/// Every fault of this kind at every call of a script; the first difference, if there is one. Returns how many were tried.
pub(in crate::shard) async fn fail_everywhere(script: &Script, failure: Failure, lasting: bool, max: usize) -> Result<usize, String> {
    let calls = {
        let mut rig = Rig::new(script.settings);
        script.run(&mut rig).await.map_err(|error| format!("{}: {error}", script.name))?;
        rig.disk.calls()
    };
    let mut tried = 0;
    for at in 0..calls {
        if is_chosen(at, calls, max) {
            tried += 1;
            let fault = Fault { failure, at, lasting, kind: None };
            fail_once(script, fault).await.map_err(|detail| format!("{}, {fault:?} of {calls}: {detail}", script.name))?;
        }
    }
    Ok(tried)
}

async fn fail_once(script: &Script, fault: Fault) -> Result<(), String> {
    let mut rig = Rig::new(script.settings);
    if fault.failure == Failure::NoSpace {
        rig.patience = PATIENCE;
    }
    rig.disk.set_fault(Some(fault));
    let began = script.begin(&mut rig).await;
    let outcome = match &began {
        Ok(()) => script.go_on(&mut rig).await,
        Err(error) => Err(error.clone()),
    };
    match fault.failure {
        Failure::Device => told(&rig, &outcome).await?,
        Failure::NoSpace => {
            reads_go_on(&rig).await?;
            rig.disk.set_fault(None);
            if began.is_err() {
                rig.create().await.map_err(|error| format!("it cannot be created once there is space: {error}"))?;
            }
            heals(&mut rig).await?;
        }
    }
    let again = rig.disk.synced_after_failure();
    must!(again.is_empty(), "synced again after a failure: {again:?}");
    rig.disk.set_fault(None);
    if began.is_err() && fault.failure == Failure::Device {
        return Ok(());
    }
    if fault.failure == Failure::Device {
        opened_again(&mut rig).await?;
    }
    rig.shard = None;
    let mut replay = rig.disk.replay();
    let position = replay.len();
    replay.advance(position);
    for variant in AFTER {
        let folder = tempfile::tempdir().unwrap();
        replay.state(variant).write_to(folder.path()).unwrap();
        let _disk = TestDisk::install(folder.path()).unwrap();
        rig.check(folder.path(), position).await.map_err(|detail| format!("{outcome:?}, then {variant:?}: {detail}"))?;
    }
    Ok(())
}

/// A sync that failed is told: by the call that needed it, and by the shard for ever after.
async fn told(rig: &Rig, outcome: &Result<()>) -> Result<(), String> {
    let synced = rig.disk.refused().iter().any(|kind| matches!(kind, Kind::Sync | Kind::SyncFolder));
    let Some(shard) = rig.shard.as_ref().filter(|_| synced) else { return Ok(()) };
    let deadline = clock::now() + Duration::from_secs(10);
    while shard.failure().is_none() && outcome.is_ok() && clock::now() < deadline {
        tokio::task::yield_now().await;
    }
    // A copy that was being closed has told its caller, and takes nothing any more.
    if shard.inner.sequencer.lock().role == Role::Closed && outcome.is_err() {
        return Ok(());
    }
    must!(shard.failure().is_some(), "a sync failed and the shard does not say so; the script ended with {outcome:?}");
    Ok(())
}

/// The process opens the copy again, on a disk that works now. What it shows then is promised: what a failed sync left in the
/// memory of the kernel must not be taken for durable.
async fn opened_again(rig: &mut Rig) -> Result<(), String> {
    rig.restart().await.map_err(|error| format!("it does not open again: {error}"))?;
    rig.primary().await.map_err(|error| format!("it does not become the primary again: {error}"))?;
    let last = rig.shard().map_err(|error| error.to_string())?.stats().global_checkpoint;
    rig.journal.shown_until(rig.disk.position(), last);
    Ok(())
}

/// What was acknowledged can be read while the disk is full.
async fn reads_go_on(rig: &Rig) -> Result<(), String> {
    let Some(shard) = &rig.shard else { return Ok(()) };
    if let Some(error) = shard.failure() {
        return Err(format!("a full disk failed the shard: {error}"));
    }
    let mut last: BTreeMap<&str, (i64, &Asked)> = BTreeMap::new();
    for (seq_no, operation) in &rig.journal.acknowledged {
        last.insert(&operation.asked.id, (*seq_no, &operation.asked));
    }
    for (id, (seq_no, asked)) in last {
        let in_flight = shard.inner.sequencer.lock().versions.get(id).is_some_and(|version| version.seq_no.0 > seq_no);
        let closed = shard.inner.sequencer.lock().role == Role::Closed;
        if !in_flight && !closed {
            let found = shard.get(id, true, soon()).await.map_err(|error| format!("[{id}] cannot be read: {error}"))?;
            must!(found.map(|found| found.source) == asked.source, "[{id}] is not what was acknowledged");
        }
    }
    Ok(())
}

/// Once there is space everything works again, without a restart.
async fn heals(rig: &mut Rig) -> Result<(), String> {
    if rig.shard.is_none() {
        rig.restart().await.map_err(|error| format!("it does not open once there is space: {error}"))?;
    }
    let shard = rig.shard().map_err(|error| error.to_string())?;
    if shard.inner.sequencer.lock().role == Role::Closed {
        return Ok(());
    }
    let failed = |what: &str, error: Error| Err(format!("after the disk was full, {what}: {error}"));
    rig.patience = Duration::from_secs(30);
    let deadline = soon();
    let role = shard.inner.sequencer.lock().role;
    match role {
        Role::Primary(_) => {}
        Role::Follower(_) => {
            shard.wait_global_checkpoint(shard.history().max_seq_no, Duration::from_secs(30)).await;
            rig.note_shown().await.map_err(|error| error.to_string())?;
            return shard.flush().await.or_else(|error| failed("flush", error));
        }
        Role::Inactive | Role::Closed => {
            if let Err(error) = rig.primary().await {
                return failed("activation", error);
            }
        }
    }
    loop {
        match rig.write(index("healed", "x")).await {
            Ok(()) => break,
            Err(Error::ClusterBlock { status: 429, .. }) if clock::now() < deadline => tokio::task::yield_now().await,
            Err(error) => return failed("write", error),
        }
    }
    rig.note_shown().await.map_err(|error| error.to_string())?;
    for (what, done) in [("refresh", rig.refresh().await), ("flush", rig.flush().await), ("merge", rig.merge().await)] {
        if let Err(error) = done {
            return failed(what, error);
        }
    }
    must!(shard.failure().is_none(), "the shard has failed");
    Ok(())
}

async fn every_script(failure: Failure, lasting: bool) {
    let started = clock::now();
    let mut tried = 0;
    // A cut of the log that finds no space fails the copy, for a later life to do it again: that does not heal by itself.
    let heals = |script: &&Script| failure != Failure::NoSpace || script.name != "truncations";
    for script in SCRIPTS.iter().filter(heals) {
        let max = cases_max(FAULTS_MAX);
        tried += fail_everywhere(script, failure, lasting, max).await.unwrap_or_else(|difference| panic!("{difference}"));
    }
    eprintln!("{failure:?}, lasting {lasting}: {tried} in {:?}", clock::now().saturating_duration_since(started));
}

#[tokio::test]
async fn a_device_that_fails_once_loses_nothing_acknowledged() {
    every_script(Failure::Device, false).await;
}

#[tokio::test]
async fn a_device_that_fails_for_good_loses_nothing_acknowledged() {
    every_script(Failure::Device, true).await;
}

#[tokio::test]
async fn a_disk_that_is_full_for_a_moment_loses_nothing_and_heals() {
    every_script(Failure::NoSpace, false).await;
}

#[tokio::test]
async fn a_disk_that_stays_full_refuses_writes_serves_reads_and_heals() {
    every_script(Failure::NoSpace, true).await;
}

#[tokio::test]
async fn a_full_disk_answers_with_the_block_and_takes_the_write_once_there_is_space() {
    let mut rig = Rig::new(&[]);
    let bulk = script("bulk");
    bulk.run(&mut rig).await.unwrap();
    let shard = rig.shard().unwrap();
    let before = shard.stats().max_seq_no;
    let full = Fault { failure: Failure::NoSpace, at: 0, lasting: true, kind: Some(Kind::Write) };
    rig.disk.set_fault(Some(full));
    let parsed = |id: &str| vec![shard.parse_any(index(id, "x"))];
    // The first finds out: whether it happened is not known until there is space.
    let first = shard.write(parsed("first"), clock::now() + PATIENCE).await;
    assert!(matches!(first, Err(Error::Timeout { .. })), "{first:?}");
    // Those after are refused before they are numbered.
    let refused = shard.write(parsed("second"), soon()).await.unwrap_err();
    let reason = "index [books] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has \
                  read-only-allow-delete block];";
    assert_eq!((refused.to_string().as_str(), refused.status(), refused.type_name()), (reason, 429, "cluster_block_exception"));
    assert_eq!(shard.stats().max_seq_no, before + 1);
    assert_eq!(shard.text("1").await, Some(source("3")));
    assert_eq!(shard.failure(), None);
    rig.disk.set_fault(None);
    shard.wait_global_checkpoint(SeqNo(before + 1), Duration::from_secs(30)).await;
    assert_eq!(shard.text("first").await, Some(source("x")), "nothing was refused to it");
    let deadline = soon();
    let second = loop {
        // The index may need a moment more than the log.
        match shard.write(parsed("second"), soon()).await {
            Err(Error::ClusterBlock { .. }) if clock::now() < deadline => tokio::task::yield_now().await,
            other => break other.unwrap().pop().unwrap().unwrap(),
        }
    };
    assert_eq!(second.seq_no, SeqNo(before + 2));
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_acknowledged_and_no_sync_follows() {
    let mut rig = Rig::new(&[]);
    script("single").run(&mut rig).await.unwrap();
    let at = rig.disk.calls_of(Kind::Sync);
    rig.disk.set_fault(Some(Fault { failure: Failure::Device, at, lasting: false, kind: Some(Kind::Sync) }));
    let shard = rig.shard().unwrap();
    let refused = shard.write(vec![shard.parse_any(index("x", "x"))], soon()).await.unwrap_err();
    assert!(matches!(&refused, Error::Io { reason } if reason.contains("cannot sync")), "{refused:?}");
    assert_eq!(shard.failure(), Some(refused));
    assert!(shard.flush().await.is_err() && shard.close().await.is_err());
    assert_eq!(rig.disk.calls_of(Kind::Sync), at + 1);
}
