//! Aliases come and go, several changes at once: all of them or none.

use super::DeleteIndex;
use crate::state::{AliasMetadata, ClusterState};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tandem_common::{Error, IndexUuid, Result};

/// Changes aliases. Names were validated and expanded by the submitter; what depends on the state is checked here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpdateAliases {
    /// The changes, in their order.
    pub changes: Vec<AliasChange>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AliasChange {
    /// An index gets an alias, or another form of it.
    Add {
        /// The index.
        uuid: IndexUuid,
        /// The alias.
        alias: String,
        /// What it is.
        metadata: AliasMetadata,
    },
    /// An index loses an alias, if it has it.
    Remove {
        /// The index.
        uuid: IndexUuid,
        /// The alias.
        alias: String,
    },
    /// An index goes, so that an alias can take its name.
    RemoveIndex {
        /// The index.
        uuid: IndexUuid,
    },
}

impl UpdateAliases {
    pub(super) fn apply(&self, state: &mut ClusterState) -> Result<()> {
        let mut changed = state.clone();
        for change in &self.changes {
            match change {
                AliasChange::RemoveIndex { uuid } => DeleteIndex { uuids: vec![uuid.clone()] }.apply(&mut changed)?,
                AliasChange::Add { uuid, alias, metadata } => {
                    let index = index_mut(&mut changed, uuid)?;
                    if index.aliases.get(alias) != Some(metadata) {
                        index.aliases.insert(alias.clone(), metadata.clone());
                        index.aliases_version += 1;
                    }
                }
                AliasChange::Remove { uuid, alias } => {
                    let index = index_mut(&mut changed, uuid)?;
                    if index.aliases.remove(alias).is_some() {
                        index.aliases_version += 1;
                    }
                }
            }
        }
        for change in &self.changes {
            if let AliasChange::Add { alias, .. } = change {
                check(&changed, alias)?;
            }
        }
        *state = changed;
        Ok(())
    }
}

fn index_mut<'a>(state: &'a mut ClusterState, uuid: &IndexUuid) -> Result<&'a mut crate::state::IndexMetadata> {
    let index = state.indices.values_mut().find(|index| index.uuid == *uuid);
    index.map(Arc::make_mut).ok_or_else(|| Error::IndexNotFound { index: uuid.to_string() })
}

/// What the indices of an alias must agree on.
fn check(state: &ClusterState, alias: &str) -> Result<()> {
    if let Some(index) = state.indices.get(alias) {
        return Err(Error::AliasIsIndex { name: alias.to_owned(), uuid: index.uuid.clone() });
    }
    let with = |wanted: fn(&AliasMetadata) -> bool, is: bool| -> Vec<&str> {
        let of = state.alias(alias).into_iter();
        of.filter(|index| index.aliases.get(alias).is_some_and(wanted) == is).map(|index| index.name.as_str()).collect()
    };
    let writes = with(|metadata| metadata.is_write_index == Some(true), true);
    if writes.len() > 1 {
        return Err(Error::illegal_argument(format!("alias [{alias}] has more than one write index [{}]", writes.join(","))));
    }
    let hidden = |metadata: &AliasMetadata| metadata.is_hidden == Some(true);
    let (hides, shows) = (with(hidden, true), with(hidden, false));
    if !hides.is_empty() && !shows.is_empty() {
        return Err(Error::illegal_argument(format!(
            "alias [{alias}] has is_hidden set to true on indices [{}] but does not have is_hidden set to true on indices [{}]; alias must have the same is_hidden setting on all indices",
            hides.join(","),
            shows.join(",")
        )));
    }
    Ok(())
}
