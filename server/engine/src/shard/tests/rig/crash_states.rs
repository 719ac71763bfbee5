//! Every script, crashed at every moment, in every way that a disk may end up.

use super::scripts::{SCRIPTS, Script, script};
use super::*;
use std::collections::HashSet;
use tandem_common::env::disk::{Replay, Variant};

/// No more states than this are opened for one script; what lies beyond is left out evenly.
const STATES_MAX: usize = 80;

/// Every so many states, the crash happens again while the shard is being opened.
const SECOND_CRASH_EVERY: usize = 5;

/// The rounds of the random variants.
const SEEDS: [u64; 2] = [11, 47];

/// What enumerating one script came to.
#[derive(Debug, Default)]
pub(in crate::shard) struct Tally {
    pub(in crate::shard) events: usize,
    pub(in crate::shard) distinct: usize,
    pub(in crate::shard) opened: usize,
    pub(in crate::shard) second: usize,
}

/// The bound on a number of cases, or what `TANDEM_RIG_CASES` says for a long run.
pub(super) fn cases_max(otherwise: usize) -> usize {
    std::env::var("TANDEM_RIG_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Whether the case of this number is among about `max` of `count`: evenly, but not in step with anything.
pub(super) fn is_chosen(number: usize, count: usize, max: usize) -> bool {
    let stride = count.div_ceil(max).max(1);
    (number / stride * 7 + number / stride / stride) % stride == number % stride
}

/// The states of a record: (position, variant). One folder comes again only after another acknowledgement.
fn distinct_states(replay: &Replay, journal: &Journal) -> Vec<(usize, Variant)> {
    let mut seen = HashSet::new();
    let mut states = Vec::new();
    let mut at = replay.clone();
    for position in 0..=replay.len() {
        at.advance(position);
        for seed in SEEDS {
            for variant in Variant::all(seed ^ position as u64) {
                if seen.insert((at.state(variant).digest(), journal.promises(position))) {
                    states.push((position, variant));
                }
            }
        }
    }
    states
}

/// Runs a script and checks what crashes leave of it; the first difference, if there is one.
pub(in crate::shard) async fn enumerate(script: &Script, states_max: usize) -> Result<Tally, String> {
    let mut rig = Rig::new(script.settings);
    script.begin(&mut rig).await.map_err(|error| format!("{}: {error}", script.name))?;
    let created = rig.disk.position();
    script.go_on(&mut rig).await.map_err(|error| format!("{}: {error}", script.name))?;
    rig.shard = None;
    let replay = rig.disk.replay();
    let states = distinct_states(&replay, &rig.journal);
    let mut tally = Tally { events: replay.len(), distinct: states.len(), ..Tally::default() };
    let mut at = replay.clone();
    for (number, (position, variant)) in states.into_iter().enumerate() {
        at.advance(position);
        if !is_chosen(number, tally.distinct, states_max) {
            continue;
        }
        let state = at.state(variant);
        let folder = tempfile::tempdir().unwrap();
        state.write_to(folder.path()).unwrap();
        tally.opened += 1;
        let context = |detail: String| {
            let files: Vec<String> = state.files().map(|(path, length)| format!("{} ({length})", path.display())).collect();
            format!("{}, crash after {position} ({}), {variant:?}: {detail}\n{}", script.name, replay.describe(position), files.join("\n"))
        };
        if position < created && !Translog::exists(&folder.path().join("shard/translog")) {
            // The store had not been created: creating it again must work.
            IndexShard::create(rig.open_at(folder.path()), HistoryId("history".into()))
                .await
                .map_err(|error| context(error.to_string()))?;
            continue;
        }
        // Also where nothing crashes again: nothing has to be really synced then.
        let disk = TestDisk::install(folder.path()).unwrap();
        rig.check(folder.path(), position).await.map_err(context)?;
        if tally.opened.is_multiple_of(SECOND_CRASH_EVERY) {
            tally.second += 1;
            second_crash(&rig, &disk, position, number).await.map_err(|detail| context(format!("second crash: {detail}")))?;
        }
    }
    Ok(tally)
}

/// The shard was opened after one crash, and now that opening crashes too, somewhere.
async fn second_crash(rig: &Rig, disk: &TestDisk, position: usize, number: usize) -> Result<(), String> {
    let mut replay = disk.replay();
    // The check has written one operation more at the end; nothing of it is promised before that.
    let moment = replay.len().saturating_sub(1) * (number % 7) / 7;
    replay.advance(moment);
    let variants = Variant::all(number as u64);
    let variant = variants[number % variants.len()];
    let folder = tempfile::tempdir().unwrap();
    replay.state(variant).write_to(folder.path()).unwrap();
    let mut again = Rig::new(&[]);
    again.journal = rig.journal.clone();
    // What was not acknowledged by then may be there or not; in its place may be what the check has written.
    again.journal.acknowledged.retain(|_, operation| operation.position <= position);
    again.journal.asked.extend(rig.journal.after_a_check());
    again.journal.terms.push(Stage { value: CHECK_TERM, began: 0, acknowledged: None });
    again.mapping = rig.mapping.clone();
    again
        .check(folder.path(), position)
        .await
        .map_err(|detail| format!("after {moment} ({}), {variant:?}: {detail}", replay.describe(moment)))
}

macro_rules! crash_tests {
    ($($test:ident: $script:literal,)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                let started = clock::now();
                let tally = enumerate(script($script), cases_max(STATES_MAX)).await.unwrap_or_else(|difference| panic!("{difference}"));
                eprintln!("{}: {tally:?} in {:?}", $script, clock::now().saturating_duration_since(started));
                assert!(tally.events > 30 && tally.opened > 30, "{tally:?}");
            }
        )*
        #[test]
        fn every_script_is_crashed() {
            let mut names = vec![$($script),*];
            names.sort_unstable();
            let mut all: Vec<_> = SCRIPTS.iter().map(|script| script.name).collect();
            all.sort_unstable();
            assert_eq!(names, all);
        }
    };
}

crash_tests! {
    single_writes_survive_every_crash: "single",
    bulks_survive_every_crash: "bulk",
    updates_and_deletions_survive_every_crash: "lives",
    flushes_survive_every_crash: "flushes",
    writes_beside_a_flush_survive_every_crash: "racing",
    merges_survive_every_crash: "merges",
    what_was_shown_survives_every_crash_with_asynchronous_durability: "asynchronous",
    trimming_survives_every_crash: "trims",
    leases_survive_every_crash: "leases",
    new_fields_survive_every_crash: "growth",
    changes_of_role_survive_every_crash: "roles",
    replicated_operations_survive_every_crash: "follower",
    leased_files_survive_every_crash: "files",
    restarts_survive_every_crash: "restarts",
    what_was_cut_off_stays_away_after_every_crash: "truncations",
}
