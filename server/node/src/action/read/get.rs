//! `indices:data/read/get`: one document by its id.

use crate::action::resolve::{self, Purpose};
use crate::action::{IndexNames, Services};
use bytes::Bytes;
use std::sync::Arc;
use tandem_cluster::{ClusterState, IndexMetadata};
use tandem_common::{Context, Error, PrimaryTerm, Result, SeqNo};
use tandem_engine::search::SourceFilter;
use tandem_engine::shard::GetResult;

/// Which document.
#[derive(Clone, Debug)]
pub struct GetRequest {
    /// Index or alias of one index.
    pub index: String,
    /// The document.
    pub id: String,
    /// Its routing.
    pub routing: Option<String>,
    /// See what is acknowledged but not yet searchable (the default).
    pub realtime: bool,
    /// Refresh first.
    pub refresh: bool,
    /// The version that it must have, else a conflict.
    pub version: Option<i64>,
    /// What of the source is wanted; `None` for all of it, untouched.
    pub source_filter: Option<SourceFilter>,
}

/// The document, found or not.
#[derive(Clone, Debug, PartialEq)]
pub struct GetResponse {
    /// The concrete index.
    pub index: String,
    /// The document.
    pub id: String,
    /// What was found.
    pub found: Option<FoundDocument>,
}

/// A document that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundDocument {
    /// Its version.
    pub version: i64,
    /// Its last operation.
    pub seq_no: SeqNo,
    /// That operation's term.
    pub primary_term: PrimaryTerm,
    /// Its routing, if it was given.
    pub routing: Option<String>,
    /// The source after filtering; `None` when none was wanted.
    pub source: Option<Bytes>,
}

/// Gets it.
///
/// # Errors
/// No such index, missing routing, a version conflict. A missing document is an answer.
pub async fn execute(services: &Services, context: &Context, request: GetRequest) -> Result<GetResponse> {
    let state = services.cluster.state();
    let index = single_index(&state, &request.index)?;
    let mut request = request;
    if let Some(alias) = index.aliases.get(&request.index) {
        request.routing = alias.routing_for(&request.index, request.routing)?;
    }
    if request.routing.is_none() && index.mapping.routing_required() {
        return Err(Error::RoutingMissing { index: index.name.clone(), id: request.id });
    }
    let number = resolve::shard_of(&index, &request.id, request.routing.as_deref());
    let shard = services.indices.primary(context, &index, number).await?;
    if request.refresh {
        shard.refresh().await?;
    }
    let result = shard.get(&request.id, request.realtime, context.deadline).await?;
    let Some(result) = result else {
        return Ok(GetResponse { index: index.name.clone(), id: request.id, found: None });
    };
    check_version(&request, &result, &index, number)?;
    let kept = SourceFilter::of_mapping(&index.mapping);
    let source = match &request.source_filter {
        _ if kept.is_off() => None,
        Some(filter) if filter.is_off() => None,
        None => Some(kept.apply(&result.source)?),
        Some(filter) => Some(filter.apply(&kept.apply(&result.source)?)?),
    };
    let found =
        FoundDocument { version: result.version, seq_no: result.seq_no, primary_term: result.op_term, routing: result.routing, source };
    Ok(GetResponse { index: index.name.clone(), id: request.id, found: Some(found) })
}

/// The one index that a name stands for.
fn single_index(state: &ClusterState, name: &str) -> Result<Arc<IndexMetadata>> {
    let names = IndexNames { names: vec![name.to_owned()], ..IndexNames::default() };
    let mut found = resolve::indices(state, &names, Purpose::Open).map_err(|error| match error {
        Error::IndexNotFound { index } => Error::IndexNotFoundForWrite { index },
        other => other,
    })?;
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Error::IndexNotFound { index: name.to_owned() }),
        _ => {
            let list: Vec<&str> = found.iter().map(|index| index.name.as_str()).collect();
            Err(Error::illegal_argument(format!(
                "alias [{name}] has more than one index associated with it [{}], can't execute a single index op",
                list.join(", ")
            )))
        }
    }
}

fn check_version(request: &GetRequest, result: &GetResult, index: &IndexMetadata, shard: u32) -> Result<()> {
    let Some(wanted) = request.version else { return Ok(()) };
    // Whoever gives the versions, a reader means this one.
    if result.version == wanted {
        return Ok(());
    }
    let detail = format!("current version [{}] is different than the one provided [{wanted}]", result.version);
    Err(Error::VersionConflict { id: request.id.clone(), detail, index: index.name.clone(), uuid: index.uuid.clone(), shard })
}
