//! The log alone: crash points, generations, damage.

use super::*;
use crate::shard::operation::LoggedKind;
use bytes::Bytes;

const NO_ROLL: u64 = u64::MAX;

fn operation(seq_no: i64) -> Arc<LoggedOperation> {
    Arc::new(LoggedOperation {
        seq_no: SeqNo(seq_no),
        op_term: PrimaryTerm(1),
        mapping_version: 1,
        operation_id: 0,
        version: 1,
        id: format!("document-{seq_no}"),
        routing: None,
        kind: LoggedKind::Index { source: Bytes::from(vec![b'x'; 50]) },
    })
}

fn lineage() -> Lineage {
    Lineage::new(HistoryId("h".into()))
}

fn open(folder: &Path, applied: i64) -> Result<(Translog, Vec<i64>)> {
    let mut seen = Vec::new();
    let log = Translog::open(folder, SeqNo(applied), |operation| seen.push(operation.seq_no.0))?;
    Ok((log, seen))
}

fn read(log: &Translog, from: i64, to: i64) -> Vec<i64> {
    log.read(SeqNo(from), SeqNo(to), usize::MAX).unwrap().iter().map(|operation| operation.seq_no.0).collect()
}

#[test]
fn a_crash_at_any_byte_of_the_last_batch_keeps_a_whole_prefix_and_all_that_was_synced_before() {
    let folder = tempfile::tempdir().unwrap();
    let log = Translog::create(folder.path(), SeqNo(0), lineage(), PrimaryTerm(0)).unwrap();
    log.append((0..3).map(operation));
    log.commit(true, NO_ROLL).unwrap();
    log.set_global_checkpoint(SeqNo(2));
    log.mark_quiet().unwrap();
    let path = checkpoint::generation_path(folder.path(), 1);
    let synced = log.extent().1;
    log.append((3..6).map(operation));
    log.commit(true, NO_ROLL).unwrap();
    let length = usize::try_from(log.extent().1).unwrap();
    drop(log);
    let mut whole = fs::read(&path).unwrap();
    assert!(whole.len() > length && whole.split_off(length).iter().all(|byte| *byte == 0), "room is reserved behind the end");
    let mut ends = std::collections::BTreeSet::new();
    let cuts = (usize::try_from(synced).unwrap()..=length).step_by(3);
    for (cut, room) in cuts.flat_map(|cut| [0, 1, 20_000].map(|room| (cut, room))) {
        let mut bytes = whole[..cut].to_vec();
        bytes.resize(cut + room, 0);
        fs::write_durably(&path, &bytes).unwrap();
        let (log, seen) = open(folder.path(), -1).unwrap();
        assert!(seen.len() >= 3 && seen.iter().copied().eq(0..seen.len() as i64), "cut at {cut}: {seen:?}");
        assert_eq!(log.global_checkpoint(), SeqNo(2));
        let end = log.max_seq_no();
        ends.insert(end.0);
        log.append([operation(end.0 + 1)]);
        log.commit(true, NO_ROLL).unwrap();
        drop(log);
        assert_eq!(open(folder.path(), -1).unwrap().1.len() as i64, end.0 + 2, "writing goes on behind the cut");
    }
    assert_eq!(ends.into_iter().collect::<Vec<_>>(), [2, 3, 4, 5]);
}

#[test]
fn room_is_reserved_at_the_first_write_grows_with_the_file_and_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let log = Translog::create(folder.path(), SeqNo(0), lineage(), PrimaryTerm(0)).unwrap();
    let length = |generation| fs::file_len(&checkpoint::generation_path(folder.path(), generation)).unwrap();
    assert_eq!(length(1), 32, "an index without documents takes nothing");
    log.append((0..1).map(operation));
    log.commit(true, NO_ROLL).unwrap();
    let room = length(1);
    assert!((64 << 10..100 << 10).contains(&room), "{room}");
    log.append((1..2).map(operation));
    log.commit(true, NO_ROLL).unwrap();
    assert_eq!(length(1), room, "a write into the room leaves the length alone");
    log.append((2..2000).map(operation));
    log.commit(true, NO_ROLL).unwrap();
    assert!(length(1) > log.extent().1 * 3 / 2, "the room doubles");
    let written = log.extent().1;
    log.roll().unwrap();
    assert_eq!(length(1), written);
    log.append((2000..2001).map(operation));
    log.commit(true, NO_ROLL).unwrap();
    log.finish().unwrap();
    assert_eq!(length(1) + length(2), log.extent().1);
    drop(log);
    assert_eq!(open(folder.path(), -1).unwrap().1.len(), 2001);
}

