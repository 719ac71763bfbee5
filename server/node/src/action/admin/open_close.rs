//! `indices:admin/open`, `indices:admin/close`.

use super::create_index::{wait_for_copies, wanted_copies};
use crate::action::resolve::{self, Purpose};
use crate::action::{IndexNames, Services};
use std::sync::Arc;
use tandem_cluster::command::SetIndexState;
use tandem_cluster::state::IndexState;
use tandem_cluster::{Command, IndexMetadata};
use tandem_common::{Context, Result};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCloseResponse {
    /// Whether enough copies were there in time.
    pub shards_acknowledged: bool,
    /// The indices that changed, in the order of their names.
    pub changed: Vec<String>,
}

/// Opens the indices that the expression names, and waits until their shards serve.
///
/// # Errors
/// No such index; a bad number of copies.
pub async fn open(services: &Services, context: &Context, indices: IndexNames, wait_for: Option<&str>) -> Result<OpenCloseResponse> {
    let changed = change(services, context, &indices, IndexState::Open).await?;
    let mut shards_acknowledged = true;
    for index in &changed {
        let wanted = wanted_copies(wait_for, index.number_of_replicas())?;
        shards_acknowledged &= wait_for_copies(services, context, &index.uuid, wanted).await;
    }
    Ok(OpenCloseResponse { shards_acknowledged, changed: names(&changed) })
}

/// Closes the indices that the expression names. Everything that was acknowledged is on disk by then, as ever.
///
/// # Errors
/// No such index; a block.
pub async fn close(services: &Services, context: &Context, indices: IndexNames) -> Result<OpenCloseResponse> {
    let changed = change(services, context, &indices, IndexState::Close).await?;
    Ok(OpenCloseResponse { shards_acknowledged: !changed.is_empty(), changed: names(&changed) })
}

fn names(indices: &[Arc<IndexMetadata>]) -> Vec<String> {
    indices.iter().map(|index| index.name.clone()).collect()
}

async fn change(services: &Services, context: &Context, indices: &IndexNames, to: IndexState) -> Result<Vec<Arc<IndexMetadata>>> {
    let state = services.cluster.state();
    let mut found = resolve::indices(&state, indices, Purpose::Metadata)?;
    for index in &found {
        resolve::refuse_blocked(index, state.metadata_blocks(index))?;
    }
    found.retain(|index| index.state != to);
    if !found.is_empty() {
        let uuids = found.iter().map(|index| index.uuid.clone()).collect();
        services.cluster.submit(context, Command::SetIndexState(SetIndexState { uuids, state: to })).await?;
    }
    Ok(found)
}
