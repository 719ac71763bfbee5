//! `cluster:monitor/nodes/info`, `cluster:monitor/main`: who is here.

use crate::action::Services;
use tandem_cluster::state::DiscoveryNode;
use tandem_common::{Context, NodeId, Result};

/// One node.
#[derive(Clone, Debug)]
pub struct NodeDescription {
    /// Its identity.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// Its roles, in OpenSearch's words (`cluster_manager`, `data`, `ingest`, `remote_cluster_client`).
    pub roles: Vec<String>,
    /// `node.attr.*`.
    pub attributes: Vec<(String, String)>,
    /// `host:port` of its REST door.
    pub http_address: String,
    /// `host:port` of its gRPC door.
    pub transport_address: String,
    /// Whether it manages the cluster.
    pub is_cluster_manager: bool,
}

/// The cluster as the root page shows it.
#[derive(Clone, Debug)]
pub struct ClusterDescription {
    /// The name of the node that answers.
    pub node_name: String,
    /// The cluster's name.
    pub cluster_name: String,
    /// The cluster's identity; `_na_` before it has one.
    pub cluster_uuid: String,
}

/// Every node, in the order of their ids.
///
/// # Errors
/// None so far.
pub async fn execute(services: &Services, _context: &Context) -> Result<Vec<NodeDescription>> {
    let manager = services.cluster.is_manager().then(|| services.cluster.local_node().id.clone());
    let describe = |node: &DiscoveryNode| NodeDescription {
        id: node.id.clone(),
        name: node.name.clone(),
        roles: node.roles.clone(),
        attributes: node.attributes.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        http_address: node.http_address.clone(),
        transport_address: node.transport_address.clone(),
        is_cluster_manager: manager.as_ref() == Some(&node.id),
    };
    Ok(services.cluster.state().nodes.values().map(describe).collect())
}

/// Names and identity; answers even before a cluster manager is known.
pub fn main(services: &Services) -> ClusterDescription {
    let state = services.cluster.state();
    let uuid = if state.cluster_uuid.is_empty() { "_na_".to_owned() } else { state.cluster_uuid.clone() };
    ClusterDescription {
        node_name: services.cluster.local_node().name.clone(),
        cluster_name: state.cluster_name.clone(),
        cluster_uuid: uuid,
    }
}
