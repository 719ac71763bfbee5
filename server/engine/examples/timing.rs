#![allow(warnings)]
use std::sync::Arc;
use std::time::{Duration, Instant};
use tandem_common::mapping::Mapping;
use tandem_common::*;
use tandem_engine::analysis::AnalyzerRegistry;
use tandem_engine::shard::*;

async fn run(shards: usize, writers: usize, secs: f64) {
    let folder = std::path::PathBuf::from(format!("/tmp/d4t/s{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let mut all = Vec::new();
    let mut settings = Settings::new();
    settings.set("index.refresh_interval", "1s");
    let settings = Arc::new(settings);
    for n in 0..shards {
        let open = OpenShard {
            shard: ShardId { index: format!("i{n}"), index_uuid: IndexUuid("u".into()), shard: 0 },
            path: folder.join(format!("{n}")),
            mapping: Arc::new(Mapping::default()),
            analysis: Arc::new(AnalyzerRegistry::default()),
            settings: settings.clone(),
            tasks: Tasks::new(),
            buffer: IndexBuffer::default(),
        };
        let s = IndexShard::create(open, HistoryId("h".into())).await.unwrap();
        s.activate_primary(PrimaryTerm(1)).await.unwrap();
        all.push(s);
    }
    let stop = Instant::now() + Duration::from_secs_f64(secs);
    let mut handles = Vec::new();
    for (n, s) in all.iter().enumerate() {
        for w in 0..writers {
            let s = s.clone();
            handles.push(tokio::spawn(async move {
                let mut count = 0u64;
                let mut lat = Vec::new();
                while Instant::now() < stop {
                    let t = Instant::now();
                    let op = WriteOperation {
                        id: format!("{n}-{w}-{count}"),
                        routing: None,
                        kind: WriteKind::IndexNew { source: bytes::Bytes::from_static(br#"{}"#) },
                        condition: Condition::None,
                        operation_id: 0,
                    };
                    let parsed = s.parse(op).unwrap();
                    s.write(vec![parsed], tokio::time::Instant::now() + Duration::from_secs(30)).await.unwrap();
                    count += 1;
                    lat.push(t.elapsed().as_micros() as u64);
                }
                lat
            }));
        }
    }
    let mut lat = Vec::new();
    for h in handles {
        lat.extend(h.await.unwrap());
    }
    lat.sort_unstable();
    println!(
        "shards {shards:3} writers {writers:3}: {:8.0} ops/s  p50 {} us p99 {} us",
        lat.len() as f64 / secs,
        lat[lat.len() / 2],
        lat[lat.len() * 99 / 100]
    );
    for s in all {
        s.close().await.unwrap();
    }
    let _ = std::fs::remove_dir_all(&folder);
}

fn main() {
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    rt.block_on(async {
        for (s, w) in [(1, 1), (1, 64), (1, 1), (1, 64), (50, 1)] {
            run(s, w, 3.0).await;
        }
    });
}
