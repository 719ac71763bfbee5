//! A bit flips in a store that is closed: it is found, or it changes nothing.

use super::scripts::{Script, script};
use super::*;
use tandem_common::env::disk::Variant;

/// How many of the flips may go unnoticed: only what nobody reads, such as the version of the library in a footer.
const HARMLESS_SHARE_MAX: usize = 5;

/// What the flips of one store came to.
#[derive(Debug, Default)]
pub(in crate::shard) struct Flips {
    pub(in crate::shard) found: usize,
    pub(in crate::shard) harmless: usize,
    /// Harmless as well: in the room that is reserved behind the end of a log, or in a file that opening removes because
    /// nothing names it.
    pub(in crate::shard) unused: usize,
}

/// Flips one bit in each byte whose number is a multiple of `step`, of each file; the first wrong answer, if there is one.
pub(in crate::shard) async fn flip_every_byte(script: &Script, step: usize) -> Result<Flips, String> {
    let mut rig = Rig::new(script.settings);
    script.run(&mut rig).await.map_err(|error| error.to_string())?;
    rig.shard = None;
    let mut replay = rig.disk.replay();
    let position = replay.len();
    replay.advance(position);
    let good = replay.state(Variant::Everything);
    let folder = tempfile::tempdir().unwrap();
    let _disk = TestDisk::install(folder.path()).unwrap();
    let opened = folder.path().join("opened");
    good.write_to(&opened).unwrap();
    let content: Vec<usize> = good
        .files()
        .map(|(path, _)| fs::read(&opened.join(path)).unwrap().iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1))
        .collect();
    drop(IndexShard::open(rig.open_at(&opened)).await.map_err(|error| error.to_string())?);
    let used: Vec<(PathBuf, usize)> = good
        .files()
        .zip(content)
        .map(|((path, length), content)| {
            let end = if path.starts_with("shard/translog") { content } else { length };
            (path.to_owned(), if fs::exists(&opened.join(path)) { end } else { 0 })
        })
        .collect();
    let files: Vec<(PathBuf, usize)> = good.files().map(|(path, length)| (path.to_owned(), length)).collect();
    let mut flips = Flips::default();
    for (number, (path, at)) in files.iter().flat_map(|(path, length)| (0..*length).map(move |at| (path, at))).enumerate() {
        if number % step != 0 {
            continue;
        }
        let here = folder.path().join(number.to_string());
        good.with_flipped(path, at, 1 << (at % 8)).write_to(&here).unwrap();
        switch::cover(&here);
        match IndexShard::open(rig.open_at(&here)).await {
            Err(Error::Corrupt { reason }) => {
                let name = path.file_name().unwrap().to_string_lossy();
                must!(reason.contains(&*name), "byte {at} of {}: the message names another file: {reason}", path.display());
                flips.found += 1;
            }
            Err(error) => {
                must!(path.starts_with("shard/index"), "byte {at} of {}: {error:?}", path.display());
                flips.found += 1;
            }
            Ok(shard) => {
                let checked = rig.journal.check(&shard, position).await;
                checked.map_err(|detail| format!("byte {at} of {} changes the answers: {detail}", path.display()))?;
                if used.iter().any(|(used, end)| used == path && at >= *end) {
                    flips.unused += 1;
                } else {
                    flips.harmless += 1;
                }
            }
        }
        fs::remove_folder(&here).unwrap();
    }
    Ok(flips)
}

#[tokio::test]
async fn a_flipped_bit_in_any_byte_of_any_file_is_found_or_harmless() {
    // The one has leases and deletions, the other a log with operations in it.
    for name in ["leases", "flushes"] {
        let flips = flip_every_byte(script(name), 1).await.unwrap_or_else(|difference| panic!("{name}: {difference}"));
        eprintln!("{name}: {flips:?}");
        assert!(flips.found > 3000 && flips.harmless * 100 <= flips.found * HARMLESS_SHARE_MAX, "{flips:?}");
    }
}
