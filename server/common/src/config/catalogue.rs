//! Every setting that a node reads at start, with one sentence each.

use crate::settings::{Setting, SettingKind, SettingScope};

const fn node(key: &'static str, default: &'static str, kind: SettingKind, doc: &'static str) -> Setting {
    Setting { key, default, scope: SettingScope::Node, kind, doc }
}

const fn cluster(key: &'static str, default: &'static str, kind: SettingKind, doc: &'static str) -> Setting {
    Setting { key, default, scope: SettingScope::ClusterDynamic, kind, doc }
}

use SettingKind::{Bool, Bytes, List, OneOf, Text};

/// The settings of the file, the environment and the command line. A dynamic one that is set here is the value that
/// holds until the cluster says otherwise.
pub const NODE_SETTINGS: &[Setting] = &[
    node("cluster.name", "tandem", Text, "Nodes join only a cluster of this name."),
    node("node.name", "", Text, "What people call this node; the host's name, else the start of the node's id."),
    node("node.roles", "cluster_manager,data,ingest,remote_cluster_client", List, "What this node does in its cluster."),
    node("node.attr.*", "", Text, "A label of this node that allocation rules may use."),
    node("path.data", "./data", Text, "Where everything is stored that must survive a restart."),
    node("path.repo", "", List, "Folders in which snapshot repositories may lie."),
    node("path.logs", "", Text, "Accepted for compatibility; logs go to standard error."),
    node("network.host", "127.0.0.1", Text, "The address for both ports; beyond loopback it needs --insecure."),
    node("http.host", "", Text, "The address of the REST port, if other than network.host."),
    node("http.port", "9200", Text, "The REST port; of a range such as 9200-9300 the first free one, 0 for any."),
    node("http.max_content_length", "100mb", Bytes, "The largest request body, counted after decompression."),
    node("http.max_header_size", "16kb", Bytes, "The largest head of a request."),
    node("http.cors.enabled", "false", Bool, "Whether browsers on other origins may call the REST port."),
    node("http.cors.allow-origin", "", Text, "Which origins may."),
    node("transport.host", "", Text, "The address of the port for other nodes, if other than network.host."),
    node("transport.port", "9300", Text, "The port for other nodes and clusters; of a range the first free one, 0 for any."),
    node("transport.publish_host", "", Text, "The address that other nodes are told to use."),
    node("discovery.type", "", OneOf(&["", "single-node", "multi-node", "zen"]), "single-node forms a cluster of one at once."),
    node("discovery.seed_hosts", "", List, "Nodes to ask when this one looks for its cluster, as host or host:port."),
    node("cluster.initial_cluster_manager_nodes", "", List, "The names of the nodes that form a new cluster together."),
    node("cluster.initial_master_nodes", "", List, "The old name of cluster.initial_cluster_manager_nodes."),
    cluster("cluster.remote.*.seeds", "", List, "Nodes of a remote cluster to connect to first, as host:port."),
    cluster("cluster.remote.*.mode", "sniff", OneOf(&["sniff", "proxy"]), "How a remote cluster is reached."),
    cluster("cluster.remote.*.proxy_address", "", Text, "The one address of a remote cluster in proxy mode."),
    cluster("cluster.remote.*.skip_unavailable", "false", Bool, "Whether a search goes on without this remote cluster."),
    cluster("cluster.max_shards_per_node", "1000", Text, "How many shard copies the cluster may hold per data node."),
    cluster("cluster.routing.*", "", Text, "Rules for where shard copies go."),
    cluster("search.*", "", Text, "Limits of searches."),
    cluster("action.auto_create_index", "true", Text, "Whether a write to a missing index creates it: true, false or patterns."),
    cluster("action.destructive_requires_name", "false", Bool, "Whether deleting indices by wildcard is refused."),
    node("indices.memory.index_buffer_size", "10%", Text, "How much memory all that is not yet visible to searches may take."),
    node("bootstrap.memory_lock", "false", Bool, "Accepted for compatibility; nothing is locked."),
    cluster("plugins.replication.*", "", Text, "How cross-cluster replication reads and retries."),
    node("plugins.security.disabled", "true", Bool, "Accepted for compatibility."),
    node("repositories.url.allowed_urls", "", List, "Accepted for compatibility."),
];
