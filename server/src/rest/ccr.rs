//! Cross-cluster replication: `/_plugins/_replication/…`.

use super::fields::{self, Field};
use super::respond::Answer;
use super::routes::Route;
use super::{App, Call};
use http::Method;
use serde_json::{Map, Value, json};
use tandem_common::{Action, Error, Result, Settings};
use tandem_node::ccr::api::{self, BootstrapDetails, Lag, ReplicationStatus, ShardStatus, StartRequest, SyncingDetails};

const CHANGE: &[&[&str]] = &[&["cluster_manager_timeout"]];

/// The routes of this family.
pub(super) fn routes() -> Vec<Route> {
    let start_params: &[&[&str]] = &[&["cluster_manager_timeout", "wait_for_restore"]];
    let action = |name| Action(name);
    vec![
        Route::new(
            &[Method::PUT],
            "/_plugins/_replication/{index}/_start",
            action("indices:admin/plugins/replication/index/start"),
            start_params,
            start,
        ),
        Route::new(
            &[Method::POST],
            "/_plugins/_replication/{index}/_stop",
            action("indices:admin/plugins/replication/index/stop"),
            CHANGE,
            stop,
        ),
        Route::new(
            &[Method::POST],
            "/_plugins/_replication/{index}/_pause",
            action("indices:admin/plugins/replication/index/pause"),
            CHANGE,
            pause,
        ),
        Route::new(
            &[Method::POST],
            "/_plugins/_replication/{index}/_resume",
            action("indices:admin/plugins/replication/index/resume"),
            CHANGE,
            resume,
        ),
        Route::new(
            &[Method::GET],
            "/_plugins/_replication/{index}/_status",
            action("indices:admin/plugins/replication/index/status_check"),
            &[&["verbose"]],
            status,
        ),
    ]
}

async fn start(app: App, call: Call) -> Result<Answer> {
    let request = match start_request(&call) {
        Ok(request) => request,
        Err(error) => return unread(error),
    };
    api::start(&app.services, &call.context, request).await?;
    Answer::acknowledged(true)
}

async fn stop(app: App, call: Call) -> Result<Answer> {
    const PARSER: &str = "StopReplicationRequestParser";
    match required_fields(&call, PARSER) {
        Ok(fields) => fields.first().map_or(Ok(()), |field| Err(field.unknown(PARSER)))?,
        Err(error) => return unread(error),
    }
    api::stop(&app.services, &call.context, call.value("index")).await?;
    Answer::acknowledged(true)
}

async fn pause(app: App, call: Call) -> Result<Answer> {
    const PARSER: &str = "PauseReplicationRequestParser";
    let mut reason = None;
    // The one verb whose body may be missing.
    let given = if call.body.is_empty() { Ok(Vec::new()) } else { fields::of_object(&call.body, PARSER) };
    let given = match given {
        Ok(given) => given,
        Err(error) => return unread(error),
    };
    for field in given {
        match field.name.as_str() {
            "reason" => reason = Some(field.text(PARSER)?),
            _ => return Err(field.unknown(PARSER)),
        }
    }
    api::pause(&app.services, &call.context, call.value("index"), reason).await?;
    Answer::acknowledged(true)
}

async fn resume(app: App, call: Call) -> Result<Answer> {
    const PARSER: &str = "ResumeReplicationRequestParser";
    let mut force = false;
    let given = match required_fields(&call, PARSER) {
        Ok(given) => given,
        Err(error) => return unread(error),
    };
    for field in given {
        match field.name.as_str() {
            "force_resume" => force = field.bool(PARSER)?,
            _ => return Err(field.unknown(PARSER)),
        }
    }
    api::resume(&app.services, &call.context, call.value("index"), force).await?;
    Answer::acknowledged(true)
}

async fn status(app: App, call: Call) -> Result<Answer> {
    let index = call.value("index");
    if index.is_empty() {
        return Err(Error::invalid_request("Index name must be specified to obtain replication status"));
    }
    let verbose = call.params.bool("verbose", false)?;
    let status = api::status(&app.services, &call.context, index).await?;
    Answer::ok(&status_json(&status, verbose))
}

