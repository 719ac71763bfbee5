//! One index: what it is called, what it means, what its shards' histories are. Never documents.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tandem_common::mapping::Mapping;
use tandem_common::{AllocationId, Error, HistoryId, IndexUuid, PrimaryTerm, Result, Settings, ShardId};

/// The metadata of one index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IndexMetadata {
    /// Its name.
    pub name: String,
    /// Its identity.
    pub uuid: IndexUuid,
    /// Milliseconds since 1970.
    pub creation_date: i64,
    /// Open or closed.
    pub state: IndexState,
    /// Every explicit setting, flat `index.…` keys; always with number_of_shards, number_of_replicas, uuid, creation_date,
    /// provided_name and version.created.
    pub settings: Arc<Settings>,
    /// Rises with each change of the settings.
    pub settings_version: u64,
    /// What its documents mean.
    pub mapping: Arc<Mapping>,
    /// Other names for it.
    pub aliases: BTreeMap<String, AliasMetadata>,
    /// Rises with each change of the aliases.
    pub aliases_version: u64,
    /// Where its first documents come from.
    pub origin: IndexOrigin,
    /// One entry a shard.
    pub shards: Vec<ShardMetadata>,
}

/// Open or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IndexState {
    /// It takes reads and writes.
    Open,
    /// It is kept on disk only.
    Close,
}

/// Where the first documents of an index come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IndexOrigin {
    /// It starts empty.
    Empty,
    /// Its primaries are copied from an index of another cluster.
    Leader {
        /// The connection.
        alias: String,
        /// The leader index.
        index: String,
        /// The leader index's identity.
        uuid: IndexUuid,
    },
}

/// One alias on one index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AliasMetadata {
    /// Only these documents.
    pub filter: Option<Value>,
    /// The routing of writes.
    pub index_routing: Option<String>,
    /// The routing of searches.
    pub search_routing: Option<String>,
    /// Whether writes to the alias go here.
    pub is_write_index: Option<bool>,
    /// Whether wildcards pass it over.
    pub is_hidden: Option<bool>,
}

/// What the cluster knows of one shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardMetadata {
    /// Rises with each new primary.
    pub primary_term: PrimaryTerm,
    /// The copies that hold every acknowledged operation.
    pub in_sync: BTreeSet<AllocationId>,
    /// The history that the shard is in.
    pub history: HistoryId,
}

impl IndexMetadata {
    /// How many shards it has.
    pub fn number_of_shards(&self) -> u32 {
        u32::try_from(self.shards.len()).unwrap_or(u32::MAX)
    }

    /// How many replicas each shard should have.
    pub fn number_of_replicas(&self) -> u32 {
        self.settings.text("index.number_of_replicas").and_then(|text| text.parse().ok()).unwrap_or(1)
    }

    /// Over how many slots documents are routed; shards are equal groups of them (OpenSearch's `number_of_routing_shards`).
    pub fn number_of_routing_shards(&self) -> u32 {
        let shards = self.number_of_shards().max(1);
        self.settings
            .text("index.number_of_routing_shards")
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| default_routing_shards(shards))
    }

    /// Whether a boolean setting is on.
    pub fn setting_is_true(&self, key: &str) -> bool {
        self.settings.text(key) == Some("true")
    }

    /// Whether wildcards pass it over.
    pub fn is_hidden(&self) -> bool {
        self.setting_is_true("index.hidden")
    }

    /// The identity of one of its shards.
    pub fn shard_id(&self, shard: u32) -> ShardId {
        ShardId { index: self.name.clone(), index_uuid: self.uuid.clone(), shard }
    }

    /// The aliases as `GET /{index}` shows them.
    pub fn aliases_json(&self) -> Value {
        Value::Object(self.aliases.iter().map(|(name, alias)| (name.clone(), alias.to_json())).collect())
    }
}

/// OpenSearch's default: as many doublings of the shard count as stay at or below 1,024, at least one.
fn default_routing_shards(shards: u32) -> u32 {
    let log2_max = 10;
    let log2 = 32 - (shards - 1).leading_zeros();
    let splits = (log2_max - log2.min(log2_max)).max(1);
    shards << splits
}

impl AliasMetadata {
    /// Reads one alias of a create-index body.
    pub fn from_json(body: &Value) -> Self {
        let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
        let both = text("routing");
        Self {
            filter: body.get("filter").cloned(),
            index_routing: text("index_routing").or_else(|| both.clone()),
            search_routing: text("search_routing").or(both),
            is_write_index: body.get("is_write_index").and_then(Value::as_bool),
            is_hidden: body.get("is_hidden").and_then(Value::as_bool),
        }
    }

    /// The routing of a document that is written or read under the alias `name`.
    ///
    /// # Errors
    /// A routing that contradicts the alias's own.
    pub fn routing_for(&self, name: &str, given: Option<String>) -> Result<Option<String>> {
        match (&self.index_routing, given) {
            (None, given) => Ok(given),
            (Some(own), None) => Ok(Some(own.clone())),
            (Some(own), Some(given)) if *own == given => Ok(Some(given)),
            (Some(own), Some(given)) => Err(Error::illegal_argument(format!(
                "Alias [{name}] has index routing associated with it [{own}], and was provided with routing value [{given}], rejecting operation"
            ))),
        }
    }

    /// As OpenSearch shows it.
    pub fn to_json(&self) -> Value {
        let mut fields = Map::new();
        if let Some(filter) = &self.filter {
            fields.insert("filter".into(), filter.clone());
        }
        for (key, value) in [("index_routing", &self.index_routing), ("search_routing", &self.search_routing)] {
            if let Some(text) = value {
                fields.insert(key.into(), text.as_str().into());
            }
        }
        for (key, value) in [("is_write_index", self.is_write_index), ("is_hidden", self.is_hidden)] {
            if let Some(flag) = value {
                fields.insert(key.into(), flag.into());
            }
        }
        Value::Object(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routing_shards_are_those_of_opensearch() {
        assert_eq!(default_routing_shards(1), 1024);
        assert_eq!(default_routing_shards(2), 1024);
        assert_eq!(default_routing_shards(3), 768);
        assert_eq!(default_routing_shards(5), 640);
        assert_eq!(default_routing_shards(1024), 2048);
    }
}
