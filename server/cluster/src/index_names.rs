//! Index expressions: names, aliases, wildcards, exclusions, to concrete indices.

use crate::state::{ClusterState, IndexMetadata, IndexState};
use std::collections::BTreeMap;
use std::sync::Arc;
use tandem_common::pattern::matches;
use tandem_common::{Error, Result};

/// What an expression may match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameOptions {
    /// A missing or closed concrete name is left out instead of being an error.
    pub ignore_unavailable: bool,
    /// A wildcard that matches nothing is fine.
    pub allow_no_indices: bool,
    /// Wildcards match open indices.
    pub expand_open: bool,
    /// Wildcards match closed indices.
    pub expand_closed: bool,
    /// Wildcards match hidden indices.
    pub expand_hidden: bool,
    /// Aliases count as names (not so for deleting).
    pub resolve_aliases: bool,
    /// A closed index that is named is an error.
    pub forbid_closed: bool,
}

/// The concrete indices of an expression, in the order of their names. No parts, `_all` or `*` mean all.
///
/// # Errors
/// `index_not_found_exception` for a concrete name, or for a wildcard when nothing may not be allowed;
/// `index_closed_exception`.
pub fn resolve(state: &ClusterState, names: &[String], options: NameOptions) -> Result<Vec<Arc<IndexMetadata>>> {
    let mut found: BTreeMap<String, Arc<IndexMetadata>> = BTreeMap::new();
    let all = names.is_empty() || names.iter().all(|name| name == "_all");
    let everything = ["*".to_owned()];
    let parts: &[String] = if all { &everything } else { names };
    let mut wildcard_seen = false;
    for part in parts {
        if let Some(excluded) = part.strip_prefix('-')
            && wildcard_seen
        {
            found.retain(|name, _| !matches(excluded, name));
            continue;
        }
        if part.contains('*') {
            wildcard_seen = true;
            let before = found.len();
            expand(state, part, options, &mut found);
            if found.len() == before && !options.allow_no_indices {
                return Err(Error::IndexNotFound { index: part.clone() });
            }
            continue;
        }
        named(state, part, options, &mut found)?;
    }
    if found.is_empty() && !options.allow_no_indices {
        return Err(Error::IndexNotFound { index: if all { "_all".into() } else { names.join(",") } });
    }
    Ok(found.into_values().collect())
}

fn named(state: &ClusterState, name: &str, options: NameOptions, found: &mut BTreeMap<String, Arc<IndexMetadata>>) -> Result<()> {
    if let Some(index) = state.indices.get(name) {
        if index.state == IndexState::Close && options.forbid_closed {
            if options.ignore_unavailable {
                return Ok(());
            }
            return Err(Error::IndexClosed { index: index.name.clone(), uuid: index.uuid.clone() });
        }
        found.insert(index.name.clone(), Arc::clone(index));
        return Ok(());
    }
    let aliased = state.alias(name);
    if !aliased.is_empty() && options.resolve_aliases {
        found.extend(aliased.into_iter().map(|index| (index.name.clone(), Arc::clone(index))));
        return Ok(());
    }
    if !aliased.is_empty() {
        return Err(Error::illegal_argument(format!(
            "The provided expression [{name}] matches an alias, specify the corresponding concrete indices instead."
        )));
    }
    if options.ignore_unavailable {
        return Ok(());
    }
    if let Some(detail) = starts_wrongly(name) {
        return Err(Error::InvalidIndexName { name: name.to_owned(), detail });
    }
    Err(Error::IndexNotFound { index: name.to_owned() })
}

fn starts_wrongly(name: &str) -> Option<String> {
    name.starts_with('_').then(|| "must not start with '_'.".to_owned())
}

fn expand(state: &ClusterState, pattern: &str, options: NameOptions, found: &mut BTreeMap<String, Arc<IndexMetadata>>) {
    for index in state.indices.values() {
        let by_alias = options.resolve_aliases && index.aliases.keys().any(|alias| pattern != "*" && matches(pattern, alias));
        if !by_alias && !matches(pattern, &index.name) {
            continue;
        }
        let shown = !index.is_hidden() || options.expand_hidden || (pattern.starts_with('.') && index.name.starts_with('.'));
        let state_fits = match index.state {
            IndexState::Open => options.expand_open,
            IndexState::Close => options.expand_closed,
        };
        if shown && state_fits {
            found.insert(index.name.clone(), Arc::clone(index));
        }
    }
}

/// The one index that a write to `name` goes to: the index itself, an alias's only index, or its write index.
///
/// # Errors
/// `index_not_found_exception`; an alias of several indices without a write index.
pub fn write_index<'a>(state: &'a ClusterState, name: &str) -> Result<&'a Arc<IndexMetadata>> {
    if let Some(index) = state.indices.get(name) {
        return Ok(index);
    }
    let aliased = state.alias(name);
    let writes = |index: &IndexMetadata| index.aliases.get(name).is_some_and(|alias| alias.is_write_index == Some(true));
    match aliased.as_slice() {
        [] => Err(Error::IndexNotFound { index: name.to_owned() }),
        [only] if only.aliases.get(name).is_some_and(|alias| alias.is_write_index != Some(false)) => Ok(only),
        several => several.iter().find(|index| writes(index)).copied().ok_or_else(|| {
            Error::illegal_argument(format!(
                "no write index is defined for alias [{name}]. The write index may be explicitly disabled using is_write_index=false or the alias points to multiple indices without one being designated as a write index"
            ))
        }),
    }
}

/// Refuses a name that no index may have, in OpenSearch's words.
///
/// # Errors
/// `invalid_index_name_exception`.
pub fn validate(name: &str) -> Result<()> {
    validate_alias(name).map_err(|error| match error {
        Error::InvalidAliasName { name, detail } => Error::InvalidIndexName { name, detail },
        other => other,
    })?;
    if name.chars().any(char::is_uppercase) {
        return Err(Error::InvalidIndexName { name: name.to_owned(), detail: "must be lowercase".into() });
    }
    Ok(())
}

/// Refuses a name that no alias may have: all rules of index names but one.
///
/// # Errors
/// `invalid_alias_name_exception`.
pub fn validate_alias(name: &str) -> Result<()> {
    let detail = if name.is_empty() {
        "must not be empty"
    } else if name.contains(|c: char| "\\/*?\"<>| ,".contains(c)) {
        "must not contain the following characters [ , \", *, \\, <, |, ,, >, /, ?]"
    } else if name.contains('#') {
        "must not contain '#'"
    } else if name.contains(':') {
        "must not contain ':'"
    } else if name.starts_with(['_', '-', '+']) {
        "must not start with '_', '-', or '+'"
    } else if name.len() > 255 {
        return Err(Error::InvalidAliasName { name: name.to_owned(), detail: format!("index name is too long, ({} > 255)", name.len()) });
    } else if name == "." || name == ".." {
        "must not be '.' or '..'"
    } else {
        return Ok(());
    };
    Err(Error::InvalidAliasName { name: name.to_owned(), detail: detail.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules() {
        assert!(validate("logs-2026.01").is_ok());
        for bad in ["", "A", "_a", "-a", "+a", ".", "..", "a b", "a/b", "../x", "a:b", "a#b", &"x".repeat(256)] {
            assert!(validate(bad).is_err(), "{bad}");
        }
    }
}
