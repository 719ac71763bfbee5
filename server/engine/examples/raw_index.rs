//! Indexes a corpus with the index library alone: the same fields, analyzers, parsing and commits as a shard, but no log, no
//! versions, no replication and no server. What a shard takes beyond this is the price of those.
//!
//!     cargo run --release -p tandem-engine --example raw_index -- CORPUS.ndjson CORPUS.index.json [DOCUMENTS]
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a program for people, outside the node")]

use std::io::{BufRead as _, BufReader};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tandem_common::mapping::{Mapping, MappingRules, ParseMode};
use tandem_common::{PrimaryTerm, SeqNo, Settings};
use tandem_engine::analysis::AnalyzerRegistry;
use tandem_engine::shard::schema::{DocumentMeta, ShardSchema};
use tantivy::directory::MmapDirectory;
use tantivy::indexer::IndexWriterOptions;
use tantivy::{Index, IndexSettings, IndexWriter, TantivyDocument};

/// A shard that takes documents all the time publishes this often.
const COMMIT_INTERVAL: Duration = Duration::from_secs(1);

/// The memory of the writer: as much as a shard's.
const WRITER_BYTES: usize = 512 << 20;

/// Clock ticks per second, as `/proc` counts processor time on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

fn cpu_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    Ok((ticks(11) + ticks(12)) / TICKS_PER_SECOND)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, corpus, index_body, rest @ ..] = arguments.as_slice() else {
        return Err("raw_index CORPUS.ndjson CORPUS.index.json [DOCUMENTS]".into());
    };
    let limit: usize = rest.first().map_or(Ok(usize::MAX), |text| text.parse())?;
    let body: serde_json::Value = serde_json::from_slice(&std::fs::read(index_body)?)?;
    let mapping = Arc::new(Mapping::parse(&body["mappings"], &MappingRules::default())?);
    let schema = ShardSchema::derive(Arc::clone(&mapping), None);
    let lines: Vec<String> = BufReader::new(std::fs::File::open(corpus)?).lines().take(limit).collect::<Result<_, _>>()?;

    let folder = tempfile::tempdir()?;
    let settings = IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() };
    let index = Index::create(MmapDirectory::open(folder.path())?, schema.tantivy().clone(), settings)?;
    let analysis = AnalyzerRegistry::new(&Settings::new())?;
    analysis.register(index.tokenizers());
    analysis.register(index.fast_field_tokenizer());
    let options = IndexWriterOptions::builder().num_worker_threads(1).num_merge_threads(1).memory_budget_per_thread(WRITER_BYTES).build();
    let mut writer: IndexWriter<TantivyDocument> = index.writer_with_options(options)?;

    let (began, cpu_before) = (Instant::now(), cpu_seconds()?);
    let mut committed = Instant::now();
    for (number, line) in (0i64..).zip(&lines) {
        let id = number.to_string();
        let parsed = mapping.parse_document(&id, line.as_bytes(), ParseMode::Strict)?;
        let meta =
            DocumentMeta { id: &id, routing: None, seq_no: SeqNo(number), op_term: PrimaryTerm(1), version: 1, source: line.as_bytes() };
        writer.add_document(schema.document(&parsed, meta))?;
        if committed.elapsed() >= COMMIT_INTERVAL {
            writer.commit()?;
            committed = Instant::now();
        }
    }
    writer.commit()?;
    writer.wait_merging_threads()?;
    let cpu = cpu_seconds()? - cpu_before;
    let documents = lines.len();
    #[allow(clippy::cast_precision_loss, reason = "for people")]
    let per_cpu_second = documents as f64 / cpu;
    println!(
        "{documents} documents in {:.2} s, {cpu:.2} s of processor time: {per_cpu_second:.0} per second of it",
        began.elapsed().as_secs_f64()
    );
    Ok(())
}