/// These parsers have a name of their own for a body that ends too soon.
fn unread(error: Error) -> Result<Answer> {
    match error {
        Error::JsonEof { reason } => Ok(Answer::failure(400, "unexpected_end_of_input_exception", &reason)),
        other => Err(other),
    }
}

fn required_fields(call: &Call, parser: &str) -> Result<Vec<Field>> {
    if call.body.is_empty() {
        return Err(Error::parse("request body or source parameter is required"));
    }
    fields::of_object(&call.body, parser)
}

fn start_request(call: &Call) -> Result<StartRequest> {
    const PARSER: &str = "FollowIndexRequestParser";
    let mut request = StartRequest {
        follower_index: call.value("index").to_owned(),
        wait_for_restore: call.params.bool("wait_for_restore", false)?,
        ..StartRequest::default()
    };
    for field in required_fields(call, PARSER)? {
        match (field.name.as_str(), &field.value) {
            ("leader_alias", _) => request.leader_alias = Some(field.text(PARSER)?),
            ("leader_index", _) => request.leader_index = Some(field.text(PARSER)?),
            ("settings", Value::Object(_)) => request.settings = Settings::from_json(&field.value)?,
            ("use_roles", Value::Object(roles)) => request.half_roles = half_roles(roles)?,
            ("settings" | "use_roles", _) => return Err(field.wrong_kind(PARSER)),
            _ => return Err(field.unknown(PARSER)),
        }
    }
    Ok(request)
}

/// Whether only one of the two roles is there. Neither is the same as no roles at all.
fn half_roles(roles: &Map<String, Value>) -> Result<bool> {
    const ROLES: [&str; 2] = ["leader_cluster_role", "follower_cluster_role"];
    if let Some(unknown) = roles.keys().find(|name| !ROLES.contains(&name.as_str())) {
        return Err(Error::XContentParse { reason: format!("[UseRolesParser] unknown field [{unknown}]"), cause: None });
    }
    Ok(roles.len() == 1)
}

fn status_json(status: &ReplicationStatus, verbose: bool) -> Value {
    let mut body = Map::new();
    body.insert("status".into(), status.status.into());
    let Some(details) = &status.details else { return Value::Object(body) };
    body.insert("reason".into(), details.reason.as_str().into());
    body.insert("leader_alias".into(), details.leader_alias.as_str().into());
    body.insert("leader_index".into(), details.leader_index.as_str().into());
    body.insert("follower_index".into(), details.follower_index.as_str().into());
    body.extend(details.syncing.map(|syncing| ("syncing_details".to_owned(), syncing_json(syncing))));
    body.extend(details.bootstrap.map(|bootstrap| ("bootstrap_details".to_owned(), bootstrap_json(bootstrap))));
    if verbose && !details.shards.is_empty() {
        body.insert("shard_replication_details".into(), details.shards.iter().map(shard_json).collect());
    }
    // What OpenSearch does not tell stands apart, so that strict clients find the shape they know.
    body.extend(details.lag.map(|lag| ("tandem".to_owned(), lag_json(lag))));
    Value::Object(body)
}

fn syncing_json(syncing: SyncingDetails) -> Value {
    json!({
        "leader_checkpoint": syncing.leader_checkpoint,
        "follower_checkpoint": syncing.follower_checkpoint,
        "seq_no": syncing.seq_no,
    })
}

fn bootstrap_json(bootstrap: BootstrapDetails) -> Value {
    json!({
        "bytes_total": bootstrap.bytes_total,
        "bytes_recovered": bootstrap.bytes_recovered,
        "bytes_percent": bootstrap.bytes_percent,
        "files_total": bootstrap.files_total,
        "files_recovered": bootstrap.files_recovered,
        "files_percent": bootstrap.files_percent,
        "start_time": bootstrap.start_time,
        "running_time": bootstrap.running_time,
    })
}

