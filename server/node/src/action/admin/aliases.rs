//! `indices:admin/aliases`, `indices:admin/aliases/get`.

use super::Acknowledged;
use crate::action::resolve::{self, Purpose};
use crate::action::{IndexNames, IndicesOptions, Services};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tandem_cluster::command::{AliasChange, UpdateAliases};
use tandem_cluster::state::AliasMetadata;
use tandem_cluster::{ClusterState, Command, IndexMetadata, index_names};
use tandem_common::{Context, Error, Result, pattern};
use tandem_engine::search::Query;

/// One action of a request.
#[derive(Clone, Debug)]
pub enum AliasAction {
    /// Every index of the expression gets every alias.
    Add {
        /// The indices.
        indices: Vec<String>,
        /// The aliases.
        aliases: Vec<String>,
        /// `{"filter": …, "routing": …, …}`.
        body: Value,
    },
    /// Every index of the expression loses the aliases that match.
    Remove {
        /// The indices.
        indices: Vec<String>,
        /// The aliases, wildcards included.
        aliases: Vec<String>,
        /// Whether it is an error when none of them is there. `None`: only when that leaves nothing to do at all.
        must_exist: Option<bool>,
    },
    /// The indices go.
    RemoveIndex {
        /// The indices.
        indices: Vec<String>,
    },
}

/// What an alias is, from its body.
///
/// # Errors
/// A filter that is no query, a routing of several values for writes.
pub(crate) fn read(alias: &str, body: &Value) -> Result<AliasMetadata> {
    let metadata = AliasMetadata::from_json(body);
    if metadata.index_routing.as_deref().is_some_and(|routing| routing.contains(',')) {
        return Err(Error::illegal_argument(format!("alias [{alias}] has several index routing values associated with it")));
    }
    if let Some(filter) = &metadata.filter {
        Query::parse(filter).map_err(|error| Error::IllegalArgument {
            reason: format!("failed to parse filter for alias [{alias}]"),
            cause: Some(Box::new(error)),
        })?;
    }
    Ok(metadata)
}

/// Does all of it or nothing.
///
/// # Errors
/// No such index; a bad name; aliases to remove that are not there; a block.
pub async fn update(services: &Services, context: &Context, actions: &[AliasAction]) -> Result<Acknowledged> {
    if actions.is_empty() {
        return Err(Error::illegal_argument("No action specified"));
    }
    let state = services.cluster.state();
    let mut changes = Vec::new();
    for action in actions {
        plan(&state, action, &mut changes)?;
    }
    if changes.is_empty()
        && let Some(missing) = only_missing(actions)
    {
        return Err(Error::AliasesNotFound { aliases: missing });
    }
    if !changes.is_empty() {
        services.cluster.submit(context, Command::UpdateAliases(UpdateAliases { changes })).await?;
    }
    Ok(Acknowledged { acknowledged: true })
}

/// The aliases that a request is only there to remove, unless it says that they need not exist.
fn only_missing(actions: &[AliasAction]) -> Option<Vec<String>> {
    let mut missing = Vec::new();
    for action in actions {
        match action {
            AliasAction::Remove { aliases, must_exist: None, .. } => missing.extend(aliases.iter().cloned()),
            _ => return None,
        }
    }
    Some(missing)
}

fn plan(state: &ClusterState, action: &AliasAction, changes: &mut Vec<AliasChange>) -> Result<()> {
    match action {
        AliasAction::Add { indices, aliases, body } => {
            for alias in aliases {
                if let Some(index) = state.indices.get(alias) {
                    return Err(Error::AliasIsIndex { name: index.name.clone(), uuid: index.uuid.clone() });
                }
                index_names::validate_alias(alias)?;
                let metadata = read(alias, body)?;
                for index in concrete(state, indices)? {
                    changes.push(AliasChange::Add { uuid: index.uuid.clone(), alias: alias.clone(), metadata: metadata.clone() });
                }
            }
        }
        AliasAction::Remove { indices, aliases, must_exist } => {
            let before = changes.len();
            for index in concrete(state, indices)? {
                let goes = |name: &&String| aliases.iter().any(|pattern| pattern == "_all" || pattern::matches(pattern, name));
                for alias in index.aliases.keys().filter(goes) {
                    changes.push(AliasChange::Remove { uuid: index.uuid.clone(), alias: alias.clone() });
                }
            }
            if *must_exist == Some(true) && changes.len() == before {
                return Err(Error::AliasesNotFound { aliases: aliases.clone() });
            }
        }
        AliasAction::RemoveIndex { indices } => {
            changes.extend(concrete(state, indices)?.into_iter().map(|index| AliasChange::RemoveIndex { uuid: index.uuid.clone() }));
        }
    }
    Ok(())
}

/// The indices of an expression in which aliases do not count.
fn concrete(state: &ClusterState, indices: &[String]) -> Result<Vec<Arc<IndexMetadata>>> {
    let options = IndicesOptions { expand_closed: true, allow_no_indices: false, ..IndicesOptions::default() };
    let found = resolve::indices(state, &IndexNames { names: indices.to_vec(), options }, Purpose::Delete)?;
    for index in &found {
        resolve::refuse_blocked(index, state.metadata_blocks(index))?;
    }
    Ok(found)
}

/// What was found of aliases.
#[derive(Clone, Debug, Default)]
pub struct GetAliasesResponse {
    /// By index, in the order of names, the aliases that were asked for.
    pub indices: BTreeMap<String, BTreeMap<String, AliasMetadata>>,
    /// The names without wildcards that no index has.
    pub missing: Vec<String>,
}

/// The aliases of the indices that the expression names: all, or those that match `names`. Without names an index without
/// aliases is shown as well.
///
/// # Errors
/// No such index.
pub async fn get(services: &Services, indices: IndexNames, names: &[String]) -> Result<GetAliasesResponse> {
    let all = names.is_empty() || names.iter().any(|name| name == "_all");
    let mut response = GetAliasesResponse::default();
    let found = resolve::indices(&services.cluster.state(), &indices, Purpose::Metadata)?;
    for index in &found {
        let matching: BTreeMap<String, AliasMetadata> =
            index.aliases.iter().filter(|(alias, _)| all || is_asked_for(names, alias)).map(|(k, v)| (k.clone(), v.clone())).collect();
        if names.is_empty() || !matching.is_empty() {
            response.indices.insert(index.name.clone(), matching);
        }
    }
    let mut wildcard_seen = false;
    for name in names {
        let excludes = wildcard_seen && name.starts_with('-');
        wildcard_seen |= name.contains('*') || name == "_all";
        let wild = name.contains('*') || name == "_all";
        if !wild && !excludes && !response.indices.values().any(|aliases| aliases.contains_key(name)) {
            response.missing.push(name.clone());
        }
    }
    Ok(response)
}

/// Names, wildcards, and behind a wildcard exclusions.
fn is_asked_for(names: &[String], alias: &str) -> bool {
    let mut asked = false;
    let mut wildcard_seen = false;
    for name in names {
        match name.strip_prefix('-') {
            Some(excluded) if wildcard_seen => asked &= !pattern::matches(excluded, alias),
            _ => asked |= pattern::matches(name, alias),
        }
        wildcard_seen |= name.contains('*');
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exclusion_counts_only_behind_a_wildcard() {
        let asked = |names: &[&str], alias: &str| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            is_asked_for(&names, alias)
        };
        assert!(asked(&["al*", "-al1"], "al2") && !asked(&["al*", "-al1"], "al1"));
        assert!(!asked(&["-al1"], "al1") && asked(&["al1", "x"], "al1"));
    }
}