#[test]
fn damage_before_a_later_mark_is_no_torn_tail() {
    let folder = tempfile::tempdir().unwrap();
    let log = Translog::create(folder.path(), SeqNo(0), lineage(), PrimaryTerm(0)).unwrap();
    log.append((0..3).map(operation));
    log.commit(true, NO_ROLL).unwrap();
    log.mark_quiet().unwrap();
    drop(log);
    let path = checkpoint::generation_path(folder.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write_durably(&path, &bytes).unwrap();
    let error = open(folder.path(), -1).err().unwrap();
    assert!(matches!(&error, Error::Corrupt { reason } if reason.contains("offset [32]")), "{error}");
}

#[test]
fn files_follow_each_other_and_old_ones_go_when_nothing_needs_them() {
    let folder = tempfile::tempdir().unwrap();
    let log = Translog::create(folder.path(), SeqNo(0), lineage(), PrimaryTerm(0)).unwrap();
    for batch in 0..6 {
        log.append((batch * 10..batch * 10 + 10).map(operation));
        log.commit(true, 1000).unwrap();
    }
    log.shrink_tail(0);
    assert_eq!(read(&log, 7, 44), (7..45).collect::<Vec<_>>());
    let minute = Duration::from_secs(60);
    log.remove(log.forget(SeqNo(35), minute, clock::now())).unwrap();
    assert_eq!(log.lowest(), SeqNo(0), "files stay for the window");
    log.remove(log.forget(SeqNo(35), minute, clock::now() + minute * 2)).unwrap();
    assert_eq!(log.lowest(), SeqNo(30), "the file that holds 35 stays whole");
    drop(log);
    let (log, seen) = open(folder.path(), 40).unwrap();
    assert_eq!((log.lowest(), log.max_seq_no()), (SeqNo(30), SeqNo(59)));
    assert!(seen.iter().copied().eq(30..60), "recent files below the index are read for their tombstones");
    assert_eq!(read(&log, 30, 59), (30..60).collect::<Vec<_>>());
    assert!(matches!(log.read(SeqNo(29), SeqNo(59), 1), Err(Error::HistoryNotAvailable { from: 29, lowest: 30 })));
}

#[test]
fn a_file_begun_just_before_a_crash_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = Translog::create(folder.path(), SeqNo(0), lineage(), PrimaryTerm(0)).unwrap();
    log.append((0..3).map(operation));
    log.commit(true, NO_ROLL).unwrap();
    let before = fs::read(&checkpoint::path(folder.path())).unwrap();
    log.roll().unwrap();
    drop(log);
    fs::write_durably(&checkpoint::path(folder.path()), &before).unwrap();
    let (log, seen) = open(folder.path(), -1).unwrap();
    assert_eq!(seen, [0, 1, 2]);
    log.roll().unwrap();
    log.append([operation(3)]);
    log.commit(true, NO_ROLL).unwrap();
    drop(log);
    assert_eq!(open(folder.path(), -1).unwrap().1, [0, 1, 2, 3]);
}

#[test]
fn a_file_of_another_place_in_the_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let log = Translog::create(folder.path(), SeqNo(0), lineage(), PrimaryTerm(0)).unwrap();
    for batch in 0..3 {
        log.append([operation(batch)]);
        log.commit(true, 1).unwrap();
    }
    drop(log);
    let first = fs::read(&checkpoint::generation_path(folder.path(), 1)).unwrap();
    fs::write_durably(&checkpoint::generation_path(folder.path(), 2), &first).unwrap();
    assert!(matches!(open(folder.path(), -1), Err(Error::Corrupt { reason }) if reason.contains("translog-2.tlog")));
}

