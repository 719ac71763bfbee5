//! A digest of documents: equal for equal documents, however the segments that hold them were merged.

use crate::shard::searcher::ShardSearcher;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use tandem_common::{Result, SeqNo};

/// What is compared: how many live documents there are, and a hash over (id, sequence number, op term, version, source) of
/// each. The same in every version of this software.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Live documents.
    pub documents: u64,
    /// The sum of their hashes.
    pub sum: u128,
}

/// FNV-1a with 128 bits: simple enough to be written down for ever. It is no defence against someone who wants to be fooled.
#[derive(Clone, Copy)]
struct Hash(u128);

impl Hash {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

    fn add(self, bytes: &[u8]) -> Hash {
        let length = (bytes.len() as u64).to_le_bytes();
        Hash(length.iter().chain(bytes).fold(self.0, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(Self::PRIME)))
    }
}

impl ShardSearcher {
    /// The digest of the live documents whose last operation lies in `range`. Blocking: it reads each of them.
    ///
    /// # Errors
    /// An index that cannot be read.
    pub fn digest(&self, range: RangeInclusive<SeqNo>) -> Result<Digest> {
        let mut digest = Digest::default();
        self.visit_live(|seq_no, address| {
            if range.contains(&seq_no) {
                let document = self.document_at(seq_no, address)?;
                let numbers = [document.seq_no.0.to_le_bytes(), document.op_term.0.to_le_bytes(), document.version.to_le_bytes()];
                let hash = Hash(Hash::BASIS).add(document.id.as_bytes()).add(numbers.as_flattened()).add(&document.source);
                digest.documents += 1;
                digest.sum = digest.sum.wrapping_add(hash.0);
            }
            Ok(())
        })?;
        Ok(digest)
    }
}
