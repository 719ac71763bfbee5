//! A shard against a map, under random operations, refreshes, flushes and crashes.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

#[derive(Clone, Debug)]
enum Do {
    Index(u8, u8),
    Create(u8, u8),
    IndexIf(u8, u8, bool),
    Delete(u8),
    Bulk(Vec<(u8, u8)>),
    Refresh,
    Flush,
    Merge,
    Crash,
    Close,
}

fn step() -> impl Strategy<Value = Do> {
    let id = 0u8..6;
    prop_oneof![
        4 => (id.clone(), any::<u8>()).prop_map(|(id, value)| Do::Index(id, value)),
        2 => (id.clone(), any::<u8>()).prop_map(|(id, value)| Do::Create(id, value)),
        2 => (id.clone(), any::<u8>(), any::<bool>()).prop_map(|(id, value, right)| Do::IndexIf(id, value, right)),
        3 => id.clone().prop_map(Do::Delete),
        1 => proptest::collection::vec((id, any::<u8>()), 1..8).prop_map(Do::Bulk),
        2 => Just(Do::Refresh),
        1 => Just(Do::Flush),
        1 => Just(Do::Merge),
        1 => Just(Do::Crash),
        1 => Just(Do::Close),
    ]
}

#[derive(Clone, Debug)]
struct Expected {
    version: i64,
    seq_no: i64,
    op_term: u64,
    value: Option<String>,
}

#[derive(Default)]
struct Model {
    documents: HashMap<String, Expected>,
    next: i64,
    term: u64,
}

impl Model {
    fn put(&mut self, id: &str, value: Option<String>) -> Expected {
        let version = self.documents.get(id).map_or(1, |before| before.version + 1);
        let expected = Expected { version, seq_no: self.next, op_term: self.term, value };
        self.next += 1;
        self.documents.insert(id.to_owned(), expected.clone());
        expected
    }

    fn live(&self, id: &str) -> Option<&Expected> {
        self.documents.get(id).filter(|document| document.value.is_some())
    }
}

async fn check(shard: &IndexShard, model: &Model, realtime: bool) {
    for id in (0..6u8).map(|id| id.to_string()) {
        let found = shard.get(&id, realtime, soon()).await.unwrap();
        let found = found.map(|found| (found.version, found.seq_no.0, found.op_term.0, found.source));
        let expected = model.live(&id).map(|document| {
            let value = document.value.as_deref().unwrap_or_default();
            (document.version, document.seq_no, document.op_term, source(value))
        });
        assert_eq!(found, expected, "document {id}");
    }
}

fn same(result: &WriteResult, expected: &Expected) {
    assert_eq!((result.version, result.seq_no.0, result.op_term.0), (expected.version, expected.seq_no, expected.op_term));
}

async fn run(steps: Vec<Do>) {
    let place = Place::new().with("index.translog.generation_threshold_size", "1kb");
    let mut shard = place.primary().await;
    let mut model = Model { term: 1, ..Model::default() };
    for step in steps {
        match step {
            Do::Index(id, value) => {
                let (id, value) = (id.to_string(), value.to_string());
                let result = shard.one(index(&id, &value)).await.unwrap();
                same(&result, &model.put(&id, Some(value)));
            }
            Do::Create(id, value) => {
                let (id, value) = (id.to_string(), value.to_string());
                let create = operation(&id, WriteKind::Create { source: source(&value) }, Condition::None);
                let result = shard.one(create).await;
                match model.live(&id) {
                    Some(_) => assert!(matches!(result, Err(Error::VersionConflict { .. }))),
                    None => same(&result.unwrap(), &model.put(&id, Some(value))),
                }
            }
            Do::IndexIf(id, value, right) => {
                let (id, value) = (id.to_string(), value.to_string());
                let known = model.documents.get(&id).map_or(0, |document| document.seq_no);
                let condition = Condition::IfSeqNo {
                    seq_no: SeqNo(if right { known } else { known + 1 }),
                    term: PrimaryTerm(model.documents.get(&id).map_or(1, |document| document.op_term)),
                };
                let result = shard.one(operation(&id, WriteKind::Index { source: source(&value) }, condition)).await;
                if right && model.live(&id).is_some() {
                    same(&result.unwrap(), &model.put(&id, Some(value)));
                } else {
                    assert!(matches!(result, Err(Error::VersionConflict { .. })));
                }
            }
            Do::Delete(id) => {
                let id = id.to_string();
                let lived = model.live(&id).is_some();
                let result = shard.one(delete(&id)).await.unwrap();
                assert_eq!(result.outcome, if lived { WriteOutcome::Deleted } else { WriteOutcome::NotFound });
                same(&result, &model.put(&id, None));
            }
            Do::Bulk(items) => {
                let operations = items.iter().map(|(id, value)| index(&id.to_string(), &value.to_string())).collect();
                for (result, (id, value)) in shard.all(operations).await.into_iter().zip(items) {
                    same(&result.unwrap(), &model.put(&id.to_string(), Some(value.to_string())));
                }
            }
            Do::Refresh => {
                shard.refresh().await.unwrap();
                check(&shard, &model, false).await;
                let live = model.documents.values().filter(|document| document.value.is_some()).count();
                assert_eq!(shard.stats().docs, live as u64);
            }
            Do::Flush => shard.flush().await.unwrap(),
            Do::Merge => shard.force_merge(1).await.unwrap(),
            Do::Crash | Do::Close => {
                if matches!(step, Do::Close) {
                    shard.close().await.unwrap();
                }
                drop(shard);
                model.term += 1;
                shard = place.reopen(model.term).await;
                check(&shard, &model, false).await;
            }
        }
        check(&shard, &model, true).await;
        assert_eq!(shard.stats().max_seq_no, model.next - 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn a_shard_behaves_like_a_map(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}
