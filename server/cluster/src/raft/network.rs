//! The wires between the voters. A cluster has one node so far: there is nobody to talk to, and every call says so.

use super::TypeConfig;
use openraft::BasicNode;
use openraft::error::{InstallSnapshotError, RPCError, RaftError, Unreachable};
use openraft::network::{RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse, VoteRequest, VoteResponse,
};

/// Makes connections to other voters.
pub(super) struct Network;

/// A connection to one of them.
pub(super) struct Connection {
    address: String,
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Connection;

    async fn new_client(&mut self, _target: u64, node: &BasicNode) -> Connection {
        Connection { address: node.addr.clone() }
    }
}

impl Connection {
    fn unreachable(&self) -> Unreachable {
        Unreachable::new(&std::io::Error::new(std::io::ErrorKind::NotConnected, format!("[{}] is not a member", self.address)))
    }
}

type RpcResult<T, E = RaftError<u64>> = Result<T, RPCError<u64, BasicNode, E>>;

impl RaftNetwork<TypeConfig> for Connection {
    async fn append_entries(&mut self, _: AppendEntriesRequest<TypeConfig>, _: RPCOption) -> RpcResult<AppendEntriesResponse<u64>> {
        Err(self.unreachable().into())
    }

    async fn install_snapshot(
        &mut self,
        _: InstallSnapshotRequest<TypeConfig>,
        _: RPCOption,
    ) -> RpcResult<InstallSnapshotResponse<u64>, RaftError<u64, InstallSnapshotError>> {
        Err(self.unreachable().into())
    }

    async fn vote(&mut self, _: VoteRequest<u64>, _: RPCOption) -> RpcResult<VoteResponse<u64>> {
        Err(self.unreachable().into())
    }
}
