//! Documents of nested objects go with the document around them, through updates, merges and restarts.

use super::*;
use crate::search::{Query, count};
use serde_json::json;
use tandem_common::mapping::MappingRules;

impl IndexShard {
    async fn write_nested(&self, id: &str, source: serde_json::Value) {
        let kind = WriteKind::Index { source: source.to_string().into() };
        let parsed = self.parse(operation(id, kind, Condition::None)).unwrap();
        self.write(vec![parsed], soon()).await.unwrap().pop().unwrap().unwrap();
    }

    /// How many documents have an object with this value, and how many documents there are for clients and for the index.
    async fn numbers(&self, value: &str) -> (u64, u64, u64) {
        self.refresh().await.unwrap();
        let searcher = self.searcher();
        let query = Query::parse(&json!({"nested": {"path": "a", "query": {"term": {"a.x": value}}}})).unwrap();
        let all = count(&searcher, None, 0).unwrap();
        (count(&searcher, Some(&query), 0).unwrap(), all, searcher.searcher.num_docs())
    }
}

fn mapping() -> Arc<Mapping> {
    let body = json!({"properties": {"a": {"type": "nested", "properties": {"x": {"type": "keyword"}}}, "k": {"type": "keyword"}}});
    Arc::new(Mapping::parse(&body, &MappingRules::default()).unwrap())
}

#[tokio::test]
async fn objects_are_replaced_deleted_merged_and_recovered_with_their_document() {
    let place = Place::new();
    let shard = place.primary().await;
    shard.write_nested("0", json!({})).await;
    shard.set_mapping(mapping());
    for id in 1..=20 {
        shard.write_nested(&id.to_string(), json!({"a": [{"x": "old"}, {"x": id.to_string()}], "k": "x"})).await;
        if id % 5 == 0 {
            shard.refresh().await.unwrap();
        }
    }
    assert_eq!(shard.numbers("old").await, (20, 21, 61));
    assert_eq!(shard.numbers("7").await, (1, 21, 61));
    // Over published segments, and twice within one.
    for id in 1..=10 {
        shard.write_nested(&id.to_string(), json!({"a": {"x": "never seen"}})).await;
        shard.write_nested(&id.to_string(), json!({"a": {"x": "new"}})).await;
    }
    shard.one(delete("20")).await.unwrap();
    assert_eq!(shard.numbers("old").await, (9, 20, 1 + 10 * 2 + 9 * 3));
    assert_eq!(shard.numbers("new").await, (10, 20, 48));
    assert_eq!(shard.numbers("never seen").await, (0, 20, 48));
    shard.force_merge(1).await.unwrap();
    assert_eq!(shard.numbers("old").await, (9, 20, 48));
    assert_eq!(shard.numbers("new").await, (10, 20, 48));
    assert!(shard.searchable("20").await.is_none());
    shard.flush().await.unwrap();
    shard.write_nested("30", json!({"a": [{"x": "new"}, {"x": "new"}]})).await;
    drop(shard);
    let deadline = soon();
    let shard = loop {
        match IndexShard::open(OpenShard { mapping: mapping(), ..place.open_shard() }).await {
            Err(Error::ShardNotReady { .. }) if clock::now() < deadline => tokio::task::yield_now().await,
            other => break other.unwrap(),
        }
    };
    shard.activate_primary(PrimaryTerm(2)).await.unwrap();
    assert_eq!(shard.numbers("old").await, (9, 21, 51));
    assert_eq!(shard.numbers("new").await, (11, 21, 51));
}
