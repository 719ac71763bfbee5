//! `indices:admin/settings/update`.

use super::Acknowledged;
use crate::action::{IndexNames, Services};
use serde_json::Value;
use tandem_common::{Context, Error, Result};

/// Changes settings of every index that the expression names. `body` is as it was sent (bare, or in `settings`, with or
/// without `index.`).
pub async fn execute(
    _services: &Services,
    _context: &Context,
    _indices: IndexNames,
    _body: Value,
    _preserve_existing: bool,
) -> Result<Acknowledged> {
    Err(Error::internal("pending"))
}
