//! `_segments`: what the index of each shard is made of.

use super::call::INDICES;
use super::document::CopiesJson;
use super::respond::Answer;
use super::root::LUCENE_VERSION;
use super::routes::Route;
use super::{App, Call};
use http::Method;
use serde_json::{Map, Value, json};
use tandem_common::{Action, Result};
use tandem_node::action::IndicesOptions;
use tandem_node::action::monitor::segments::{self, SegmentStats, ShardSegments};

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let params: &[&[&str]] = &[INDICES, &["verbose"]];
    let action = Action("indices:monitor/segments");
    ["/_segments", "/{index}/_segments"].into_iter().map(|path| Route::new(&[Method::GET], path, action, params, index_segments)).collect()
}

/// OpenSearch's name of a segment: its number in base 36.
pub(super) fn name_of(segment: &SegmentStats) -> String {
    let mut digits = Vec::new();
    let mut rest = segment.generation;
    loop {
        digits.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[(rest % 36) as usize]);
        rest /= 36;
        if rest == 0 {
            break;
        }
    }
    let name: String = digits.iter().rev().map(|digit| char::from(*digit)).collect();
    format!("_{name}")
}

async fn index_segments(app: App, call: Call) -> Result<Answer> {
    let indices = call.indices(IndicesOptions::default())?;
    let (header, found) = segments::execute(&app.services, &call.context, indices).await?;
    let mut indices: Map<String, Value> = Map::new();
    for shard in &found {
        let index = indices.entry(shard.index.clone()).or_insert_with(|| json!({"shards": {}}));
        if let Some(shards) = index.get_mut("shards").and_then(Value::as_object_mut) {
            let copies = shards.entry(shard.shard.to_string()).or_insert_with(|| json!([]));
            copies.as_array_mut().into_iter().for_each(|copies| copies.push(shard_json(shard)));
        }
    }
    Answer::ok(&json!({"_shards": CopiesJson(&header), "indices": indices}))
}

fn shard_json(shard: &ShardSegments) -> Value {
    let one = |segment: &SegmentStats| {
        let body = json!({
            "generation": segment.generation,
            "num_docs": segment.docs,
            "deleted_docs": segment.deleted_docs,
            "size_in_bytes": segment.bytes,
            "memory_in_bytes": 0,
            "committed": segment.committed,
            "search": true,
            "version": LUCENE_VERSION,
            "compound": false,
            "attributes": {},
        });
        (name_of(segment), body)
    };
    json!({
        "routing": {"state": "STARTED", "primary": shard.primary, "node": shard.node},
        "num_committed_segments": shard.segments.iter().filter(|segment| segment.committed).count(),
        "num_search_segments": shard.segments.len(),
        "segments": shard.segments.iter().map(one).collect::<Map<_, _>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_named_by_their_number_in_base_36() {
        let named = |generation| name_of(&SegmentStats { generation, docs: 0, deleted_docs: 0, bytes: 0, committed: false });
        assert_eq!([named(0), named(35), named(36), named(1296)], ["_0", "_z", "_10", "_100"]);
    }
}
