//! `indices:admin/delete`.

use super::Acknowledged;
use crate::action::{IndexNames, Services};
use tandem_common::{Context, Error, Result};

/// Deletes the indices that the expression names.
pub async fn execute(_services: &Services, _context: &Context, _indices: IndexNames) -> Result<Acknowledged> {
    Err(Error::internal("pending"))
}
