//! Changing the cluster: indices, mappings, settings; and making shards refresh, flush and merge.

pub mod aliases;
pub mod broadcast;
pub mod cluster_settings;
pub mod create_index;
pub mod delete_index;
pub mod get_index;
pub mod open_close;
pub mod put_mapping;
pub mod put_settings;

/// The answer of most changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// Whether the cluster took it in time.
    pub acknowledged: bool,
}
