//! `indices:data/read/mget`: many documents by their ids.

use super::get::{self, GetRequest, GetResponse};
use crate::action::Services;
use tandem_common::{Context, Error, Result};

/// Gets each; a failed one is a value in the answer, in the order of the request.
pub async fn execute(services: &Services, context: &Context, requests: Vec<GetRequest>) -> Result<Vec<Result<GetResponse>>> {
    if requests.is_empty() {
        return Err(Error::invalid_request("no documents to get"));
    }
    let running = requests.into_iter().map(|request| get::execute(services, context, request));
    Ok(futures::future::join_all(running).await)
}
