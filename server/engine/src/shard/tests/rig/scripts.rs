//! What the rig does to a shard: each script is short and aims at one part.

use super::*;

/// A script with the settings of its index.
#[derive(Clone, Copy, Debug)]
pub(in crate::shard) struct Script {
    pub(in crate::shard) name: &'static str,
    pub(in crate::shard) settings: &'static [(&'static str, &'static str)],
    kind: Steps,
}

#[derive(Clone, Copy, Debug)]
enum Steps {
    Single,
    Bulk,
    Lives,
    Flushes,
    Racing,
    Merges,
    Asynchronous,
    Trims,
    Leases,
    Growth,
    Roles,
    Follower,
    Files,
    Restarts,
    Truncations,
}

/// No deletion is remembered, so that a flush trims the log at once.
const TRIMMING: (&str, &str) = ("index.gc_deletes", "0s");

/// Small files, so that the log is rolled by size.
const SMALL_FILES: (&str, &str) = ("index.translog.generation_threshold_size", "600b");

/// Nothing is published unless asked for, so that a record is the same at every run.
const QUIET: (&str, &str) = ("index.refresh_interval", "-1");

/// Every script.
pub(in crate::shard) const SCRIPTS: &[Script] = &[
    Script { name: "single", settings: &[QUIET], kind: Steps::Single },
    Script { name: "bulk", settings: &[QUIET, SMALL_FILES], kind: Steps::Bulk },
    Script { name: "lives", settings: &[QUIET], kind: Steps::Lives },
    Script { name: "flushes", settings: &[QUIET], kind: Steps::Flushes },
    Script { name: "racing", settings: &[SMALL_FILES], kind: Steps::Racing },
    Script { name: "merges", settings: &[QUIET, TRIMMING], kind: Steps::Merges },
    Script {
        name: "asynchronous",
        settings: &[QUIET, ("index.translog.durability", "async"), ("index.translog.sync_interval", "1h")],
        kind: Steps::Asynchronous,
    },
    Script { name: "trims", settings: &[QUIET, TRIMMING, SMALL_FILES], kind: Steps::Trims },
    Script { name: "leases", settings: &[QUIET, TRIMMING], kind: Steps::Leases },
    Script { name: "growth", settings: &[QUIET], kind: Steps::Growth },
    Script { name: "roles", settings: &[QUIET], kind: Steps::Roles },
    Script { name: "follower", settings: &[QUIET, TRIMMING, SMALL_FILES], kind: Steps::Follower },
    Script { name: "files", settings: &[QUIET], kind: Steps::Files },
    Script {
        name: "truncations",
        settings: &[QUIET, SMALL_FILES, ("index.translog.durability", "async"), ("index.translog.sync_interval", "1h")],
        kind: Steps::Truncations,
    },
    Script { name: "restarts", settings: &[QUIET, SMALL_FILES], kind: Steps::Restarts },
];

/// The script of that name.
pub(in crate::shard) fn script(name: &str) -> &'static Script {
    SCRIPTS.iter().find(|script| script.name == name).expect("the name is in the list")
}

/// One operation as a leader has logged it.
pub(in crate::shard) fn logged(seq_no: i64, op_term: u64, id: &str, text: Option<&str>) -> LoggedOperation {
    LoggedOperation {
        seq_no: SeqNo(seq_no),
        op_term: PrimaryTerm(op_term),
        mapping_version: 0,
        operation_id: 0,
        version: seq_no + 1,
        id: id.into(),
        routing: None,
        kind: text.map_or(LoggedKind::Delete, |text| LoggedKind::Index { source: source(text) }),
    }
}

impl Script {
    /// Creates the store and does everything, until something fails.
    pub(in crate::shard) async fn run(&self, rig: &mut Rig) -> Result<()> {
        self.begin(rig).await?;
        self.go_on(rig).await
    }

    pub(in crate::shard) async fn begin(&self, rig: &mut Rig) -> Result<()> {
        rig.create().await
    }

    pub(in crate::shard) async fn go_on(&self, rig: &mut Rig) -> Result<()> {
        match self.kind {
            Steps::Single => single(rig).await,
            Steps::Bulk => bulk(rig).await,
            Steps::Lives => lives(rig).await,
            Steps::Flushes => flushes(rig).await,
            Steps::Racing => racing(rig).await,
            Steps::Merges => merges(rig).await,
            Steps::Asynchronous => asynchronous(rig).await,
            Steps::Trims => trims(rig).await,
            Steps::Leases => leases(rig).await,
            Steps::Growth => growth(rig).await,
            Steps::Roles => roles(rig).await,
            Steps::Follower => follower(rig).await,
            Steps::Files => files(rig).await,
            Steps::Restarts => restarts(rig).await,
            Steps::Truncations => truncations(rig).await,
        }
    }
}

