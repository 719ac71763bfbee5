//! `indices:admin/create`.

use crate::action::Services;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tandem_cluster::command::CreateIndex;
use tandem_cluster::state::{AliasMetadata, CopyState, IndexOrigin};
use tandem_cluster::{Command, index_names, settings};
use tandem_common::env::clock;
use tandem_common::mapping::{Mapping, MappingRules};
use tandem_common::{AllocationId, Context, Error, HistoryId, IndexUuid, Result, Settings};
use tandem_engine::analysis::AnalyzerRegistry;

/// What `index.version.created` says: the version whose interface is served, in OpenSearch's encoding of 3.1.0.
const VERSION_CREATED: &str = "137237827";

/// A new index.
#[derive(Clone, Debug, Default)]
pub struct CreateIndexRequest {
    /// Its name, percent-decoded.
    pub index: String,
    /// `{"settings": …, "mappings": …, "aliases": …}`, or null.
    pub body: Value,
    /// `all`, or a number of copies to wait for (default 1).
    pub wait_for_active_shards: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateIndexResponse {
    /// Whether the cluster took it in time.
    pub acknowledged: bool,
    /// Whether enough copies were active in time.
    pub shards_acknowledged: bool,
    /// The concrete name.
    pub index: String,
}

/// Creates it, and waits until enough copies are active.
///
/// # Errors
/// A bad name, setting, mapping or alias; `resource_already_exists_exception`.
pub async fn execute(services: &Services, context: &Context, request: CreateIndexRequest) -> Result<CreateIndexResponse> {
    index_names::validate(&request.index)?;
    let command = build(&request)?;
    let uuid = command.uuid.clone();
    let state = services.cluster.submit(context, Command::CreateIndex(command)).await?;
    let replicas = state.index_by_uuid(&uuid).map_or(0, |index| index.number_of_replicas());
    let wanted = wanted_copies(request.wait_for_active_shards.as_deref(), replicas)?;
    let shards_acknowledged = wait_for_copies(services, context, &uuid, wanted).await;
    Ok(CreateIndexResponse { acknowledged: true, shards_acknowledged, index: request.index })
}

/// The number of copies that `wait_for_active_shards` means.
///
/// # Errors
/// A number that is none, or more than there can be.
pub(super) fn wanted_copies(text: Option<&str>, replicas: u32) -> Result<usize> {
    match text {
        None => Ok(1),
        Some("all") => Ok(replicas as usize + 1),
        Some(number) => {
            let wanted: usize = number.parse().map_err(|_| Error::IllegalArgument {
                reason: format!("cannot parse ActiveShardCount[{number}]"),
                cause: Some(Box::new(Error::NumberFormat { input: number.to_owned() })),
            })?;
            if wanted > replicas as usize + 1 {
                return Err(Error::illegal_argument(format!(
                    "invalid wait_for_active_shards[{wanted}]: cannot be greater than number of shard copies [{}]",
                    replicas + 1
                )));
            }
            Ok(wanted)
        }
    }
}

/// Waits until every shard has that many started copies, and the started primaries of this node are active.
pub(super) async fn wait_for_copies(services: &Services, context: &Context, uuid: &IndexUuid, wanted: usize) -> bool {
    if wanted == 0 {
        return true;
    }
    let started = services.cluster.wait_for(context, |state| {
        let Some(routing) = state.routing.get(uuid) else { return Some(false) };
        let enough = routing.shards.iter().all(|copies| copies.iter().filter(|copy| copy.state == CopyState::Started).count() >= wanted);
        enough.then_some(true)
    });
    if started.await != Some(true) {
        return false;
    }
    let state = services.cluster.state();
    let Some(index) = state.index_by_uuid(uuid) else { return false };
    for shard in 0..index.number_of_shards() {
        if services.indices.primary(context, index, shard).await.is_err() {
            return false;
        }
    }
    true
}

fn build(request: &CreateIndexRequest) -> Result<CreateIndex> {
    let parts = Parts::of(&request.body)?;
    let mut settings = Settings::from_json(parts.settings)?.with_index_prefix();
    settings::check_create(&settings)?;
    AnalyzerRegistry::new(&settings)?;
    let rules = MappingRules::from_settings(&settings);
    let mapping = Mapping::parse(parts.mappings, &rules)?;
    let mut aliases = BTreeMap::new();
    for (name, body) in parts.aliases {
        index_names::validate_alias(name)?;
        aliases.insert(name.clone(), super::aliases::read(name, body)?);
    }
    let uuid = IndexUuid::random();
    complete(&mut settings, &request.index, &uuid);
    Ok(new_index(request.index.clone(), uuid, settings, mapping, aliases, IndexOrigin::Empty))
}

/// Everything that a new index must say about itself.
pub(crate) fn complete(settings: &mut Settings, name: &str, uuid: &IndexUuid) {
    for (key, default) in [("index.number_of_shards", "1"), ("index.number_of_replicas", "1"), ("index.replication.type", "DOCUMENT")] {
        if settings.get(key).is_none() {
            settings.set(key, default);
        }
    }
    settings
        .set("index.uuid", uuid.as_str())
        .set("index.creation_date", clock::wall_millis().to_string())
        .set("index.provided_name", name)
        .set("index.version.created", VERSION_CREATED);
}

/// The command for a new index whose settings are complete; everything random is made here.
pub(crate) fn new_index(
    name: String,
    uuid: IndexUuid,
    settings: Settings,
    mapping: Mapping,
    aliases: BTreeMap<String, AliasMetadata>,
    origin: IndexOrigin,
) -> CreateIndex {
    let number = |key: &str, default: usize| settings.text(key).and_then(|text| text.parse().ok()).unwrap_or(default);
    let shards = number("index.number_of_shards", 1);
    let copies = shards * (1 + number("index.number_of_replicas", 1));
    let creation_date = settings.text("index.creation_date").and_then(|text| text.parse().ok()).unwrap_or(0);
    CreateIndex {
        name,
        uuid,
        creation_date,
        settings,
        mapping,
        aliases,
        origin,
        histories: (0..shards).map(|_| HistoryId::random()).collect(),
        allocation_ids: (0..copies).map(|_| AllocationId::random()).collect(),
    }
}

/// The parts of a create-index body.
struct Parts<'a> {
    settings: &'a Value,
    mappings: &'a Value,
    aliases: &'a Map<String, Value>,
}

impl<'a> Parts<'a> {
    fn of(body: &'a Value) -> Result<Self> {
        static NULL: Value = Value::Null;
        static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        let mut parts = Parts { settings: &NULL, mappings: &NULL, aliases: &NONE };
        let Value::Object(fields) = body else { return Ok(parts) };
        for (key, value) in fields {
            match (key.as_str(), value) {
                ("settings", Value::Object(_)) => parts.settings = value,
                ("mappings", Value::Object(_)) => parts.mappings = value,
                ("aliases", Value::Object(aliases)) => parts.aliases = aliases,
                ("settings", _) => return Err(Error::parse("key [settings] must be an object")),
                ("mappings", _) => return Err(Error::parse("key [mappings] must be an object")),
                ("aliases", _) => return Err(Error::parse("key [aliases] must be an object")),
                (unknown, _) => return Err(Error::parse(format!("unknown key [{unknown}] for create index"))),
            }
        }
        Ok(parts)
    }
}
