//! `cluster:monitor/remote/info`.

use crate::action::Services;
use tandem_common::{Context, Error, Result};

/// One remote cluster.
#[derive(Clone, Debug)]
pub struct RemoteInfo {
    /// Its alias here.
    pub alias: String,
    /// Whether a connection stands.
    pub connected: bool,
    /// `sniff` or `proxy`.
    pub mode: &'static str,
    /// The configured addresses.
    pub seeds: Vec<String>,
    /// How many nodes are connected.
    pub num_nodes_connected: u32,
}

/// Every configured remote cluster, in the order of the aliases.
pub async fn execute(_services: &Services, _context: &Context) -> Result<Vec<RemoteInfo>> {
    Err(Error::internal("pending"))
}
