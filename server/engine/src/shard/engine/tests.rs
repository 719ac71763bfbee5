//! The directory and the library together, with schemas built by hand.

use crate::shard::directory::NrtDirectory;
use std::path::Path;
use tantivy::collector::{Count, TopDocs};
use tantivy::directory::Directory as _;
use tantivy::query::TermQuery;
use tantivy::schema::{FAST, IndexRecordOption, STRING, Schema, TEXT};
use tantivy::{Index, IndexSettings, IndexWriter, TantivyDocument, Term};

fn schema(generation: usize) -> Schema {
    let mut builder = Schema::builder();
    builder.add_text_field("_id", STRING);
    builder.add_text_field("title", TEXT);
    if generation > 0 {
        builder.add_text_field("body", TEXT);
        builder.add_i64_field("year", FAST);
        builder.add_text_field("notes", TEXT);
    }
    builder.build()
}

fn write(index: &Index, texts: &[(&str, &str)]) -> IndexWriter {
    let mut writer: IndexWriter = index.writer_with_num_threads(1, 15_000_000).unwrap();
    writer.set_merge_policy(Box::new(tantivy::merge_policy::NoMergePolicy));
    for (field, text) in texts {
        let mut document = TantivyDocument::new();
        document.add_text(index.schema().get_field(field).unwrap(), text);
        writer.add_document(document).unwrap();
    }
    writer.commit().unwrap();
    writer
}

fn reopen_with(directory: &NrtDirectory, schema: &Schema) -> (NrtDirectory, Index) {
    let next = directory.next_epoch().unwrap();
    super::set_in_meta(&next, "schema", serde_json::to_value(schema).unwrap()).unwrap();
    next.set_schema(schema);
    let index = Index::open(next.clone()).unwrap();
    (next, index)
}

fn count(index: &Index, field: &str, word: &str) -> usize {
    let term = Term::from_field_text(index.schema().get_field(field).unwrap(), word);
    let searcher = index.reader().unwrap().searcher();
    searcher.search(&TermQuery::new(term, IndexRecordOption::WithFreqs), &Count).unwrap()
}

#[test]
fn segments_older_than_a_text_field_merge_with_newer_ones() {
    let folder = tempfile::tempdir().unwrap();
    let directory = NrtDirectory::open(folder.path()).unwrap();
    let index = Index::create(directory.clone(), schema(0), IndexSettings::default()).unwrap();
    drop(write(&index, &[("title", "old words"), ("title", "old"), ("title", "older still")]));
    let (_, index) = reopen_with(&directory, &schema(1));
    let mut writer = write(&index, &[("body", "new words here"), ("title", "old and new"), ("notes", "new")]);
    let segments = index.searchable_segment_ids().unwrap();
    assert_eq!(segments.len(), 2);
    writer.merge(&segments).wait().unwrap();
    assert_eq!(index.searchable_segment_ids().unwrap().len(), 1);
    assert_eq!(count(&index, "title", "old"), 3);
    assert_eq!(count(&index, "body", "new"), 1);
    assert_eq!(count(&index, "notes", "new"), 1);
    let searcher = index.reader().unwrap().searcher();
    let term = Term::from_field_text(index.schema().get_field("title").unwrap(), "old");
    let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
    let top = searcher.search(&query, &TopDocs::with_limit(3).order_by_score()).unwrap();
    assert!(top[0].0 > top[2].0, "shorter titles score higher, so their lengths survived the merge: {top:?}");
    let norms = searcher.segment_reader(0).get_fieldnorms_reader(index.schema().get_field("body").unwrap()).unwrap();
    let mut lengths: Vec<_> = (0..6).map(|doc| norms.fieldnorm(doc)).collect();
    lengths.sort_unstable();
    assert_eq!(lengths, [0, 0, 0, 0, 0, 3]);
}

fn files(folder: &Path) -> Vec<String> {
    tandem_common::env::fs::list(folder).unwrap()
}

