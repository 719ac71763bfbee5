//! The bytes of the log: file headers and frames, and nothing about files.
//!
//! A frame is `length (4) · crc (4) · payload`, little-endian. Each checksum covers the checksum before it, the length and
//! the payload, so that a record cannot be lost, doubled, moved or replaced without breaking the chain. The chain of a file
//! starts from its header, which holds the end of the chain of the file before.
//!
//! Beside operations there are *sync marks*: they say up to which byte the file was known to be durable when they were
//! written, and the global checkpoint of that moment. A mark can be recognised on its own, so that damage in front of it is
//! told from a tail that never reached the disk.

use crate::shard::operation::{LoggedKind, LoggedOperation};
use bytes::{Buf as _, Bytes};
use tandem_common::{PrimaryTerm, SeqNo};

/// No record is larger: checked before anything is allocated for one.
pub(in crate::shard) const RECORD_BYTES_MAX: usize = 256 << 20;

/// Length and checksum before each payload.
pub(super) const FRAME_HEADER: usize = 8;

/// Magic, generation, first sequence number, chain of the file before, checksum of the header.
pub(super) const FILE_HEADER: usize = 8 + 8 + 8 + 4 + 4;

const FILE_MAGIC: &[u8; 8] = b"TNDMLOG1";
const MARK_MAGIC: &[u8; 8] = b"\xf5TNDMSYN";

const KIND_INDEX: u8 = 1;
const KIND_DELETE: u8 = 2;
const KIND_MARK: u8 = 3;

/// Kind, magic, synced length, global checkpoint, own checksum.
pub(super) const MARK_PAYLOAD: usize = 1 + 8 + 8 + 8 + 4;

/// What a frame holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Operation(LoggedOperation),
    Mark(SyncMark),
}

/// What was known to be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SyncMark {
    /// Every byte of the file below this one.
    pub(super) synced_length: u64,
    /// The global checkpoint.
    pub(super) global_checkpoint: SeqNo,
}

/// The start of a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileHeader {
    pub(super) generation: u64,
    /// The sequence number of the first operation that the file may hold.
    pub(super) first_seq_no: SeqNo,
    /// Where the chain of the file before ended.
    pub(super) previous_chain: u32,
}

impl FileHeader {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FILE_HEADER);
        bytes.extend_from_slice(FILE_MAGIC);
        bytes.extend_from_slice(&self.generation.to_le_bytes());
        bytes.extend_from_slice(&self.first_seq_no.0.to_le_bytes());
        bytes.extend_from_slice(&self.previous_chain.to_le_bytes());
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header and the start of the file's chain; `None` when it is damaged.
    pub(super) fn decode(bytes: &[u8]) -> Option<(FileHeader, u32)> {
        if bytes.len() != FILE_HEADER || !bytes.starts_with(FILE_MAGIC) {
            return None;
        }
        let mut rest = bytes.get(FILE_MAGIC.len()..)?;
        let header =
            FileHeader { generation: rest.get_u64_le(), first_seq_no: SeqNo(rest.get_i64_le()), previous_chain: rest.get_u32_le() };
        let crc = rest.get_u32_le();
        (crc == crc32fast::hash(bytes.get(..FILE_HEADER - 4)?)).then_some((header, crc))
    }

    /// The start of the file's chain.
    pub(super) fn chain(&self) -> u32 {
        crc32fast::hash(self.encode().get(..FILE_HEADER - 4).unwrap_or_default())
    }
}

/// The checksum of a payload that follows `chain`.
pub(super) fn chained(chain: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&chain.to_le_bytes());
    hasher.update(&(payload.len() as u64).to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// Appends a frame whose payload `fill` writes; returns the chain after it.
fn frame(buffer: &mut Vec<u8>, chain: u32, fill: impl FnOnce(&mut Vec<u8>)) -> u32 {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; FRAME_HEADER]);
    fill(buffer);
    let payload_start = start + FRAME_HEADER;
    let payload = buffer.get(payload_start..).unwrap_or_default();
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let crc = chained(chain, payload);
    if let Some(head) = buffer.get_mut(start..payload_start) {
        let (length_bytes, crc_bytes) = head.split_at_mut(4);
        length_bytes.copy_from_slice(&length.to_le_bytes());
        crc_bytes.copy_from_slice(&crc.to_le_bytes());
    }
    crc
}

fn put_text(buffer: &mut Vec<u8>, text: &str) {
    buffer.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    buffer.extend_from_slice(text.as_bytes());
}

/// Appends the frame of an operation; returns the chain after it.
pub(super) fn encode_operation(buffer: &mut Vec<u8>, chain: u32, operation: &LoggedOperation) -> u32 {
    frame(buffer, chain, |buffer| {
        buffer.push(match operation.kind {
            LoggedKind::Index { .. } => KIND_INDEX,
            LoggedKind::Delete => KIND_DELETE,
        });
        buffer.extend_from_slice(&operation.seq_no.0.to_le_bytes());
        buffer.extend_from_slice(&operation.op_term.0.to_le_bytes());
        buffer.extend_from_slice(&operation.mapping_version.to_le_bytes());
        buffer.extend_from_slice(&operation.operation_id.to_le_bytes());
        buffer.extend_from_slice(&operation.version.to_le_bytes());
        put_text(buffer, &operation.id);
        match &operation.routing {
            Some(routing) => {
                buffer.push(1);
                put_text(buffer, routing);
            }
            None => buffer.push(0),
        }
        if let LoggedKind::Index { source } = &operation.kind {
            buffer.extend_from_slice(source);
        }
    })
}

