//! `cluster:monitor/nodes/info`, `cluster:monitor/main`: who is here.

use crate::action::Services;
use tandem_common::{Context, Error, NodeId, Result};

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
pub async fn execute(_services: &Services, _context: &Context) -> Result<Vec<NodeDescription>> {
    Err(Error::internal("pending"))
}

/// Names and identity; answers even before a cluster manager is known.
pub fn main(_services: &Services) -> ClusterDescription {
    ClusterDescription { node_name: String::new(), cluster_name: String::new(), cluster_uuid: String::new() }
}
