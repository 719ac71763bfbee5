//! `indices:admin/mapping/put`.

use super::Acknowledged;
use crate::action::{IndexNames, Services};
use serde_json::Value;
use tandem_common::{Context, Error, Result};

/// Merges `body` into the mapping of every index that the expression names.
pub async fn execute(_services: &Services, _context: &Context, _indices: IndexNames, _body: Value) -> Result<Acknowledged> {
    Err(Error::internal("pending"))
}
