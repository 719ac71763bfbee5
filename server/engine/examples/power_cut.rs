//! The shard under `scripts/power-cuts.sh`: it checks what earlier lives have acknowledged, then writes and acknowledges on
//! its standard output until somebody cuts the power.
//!
//! `power_cut FOLDER` reads one line `WRITER NUMBER` for each writer on its standard input: up to where it was acknowledged.
//! It answers `checked …` or `wrong …`, then prints `WRITER NUMBER` after each batch. Operation `number` of a writer is on
//! document `WRITER-(number % 40)`: a deletion for every seventh number, else its source holds the number. So what may be
//! there follows from the last number acknowledged.

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tandem_common::env::{clock, fs};
use tandem_common::mapping::{Mapping, MappingRules};
use tandem_common::{Error, HistoryId, IndexUuid, PrimaryTerm, Result, SeqNo, Settings, ShardId, Tasks};
use tandem_engine::analysis::AnalyzerRegistry;
use tandem_engine::shard::{Condition, IndexShard, OpenShard, WriteKind, WriteOperation};

/// Writers at once.
const WRITERS: u64 = 4;

/// Documents of each writer.
const IDS: i64 = 40;

/// Every so many operations of a writer are a deletion.
const DELETION_EVERY: i64 = 7;

/// The largest batch: no more than this can be in flight beyond what was acknowledged.
const BATCH_MAX: i64 = 24;

/// How long anything may take on a disk that works.
const PATIENCE: Duration = Duration::from_secs(60);

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

fn id(writer: u64, number: i64) -> String {
    format!("{writer}-{}", number % IDS)
}

fn operation(writer: u64, number: i64) -> WriteOperation {
    let kind =
        if number % DELETION_EVERY == 0 { WriteKind::Delete } else { WriteKind::Index { source: format!("{{\"n\":{number}}}").into() } };
    WriteOperation { id: id(writer, number), routing: None, kind, condition: Condition::None, operation_id: 0 }
}

fn open_shard(folder: &str) -> Result<OpenShard> {
    let mut settings = Settings::new();
    settings.set("index.translog.generation_threshold_size", "16kb");
    settings.set("index.gc_deletes", "0s");
    let body = serde_json::json!({"properties": {"n": {"type": "long"}}});
    Ok(OpenShard {
        shard: ShardId { index: "cut".into(), index_uuid: IndexUuid("uuid".into()), shard: 0 },
        path: PathBuf::from(folder).join("shard"),
        mapping: Arc::new(Mapping::default().merge(&body, &MappingRules::from_settings(&settings))?),
        analysis: Arc::new(AnalyzerRegistry::default()),
        settings: Arc::new(settings),
        buffer: tandem_engine::shard::IndexBuffer::default(),
        tasks: Tasks::new(),
    })
}

fn wrong(reason: String) -> Error {
    Error::IllegalState { reason }
}

/// Holds what is there against what was acknowledged.
async fn check(shard: &IndexShard, acknowledged: &HashMap<u64, i64>) -> Result<()> {
    let history = shard.history();
    let mut next = history.lowest_retained;
    while next <= history.max_seq_no {
        let operations = shard.operations(next, 1 << 20).await?;
        for operation in &operations {
            if operation.seq_no != next {
                return Err(wrong(format!("the log has [{}] where [{next}] should be", operation.seq_no)));
            }
            next = next.next();
        }
        if operations.is_empty() {
            return Err(wrong(format!("the log has a gap at [{next}]")));
        }
    }
    shard.refresh().await?;
    for (writer, last) in acknowledged {
        for slot in 0..IDS {
            // The last acknowledged operation on this document.
            let newest = last - (last - slot).rem_euclid(IDS);
            // Or one of those that were in flight.
            let possible: Vec<i64> = (newest..=last + BATCH_MAX).step_by(IDS as usize).filter(|number| *number > 0).collect();
            for realtime in [true, false] {
                let found = shard.get(&id(*writer, slot), realtime, clock::now() + PATIENCE).await?.map(|found| found.source);
                let is = |number: &i64| match &operation(*writer, *number).kind {
                    WriteKind::Index { source } => found.as_ref() == Some(source),
                    WriteKind::Delete | WriteKind::Create { .. } | WriteKind::IndexNew { .. } => found.is_none(),
                };
                let nothing_yet = newest <= 0 && found.is_none();
                if !nothing_yet && !possible.iter().any(is) {
                    let logged = last_logged(shard, &id(*writer, slot)).await?;
                    let state = shard.stats();
                    return Err(wrong(format!(
                        "writer [{writer}] was acknowledged up to [{last}]; document [{slot}] (realtime {realtime}) is {found:?}, not one of \
                         {possible:?}; in the log, from [{}] to [{}], it was last {logged:?}; the index is at [{}]",
                        history.lowest_retained, history.max_seq_no, state.published_checkpoint
                    )));
                }
            }
        }
    }
    Ok(())
}

