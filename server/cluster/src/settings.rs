//! The catalogues of cluster and index settings, and the check of a request against them.

use tandem_common::settings::{SettingKind as Kind, SettingScope as Scope, SettingValue, find, near};
use tandem_common::{Error, Result, Setting, Settings};

const fn setting(key: &'static str, default: &'static str, scope: Scope, kind: Kind, doc: &'static str) -> Setting {
    Setting { key, default, scope, kind, doc }
}

const MANY: i64 = i32::MAX as i64;

const fn int(min: i64) -> Kind {
    Kind::Int { min, max: MANY }
}

/// Settings of the whole cluster.
pub const CLUSTER_SETTINGS: &[Setting] = &[
    setting("action.auto_create_index", "true", Scope::ClusterDynamic, Kind::Text, "Whether a write makes a missing index, or patterns."),
    setting("action.destructive_requires_name", "false", Scope::ClusterDynamic, Kind::Bool, "Refuse wildcards in deletes."),
    setting("cluster.remote.*.seeds", "", Scope::ClusterDynamic, Kind::List, "The addresses of a remote cluster, host:port."),
    setting("cluster.remote.*.mode", "sniff", Scope::ClusterDynamic, Kind::OneOf(&["sniff", "proxy"]), "How a remote cluster is reached."),
    setting("cluster.remote.*.proxy_address", "", Scope::ClusterDynamic, Kind::Text, "The one address of a remote cluster in proxy mode."),
    setting("cluster.remote.*.skip_unavailable", "false", Scope::ClusterDynamic, Kind::Bool, "Search on without this remote cluster."),
    setting("cluster.max_shards_per_node", "1000", Scope::ClusterDynamic, int(1), "How many shards a data node takes."),
    setting(
        "cluster.routing.allocation.enable",
        "all",
        Scope::ClusterDynamic,
        Kind::OneOf(&["all", "primaries", "new_primaries", "none"]),
        "Which copies are allocated.",
    ),
    setting(
        "cluster.no_cluster_manager_block",
        "metadata_write",
        Scope::ClusterDynamic,
        Kind::OneOf(&["all", "write", "metadata_write"]),
        "What is refused without a cluster manager.",
    ),
    setting("cluster.blocks.read_only", "false", Scope::ClusterDynamic, Kind::Bool, "Refuse every change."),
    setting("search.max_buckets", "65535", Scope::ClusterDynamic, int(0), "How many buckets an answer may hold."),
    setting("search.default_search_timeout", "-1", Scope::ClusterDynamic, Kind::Time, "How long a search may take."),
    setting("indices.recovery.max_bytes_per_sec", "40mb", Scope::ClusterDynamic, Kind::Bytes, "How fast a copy is made, per node."),
    setting("indices.query.bool.max_clause_count", "1024", Scope::ClusterDynamic, int(1), "How many clauses a query may hold."),
    setting("logger.*", "", Scope::ClusterDynamic, Kind::Text, "The level of a logger."),
    setting("cluster.metadata.*", "", Scope::ClusterDynamic, Kind::Text, "Free for users."),
    setting("plugins.replication.follower.index.ops_batch_size", "50000", Scope::ClusterDynamic, int(16), "Operations a pull asks for."),
    setting(
        "plugins.replication.follower.concurrent_readers_per_shard",
        "2",
        Scope::ClusterDynamic,
        int(1),
        "Pulls in flight for a shard.",
    ),
    setting(
        "plugins.replication.follower.concurrent_writers_per_shard",
        "2",
        Scope::ClusterDynamic,
        int(1),
        "Accepted; operations are applied in order.",
    ),
    setting(
        "plugins.replication.follower.poll_interval",
        "50ms",
        Scope::ClusterDynamic,
        Kind::Time,
        "Accepted; pulls wait for news instead of polling.",
    ),
    setting(
        "plugins.replication.follower.metadata_sync_interval",
        "60s",
        Scope::ClusterDynamic,
        Kind::Time,
        "How often settings and aliases are compared at the least.",
    ),
    setting(
        "plugins.replication.follower.index.recovery.chunk_size",
        "10mb",
        Scope::ClusterDynamic,
        Kind::Bytes,
        "Bytes of a file asked for at once.",
    ),
    setting(
        "plugins.replication.follower.index.recovery.max_concurrent_file_chunks",
        "5",
        Scope::ClusterDynamic,
        int(1),
        "Such pieces in flight.",
    ),
    setting(
        "plugins.replication.follower.retention_lease_max_failure_duration",
        "1h",
        Scope::ClusterDynamic,
        Kind::Time,
        "How long a lease may fail to move.",
    ),
    setting("plugins.replication.follower.block.start", "false", Scope::ClusterDynamic, Kind::Bool, "Refuse new starts."),
    setting(
        "plugins.replication.follower.bulk_batch_size",
        "10",
        Scope::ClusterDynamic,
        Kind::Int { min: 1, max: 100 },
        "Indices a bulk verb takes at once.",
    ),
    setting(
        "plugins.replication.follower.bulk_poll_timeout",
        "15",
        Scope::ClusterDynamic,
        Kind::Int { min: 1, max: 30 },
        "Minutes a bulk verb waits.",
    ),
    setting(
        "plugins.replication.autofollow.fetch_poll_interval",
        "30s",
        Scope::ClusterDynamic,
        Kind::Time,
        "How often rules look for new indices at the least.",
    ),
    setting(
        "plugins.replication.autofollow.retry_poll_interval",
        "1h",
        Scope::ClusterDynamic,
        Kind::Time,
        "How often failed indices are tried again.",
    ),
    setting(
        "plugins.replication.autofollow.concurrent_replication_jobs_trigger_size",
        "3",
        Scope::ClusterDynamic,
        Kind::Int { min: 1, max: 100 },
        "Starts of a rule at once.",
    ),
    setting(
        "plugins.replication.replicate.delete_index",
        "false",
        Scope::ClusterDynamic,
        Kind::Bool,
        "Delete the follower when the leader is deleted.",
    ),
    setting("plugins.replication.leader.thread_pool.size", "0", Scope::ClusterDynamic, int(0), "Accepted."),
    setting("plugins.replication.leader.thread_pool.queue_size", "1000", Scope::ClusterDynamic, int(0), "Accepted."),
];

