//! Leases: renewed, taken anew while the history is still there, removed.

use super::shard_of;
use crate::action::Services;
use tandem_common::{Context, Error, Result, SeqNo};
use tandem_proto::history as wire;

/// Moves a lease on. A lease that has expired is taken anew when everything from its place on is still retained.
///
/// # Errors
/// `retention_lease_not_found_exception` when it is gone and its history too.
pub async fn renew(services: &Services, _context: &Context, request: wire::RenewLeaseRequest) -> Result<wire::RenewLeaseResponse> {
    let shard = shard_of(&services.indices, &services.cluster.state(), request.shard.as_ref())?;
    let retaining = SeqNo(request.retaining_seq_no);
    match shard.renew_lease(&request.lease_id, retaining, &request.lease_source).await {
        Err(Error::RetentionLeaseNotFound { .. }) if shard.history().lowest_retained <= retaining => {
            shard.add_lease(&request.lease_id, retaining, &request.lease_source).await?;
        }
        // The lease already holds less than is asked: a late renewal, and no harm.
        Err(Error::RetentionLeaseInvalid { .. }) => {}
        other => {
            other?;
        }
    }
    Ok(wire::RenewLeaseResponse {})
}

/// Gives a lease up; one that is not there is no error.
pub async fn remove(services: &Services, _context: &Context, request: wire::RemoveLeaseRequest) -> Result<wire::RemoveLeaseResponse> {
    let shard = shard_of(&services.indices, &services.cluster.state(), request.shard.as_ref())?;
    match shard.remove_lease(&request.lease_id).await {
        Err(Error::RetentionLeaseNotFound { .. }) => Ok(()),
        other => other,
    }?;
    Ok(wire::RemoveLeaseResponse {})
}
