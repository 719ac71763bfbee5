//! `min_hash`: the smallest hashes of all words, bucket by bucket.

use crate::analysis::chain::{End, Expander, ExpanderFactory, Queue};
use crate::analysis::token::{TokenKind, Word};
use std::collections::BTreeSet;

/// How many hashes are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct MinHash {
    pub(super) hashes: usize,
    pub(super) buckets: usize,
    pub(super) set_size: usize,
    /// An empty bucket takes what its neighbour has.
    pub(super) rotates: bool,
}

/// High and low half: the order in which hashes are smaller.
type Hash = (u64, u64);

struct MinHashAtWork {
    settings: MinHash,
    /// For each hash its buckets.
    sets: Vec<Vec<BTreeSet<Hash>>>,
    any: bool,
    end: usize,
}

impl ExpanderFactory for MinHash {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(MinHashAtWork { settings: *self, sets: vec![vec![BTreeSet::new(); self.buckets]; self.hashes], any: false, end: 0 })
    }
}

impl Expander for MinHashAtWork {
    fn push(&mut self, word: Word, _out: &mut Queue) {
        (self.any, self.end) = (true, word.end);
        let bytes: Vec<u8> = word.text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let hash = murmur3_128(&bytes);
        let buckets = self.settings.buckets as u64;
        let bucket_size = (1_u64 << 32).div_ceil(buckets.max(1));
        for (number, sets) in self.sets.iter_mut().enumerate() {
            let own = murmur3_128(&u32::try_from(number).unwrap_or(0).to_be_bytes());
            let mix = |first: u64, second: u64| first.wrapping_mul(37).wrapping_add(second);
            let mixed = (mix(hash.0, own.0), mix(hash.1, own.1));
            let bucket = usize::try_from((mixed.0 >> 32) / bucket_size).unwrap_or(0);
            if let Some(set) = sets.get_mut(bucket) {
                set.insert(mixed);
                if set.len() > self.settings.set_size {
                    set.pop_last();
                }
            }
        }
    }

    fn finish(&mut self, out: &mut Queue, _end: &mut End) {
        if !self.any {
            return;
        }
        let many = self.settings.hashes > 1;
        let mut increment = 1;
        for (number, buckets) in self.sets.iter().enumerate() {
            for bucket in 0..buckets.len() {
                let own = buckets.get(bucket).filter(|set| !set.is_empty());
                let neighbour = || buckets.iter().cycle().skip(bucket).take(buckets.len()).find(|set| !set.is_empty());
                let set = match own {
                    Some(set) => Some(set),
                    None if self.settings.rotates => neighbour(),
                    None => None,
                };
                for hash in set.into_iter().flatten() {
                    let text = text_of(*hash, many.then_some(number));
                    out.push_back(Word { text, increment, end: self.end, kind: TokenKind::MIN_HASH, ..Word::default() });
                    increment = 0;
                }
            }
        }
    }
}

/// The hash as characters of 16 bits, behind the number of the hash where there are several.
fn text_of((high, low): Hash, number: Option<usize>) -> String {
    let mut units: Vec<u16> = Vec::new();
    let mut long = |value: u64, count: usize| {
        for shift in [48, 32, 16, 0].iter().take(count) {
            units.push(u16::try_from(value >> shift & 0xFFFF).unwrap_or(0));
        }
    };
    if let Some(number) = number {
        long((number as u64) << 32, 2);
    }
    long(high, 4);
    long(low, if number.is_some() { 2 } else { 4 });
    String::from_utf16_lossy(&units)
}

/// MurmurHash3 x64 128-bit with seed 0, high half first. The algorithm is Austin Appleby's, in the public domain.
fn murmur3_128(bytes: &[u8]) -> Hash {
    const C1: u64 = 0x87c3_7b91_1142_53d5;
    const C2: u64 = 0x4cf5_ad43_2745_937f;
    let (mut first, mut second) = (0_u64, 0_u64);
    let half = |bytes: &[u8]| bytes.iter().take(8).rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    let scramble_first = |value: u64| value.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
    let scramble_second = |value: u64| value.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
    let mut blocks = bytes.chunks_exact(16);
    for block in &mut blocks {
        let (low, high) = block.split_at(8);
        first ^= scramble_first(half(low));
        first = first.rotate_left(27).wrapping_add(second).wrapping_mul(5).wrapping_add(0x52dc_e729);
        second ^= scramble_second(half(high));
        second = second.rotate_left(31).wrapping_add(first).wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let (low, high) = blocks.remainder().split_at(blocks.remainder().len().min(8));
    second ^= scramble_second(half(high));
    first ^= scramble_first(half(low));
    let length = bytes.len() as u64;
    first ^= length;
    second ^= length;
    first = first.wrapping_add(second);
    second = second.wrapping_add(first);
    let finish = |mut value: u64| {
        value ^= value >> 33;
        value = value.wrapping_mul(0xff51_afd7_ed55_8ccd);
        value ^= value >> 33;
        value = value.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        value ^ value >> 33
    };
    first = finish(first);
    second = finish(second);
    first = first.wrapping_add(second);
    second = second.wrapping_add(first);
    (second, first)
}
