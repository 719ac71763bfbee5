//! `indices:admin/settings/update`.

use super::Acknowledged;
use crate::action::resolve::{self, Purpose};
use crate::action::{IndexNames, Services};
use serde_json::Value;
use tandem_cluster::command::UpdateIndexSettings;
use tandem_cluster::state::IndexState;
use tandem_cluster::{Command, settings};
use tandem_common::{AllocationId, Context, Error, Result, Settings};

/// Changes settings of every index that the expression names. `body` is as it was sent (bare, or in `settings`, with or
/// without `index.`).
///
/// # Errors
/// No such index; a block; unknown, static or final settings; bad values.
pub async fn execute(
    services: &Services,
    context: &Context,
    indices: IndexNames,
    body: Value,
    preserve_existing: bool,
) -> Result<Acknowledged> {
    let inner = match &body {
        Value::Object(fields) if fields.len() == 1 => fields.get("settings").filter(|inner| inner.is_object()).unwrap_or(&body),
        Value::Array(_) => &Value::Null,
        _ => &body,
    };
    let changes = Settings::from_json(inner)?.with_index_prefix();
    if changes.is_empty() {
        return Err(Error::invalid_request("no settings to update"));
    }
    let state = services.cluster.state();
    let found = resolve::indices(&state, &indices, Purpose::Metadata)?;
    let open = found.iter().filter(|index| index.state == IndexState::Open);
    let names: Vec<String> = open.map(|index| format!("[{}/{}]", index.name, index.uuid)).collect();
    let open = (!names.is_empty()).then(|| format!("[{}]", names.join(", ")));
    let first = found.first().map_or("index", |index| index.name.as_str());
    settings::check_update(&changes, open.as_deref(), first)?;
    // A block on an index can always be lifted.
    let only_blocks = changes.iter().all(|(key, _)| key.starts_with("index.blocks."));
    for index in found.iter().filter(|_| !only_blocks) {
        resolve::refuse_blocked(index, state.metadata_blocks(index))?;
    }
    let copies = found.iter().map(|index| index.number_of_shards() as usize).sum::<usize>();
    let update = UpdateIndexSettings {
        uuids: found.iter().map(|index| index.uuid.clone()).collect(),
        changes,
        preserve_existing,
        allocation_ids: (0..copies).map(|_| AllocationId::random()).collect(),
    };
    services.cluster.submit(context, Command::UpdateIndexSettings(update)).await?;
    Ok(Acknowledged { acknowledged: true })
}