/// Settings of one index.
pub const INDEX_SETTINGS: &[Setting] = &[
    setting("index.number_of_shards", "1", Scope::IndexFinal, Kind::Int { min: 1, max: 1024 }, "How many shards."),
    setting("index.number_of_routing_shards", "", Scope::IndexFinal, int(1), "Over how many slots documents are routed."),
    setting("index.routing_partition_size", "1", Scope::IndexFinal, int(1), "Shards a routing value may go to."),
    setting("index.number_of_replicas", "1", Scope::IndexDynamic, int(0), "How many copies beside the primary."),
    setting("index.auto_expand_replicas", "false", Scope::IndexDynamic, Kind::Text, "Replicas by the number of nodes."),
    setting(
        "index.refresh_interval",
        "1s",
        Scope::IndexDynamic,
        Kind::Time,
        "How often writes become searchable; when it is not set, as soon as that is cheap.",
    ),
    setting("index.max_result_window", "10000", Scope::IndexDynamic, int(1), "The highest from + size."),
    setting("index.max_inner_result_window", "100", Scope::IndexDynamic, int(1), "The same for inner hits."),
    setting("index.max_docvalue_fields_search", "100", Scope::IndexDynamic, int(0), "Fields asked for in docvalue_fields."),
    setting("index.max_script_fields", "32", Scope::IndexDynamic, int(0), "Script fields of a search."),
    setting("index.max_terms_count", "65536", Scope::IndexDynamic, int(1), "Terms of a terms query."),
    setting("index.max_regex_length", "1000", Scope::IndexDynamic, int(1), "Characters of a regular expression."),
    setting("index.max_ngram_diff", "1", Scope::IndexDynamic, int(0), "The widest difference of gram lengths."),
    setting("index.max_shingle_diff", "3", Scope::IndexDynamic, int(0), "The widest difference of shingle lengths."),
    setting("index.max_refresh_listeners", "1000", Scope::IndexDynamic, int(0), "Waiting wait_for requests."),
    setting("index.max_rescore_window", "10000", Scope::IndexDynamic, int(1), "The highest rescore window."),
    setting("index.analyze.max_token_count", "10000", Scope::IndexDynamic, int(1), "Tokens of an _analyze."),
    setting("index.highlight.max_analyzed_offset", "1000000", Scope::IndexDynamic, int(1), "Characters that are highlighted."),
    setting("index.gc_deletes", "60s", Scope::IndexDynamic, Kind::Time, "How long the version of a deleted document is remembered."),
    setting("index.hidden", "false", Scope::IndexDynamic, Kind::Bool, "Wildcards pass it over."),
    setting("index.default_pipeline", "_none", Scope::IndexDynamic, Kind::Text, "The pipeline of writes without one."),
    setting("index.final_pipeline", "_none", Scope::IndexDynamic, Kind::Text, "The pipeline of every write."),
    setting("index.priority", "1", Scope::IndexDynamic, int(0), "Which index recovers first."),
    setting("index.codec", "default", Scope::IndexStatic, Kind::Text, "How stored documents are compressed."),
    setting("index.sort.*", "", Scope::IndexFinal, Kind::Text, "The order of documents in segments."),
    setting("index.shard.check_on_startup", "false", Scope::IndexStatic, Kind::Text, "Check files on open."),
    setting("index.store.type", "", Scope::IndexStatic, Kind::Text, "Accepted."),
    setting("index.load_fixed_bitset_filters_eagerly", "true", Scope::IndexStatic, Kind::Bool, "Accepted."),
    setting("index.write.wait_for_active_shards", "1", Scope::IndexDynamic, Kind::Text, "Copies that must be active before a write."),
    setting(
        "index.write.min_in_sync_copies",
        "1",
        Scope::IndexDynamic,
        int(1),
        "Copies that must be in sync when a write is acknowledged.",
    ),
    setting(
        "index.translog.durability",
        "request",
        Scope::IndexDynamic,
        Kind::OneOf(&["request", "async"]),
        "Whether a write waits for the disk.",
    ),
    setting("index.translog.sync_interval", "5s", Scope::IndexDynamic, Kind::Time, "How often the log is synced under async."),
    setting("index.translog.flush_threshold_size", "512mb", Scope::IndexDynamic, Kind::Bytes, "The log that makes a flush."),
    setting("index.translog.generation_threshold_size", "64mb", Scope::IndexDynamic, Kind::Bytes, "The size of a log file."),
    setting("index.translog.retention.size", "-1", Scope::IndexDynamic, Kind::Bytes, "Accepted; leases hold history."),
    setting("index.translog.retention.age", "-1", Scope::IndexDynamic, Kind::Time, "Accepted; leases hold history."),
    setting("index.soft_deletes.enabled", "true", Scope::IndexFinal, Kind::OneOf(&["true"]), "Always on: the log keeps history."),
    setting("index.soft_deletes.retention.operations", "0", Scope::IndexDynamic, int(0), "Operations kept without a lease."),
    setting(
        "index.soft_deletes.retention.max_bytes",
        "-1",
        Scope::IndexDynamic,
        Kind::Bytes,
        "How much history of a shard leases may keep; beyond, the lowest lease ends. -1 for no bound but that of the disk.",
    ),
    setting("index.soft_deletes.retention_lease.period", "12h", Scope::IndexDynamic, Kind::Time, "How long an unrenewed lease lives."),
    setting("index.blocks.read_only", "false", Scope::IndexDynamic, Kind::Bool, "Refuse every change."),
    setting("index.blocks.read_only_allow_delete", "false", Scope::IndexDynamic, Kind::Bool, "Refuse every change but deletion."),
    setting("index.blocks.read", "false", Scope::IndexDynamic, Kind::Bool, "Refuse reads."),
    setting("index.blocks.write", "false", Scope::IndexDynamic, Kind::Bool, "Refuse writes of documents."),
    setting("index.blocks.metadata", "false", Scope::IndexDynamic, Kind::Bool, "Refuse metadata calls."),
    setting("index.mapping.total_fields.limit", "1000", Scope::IndexDynamic, int(0), "Fields of a mapping."),
    setting("index.mapping.depth.limit", "20", Scope::IndexDynamic, int(1), "Depth of a mapping."),
    setting("index.mapping.nested_fields.limit", "50", Scope::IndexDynamic, int(0), "Nested fields of a mapping."),
    setting("index.mapping.nested_objects.limit", "10000", Scope::IndexDynamic, int(0), "Nested objects of a document."),
    setting("index.mapping.field_name_length.limit", "50000", Scope::IndexDynamic, int(1), "Characters of a field's name."),
    setting("index.mapping.ignore_malformed", "false", Scope::IndexStatic, Kind::Bool, "Leave out values that do not fit."),
    setting("index.mapping.coerce", "true", Scope::IndexStatic, Kind::Bool, "Read numbers from texts."),
    setting("index.query.default_field", "*", Scope::IndexDynamic, Kind::List, "The fields of a query that names none."),
    setting("index.analysis.*", "", Scope::IndexStatic, Kind::Text, "Analyzers and their parts."),
    setting("index.similarity.*", "", Scope::IndexStatic, Kind::Text, "Similarities."),
    setting("index.merge.*", "", Scope::IndexDynamic, Kind::Text, "Accepted; merging is managed."),
    setting("index.search.slowlog.*", "", Scope::IndexDynamic, Kind::Text, "Accepted."),
    setting("index.indexing.slowlog.*", "", Scope::IndexDynamic, Kind::Text, "Accepted."),
    setting("index.search.idle.after", "30s", Scope::IndexDynamic, Kind::Time, "Accepted; refreshing is adaptive."),
    setting("index.requests.cache.enable", "true", Scope::IndexDynamic, Kind::Bool, "Accepted."),
    setting("index.queries.cache.enabled", "true", Scope::IndexStatic, Kind::Bool, "Accepted."),
    setting("index.warmer.enabled", "true", Scope::IndexDynamic, Kind::Bool, "Accepted."),
    setting("index.routing.allocation.*", "", Scope::IndexDynamic, Kind::Text, "Where copies may go."),
    setting("index.routing.rebalance.enable", "all", Scope::IndexDynamic, Kind::Text, "Which copies may move."),
    setting("index.unassigned.node_left.delayed_timeout", "1m", Scope::IndexDynamic, Kind::Time, "How long a lost node is waited for."),
    setting("index.allocation.max_retries", "5", Scope::IndexDynamic, int(0), "How often a failed copy is tried again."),
    setting("index.replication.type", "DOCUMENT", Scope::IndexFinal, Kind::Text, "Always DOCUMENT."),
    setting("index.plugins.replication.follower.ops_batch_size", "50000", Scope::IndexDynamic, int(16), "Operations a pull asks for."),
    setting("index.plugins.replication.follower.leader_index", "", Scope::IndexPrivate, Kind::Text, "What this index follows."),
    setting(
        "index.plugins.replication.translog.retention_lease.pruning.enabled",
        "false",
        Scope::IndexDynamic,
        Kind::Bool,
        "Accepted; leases hold history.",
    ),
    setting(
        "index.plugins.replication.translog.retention_size",
        "512mb",
        Scope::IndexDynamic,
        Kind::Bytes,
        "Accepted; it cuts no leased history.",
    ),
    setting("index.verified_before_close", "", Scope::IndexPrivate, Kind::Text, "Whether all was on disk when it was closed."),
    setting("index.creation_date", "", Scope::IndexPrivate, Kind::Text, "Milliseconds since 1970."),
    setting("index.uuid", "", Scope::IndexPrivate, Kind::Text, "The identity."),
    setting("index.provided_name", "", Scope::IndexPrivate, Kind::Text, "The name as given."),
    setting("index.version.created", "", Scope::IndexPrivate, Kind::Text, "The version that made it."),
];

