#![allow(warnings, unsafe_code)]
use std::sync::Arc;
use std::time::{Duration, Instant};
use tandem_common::mapping::{Mapping, MappingRules};
use tandem_common::*;
use tandem_engine::analysis::AnalyzerRegistry;
use tandem_engine::shard::*;

struct C;
static LIVE: std::sync::atomic::AtomicIsize = std::sync::atomic::AtomicIsize::new(0);
unsafe impl std::alloc::GlobalAlloc for C {
    unsafe fn alloc(&self, l: std::alloc::Layout) -> *mut u8 {
        LIVE.fetch_add(l.size() as isize, std::sync::atomic::Ordering::Relaxed);
        unsafe { std::alloc::System.alloc(l) }
    }
    unsafe fn dealloc(&self, p: *mut u8, l: std::alloc::Layout) {
        LIVE.fetch_sub(l.size() as isize, std::sync::atomic::Ordering::Relaxed);
        unsafe { std::alloc::System.dealloc(p, l) }
    }
}
#[global_allocator]
static A: C = C;
fn rss() -> f64 {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    let g = |k: &str| s.lines().find(|l| l.starts_with(k)).unwrap().split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0;
    println!("   LIVE {:.2} MB", LIVE.load(std::sync::atomic::Ordering::Relaxed) as f64 / 1048576.0);
    println!("   RssAnon {:.1} RssFile {:.1} MB threads {}", g("RssAnon"), g("RssFile"), g("Threads") * 1024.0);
    g("VmRSS")
}
fn main() {
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    rt.block_on(async {
        let folder = std::path::PathBuf::from(format!("/tmp/d4t/idle{}", std::process::id()));
        println!("start {:.1}", rss());
        let mut all = Vec::new();
        let settings = Arc::new(Settings::new());
        let docs: usize = std::env::args().nth(1).map_or(100, |a| a.parse().unwrap());
        let body = serde_json::json!({"properties": {"t": {"type": "text"}, "k": {"type": "keyword"}, "n": {"type": "long"}}});
        let mapping = Arc::new(Mapping::parse(&body, &MappingRules::default()).unwrap());
        for n in 0..50 {
            let open = OpenShard {
                shard: ShardId { index: format!("i{n}"), index_uuid: IndexUuid("u".into()), shard: 0 },
                path: folder.join(format!("{n}")),
                mapping: mapping.clone(),
                analysis: Arc::new(AnalyzerRegistry::default()),
                settings: settings.clone(),
                tasks: Tasks::new(),
                buffer: IndexBuffer::default(),
            };
            let s = IndexShard::create(open, HistoryId("h".into())).await.unwrap();
            s.activate_primary(PrimaryTerm(1)).await.unwrap();
            all.push(s);
        }
        println!("created {:.1}", rss());
        for s in &all {
            let ops: Vec<_> = (0..docs)
                .map(|i| WriteOperation {
                    id: format!("{i}"),
                    routing: None,
                    kind: WriteKind::Index { source: format!("{{\"t\":\"some words {i} and more\",\"k\":\"k{i}\",\"n\":{i}}}").into() },
                    condition: Condition::None,
                    operation_id: i as u64 + 1,
                })
                .collect();
            if !ops.is_empty() {
                let parsed = ops.into_iter().map(|o| s.parse(o).unwrap()).collect();
                s.write(parsed, tokio::time::Instant::now() + Duration::from_secs(30)).await.unwrap();
            }
        }
        println!("written {:.1}", rss());
        let t = Instant::now();
        for wait in [5, 33, 40, 128] {
            tokio::time::sleep_until((t + Duration::from_secs(wait)).into()).await;
            println!("after {wait} s: {:.1}", rss());
        }
        let du = std::process::Command::new("du").arg("-sk").arg(&folder).output().unwrap();
        println!("{}", String::from_utf8_lossy(&du.stdout));
        let _ = std::fs::remove_dir_all(&folder);
    });
}