#[test]
fn a_commit_is_durable_only_after_a_flush_and_what_it_names_stays() {
    let folder = tempfile::tempdir().unwrap();
    let directory = NrtDirectory::open(folder.path()).unwrap();
    let index = Index::create(directory.clone(), schema(0), IndexSettings::default()).unwrap();
    let mut writer = write(&index, &[("title", "one")]);
    assert!(!files(folder.path()).contains(&"meta.json".to_owned()));
    directory.flush().unwrap();
    let durable = files(folder.path());
    assert!(durable.contains(&"meta.json".to_owned()));
    writer.add_document(TantivyDocument::new()).unwrap();
    writer.commit().unwrap();
    writer.merge(&index.searchable_segment_ids().unwrap()).wait().unwrap();
    writer.garbage_collect_files().wait().unwrap();
    let now = files(folder.path());
    assert!(durable.iter().all(|file| now.contains(file)), "{durable:?} {now:?}");
    drop(writer);
    // A crash now: only the durable commit is left, and the files that it does not name are gone.
    let crashed = NrtDirectory::open(folder.path()).unwrap();
    assert_eq!(files(folder.path()), durable);
    assert_eq!(Index::open(crashed).unwrap().reader().unwrap().searcher().num_docs(), 1);
}

#[test]
fn a_handle_of_an_old_epoch_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let old = NrtDirectory::open(folder.path()).unwrap();
    let new = old.next_epoch().unwrap();
    assert!(old.open_write(Path::new("a.store")).is_err());
    assert!(old.atomic_write(Path::new("meta.json"), b"{}").is_err());
    assert!(new.open_write(Path::new("a.store")).is_ok());
}

#[test]
fn a_file_that_nothing_names_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let directory = NrtDirectory::open(folder.path()).unwrap();
    drop(directory.open_write(Path::new("a.1.del")).unwrap());
    assert!(directory.open_write(Path::new("a.1.del")).is_ok());
}

/// Applies one operation on the document `id`.
fn apply(engine: &mut super::Engine, id: &str, kind: crate::shard::LoggedKind) {
    let operation = crate::shard::LoggedOperation {
        seq_no: engine.applied().next(),
        op_term: tandem_common::PrimaryTerm(1),
        mapping_version: 0,
        operation_id: 0,
        version: 1,
        id: id.to_owned(),
        routing: None,
        kind,
    };
    engine.apply(&operation, None, true).unwrap();
}

#[test]
fn the_first_deletion_of_a_new_writer_survives_a_merge_that_starts_before_the_next_commit() {
    use crate::shard::LoggedKind::{Delete, Index as Put};
    use std::sync::Arc;
    let source = || Put { source: bytes::Bytes::from_static(b"{}") };
    let payload = |checkpoint| super::CommitPayload::new(checkpoint, 0, crate::shard::Lineage::new(tandem_common::HistoryId("h".into())));
    for order in [[0, 1], [1, 0]] {
        let folder = tempfile::tempdir().unwrap();
        let shard = tandem_common::ShardId { index: "i".into(), index_uuid: tandem_common::IndexUuid("u".into()), shard: 0 };
        let mapping = Arc::new(tandem_common::mapping::Mapping::default());
        let analysis = Arc::new(crate::analysis::AnalyzerRegistry::default());
        let empty = payload(tandem_common::SeqNo::NONE);
        let mut engine = super::Engine::create(folder.path(), &shard, &mapping, &analysis, &empty).unwrap();
        apply(&mut engine, "a", source());
        apply(&mut engine, "b", source());
        // So many that one deletion makes no merge worth while by itself.
        for filler in 0..30 {
            apply(&mut engine, &format!("filler-{filler}"), source());
        }
        engine.publish(payload).unwrap();
        // The last commit writes the deletes of the first segment: they carry its own stamp.
        apply(&mut engine, "b", Delete);
        apply(&mut engine, "c", source());
        engine.publish(payload).unwrap();
        engine.release_writer();

        apply(&mut engine, "a", Delete);
        let segments = engine.index.searchable_segment_ids().unwrap();
        let chosen: Vec<_> = order.iter().map(|position| segments[*position]).collect();
        engine.writer().unwrap().merge(&chosen).wait().unwrap();
        let searcher = engine.publish(payload).unwrap();
        assert_eq!(searcher.searcher.num_docs(), 31, "[a] and [b] are gone, whatever the order {order:?}");
    }
}
