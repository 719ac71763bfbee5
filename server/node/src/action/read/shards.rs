//! Which shards a search asks, and with what: the indices of an expression, routing values, filters of aliases.

use crate::action::resolve::{self, Purpose};
use crate::action::{IndexNames, Services};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tandem_cluster::{ClusterState, IndexMetadata};
use tandem_common::error::ShardFailure;
use tandem_common::{Error, Result, pattern};
use tandem_engine::search::{Query, SearchSource};

/// One shard with what it is asked.
pub(super) struct Target {
    pub(super) index: Arc<IndexMetadata>,
    pub(super) shard: u32,
    pub(super) source: Arc<SearchSource>,
}

/// The shards to ask, in the order of indices and shards.
pub(super) fn targets(services: &Services, names: &IndexNames, source: &SearchSource, routing: Option<&str>) -> Result<Vec<Target>> {
    let state = services.cluster.state();
    let mut targets = Vec::new();
    let shared = Arc::new(source.clone());
    for index in resolve::indices(&state, names, Purpose::Open)? {
        resolve::refuse_blocked(&index, state.read_blocks(&index))?;
        let source = match alias_filter(&state, names, &index) {
            Some(filter) => Arc::new(filtered(source, &filter)?),
            None => Arc::clone(&shared),
        };
        let chosen: BTreeSet<u32> = match alias_routing(names, &index, routing).as_deref() {
            Some(values) => values.split(',').map(|value| resolve::shard_of(&index, value, Some(value))).collect(),
            None => (0..index.number_of_shards()).collect(),
        };
        targets.extend(chosen.into_iter().map(|shard| Target { index: Arc::clone(&index), shard, source: Arc::clone(&source) }));
    }
    Ok(targets)
}

/// The filter that the names of an expression put on an index: none when it is named itself or by an alias without a filter.
fn alias_filter(state: &ClusterState, names: &IndexNames, index: &IndexMetadata) -> Option<Value> {
    let mut filters = Vec::new();
    for name in &names.names {
        if pattern::matches(name, &index.name) || name == "_all" {
            return None;
        }
        for (alias, metadata) in index.aliases.iter().filter(|(alias, _)| pattern::matches(name, alias)) {
            debug_assert!(!state.indices.contains_key(alias), "an alias has no index of its name");
            filters.push(metadata.filter.clone()?);
        }
    }
    match filters.len() {
        0 => None,
        1 => filters.pop(),
        _ => Some(json!({"bool": {"should": filters}})),
    }
}

/// The routing values that a search of an index is limited to: those given, or those of the aliases that it is named by when
/// every one of them has some; the values in both when both are there.
fn alias_routing(names: &IndexNames, index: &IndexMetadata, given: Option<&str>) -> Option<String> {
    let mut values: Vec<&str> = Vec::new();
    for name in &names.names {
        let by_name = pattern::matches(name, &index.name) || name == "_all";
        let mut aliases = index.aliases.iter().filter(|(alias, _)| pattern::matches(name, alias)).peekable();
        if by_name || aliases.peek().is_some_and(|(_, metadata)| metadata.search_routing.is_none()) {
            return given.map(str::to_owned);
        }
        values.extend(aliases.filter_map(|(_, metadata)| metadata.search_routing.as_deref()).flat_map(|routing| routing.split(',')));
    }
    if values.is_empty() {
        return given.map(str::to_owned);
    }
    if let Some(given) = given {
        values.retain(|value| given.split(',').any(|given| given == *value));
    }
    Some(values.join(","))
}

fn filtered(source: &SearchSource, filter: &Value) -> Result<SearchSource> {
    let query = source.query.as_ref().map_or_else(|| json!({"match_all": {}}), Query::to_json);
    let both = json!({"bool": {"must": [query], "filter": [filter]}});
    Ok(SearchSource { query: Some(Query::parse(&both)?), ..source.clone() })
}

/// The failure of one shard.
pub(super) fn failure(services: &Services, index: String, shard: u32, error: Error) -> ShardFailure {
    ShardFailure { shard, index, node: Some(services.cluster.local_node().id.to_string()), reason: Box::new(error) }
}
