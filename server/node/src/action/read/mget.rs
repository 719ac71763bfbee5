//! `indices:data/read/mget`: many documents by their ids.

use super::get::{GetRequest, GetResponse};
use crate::action::Services;
use tandem_common::{Context, Error, Result};

/// Gets each; a failed one is a value in the answer, in the order of the request.
pub async fn execute(_services: &Services, _context: &Context, _requests: Vec<GetRequest>) -> Result<Vec<Result<GetResponse>>> {
    Err(Error::internal("pending"))
}
