//! `cluster:monitor/health`, with its waits.

use crate::action::resolve::{self, Purpose};
use crate::action::{IndexNames, Services};
use std::collections::BTreeMap;
pub use tandem_cluster::state::health::Health as HealthStatus;
use tandem_cluster::state::{IndexState, health};
use tandem_cluster::{ClusterState, IndexMetadata};
use tandem_common::env::clock;
use tandem_common::{Context, Error, Result};

/// What to wait for; the deadline is the context's.
#[derive(Clone, Debug, Default)]
pub struct HealthRequest {
    /// Only these indices; empty for all.
    pub indices: IndexNames,
    /// At least this status.
    pub wait_for_status: Option<HealthStatus>,
    /// `3`, `>=2`, `<2`, `ge(2)`, ….
    pub wait_for_nodes: Option<String>,
    /// `all`, or a number of active shards.
    pub wait_for_active_shards: Option<String>,
    /// Nothing may be relocating.
    pub wait_for_no_relocating_shards: bool,
    /// Nothing may be initializing.
    pub wait_for_no_initializing_shards: bool,
}

/// How the cluster is.
#[derive(Clone, Debug)]
pub struct HealthResponse {
    /// Its name.
    pub cluster_name: String,
    /// The worst of its indices.
    pub status: HealthStatus,
    /// Whether the wait ran out.
    pub timed_out: bool,
    /// Nodes, and those that hold data.
    pub number_of_nodes: u32,
    /// Nodes that hold data.
    pub number_of_data_nodes: u32,
    /// Whether the cluster manager is known.
    pub discovered_cluster_manager: bool,
    /// Counts of copies.
    pub shards: ShardCounts,
    /// Per index, in the order of their names.
    pub indices: BTreeMap<String, IndexHealth>,
}

/// Copies by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardCounts {
    /// Started primaries.
    pub active_primary: u32,
    /// Started copies.
    pub active: u32,
    /// Copies on the move.
    pub relocating: u32,
    /// Copies being prepared.
    pub initializing: u32,
    /// Copies without a node.
    pub unassigned: u32,
}

impl ShardCounts {
    /// Adds the counts of another part.
    pub fn add(&mut self, other: ShardCounts) {
        self.active_primary += other.active_primary;
        self.active += other.active;
        self.relocating += other.relocating;
        self.initializing += other.initializing;
        self.unassigned += other.unassigned;
    }
}

/// One index's health.
#[derive(Clone, Debug)]
pub struct IndexHealth {
    /// The worst of its shards.
    pub status: HealthStatus,
    /// How many shards it has.
    pub number_of_shards: u32,
    /// How many replicas each should have.
    pub number_of_replicas: u32,
    /// Counts of copies.
    pub counts: ShardCounts,
    /// Per shard number.
    pub shards: BTreeMap<u32, (HealthStatus, ShardCounts)>,
}

/// Waits as asked and answers; a wait that runs out is an answer with `timed_out`.
///
/// # Errors
/// A `wait_for_nodes` or `wait_for_active_shards` that cannot be read.
pub async fn execute(services: &Services, context: &Context, request: HealthRequest) -> Result<HealthResponse> {
    let wait = Wait::of(&request)?;
    match clock::timeout(context.remaining(), found(services, &request, &wait)).await {
        Some(answer) => Ok(answer),
        None => {
            let answer = describe(services, &services.cluster.state(), &request).unwrap_or_else(|| missing(services));
            Ok(HealthResponse { timed_out: true, ..answer })
        }
    }
}

/// Waits for an answer that is as asked. A shard that becomes active on this node counts without a new cluster state.
async fn found(services: &Services, request: &HealthRequest, wait: &Wait) -> HealthResponse {
    let (mut states, mut shards) = (services.cluster.watch(), services.indices.changes());
    loop {
        let state = states.borrow_and_update().clone();
        shards.borrow_and_update();
        if let Some(answer) = describe(services, &state, request).filter(|answer| wait.is_over(answer)) {
            return answer;
        }
        let open = tokio::select! {
            changed = states.changed() => changed.is_ok(),
            changed = shards.changed() => changed.is_ok(),
        };
        if !open {
            // The node stops: nothing will change any more.
            return std::future::pending().await;
        }
    }
}

/// What a request waits for, read.
struct Wait {
    status: Option<HealthStatus>,
    nodes: Option<(Comparison, u32)>,
    active: Option<ActiveShards>,
    no_initializing: bool,
}

#[derive(Clone, Copy)]
enum ActiveShards {
    All,
    AtLeast(u32),
}

#[derive(Clone, Copy)]
enum Comparison {
    Equal,
    AtLeast,
    AtMost,
    More,
    Less,
}

impl Wait {
    fn of(request: &HealthRequest) -> Result<Self> {
        let nodes = request.wait_for_nodes.as_deref().map(parse_nodes).transpose()?;
        let active = match request.wait_for_active_shards.as_deref() {
            None => None,
            Some("all") => Some(ActiveShards::All),
            Some(number) => Some(ActiveShards::AtLeast(
                number.parse().map_err(|_| Error::illegal_argument(format!("cannot parse ActiveShardCount[{number}]")))?,
            )),
        };
        Ok(Self { status: request.wait_for_status, nodes, active, no_initializing: request.wait_for_no_initializing_shards })
    }

