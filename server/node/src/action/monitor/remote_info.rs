//! `cluster:monitor/remote/info`.

use crate::action::Services;
use std::time::Duration;
use tandem_common::env::clock;
use tandem_common::{Context, Result};

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

/// How long a connection may take to stand before it is shown as not connected.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// Every configured remote cluster, in the order of the aliases. Connections that do not stand are tried.
///
/// # Errors
/// None so far.
pub async fn execute(services: &Services, _context: &Context) -> Result<Vec<RemoteInfo>> {
    let remotes = services.remotes.list(&services.cluster.state());
    let asked = remotes.iter().map(|remote| async move {
        let connected = remote.is_connected() || matches!(clock::timeout(CONNECT_LIMIT, remote.connect()).await, Some(Ok(())));
        RemoteInfo {
            alias: remote.alias().to_owned(),
            connected,
            mode: remote.mode(),
            seeds: remote.seeds().to_vec(),
            num_nodes_connected: u32::from(connected),
        }
    });
    Ok(futures::future::join_all(asked).await)
}
