//! The `History` service: what a shard holds and did, for a follower cluster.

use super::{answer, context_of};
use tandem_common::tasks::CancellationToken;
use tandem_common::{Action, Error};
use tandem_node::action::Services;
use tandem_node::ccr::leader;
use tandem_node::indices::history::{files, leases, operations};
use tandem_proto::history as wire;
use tandem_proto::history::history_server::History;
use tonic::{Request, Response, Status};

/// Serves the history of the shards of this node.
pub(super) struct HistoryService {
    pub(super) services: Services,
    /// Cancelled when the node stops: a call that waits for news must not hold that up.
    pub(super) stopping: CancellationToken,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl History for HistoryService {
    async fn describe_index(&self, request: Request<wire::DescribeIndexRequest>) -> Answer<wire::DescribeIndexResponse> {
        let context = context_of(&request, Action("indices:admin/plugins/replication/index/setup/validate"));
        answer(leader::describe(&self.services, &context, request.into_inner()).await)
    }

    async fn begin(&self, request: Request<wire::BeginRequest>) -> Answer<wire::BeginResponse> {
        let context = context_of(&request, Action("indices:data/read/plugins/replication/file_metadata"));
        answer(files::begin(&self.services, &context, request.into_inner()).await)
    }

    async fn read_file(&self, request: Request<wire::ReadFileRequest>) -> Answer<wire::ReadFileResponse> {
        let context = context_of(&request, Action("indices:data/read/plugins/replication/file_chunk"));
        answer(files::read(&self.services, &context, request.into_inner()).await)
    }

    async fn finish(&self, request: Request<wire::FinishRequest>) -> Answer<wire::FinishResponse> {
        let context = context_of(&request, Action("indices:admin/plugins/replication/resources/release"));
        answer(files::finish(&self.services, &context, request.into_inner()).await)
    }

    async fn read_operations(&self, request: Request<wire::ReadOperationsRequest>) -> Answer<wire::ReadOperationsResponse> {
        let context = context_of(&request, Action("indices:data/read/plugins/replication/changes"));
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => answer(Err(Error::ShardNotReady { reason: "the node is stopping".into() })),
            outcome = operations::read(&self.services, &context, request.into_inner()) => answer(outcome),
        }
    }

    async fn renew_lease(&self, request: Request<wire::RenewLeaseRequest>) -> Answer<wire::RenewLeaseResponse> {
        let context = context_of(&request, Action("indices:admin/seq_no/renew_retention_lease"));
        answer(leases::renew(&self.services, &context, request.into_inner()).await)
    }

    async fn remove_lease(&self, request: Request<wire::RemoveLeaseRequest>) -> Answer<wire::RemoveLeaseResponse> {
        let context = context_of(&request, Action("indices:admin/seq_no/remove_retention_lease"));
        answer(leases::remove(&self.services, &context, request.into_inner()).await)
    }
}
