//! `indices:admin/mapping/put`.

use super::Acknowledged;
use crate::action::resolve::{self, Purpose};
use crate::action::{IndexNames, Services};
use serde_json::Value;
use tandem_cluster::command::PutMapping;
use tandem_cluster::{Command, IndexMetadata};
use tandem_common::{Context, Error, IndexUuid, Result};

/// Merges `body` into the mapping of every index that the expression names.
///
/// # Errors
/// No such index; a block; what contradicts the mapping.
pub async fn execute(services: &Services, context: &Context, indices: IndexNames, body: Value) -> Result<Acknowledged> {
    let state = services.cluster.state();
    let found = resolve::indices(&state, &indices, Purpose::Metadata)?;
    for index in &found {
        resolve::refuse_blocked(index, state.metadata_blocks(index))?;
    }
    let uuids = found.iter().map(|index| index.uuid.clone()).collect();
    submit(services, context, uuids, &body).await?;
    Ok(Acknowledged { acknowledged: true })
}

/// Adds the fields that a document brings along.
pub(crate) async fn add_fields(services: &Services, context: &Context, index: &IndexMetadata, body: &Value) -> Result<()> {
    submit(services, context, vec![index.uuid.clone()], body).await
}

async fn submit(services: &Services, context: &Context, uuids: Vec<IndexUuid>, body: &Value) -> Result<()> {
    let body = serde_json::to_string(body).map_err(|error| Error::internal(error.to_string()))?;
    services.cluster.submit(context, Command::PutMapping(PutMapping { uuids, body })).await.map(|_| ())
}