    fn is_over(&self, answer: &HealthResponse) -> bool {
        let status = self.status.is_none_or(|wanted| answer.status >= wanted);
        let nodes = self.nodes.is_none_or(|(comparison, wanted)| match comparison {
            Comparison::Equal => answer.number_of_nodes == wanted,
            Comparison::AtLeast => answer.number_of_nodes >= wanted,
            Comparison::AtMost => answer.number_of_nodes <= wanted,
            Comparison::More => answer.number_of_nodes > wanted,
            Comparison::Less => answer.number_of_nodes < wanted,
        });
        let active = self.active.is_none_or(|wanted| match wanted {
            ActiveShards::All => answer.shards.unassigned == 0 && answer.shards.initializing == 0,
            ActiveShards::AtLeast(number) => answer.shards.active >= number,
        });
        let settled = !self.no_initializing || answer.shards.initializing == 0;
        status && nodes && active && settled
    }
}

/// `3`, `>=2`, `<2`, `ge(2)` and the like.
fn parse_nodes(text: &str) -> Result<(Comparison, u32)> {
    const FORMS: [(&str, &str, Comparison); 8] = [
        (">=", "", Comparison::AtLeast),
        ("<=", "", Comparison::AtMost),
        (">", "", Comparison::More),
        ("<", "", Comparison::Less),
        ("ge(", ")", Comparison::AtLeast),
        ("le(", ")", Comparison::AtMost),
        ("gt(", ")", Comparison::More),
        ("lt(", ")", Comparison::Less),
    ];
    let (number, comparison) = FORMS
        .iter()
        .find_map(|(prefix, suffix, comparison)| Some((text.strip_prefix(prefix)?.strip_suffix(suffix)?, *comparison)))
        .unwrap_or((text, Comparison::Equal));
    number.trim().parse().map(|number| (comparison, number)).map_err(|_| Error::NumberFormat { input: number.to_owned() })
}

fn missing(services: &Services) -> HealthResponse {
    let state = services.cluster.state();
    HealthResponse {
        cluster_name: state.cluster_name.clone(),
        status: HealthStatus::Red,
        timed_out: true,
        number_of_nodes: u32::try_from(state.nodes.len()).unwrap_or(u32::MAX),
        number_of_data_nodes: data_nodes(&state),
        discovered_cluster_manager: services.cluster.manager_known(),
        shards: ShardCounts::default(),
        indices: BTreeMap::new(),
    }
}

fn data_nodes(state: &ClusterState) -> u32 {
    let count = state.nodes.values().filter(|node| node.roles.iter().any(|role| role == "data")).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The health of what was asked for; `None` while a named index is missing.
fn describe(services: &Services, state: &ClusterState, request: &HealthRequest) -> Option<HealthResponse> {
    let mut names = request.indices.clone();
    names.options.expand_closed = true;
    names.options.expand_hidden = true;
    let found = resolve::indices(state, &names, Purpose::Metadata).ok()?;
    let mut answer = HealthResponse { status: HealthStatus::Green, timed_out: false, ..missing(services) };
    for index in found {
        let health = index_health(services, state, &index);
        answer.status = answer.status.min(health.status);
        answer.shards.add(health.counts);
        answer.indices.insert(index.name.clone(), health);
    }
    Some(answer)
}

fn index_health(services: &Services, state: &ClusterState, index: &IndexMetadata) -> IndexHealth {
    let mut shards = BTreeMap::new();
    let mut counts = ShardCounts::default();
    let mut worst = HealthStatus::Green;
    let routing = state.routing.get(&index.uuid);
    for (number, copies) in (0u32..).zip(routing.map(|routing| routing.shards.as_slice()).unwrap_or_default()) {
        let (mut status, mut of_shard) = health_of(copies);
        // A primary of this node serves only once it is active under its term.
        let open = index.state == IndexState::Open;
        if open && of_shard.active_primary > 0 && services.indices.active(&(index.uuid.clone(), number)).is_none() {
            status = HealthStatus::Red;
            of_shard = ShardCounts { active_primary: 0, active: of_shard.active - 1, initializing: of_shard.initializing + 1, ..of_shard };
        }
        worst = worst.min(status);
        counts.add(of_shard);
        shards.insert(number, (status, of_shard));
    }
    IndexHealth {
        status: worst,
        number_of_shards: index.number_of_shards(),
        number_of_replicas: index.number_of_replicas(),
        counts,
        shards,
    }
}

fn health_of(copies: &[tandem_cluster::state::ShardRouting]) -> (HealthStatus, ShardCounts) {
    let (status, counts) = health::of_shard(copies);
    let counts = ShardCounts {
        active_primary: counts.active_primary,
        active: counts.active,
        relocating: 0,
        initializing: counts.initializing,
        unassigned: counts.unassigned,
    };
    (status, counts)
}

/// The status of one index, as `_cat/indices` shows it.
pub(super) fn status_of(services: &Services, state: &ClusterState, index: &IndexMetadata) -> HealthStatus {
    index_health(services, state, index).status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_nodes_are_compared_as_written() {
        for (text, nodes, over) in [("1", 1, true), (">=3", 1, false), ("ge(1)", 1, true), ("<2", 1, true), ("le(0)", 1, false)] {
            let wait = Wait { status: None, nodes: Some(parse_nodes(text).unwrap()), active: None, no_initializing: false };
            let answer = HealthResponse {
                cluster_name: String::new(),
                status: HealthStatus::Green,
                timed_out: false,
                number_of_nodes: nodes,
                number_of_data_nodes: nodes,
                discovered_cluster_manager: true,
                shards: ShardCounts::default(),
                indices: BTreeMap::new(),
            };
            assert_eq!(wait.is_over(&answer), over, "{text}");
        }
        assert!(parse_nodes("abc").is_err());
    }
}