/// The operations of the log on a document, for a message.
async fn last_logged(shard: &IndexShard, id: &str) -> Result<Vec<String>> {
    let operations = shard.operations(shard.history().lowest_retained, usize::MAX).await?;
    let mine = operations.iter().filter(|operation| operation.id == id);
    Ok(mine.map(|operation| format!("[{}] v{} {:?}", operation.seq_no, operation.version, operation.kind)).collect())
}

async fn write(shard: Arc<IndexShard>, writer: u64, mut number: i64) -> Result<()> {
    loop {
        let batch = 1 + (number * 7 + writer as i64) % BATCH_MAX;
        let parsed = (number..number + batch).map(|number| shard.parse(operation(writer, number))).collect::<Result<Vec<_>>>()?;
        for result in shard.write(parsed, clock::now() + PATIENCE).await? {
            result?;
        }
        number += batch;
        say(&format!("{writer} {}", number - 1))?;
        match number % 11 {
            0 => shard.flush().await?,
            1 => shard.refresh().await?,
            2 if writer == 0 => shard.force_merge(1).await?,
            3 => {
                let name = format!("lease {writer}");
                let retaining = SeqNo(shard.history().global_checkpoint.0);
                let renewed = shard.renew_lease(&name, retaining, "ccr").await;
                if let Err(Error::RetentionLeaseNotFound { .. }) = renewed {
                    shard.add_lease(&name, retaining, "ccr").await?;
                }
            }
            _ => {}
        }
    }
}

async fn live(folder: &str) -> Result<()> {
    let mut acknowledged = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let pair = line.split_once(' ').and_then(|(writer, number)| Some((writer.parse::<u64>().ok()?, number.parse::<i64>().ok()?)));
        let (writer, number) = pair.ok_or_else(|| wrong(format!("[{line}] is no acknowledgement")))?;
        acknowledged.insert(writer, number);
    }
    let exists = fs::exists(&PathBuf::from(folder).join("shard/translog/translog.ckp"));
    let shard = if exists || !acknowledged.is_empty() {
        IndexShard::open(open_shard(folder)?).await?
    } else {
        IndexShard::create(open_shard(folder)?, HistoryId("history".into())).await?
    };
    // A term higher than any before: the length of the log rises with each life.
    let term = PrimaryTerm(u64::try_from(shard.history().max_seq_no.0 + 2).unwrap_or(1));
    shard.activate_primary(term).await?;
    check(&shard, &acknowledged).await?;
    say(&format!("checked {} operations", shard.history().max_seq_no.next()))?;
    let writers = (0..WRITERS).map(|writer| {
        // What may have been in flight is done again, in the same batch.
        let next = acknowledged.get(&writer).map_or(1, |last| last + 1);
        write(shard.clone(), writer, next)
    });
    let mut writers: Vec<_> = writers.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        for writer in &mut writers {
            if let std::task::Poll::Ready(outcome) = writer.as_mut().poll(context) {
                return std::task::Poll::Ready(outcome);
            }
        }
        std::task::Poll::Pending
    })
    .await
}

fn main() -> std::process::ExitCode {
    let Some(folder) = std::env::args().nth(1) else { return std::process::ExitCode::from(2) };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(_) => return std::process::ExitCode::from(2),
    };
    let outcome = runtime.block_on(live(&folder));
    runtime.shutdown_background();
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            let _ = say(&format!("ended {error}"));
            std::process::ExitCode::FAILURE
        }
    }
}