async fn single(rig: &mut Rig) -> Result<()> {
    rig.primary().await?;
    for id in ["a", "b", "c"] {
        rig.write(index(id, id)).await?;
    }
    // Larger than the units in which a write can be torn.
    rig.write(index("large", &"x".repeat(9000))).await?;
    rig.write(index("d", "d")).await
}

async fn bulk(rig: &mut Rig) -> Result<()> {
    rig.primary().await?;
    for round in 0..4 {
        rig.bulk((0..6).map(|id| index(&id.to_string(), &format!("{round}"))).collect()).await?;
    }
    rig.write(delete("3")).await
}

async fn lives(rig: &mut Rig) -> Result<()> {
    rig.primary().await?;
    for text in ["1", "2"] {
        rig.write(index("a", text)).await?;
        rig.write(delete("b")).await?;
        rig.write(index("b", text)).await?;
        rig.refresh().await?;
        rig.write(delete("a")).await?;
    }
    rig.refresh().await?;
    rig.write(index("a", "3")).await?;
    rig.write(operation("b", WriteKind::Create { source: source("no") }, Condition::None)).await?;
    rig.write(delete("b")).await
}

async fn flushes(rig: &mut Rig) -> Result<()> {
    rig.primary().await?;
    for round in 0..3 {
        rig.bulk((0..4).map(|id| index(&id.to_string(), &format!("{round}"))).collect()).await?;
        rig.write(delete(&round.to_string())).await?;
        rig.refresh().await?;
        rig.write(index("late", &format!("{round}"))).await?;
        rig.flush().await?;
        rig.write(index("later", &format!("{round}"))).await?;
    }
    rig.close().await
}

