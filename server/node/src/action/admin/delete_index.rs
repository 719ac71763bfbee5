//! `indices:admin/delete`.

use super::Acknowledged;
use crate::action::resolve::{self, Purpose};
use crate::action::{IndexNames, Services};
use tandem_cluster::Command;
use tandem_cluster::command::DeleteIndex;
use tandem_common::{Context, Error, IndexUuid, Result};

/// Deletes the indices that the expression names.
///
/// # Errors
/// No such index; a block; a wildcard where `action.destructive_requires_name` forbids it.
pub async fn execute(services: &Services, context: &Context, indices: IndexNames) -> Result<Acknowledged> {
    let state = services.cluster.state();
    let wild = indices.names.is_empty() || indices.names.iter().any(|name| name.contains('*') || name == "_all");
    if wild && state.setting("action.destructive_requires_name") == Some("true") {
        return Err(Error::illegal_argument("Wildcard expressions or all indices are not allowed"));
    }
    let found = resolve::indices(&state, &indices, Purpose::Delete)?;
    for index in &found {
        resolve::refuse_blocked(index, state.metadata_blocks(index))?;
    }
    let uuids: Vec<IndexUuid> = found.iter().map(|index| index.uuid.clone()).collect();
    if !uuids.is_empty() {
        services.cluster.submit(context, Command::DeleteIndex(DeleteIndex { uuids })).await?;
    }
    Ok(Acknowledged { acknowledged: true })
}
