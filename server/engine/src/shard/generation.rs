//! Which of the stores in the folder of a copy is the present one.
//!
//! A copy starts with its store right in its folder, as generation 0. A delta prepares the next one in a folder of its own;
//! the small file `generation` says which is in use, and replacing that file is the whole switch. What is neither in use nor
//! completely prepared is removed when the copy is opened.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use tandem_common::env::fs;
use tandem_common::{Result, checked_file};

/// What generation 0 has in the folder itself.
const FIRST_STORE: [&str; 3] = ["index", "translog", "retention_leases.json"];

const PREFIX: &str = "generation-";

fn pointer(base: &Path) -> PathBuf {
    base.join("generation")
}

fn prepared(base: &Path, generation: u64) -> PathBuf {
    store(base, generation).join("prepared.json")
}

/// The folder of a generation's store.
pub(super) fn store(base: &Path, generation: u64) -> PathBuf {
    if generation == 0 { base.to_owned() } else { base.join(format!("{PREFIX}{generation}")) }
}

/// The generation in use. Blocking.
///
/// # Errors
/// [`tandem_common::Error::Corrupt`] when the file that says so is damaged.
pub(super) fn present(base: &Path) -> Result<u64> {
    Ok(checked_file::read(&pointer(base))?.unwrap_or(0))
}

/// Switches to a prepared generation, durably. Blocking.
pub(super) fn switch(base: &Path, generation: u64) -> Result<()> {
    checked_file::write(&pointer(base), &generation)
}

/// Says that a generation is complete, durably, with what is worth knowing of it. Blocking.
pub(super) fn complete<T: Serialize>(base: &Path, generation: u64, about: &T) -> Result<()> {
    checked_file::write(&prepared(base, generation), about)
}

/// What was said of a complete generation that waits for the switch. Blocking.
pub(super) fn waiting<T: DeserializeOwned>(base: &Path) -> Result<Option<T>> {
    checked_file::read(&prepared(base, present(base)? + 1))
}

/// Removes the generation after the present one, complete or not. Blocking.
pub(super) fn discard_next(base: &Path) -> Result<()> {
    Ok(fs::remove_folder(&store(base, present(base)? + 1))?)
}

/// Removes every generation before the present one, and later ones that are not complete. Blocking.
pub(super) fn clean(base: &Path) -> Result<()> {
    let present = present(base)?;
    for name in fs::list(base)? {
        let Some(generation) = name.strip_prefix(PREFIX).and_then(|number| number.parse::<u64>().ok()) else { continue };
        let waits = generation == present + 1 && fs::exists(&prepared(base, generation));
        if generation != present && !waits {
            fs::remove_folder(&base.join(name))?;
        }
    }
    if present > 0 {
        for name in FIRST_STORE {
            let path = base.join(name);
            if path.is_dir() { fs::remove_folder(&path)? } else { fs::remove_file_if_exists(&path)? }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_present_and_a_complete_next_generation_stay() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path();
        let make = |generation| fs::create_folders(&store(base, generation).join("index")).unwrap();
        let there = || -> Vec<u64> { (0..5).filter(|generation| store(base, *generation).join("index").exists()).collect() };
        (0..3).for_each(make);
        clean(base).unwrap();
        assert_eq!((present(base).unwrap(), there()), (0, vec![0]));
        make(1);
        complete(base, 1, &"done").unwrap();
        clean(base).unwrap();
        assert_eq!((waiting::<String>(base).unwrap().as_deref(), there()), (Some("done"), vec![0, 1]));
        switch(base, 1).unwrap();
        make(2);
        clean(base).unwrap();
        assert_eq!((present(base).unwrap(), waiting::<String>(base).unwrap(), there()), (1, None, vec![1]));
        discard_next(base).unwrap();
    }
}
