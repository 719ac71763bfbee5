//! Identifiers as newtypes, so that two integers of different meaning cannot be swapped.

use crate::env::{clock, rng};
use base64::Engine as _;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// A new random id: 16 random bytes as 22 URL-safe base64 characters, the shape OpenSearch uses.
            pub fn random() -> Self {
                Self(random_text_id())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// The identity of an index for ever: a name may be used again, a UUID is not.
    IndexUuid
);
text_id!(
    /// Names the data of one shard copy; a new copy gets a new one.
    AllocationId
);
text_id!(
    /// Names one history of a shard. It changes whenever the history may fork.
    HistoryId
);
text_id!(
    /// The stable identity of a node, kept in its data directory.
    NodeId
);

/// 16 random bytes as 22 URL-safe base64 characters.
pub fn random_text_id() -> String {
    let mut bytes = [0u8; 16];
    rng::fill(&mut bytes);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// The 20 characters that OpenSearch gives to a document without an id: 15 bytes, URL-safe base64.
pub fn random_document_id() -> String {
    let mut bytes = [0u8; 15];
    rng::fill(&mut bytes);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// An id for an operation, or for the first of several that take the numbers that follow: the milliseconds since 1970, then 22
/// random bits. It only has to be rare: ids that collide are told apart by the documents that they are about.
pub fn operation_id() -> u64 {
    (u64::try_from(clock::wall_millis()).unwrap_or_default() << 22) | (rng::next_u64() >> 42)
}

impl NodeId {
    /// The number under which openraft knows this node: the first eight bytes of a hash of the text.
    pub fn raft_id(&self) -> u64 {
        // FNV-1a, 64 bits: stable for ever and good enough for random input.
        self.0.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
}

/// One opening of a shard copy's store. A command that names an old session is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub u64);

impl SessionId {
    /// A new random session.
    pub fn random() -> Self {
        Self(rng::next_u64() >> 1)
    }
}

/// The position of an operation in the log of its shard, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeqNo(pub i64);

impl SeqNo {
    /// The checkpoint of an empty log (OpenSearch's `NO_OPS_PERFORMED`).
    pub const NONE: SeqNo = SeqNo(-1);
    /// "Not assigned" in requests and answers (OpenSearch's `UNASSIGNED_SEQ_NO`).
    pub const UNASSIGNED: SeqNo = SeqNo(-2);

    /// The position after this one.
    #[must_use]
    pub fn next(self) -> SeqNo {
        SeqNo(self.0 + 1)
    }
}

impl fmt::Display for SeqNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Counts the primaries of a shard; also the *op term* of a record: the term under which it was first sequenced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrimaryTerm(pub u64);

impl fmt::Display for PrimaryTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One shard of one index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ShardId {
    /// The index's name, for people and error texts.
    pub index: String,
    /// The index's identity.
    pub index_uuid: IndexUuid,
    /// The shard's number, from 0.
    pub shard: u32,
}

impl fmt::Display for ShardId {
    /// `[index][0]`, as OpenSearch prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}][{}]", self.index, self.shard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_id_has_the_length_that_clients_know() {
        assert_eq!(random_text_id().len(), 22);
        assert_eq!(random_document_id().len(), 20);
        assert_ne!(random_text_id(), random_text_id());
    }

    #[test]
    fn a_shard_prints_as_opensearch_prints_it() {
        let shard = ShardId { index: "logs".into(), index_uuid: IndexUuid("u".into()), shard: 3 };
        assert_eq!(shard.to_string(), "[logs][3]");
    }
}
