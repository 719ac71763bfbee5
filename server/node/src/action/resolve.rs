//! From names to indices and from ids to shards.

use super::IndexNames;
use std::sync::Arc;
use tandem_cluster::index_names::{self, NameOptions};
use tandem_cluster::{ClusterState, IndexMetadata};
use tandem_common::error::BlockReason;
use tandem_common::{Error, Result};

/// Whether an expression may name aliases and closed indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reading or maintaining: aliases count, closed indices are an error.
    Open,
    /// Looking at metadata: aliases and closed indices count.
    Metadata,
    /// Deleting: names of indices only.
    Delete,
}

/// The concrete indices of an expression.
pub(super) fn indices(state: &ClusterState, names: &IndexNames, purpose: Purpose) -> Result<Vec<Arc<IndexMetadata>>> {
    let options = NameOptions {
        ignore_unavailable: names.options.ignore_unavailable,
        allow_no_indices: names.options.allow_no_indices,
        expand_open: names.options.expand_open,
        expand_closed: names.options.expand_closed,
        expand_hidden: names.options.expand_hidden,
        resolve_aliases: purpose != Purpose::Delete,
        forbid_closed: purpose == Purpose::Open,
    };
    index_names::resolve(state, &names.names, options)
}

/// The shard of a document: OpenSearch's murmur3 of the routing value (the id without one) over the routing slots.
pub(super) fn shard_of(index: &IndexMetadata, id: &str, routing: Option<&str>) -> u32 {
    let shards = index.number_of_shards().max(1);
    shard_among(shards, index.number_of_routing_shards().max(shards), routing.unwrap_or(id))
}

/// Shards are equal groups of slots.
fn shard_among(shards: u32, slots: u32, routing: &str) -> u32 {
    let slot = murmur3_of_utf16(routing).rem_euclid(i32::try_from(slots).unwrap_or(i32::MAX));
    u32::try_from(slot).unwrap_or(0) / (slots / shards)
}

/// MurmurHash3 x86 32-bit, seed 0, over the UTF-16 code units of `text`, low byte first, as OpenSearch's
/// `Murmur3HashFunction` does. The algorithm is Austin Appleby's, in the public domain.
fn murmur3_of_utf16(text: &str) -> i32 {
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut hash = 0u32;
    let scramble = |block: u32| block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let mut blocks = bytes.chunks_exact(4);
    for block in &mut blocks {
        let word = block.iter().rev().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        hash = (hash ^ scramble(word)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let rest = blocks.remainder();
    if !rest.is_empty() {
        hash ^= scramble(rest.iter().rev().fold(0u32, |word, byte| word << 8 | u32::from(*byte)));
    }
    hash ^= u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    (hash ^ (hash >> 16)).cast_signed()
}

/// An error when any block stands in the way.
pub(super) fn refuse_blocked(index: &IndexMetadata, blocks: Vec<BlockReason>) -> Result<()> {
    if blocks.is_empty() {
        return Ok(());
    }
    Err(Error::ClusterBlock { index: Some(index.name.clone()), blocks, status: 403 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_go_to_the_shards_that_opensearch_gives_them() {
        // (routing value, shard of 8, shard of 5), as `_search_shards` of OpenSearch 3.1 tells them.
        let known = [
            ("hell", 7, 1),
            ("hello", 3, 4),
            ("hello w", 3, 3),
            ("hello wo", 2, 0),
            ("hello wor", 2, 1),
            ("The quick brown fox", 4, 2),
            ("東京", 4, 0),
            ("zürich", 6, 2),
            ("1", 0, 4),
            ("12345678", 2, 0),
            ("a", 2, 1),
        ];
        for (routing, of_eight, of_five) in known {
            assert_eq!(shard_among(8, 1024, routing), of_eight, "{routing} of 8");
            assert_eq!(shard_among(5, 640, routing), of_five, "{routing} of 5");
        }
    }
}