fn unknown(key: &str, known: &[Setting]) -> String {
    match near(known.iter().map(|setting| setting.key), key).as_slice() {
        [candidate] => format!("unknown setting [{key}] did you mean [{candidate}]?"),
        several @ [_, _, ..] => format!("unknown setting [{key}] did you mean any of [{}]?", several.join(", ")),
        [] => format!(
            "unknown setting [{key}] please check that any required plugins are installed, or check the breaking changes documentation for removed settings"
        ),
    }
}

/// Checks changes of cluster settings; `section` is `persistent` or `transient`.
///
/// # Errors
/// The error of the real system, with its words.
pub fn check_cluster(changes: &Settings, section: &str) -> Result<()> {
    for (key, value) in changes.iter() {
        let Some(setting) = find(CLUSTER_SETTINGS, key) else {
            if *value == SettingValue::Null && key.ends_with('*') {
                continue;
            }
            return Err(Error::Settings { reason: format!("{section} setting [{key}], not recognized") });
        };
        setting.check(key, value)?;
    }
    Ok(())
}

/// Checks the settings of a new index (flat keys with `index.`).
///
/// # Errors
/// Unknown or private settings, bad values.
pub fn check_create(settings: &Settings) -> Result<()> {
    for (key, value) in settings.iter() {
        let Some(setting) = find(INDEX_SETTINGS, key) else {
            return Err(Error::Settings { reason: unknown(key, INDEX_SETTINGS) });
        };
        if setting.scope == Scope::IndexPrivate {
            return Err(Error::Validation { reasons: vec![format!("private index setting [{key}] can not be set explicitly")] });
        }
        setting.check(key, value)?;
    }
    Ok(())
}