#[test]
fn a_log_is_cut_at_any_operation_whatever_is_in_files_and_whatever_is_queued() {
    for (last, synced) in (-1..20).flat_map(|last| [0, 12, 17, 20].map(|synced| (last, synced))) {
        let folder = tempfile::tempdir().unwrap();
        let log = Translog::create(folder.path(), SeqNo(0), lineage(), PrimaryTerm(0)).unwrap();
        for batch in 0..4 {
            let all = batch * 5..batch * 5 + 5;
            log.append(all.clone().filter(|seq_no| *seq_no < synced).map(operation));
            log.commit(true, 600).unwrap();
            log.append(all.filter(|seq_no| *seq_no >= synced).map(operation));
        }
        log.truncate_above(SeqNo(last)).unwrap();
        assert_eq!((log.max_seq_no(), log.cuts()), (SeqNo(last), u64::from(last < 19)));
        log.shrink_tail(0);
        assert_eq!(read(&log, 0, 30), (0..=last).collect::<Vec<_>>());
        let before = fs::read(&checkpoint::path(folder.path())).unwrap();
        log.append((last + 1..last + 4).map(operation));
        assert_eq!(log.commit(true, NO_ROLL).unwrap().durable, Some(SeqNo(last + 3)));
        log.truncate_above(SeqNo(last + 2)).unwrap();
        drop(log);
        let (log, seen) = open(folder.path(), -1).unwrap();
        assert!(seen.iter().copied().eq(0..=last + 2), "cut above {last} with {synced} in files: {seen:?}");
        log.append([operation(last + 3)]);
        log.commit(true, NO_ROLL).unwrap();
        drop(log);
        assert_eq!(open(folder.path(), -1).unwrap().1.len() as i64, last + 4);
        // A crash between the new file and the checkpoint leaves what was before the second cut.
        fs::write_durably(&checkpoint::path(folder.path()), &before).unwrap();
        let reopened = open(folder.path(), -1).map(|(_, seen)| seen);
        assert_eq!(reopened.unwrap(), (0..=last + 3).collect::<Vec<_>>());
    }
}

#[test]
fn what_is_committed_is_never_cut() {
    let folder = tempfile::tempdir().unwrap();
    let log = Translog::create(folder.path(), SeqNo(0), lineage(), PrimaryTerm(0)).unwrap();
    log.append((0..4).map(operation));
    log.commit(true, NO_ROLL).unwrap();
    log.set_global_checkpoint(SeqNo(2));
    assert!(matches!(log.truncate_above(SeqNo(1)), Err(Error::HistoryMismatch { seq_no: 1, .. })));
    assert_eq!(read(&log, 0, 9), [0, 1, 2, 3]);
    log.truncate_above(SeqNo(2)).unwrap();
    assert_eq!(read(&log, 0, 9), [0, 1, 2]);
}

#[test]
fn a_log_below_its_index_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let log = Translog::create(folder.path(), SeqNo(0), lineage(), PrimaryTerm(0)).unwrap();
    log.append([operation(0)]);
    log.commit(true, NO_ROLL).unwrap();
    drop(log);
    assert!(matches!(open(folder.path(), 5), Err(Error::Corrupt { .. })));
}

#[test]
fn what_is_queued_is_read_before_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let log = Translog::create(folder.path(), SeqNo(0), lineage(), PrimaryTerm(0)).unwrap();
    log.append((0..4).map(operation));
    log.shrink_tail(0);
    assert_eq!(read(&log, 1, 3), [1, 2, 3]);
    let committed = log.commit(false, NO_ROLL).unwrap();
    assert_eq!((committed.written, committed.durable), (SeqNo(3), None));
    log.shrink_tail(0);
    assert_eq!(read(&log, 1, 3), [1, 2, 3]);
    assert_eq!(log.commit(true, NO_ROLL).unwrap().durable, Some(SeqNo(3)));
}

#[test]
fn a_closed_log_writes_nothing_whatever_still_waits_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = Translog::create(folder.path(), SeqNo(0), lineage(), PrimaryTerm(0)).unwrap();
    log.append([operation(0)]);
    log.commit(true, NO_ROLL).unwrap();
    log.finish().unwrap();
    log.append([operation(1)]);
    log.close();
    let (other, seen) = open(folder.path(), -1).unwrap();
    assert_eq!(seen, [0]);
    let path = checkpoint::generation_path(folder.path(), 1);
    let before = fs::read(&path).unwrap();
    assert!(matches!(log.commit(true, NO_ROLL), Err(Error::ShardNotReady { .. })));
    assert!(log.roll().is_err() && log.store_checkpoint().is_err());
    assert!(fs::read(&path).unwrap() == before, "the file is as it was");
    other.append([operation(1)]);
    other.commit(true, NO_ROLL).unwrap();
    drop((log, other));
    assert_eq!(open(folder.path(), -1).unwrap().1, [0, 1]);
}
