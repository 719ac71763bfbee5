//! Wires to other clusters (and, once there are several nodes, to other nodes): channels, deadlines, error encoding.
//!
//! *What it is*: [`RemoteClusters`], one connection per alias. · *Types to know*: [`RemoteCluster`]. · **Invariants**: every
//! call has a deadline; the caller's identity travels in the metadata; the real error travels inside the status. · *How it
//! fails*: `connect_transport_exception` at once when a port is closed; the next seed is tried by the next call. · *How it
//! is tested*: two clusters in `cluster-tests`.

mod remote_cluster;
pub mod status;

pub use remote_cluster::{RemoteCluster, RemoteClusters};

/// The largest message either side takes: one operation may hold a document of 100 MB.
pub const MESSAGE_BYTES_MAX: usize = 256 << 20;
/// The metadata key under which a caller gives its cluster's UUID.
pub const CLUSTER_UUID_KEY: &str = "tandem-cluster-uuid";
/// The metadata key under which a caller gives its cluster's name.
pub const CLUSTER_NAME_KEY: &str = "tandem-cluster-name";
/// The metadata key under which the opaque id of a request travels.
pub const OPAQUE_ID_KEY: &str = "tandem-opaque-id";
