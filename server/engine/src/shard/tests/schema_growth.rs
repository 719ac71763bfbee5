//! New fields while a shard is at work.

use super::*;
use tandem_common::mapping::MappingRules;
use tantivy::Term;
use tantivy::collector::Count;
use tantivy::query::TermQuery;
use tantivy::schema::IndexRecordOption;

impl IndexShard {
    /// Writes as a primary's caller does: what the document needs is added to the mapping, then it is parsed again.
    async fn write_dynamic(&self, id: &str, text: &str) -> WriteResult {
        let mut parsed = self.parse(operation(id, WriteKind::Index { source: text.to_owned().into() }, Condition::None)).unwrap();
        if let Some(update) = parsed.dynamic_update().cloned() {
            let refused = self.write(vec![parsed.clone()], soon()).await;
            assert!(matches!(refused, Err(Error::IllegalState { .. })), "a document that the mapping lags behind is not written");
            let rules = MappingRules::from_settings(&Settings::new());
            self.set_mapping(Arc::new(self.mapping().merge(&update, &rules).unwrap()));
            parsed = self.parse(parsed.into_operation()).unwrap();
        }
        self.write(vec![parsed], soon()).await.unwrap().pop().unwrap().unwrap()
    }

    fn count(&self, field: &str, word: &str) -> usize {
        let searcher = self.searcher();
        let Ok(field) = searcher.schema.tantivy().get_field(field) else { return 0 };
        let query = TermQuery::new(Term::from_field_text(field, word), IndexRecordOption::Basic);
        searcher.searcher.search(&query, &Count).unwrap()
    }
}

#[tokio::test]
async fn numbers_are_told_while_the_index_has_fields_that_the_searcher_does_not_know() {
    let place = Place::new().with("index.refresh_interval", "-1");
    let shard = place.primary().await;
    shard.write_dynamic("1", r#"{"a": 1}"#).await;
    shard.refresh().await.unwrap();
    let before = shard.stats().store_bytes;
    shard.write_dynamic("2", r#"{"b": 1, "c": "x"}"#).await;
    shard.force_merge(1).await.unwrap();
    shard.write_dynamic("3", r#"{"d": 1, "e": "x"}"#).await;
    assert!(before > 0 && shard.stats().store_bytes > 0);
    shard.refresh().await.unwrap();
    assert_eq!(shard.stats().docs, 3);
}

#[tokio::test]
async fn documents_before_and_after_a_new_field_are_found_merged_and_survive_a_crash() {
    let place = Place::new();
    let shard = place.primary().await;
    for round in 0..4 {
        shard.write_dynamic(&format!("a{round}"), r#"{"title": "first words"}"#).await;
        shard.refresh().await.unwrap();
        shard.write_dynamic(&format!("b{round}"), &format!(r#"{{"title": "more", "body{round}": "other words"}}"#)).await;
    }
    shard.refresh().await.unwrap();
    assert_eq!((shard.count("title", "words"), shard.count("title", "more")), (4, 4));
    shard.force_merge(1).await.unwrap();
    assert_eq!(shard.stats().segments, 1);
    assert_eq!((shard.count("title", "words"), shard.count("body0", "other"), shard.count("body3", "other")), (4, 1, 1));
    shard.flush().await.unwrap();
    let last = shard.write_dynamic("c", r#"{"late": "after the flush"}"#).await;
    let mapping = shard.mapping();
    drop(shard);
    let open = || OpenShard { mapping: mapping.clone(), ..place.open_shard() };
    drop(place.try_reopen().await.unwrap());
    let shard = loop {
        match IndexShard::open(open()).await {
            Err(Error::ShardNotReady { .. }) => tokio::task::yield_now().await,
            other => break other.unwrap(),
        }
    };
    shard.activate_primary(PrimaryTerm(2)).await.unwrap();
    assert_eq!(shard.searcher().checkpoint, last.seq_no);
    assert_eq!((shard.count("title", "words"), shard.count("late", "flush"), shard.count("body3", "other")), (4, 1, 1));
}

#[tokio::test]
async fn a_new_mapping_alone_reaches_the_searcher() {
    let place = Place::new();
    let shard = place.primary().await;
    let body = serde_json::json!({"properties": {"name": {"type": "keyword"}}});
    let mapping = shard.mapping().merge(&body, &MappingRules::from_settings(&Settings::new())).unwrap();
    shard.set_mapping(Arc::new(mapping));
    let deadline = soon();
    while shard.searcher().schema.tantivy().get_field("name").is_err() {
        assert!(clock::now() < deadline, "the field did not appear");
        tokio::task::yield_now().await;
    }
}