/// Writers, a flush and a refresh at once. The order is not the same at every run; the checks hold for each.
async fn racing(rig: &mut Rig) -> Result<()> {
    rig.primary().await?;
    let shard = rig.shard()?;
    for round in 0..3 {
        let batches: Vec<Vec<WriteOperation>> =
            (0..3).map(|writer| (0..3).map(|id| index(&format!("{writer}-{id}"), &format!("{round}"))).collect()).collect();
        let asked: Vec<Vec<Asked>> = batches.iter().map(|batch| batch.iter().map(Asked::new).collect()).collect();
        rig.journal.asked.extend(asked.iter().flatten().cloned());
        let mut parsed = batches.into_iter().map(|batch| batch.into_iter().map(|operation| shard.parse_any(operation)).collect());
        let mut next = || parsed.next().unwrap();
        let (first, second, third) = (next(), next(), next());
        let position = |result| (result, rig.disk.position());
        let deadline = rig.deadline();
        let writes = async {
            tokio::join!(
                async { position(shard.write(first, deadline).await) },
                async { position(shard.write(second, deadline).await) },
                async { position(shard.write(third, deadline).await) },
            )
        };
        let ((one, two, three), flushed, refreshed) = tokio::join!(writes, shard.flush(), shard.refresh());
        let mut failed = None;
        for ((result, position), asked) in [one, two, three].into_iter().zip(asked) {
            match result {
                Ok(results) => {
                    for (result, asked) in results.into_iter().zip(asked) {
                        Rig::note(&mut rig.journal, asked, &result?, position);
                    }
                }
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(()), Err)?;
        flushed?;
        refreshed?;
    }
    Ok(())
}

async fn merges(rig: &mut Rig) -> Result<()> {
    rig.primary().await?;
    for round in 0..3 {
        for id in 0..3 {
            rig.write(index(&format!("{id}"), &format!("{round}"))).await?;
            rig.refresh().await?;
        }
        rig.merge().await?;
        rig.write(delete("1")).await?;
        rig.flush().await?;
    }
    rig.merge().await?;
    rig.flush().await?;
    rig.write(index("1", "back")).await
}

async fn asynchronous(rig: &mut Rig) -> Result<()> {
    rig.primary().await?;
    for round in 0..3 {
        rig.bulk((0..3).map(|id| index(&id.to_string(), &format!("{round}"))).collect()).await?;
        rig.write(delete("1")).await?;
        rig.refresh().await?;
        rig.journal.synced_until(rig.disk.position());
    }
    rig.write(index("late", "x")).await?;
    rig.flush().await?;
    rig.journal.synced_until(rig.disk.position());
    rig.write(index("later", "x")).await
}

async fn trims(rig: &mut Rig) -> Result<()> {
    rig.primary().await?;
    for round in 0..4 {
        rig.bulk((0..5).map(|id| index(&id.to_string(), &format!("{round}"))).collect()).await?;
        rig.flush().await?;
        rig.trim().await?;
    }
    rig.lease("follower", Some(20)).await?;
    for round in 0..2 {
        rig.bulk((0..5).map(|id| index(&id.to_string(), &format!("again {round}"))).collect()).await?;
        rig.flush().await?;
    }
    rig.lease("follower", Some(26)).await?;
    rig.trim().await
}

async fn leases(rig: &mut Rig) -> Result<()> {
    rig.primary().await?;
    rig.lease("one", Some(0)).await?;
    rig.bulk((0..5).map(|id| index(&id.to_string(), "x")).collect()).await?;
    rig.flush().await?;
    rig.lease("two", Some(3)).await?;
    rig.lease("one", Some(5)).await?;
    rig.trim().await?;
    rig.bulk((0..5).map(|id| index(&id.to_string(), "y")).collect()).await?;
    rig.flush().await?;
    rig.lease("two", None).await?;
    rig.trim().await?;
    rig.lease("one", Some(7)).await?;
    rig.lease("one", None).await?;
    rig.trim().await?;
    rig.lease("three", Some(10)).await?;
    rig.close().await
}

async fn growth(rig: &mut Rig) -> Result<()> {
    rig.primary().await?;
    rig.write_dynamic("1", r#"{"a": 1}"#).await?;
    rig.refresh().await?;
    rig.write_dynamic("2", r#"{"b": "words in a text"}"#).await?;
    rig.flush().await?;
    rig.write_dynamic("3", r#"{"c": "more", "b": "again"}"#).await?;
    rig.refresh().await?;
    rig.write_dynamic("1", r#"{"d": 1.5}"#).await?;
    rig.merge().await?;
    rig.flush().await?;
    rig.write_dynamic("4", r#"{"e": true}"#).await
}

async fn roles(rig: &mut Rig) -> Result<()> {
    rig.primary().await?;
    rig.write(index("a", "1")).await?;
    rig.primary().await?;
    rig.write(index("a", "2")).await?;
    rig.flush().await?;
    rig.restart().await?;
    rig.primary().await?;
    rig.write(index("b", "3")).await?;
    rig.restart().await?;
    rig.follow().await?;
    rig.replicate(vec![logged(3, 40, "a", Some("led")), logged(4, 41, "c", Some("led"))]).await?;
    rig.open_for_writes("own", 1000).await?;
    rig.write(index("c", "own")).await?;
    rig.flush().await?;
    rig.write(delete("a")).await
}

async fn follower(rig: &mut Rig) -> Result<()> {
    rig.follow().await?;
    let log: Vec<LoggedOperation> = (0..40)
        .map(|seq_no| {
            let text = format!("{seq_no}");
            logged(seq_no, 5 + seq_no as u64 / 15, &format!("{}", seq_no % 7), (seq_no % 5 != 4).then_some(&text))
        })
        .collect();
    let part = |from: usize, to: usize| log[from..to].to_vec();
    rig.replicate(part(0, 6)).await?;
    rig.replicate(part(4, 12)).await?;
    rig.refresh().await?;
    rig.replicate(part(12, 20)).await?;
    rig.flush().await?;
    rig.lease("next in the chain", Some(20)).await?;
    rig.replicate(part(20, 31)).await?;
    rig.flush().await?;
    rig.trim().await?;
    rig.restart().await?;
    rig.follow().await?;
    rig.replicate(part(28, 40)).await?;
    rig.refresh().await
}

/// A copy that starts from the files of another.
async fn files(rig: &mut Rig) -> Result<()> {
    rig.primary().await?;
    for id in ["1", "2", "3"] {
        rig.write(index(id, "a")).await?;
        rig.refresh().await?;
    }
    let lease = rig.shard()?.acquire_commit().await?;
    rig.write(delete("2")).await?;
    rig.merge().await?;
    rig.flush().await?;
    drop(lease);
    rig.write(index("2", "back")).await?;
    rig.flush().await
}

async fn restarts(rig: &mut Rig) -> Result<()> {
    for round in 0..3 {
        rig.primary().await?;
        rig.write(index("a", &format!("{round}"))).await?;
        rig.bulk((0..4).map(|id| index(&id.to_string(), &format!("{round}"))).collect()).await?;
        if round == 1 {
            rig.close().await?;
        }
        rig.restart().await?;
    }
    rig.primary().await?;
    rig.write(delete("a")).await?;
    rig.flush().await
}

/// A copy gives up what was never committed, and goes on where the new primary does.
async fn truncations(rig: &mut Rig) -> Result<()> {
    for round in 0..3 {
        rig.primary().await?;
        rig.bulk((0..2 + round).map(|id| index(&id.to_string(), &format!("kept {round}"))).collect()).await?;
        rig.refresh().await?;
        rig.journal.synced_until(rig.disk.position());
        rig.write(index("0", &format!("cut {round}"))).await?;
        rig.write(index("new", &format!("cut {round}"))).await?;
        rig.truncate().await?;
        if round == 1 {
            rig.restart().await?;
        }
    }
    rig.primary().await?;
    rig.write(index("new", "kept")).await?;
    rig.flush().await?;
    rig.journal.synced_until(rig.disk.position());
    Ok(())
}
