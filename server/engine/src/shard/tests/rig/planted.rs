//! Each bug of `shard/planted` is found by the test that its table names.

use super::crash_states::enumerate;
use super::faults::fail_everywhere;
use super::flips::flip_every_byte;
use super::scripts::script;
use super::*;
use crate::shard::planted::{Bug, switch};
use tandem_common::env::disk::Failure;

/// How a bug is looked for: what the test named in the table does, with fewer cases.
#[derive(Clone, Copy, Debug)]
enum Search {
    Crashes(&'static str),
    /// As `Crashes`, in every state: only few of them show it.
    EveryCrash(&'static str),
    Device(&'static str),
    NoSpace(&'static str),
    Flips(&'static str),
}

/// No more states, or failing calls, are tried than this.
const CASES_MAX: usize = 1_000;

/// One byte in so many is flipped.
const FLIP_STEP: usize = 3;

const EXPECTED: &[(Bug, Search)] = &[
    (Bug::SyncSkipped, Search::Crashes("single")),
    (Bug::AcknowledgedBeforeSync, Search::Crashes("single")),
    (Bug::SyncRetried, Search::Device("single")),
    (Bug::TailNotWrittenAgain, Search::Device("single")),
    (Bug::CutTooFar, Search::Crashes("restarts")),
    (Bug::LogChecksumSkipped, Search::Flips("flushes")),
    (Bug::IndexChecksumSkipped, Search::Flips("leases")),
    (Bug::NameReused, Search::Crashes("bulk")),
    (Bug::LogNameNotSynced, Search::Crashes("bulk")),
    (Bug::CheckpointAfterRoll, Search::Crashes("bulk")),
    (Bug::AppliedAboveGlobal, Search::Crashes("single")),
    (Bug::PublishedBeforeApplied, Search::Crashes("lives")),
    (Bug::DeletionLost, Search::Crashes("lives")),
    (Bug::TombstoneLost, Search::Crashes("lives")),
    (Bug::CommitAhead, Search::Crashes("flushes")),
    (Bug::SegmentNotSynced, Search::Crashes("flushes")),
    (Bug::SegmentNameNotSynced, Search::EveryCrash("leases")),
    (Bug::TrimmedAboveLease, Search::Crashes("leases")),
    (Bug::LeaseNotStored, Search::Crashes("leases")),
    (Bug::TermNotStored, Search::Crashes("roles")),
    (Bug::LibraryPanics, Search::Crashes("single")),
    (Bug::FullDiskForgets, Search::NoSpace("single")),
];

async fn search(search: Search) -> Result<(), String> {
    match search {
        Search::Crashes(name) => enumerate(script(name), CASES_MAX).await.map(drop),
        Search::EveryCrash(name) => enumerate(script(name), usize::MAX).await.map(drop),
        Search::Device(name) => fail_everywhere(script(name), Failure::Device, false, CASES_MAX).await.map(drop),
        Search::NoSpace(name) => fail_everywhere(script(name), Failure::NoSpace, false, CASES_MAX).await.map(drop),
        Search::Flips(name) => flip_every_byte(script(name), FLIP_STEP).await.map(drop),
    }
}

/// What the search says; `None` when it finds nothing. A panic is a finding too.
fn finding(bug: Bug, how: Search) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let searched = switch::with(bug, || std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(search(how)))));
    runtime.shutdown_background();
    match searched {
        Ok(outcome) => outcome.err(),
        Err(_) => Some("it panics".to_owned()),
    }
}

#[test]
fn every_planted_bug_is_found() {
    let mut missed = Vec::new();
    for (bug, how) in EXPECTED {
        match finding(*bug, *how) {
            Some(finding) => eprintln!("{bug:?} is found: {}", finding.lines().next().unwrap_or_default()),
            None => missed.push(*bug),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn a_panic_of_the_index_library_fails_the_copy_alone() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    switch::with(Bug::LibraryPanics, || {
        runtime.block_on(async {
            let mut rig = Rig::new(&[("index.refresh_interval", "-1")]);
            script("single").run(&mut rig).await.unwrap();
            let shard = rig.shard().unwrap();
            let refused = shard.refresh().await.unwrap_err();
            assert_eq!(shard.failure(), Some(refused), "the copy says so");
            assert_eq!(shard.searcher().searcher.num_docs(), 0, "what was published before goes on");
            rig.shard = None;
        });
    });
    runtime.block_on(async {
        let place = Place::new();
        let other = place.primary().await;
        other.one(index("1", "a")).await.unwrap();
        other.refresh().await.unwrap();
        assert_eq!(other.stats().docs, 1, "others do not notice");
    });
}

#[test]
fn the_table_names_every_bug_and_its_test() {
    let table = include_str!("../../planted.rs");
    let listed = table.lines().filter(|line| line.starts_with("//! | [`Bug::")).count();
    let declared = table.split("enum Bug {").nth(1).unwrap().split('}').next().unwrap().lines().filter(|line| line.ends_with(',')).count();
    assert_eq!((listed, declared), (EXPECTED.len(), EXPECTED.len()));
}