/// Appends the frame of a sync mark; returns the chain after it.
pub(super) fn encode_mark(buffer: &mut Vec<u8>, chain: u32, generation: u64, mark: SyncMark) -> u32 {
    frame(buffer, chain, |buffer| {
        buffer.push(KIND_MARK);
        let start = buffer.len();
        buffer.extend_from_slice(MARK_MAGIC);
        buffer.extend_from_slice(&mark.synced_length.to_le_bytes());
        buffer.extend_from_slice(&mark.global_checkpoint.0.to_le_bytes());
        let crc = mark_crc(generation, buffer.get(start..).unwrap_or_default());
        buffer.extend_from_slice(&crc.to_le_bytes());
    })
}

fn mark_crc(generation: u64, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&generation.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

fn decode_mark(generation: u64, mut rest: &[u8]) -> Option<SyncMark> {
    if rest.len() < MARK_PAYLOAD - 1 || !rest.starts_with(MARK_MAGIC) {
        return None;
    }
    let crc = mark_crc(generation, rest.get(..MARK_PAYLOAD - 5)?);
    rest.advance(MARK_MAGIC.len());
    let mark = SyncMark { synced_length: rest.get_u64_le(), global_checkpoint: SeqNo(rest.get_i64_le()) };
    (rest.get_u32_le() == crc).then_some(mark)
}

/// The sync marks anywhere in `bytes`, whatever lies around them.
pub(super) fn find_marks(generation: u64, bytes: &[u8]) -> impl Iterator<Item = SyncMark> + '_ {
    let head = MARK_MAGIC.first().copied().unwrap_or_default();
    bytes.iter().enumerate().filter(move |(_, byte)| **byte == head).filter_map(move |(at, _)| decode_mark(generation, bytes.get(at..)?))
}

fn take_text(payload: &mut Bytes) -> Option<String> {
    if payload.remaining() < 4 {
        return None;
    }
    let length = payload.get_u32_le() as usize;
    if payload.remaining() < length {
        return None;
    }
    String::from_utf8(payload.split_to(length).to_vec()).ok()
}

/// Reads a payload whose checksum was right; `None` when it makes no sense all the same.
pub(super) fn decode(generation: u64, mut payload: Bytes) -> Option<Entry> {
    if payload.is_empty() {
        return None;
    }
    let kind = payload.get_u8();
    if kind == KIND_MARK {
        return decode_mark(generation, &payload).map(Entry::Mark);
    }
    if payload.remaining() < 5 * 8 {
        return None;
    }
    let seq_no = SeqNo(payload.get_i64_le());
    let op_term = PrimaryTerm(payload.get_u64_le());
    let mapping_version = payload.get_u64_le();
    let operation_id = payload.get_u64_le();
    let version = payload.get_i64_le();
    let id = take_text(&mut payload)?;
    let routing = match payload.has_remaining().then(|| payload.get_u8())? {
        0 => None,
        1 => Some(take_text(&mut payload)?),
        _ => return None,
    };
    let kind = match kind {
        KIND_INDEX => LoggedKind::Index { source: payload },
        KIND_DELETE if payload.is_empty() => LoggedKind::Delete,
        _ => return None,
    };
    Some(Entry::Operation(LoggedOperation { seq_no, op_term, mapping_version, operation_id, version, id, routing, kind }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn operation() -> impl Strategy<Value = LoggedOperation> {
        let kind = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| LoggedKind::Index { source: bytes.into() }),
            Just(LoggedKind::Delete)
        ];
        (any::<i64>(), any::<u64>(), any::<u64>(), any::<u64>(), any::<i64>(), ".*", proptest::option::of(".*"), kind).prop_map(
            |(seq_no, op_term, mapping_version, operation_id, version, id, routing, kind)| LoggedOperation {
                seq_no: SeqNo(seq_no),
                op_term: PrimaryTerm(op_term),
                mapping_version,
                operation_id,
                version,
                id,
                routing,
                kind,
            },
        )
    }

    proptest! {
        #[test]
        fn an_operation_is_read_as_it_was_written(operation in operation(), chain in any::<u32>()) {
            let mut buffer = Vec::new();
            let after = encode_operation(&mut buffer, chain, &operation);
            let payload = Bytes::from(buffer.split_off(FRAME_HEADER));
            prop_assert_eq!(chained(chain, &payload), after);
            prop_assert_eq!(decode(1, payload), Some(Entry::Operation(operation)));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = decode(1, bytes.clone().into());
            let _ = FileHeader::decode(&bytes);
            let _ = find_marks(1, &bytes).count();
        }
    }

    #[test]
    fn a_mark_is_found_among_garbage_of_its_own_generation_only() {
        let mark = SyncMark { synced_length: 77, global_checkpoint: SeqNo(5) };
        let mut buffer = b"garbage".to_vec();
        encode_mark(&mut buffer, 9, 3, mark);
        buffer.extend_from_slice(b"more");
        assert_eq!(find_marks(3, &buffer).collect::<Vec<_>>(), [mark]);
        assert_eq!(find_marks(4, &buffer).count(), 0);
    }

    #[test]
    fn a_header_is_checked() {
        let header = FileHeader { generation: 4, first_seq_no: SeqNo(10), previous_chain: 7 };
        let mut bytes = header.encode();
        assert_eq!(FileHeader::decode(&bytes), Some((header, header.chain())));
        bytes[9] ^= 1;
        assert_eq!(FileHeader::decode(&bytes), None);
    }
}