/// Checks changes of an open index's settings (flat keys with `index.`).
///
/// # Errors
/// Unknown, private, final and static settings, bad values.
pub fn check_update(changes: &Settings, open_indices: Option<&str>, index: &str) -> Result<()> {
    let mut fixed = Vec::new();
    for (key, value) in changes.iter() {
        let Some(setting) = find(INDEX_SETTINGS, key) else {
            return Err(Error::Settings { reason: unknown(key, INDEX_SETTINGS) });
        };
        match setting.scope {
            Scope::IndexPrivate => {
                return Err(Error::Settings {
                    reason: format!("can not update private setting [{key}]; this setting is managed by OpenSearch"),
                });
            }
            Scope::IndexFinal | Scope::IndexStatic if open_indices.is_some() => fixed.push(key.to_owned()),
            Scope::IndexFinal => {
                return Err(Error::Settings { reason: format!("final {index} setting [{key}], not updateable") });
            }
            Scope::IndexStatic => {}
            Scope::IndexDynamic | Scope::Node | Scope::ClusterDynamic => {}
        }
        setting.check(key, value)?;
    }
    match open_indices {
        Some(indices) if !fixed.is_empty() => {
            Err(Error::illegal_argument(format!("Can't update non dynamic settings [[{}]] for open indices {indices}", fixed.join(", "))))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_setting_is_listed_twice_and_each_default_is_allowed() {
        for catalogue in [CLUSTER_SETTINGS, INDEX_SETTINGS] {
            for (position, setting) in catalogue.iter().enumerate() {
                assert!(!catalogue[..position].iter().any(|other| other.key == setting.key), "{}", setting.key);
                if !setting.default.is_empty() && setting.key != "index.replication.type" {
                    setting.check(setting.key, &SettingValue::One(setting.default.into())).unwrap();
                }
            }
        }
    }

    #[test]
    fn an_unknown_setting_is_refused_with_the_nearest_one() {
        let settings = Settings::from_json(&json!({"index.number_of_shard": 1})).unwrap();
        assert_eq!(
            check_create(&settings).unwrap_err().to_string(),
            "unknown setting [index.number_of_shard] did you mean [index.number_of_shards]?"
        );
    }
}