fn lag_json(lag: Lag) -> Value {
    json!({"lag": {"operations": lag.operations, "seconds": lag.seconds}})
}

fn shard_json(shard: &ShardStatus) -> Value {
    match shard {
        ShardStatus::Syncing { shard_id, details, lag } => {
            json!({"shard_id": shard_id, "syncing_task_details": syncing_json(*details), "tandem": lag_json(*lag)})
        }
        ShardStatus::Bootstrapping { shard_id, details } => {
            json!({"shard_id": shard_id, "bootstrap_task_details": bootstrap_json(*details)})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::params::Params;
    use super::*;
    use bytes::Bytes;
    use std::collections::HashMap;
    use std::time::Duration;
    use tandem_common::{Context, Subject};
    use tandem_node::ccr::api::StatusDetails;

    fn call(body: &str) -> Call {
        Call {
            values: HashMap::from([("index", "f".to_owned())]),
            params: Params::default(),
            body: Bytes::from(body.to_owned()),
            context: Context::with_timeout(Subject::Everyone, Action("test"), Duration::from_secs(1)),
            accept: None,
        }
    }

    fn refusal(body: &str) -> String {
        start_request(&call(body)).unwrap_err().to_string()
    }

    #[tokio::test]
    async fn the_body_of_start_is_read_strictly() {
        let request =
            start_request(&call(r#"{"leader_alias":"a","leader_index":"l","settings":{"index":{"number_of_replicas":0}},"use_roles":{}}"#))
                .unwrap();
        assert_eq!((request.leader_alias.as_deref(), request.leader_index.as_deref(), request.half_roles), (Some("a"), Some("l"), false));
        assert_eq!(request.settings.text("index.number_of_replicas"), Some("0"));
        let body = r#"{"leader_alias":"a","leader_index":"leader_1","foo":1}"#;
        assert_eq!(refusal(body), "[1:47] [FollowIndexRequestParser] unknown field [foo]");
        assert_eq!(refusal("[]"), "[1:1] [FollowIndexRequestParser] Expected START_OBJECT but was: START_ARRAY");
        assert_eq!(refusal(""), "request body or source parameter is required");
        assert!(refusal(r#"{"leader_alias":5}"#).contains("leader_alias doesn't support values of type: VALUE_NUMBER"));
        assert!(start_request(&call(r#"{"use_roles":{"leader_cluster_role":"r"}}"#)).unwrap().half_roles);
    }

    #[test]
    fn a_status_keeps_opensearchs_shape_and_adds_only_its_own_object() {
        let nothing = ReplicationStatus { status: "REPLICATION NOT IN PROGRESS", details: None };
        assert_eq!(status_json(&nothing, true), json!({"status": "REPLICATION NOT IN PROGRESS"}));
        let syncing = SyncingDetails { leader_checkpoint: 19, follower_checkpoint: 19, seq_no: 20 };
        let details = StatusDetails {
            reason: "User initiated".into(),
            leader_alias: "a".into(),
            leader_index: "l".into(),
            follower_index: "f".into(),
            syncing: Some(syncing),
            bootstrap: None,
            shards: vec![ShardStatus::Syncing { shard_id: "[f][0]".into(), details: syncing, lag: Lag::default() }],
            lag: Some(Lag { operations: 0, seconds: 0.0 }),
        };
        let status = ReplicationStatus { status: "SYNCING", details: Some(details) };
        assert_eq!(
            status_json(&status, false).to_string(),
            r#"{"status":"SYNCING","reason":"User initiated","leader_alias":"a","leader_index":"l","follower_index":"f","syncing_details":{"leader_checkpoint":19,"follower_checkpoint":19,"seq_no":20},"tandem":{"lag":{"operations":0,"seconds":0.0}}}"#
        );
        assert_eq!(status_json(&status, true)["shard_replication_details"][0]["shard_id"], "[f][0]");
    }
}
