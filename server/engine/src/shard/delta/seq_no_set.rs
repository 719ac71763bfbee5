//! A set of sequence numbers, and its compressed form for the wire.
//!
//! Sequence numbers are dense: the set is a map of blocks of bits. On the wire each block takes the shorter of two forms: its
//! bits, or the lengths of its runs, absent and present in turn. A block of an index that nobody updated takes a few bytes.

use std::collections::BTreeMap;
use tandem_common::{Error, Result, SeqNo};

/// Sequence numbers in a block.
pub(super) const BLOCK_LENGTH: i64 = 1 << 16;

const WORDS: usize = 1 << 10;

/// Block number, form, length.
const BLOCK_HEADER: usize = 8 + 1 + 4;

const FORM_BITS: u8 = 0;
const FORM_RUNS: u8 = 1;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeqNoSet {
    blocks: BTreeMap<i64, Box<[u64]>>,
}

fn place(seq_no: SeqNo) -> Option<(i64, usize, u32)> {
    let within = u32::try_from(seq_no.0.rem_euclid(BLOCK_LENGTH)).ok()?;
    (seq_no.0 >= 0).then_some((seq_no.0 / BLOCK_LENGTH, (within / 64) as usize, within % 64))
}

fn damaged(detail: &str) -> Error {
    Error::illegal_argument(format!("a set of sequence numbers cannot be read: {detail}"))
}

impl SeqNoSet {
    /// Adds a sequence number; one below 0 is never in a set.
    pub fn insert(&mut self, seq_no: SeqNo) {
        let Some((block, word, bit)) = place(seq_no) else { return };
        let words = self.blocks.entry(block).or_insert_with(|| vec![0; WORDS].into_boxed_slice());
        if let Some(word) = words.get_mut(word) {
            *word |= 1 << bit;
        }
    }

    /// Whether it is in the set.
    pub fn contains(&self, seq_no: SeqNo) -> bool {
        let word = |(block, word, bit): (i64, usize, u32)| Some(self.blocks.get(&block)?.get(word)? & (1 << bit) != 0);
        place(seq_no).and_then(word).unwrap_or(false)
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.blocks.values().flat_map(|words| words.iter()).map(|word| u64::from(word.count_ones())).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every one, rising.
    pub fn iter(&self) -> impl Iterator<Item = SeqNo> + '_ {
        self.iter_from(SeqNo(0))
    }

    /// Every one from `from` on, rising.
    pub fn iter_from(&self, from: SeqNo) -> impl Iterator<Item = SeqNo> + '_ {
        let blocks = self.blocks.range(from.0.max(0) / BLOCK_LENGTH..).flat_map(|(block, words)| {
            (block * BLOCK_LENGTH..).step_by(64).zip(words.iter()).flat_map(|(base, word)| {
                let mut left = *word;
                std::iter::from_fn(move || {
                    let bit = left.trailing_zeros();
                    left &= left.checked_sub(1)?;
                    Some(SeqNo(base + i64::from(bit)))
                })
            })
        });
        blocks.skip_while(move |seq_no| *seq_no < from)
    }

    /// Those that `other` lacks.
    #[must_use]
    pub fn without(&self, other: &SeqNoSet) -> SeqNoSet {
        let mut left = self.clone();
        for (block, words) in &mut left.blocks {
            let Some(others) = other.blocks.get(block) else { continue };
            for (word, other) in words.iter_mut().zip(others.iter()) {
                *word &= !other;
            }
        }
        left
    }

    /// Takes in another set.
    pub fn merge(&mut self, other: SeqNoSet) {
        for (block, others) in other.blocks {
            match self.blocks.get_mut(&block) {
                Some(words) => words.iter_mut().zip(others.iter()).for_each(|(word, other)| *word |= other),
                None => {
                    self.blocks.insert(block, others);
                }
            }
        }
    }

    /// The compressed form of the blocks from the one that holds `from` on: at least one block if there is one, then no more
    /// than about `bytes_max`. With it the first sequence number that is not covered, if anything is left.
    pub fn encode(&self, from: SeqNo, bytes_max: usize) -> (Vec<u8>, Option<SeqNo>) {
        let mut bytes = Vec::new();
        for (block, words) in self.blocks.range(from.0.max(0) / BLOCK_LENGTH..) {
            if !bytes.is_empty() && bytes.len() >= bytes_max {
                return (bytes, Some(SeqNo(block * BLOCK_LENGTH)));
            }
            let runs = runs_of(words);
            let (form, body) = if runs.len() < WORDS * 8 {
                (FORM_RUNS, runs)
            } else {
                (FORM_BITS, words.iter().flat_map(|word| word.to_le_bytes()).collect())
            };
            bytes.extend_from_slice(&block.to_le_bytes());
            bytes.push(form);
            bytes.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
            bytes.extend_from_slice(&body);
        }
        (bytes, None)
    }

    /// Reads what [`Self::encode`] wrote, with nothing in it above `highest`: so that no input takes more memory than the
    /// sequence numbers up to there.
    ///
    /// # Errors
    /// [`Error::IllegalArgument`] for anything else.
    pub fn decode(mut bytes: &[u8], highest: SeqNo) -> Result<SeqNoSet> {
        let mut set = SeqNoSet::default();
        while !bytes.is_empty() {
            let (header, rest) = bytes.split_at_checked(BLOCK_HEADER).ok_or_else(|| damaged("a block is cut off"))?;
            let (block, header) = header.split_first_chunk::<8>().ok_or_else(|| damaged("no block number"))?;
            let (form, length) = header.split_first().ok_or_else(|| damaged("no form"))?;
            let length = length.first_chunk::<4>().map(|length| u32::from_le_bytes(*length) as usize);
            let (body, rest) = length.and_then(|length| rest.split_at_checked(length)).ok_or_else(|| damaged("a block is cut off"))?;
            let block = i64::from_le_bytes(*block);
            if highest < SeqNo(0) || !(0..=highest.0 / BLOCK_LENGTH).contains(&block) {
                return Err(damaged("a block lies above what was asked for"));
            }
            let words = match *form {
                FORM_BITS if body.len() == WORDS * 8 => {
                    body.chunks_exact(8).map(|word| word.try_into().map_or(0, u64::from_le_bytes)).collect()
                }
                FORM_RUNS => bits_of(body).ok_or_else(|| damaged("runs leave their block"))?,
                _ => return Err(damaged("unknown form of a block")),
            };
            if set.blocks.insert(block, words).is_some() {
                return Err(damaged("a block comes twice"));
            }
            bytes = rest;
        }
        if set.blocks.last_key_value().is_some_and(|(block, words)| highest_in(*block, words) > highest) {
            return Err(damaged("a number lies above what was asked for"));
        }
        Ok(set)
    }
}

/// The highest number in a block; below the block when there is none.
fn highest_in(block: i64, words: &[u64]) -> SeqNo {
    let word = words.iter().enumerate().rev().find(|(_, word)| **word != 0);
    let within = word.map_or(-1, |(at, word)| at as i64 * 64 + 63 - i64::from(word.leading_zeros()));
    SeqNo(block * BLOCK_LENGTH + within)
}

/// The lengths of the runs of absent and present bits in turn, each as a variable-length number. Stops early once it is longer
/// than the bits.
fn runs_of(words: &[u64]) -> Vec<u8> {
    let mut runs = Vec::new();
    let (mut present, mut length) = (false, 0u32);
    for word in words {
        let mut at = 0;
        while at < 64 {
            let ahead = if present { !(word >> at) } else { word >> at };
            let same = ahead.trailing_zeros().min(64 - at);
            length += same;
            at += same;
            if at < 64 {
                put_number(&mut runs, length);
                (present, length) = (!present, 0);
            }
        }
        if runs.len() >= WORDS * 8 {
            return runs;
        }
    }
    put_number(&mut runs, length);
    runs
}

fn put_number(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    for shift in [0, 7, 14] {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn bits_of(mut runs: &[u8]) -> Option<Box<[u64]>> {
    let mut words = vec![0u64; WORDS].into_boxed_slice();
    let (mut present, mut at) = (false, 0usize);
    while !runs.is_empty() {
        let end = at + take_number(&mut runs)? as usize;
        if end > WORDS * 64 {
            return None;
        }
        while present && at < end {
            // To the end of the word or of the run.
            let stop = ((at / 64 + 1) * 64).min(end);
            let bits = if stop - at == 64 { u64::MAX } else { ((1 << (stop - at)) - 1) << (at % 64) };
            *words.get_mut(at / 64)? |= bits;
            at = stop;
        }
        at = end;
        present = !present;
    }
    (at == WORDS * 64).then_some(words)
}

impl FromIterator<SeqNo> for SeqNoSet {
    fn from_iter<I: IntoIterator<Item = SeqNo>>(seq_nos: I) -> Self {
        let mut set = SeqNoSet::default();
        seq_nos.into_iter().for_each(|seq_no| set.insert(seq_no));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set(numbers: impl IntoIterator<Item = i64>) -> SeqNoSet {
        numbers.into_iter().map(SeqNo).collect()
    }

    fn decoded(set: &SeqNoSet, bytes_max: usize) -> (SeqNoSet, usize) {
        let (mut whole, mut total, mut from) = (SeqNoSet::default(), 0, Some(SeqNo(0)));
        while let Some(start) = from {
            let (bytes, next) = set.encode(start, bytes_max);
            total += bytes.len();
            whole.merge(SeqNoSet::decode(&bytes, set.iter().last().unwrap_or(SeqNo(-1))).unwrap());
            from = next;
        }
        (whole, total)
    }

    #[test]
    fn a_dense_set_takes_a_few_bytes_and_a_random_one_no_more_than_its_bits() {
        let dense = set((0..1_000_000).filter(|n| n % 100_000 != 7));
        let (same, bytes) = decoded(&dense, usize::MAX);
        assert_eq!((same == dense, dense.len()), (true, 999_990));
        assert!(bytes < 500, "{bytes}");
        let mixed = set((0..1_000_000).filter(|n| (n * n / 7) % 5 < 2));
        let (same, bytes) = decoded(&mixed, 10_000);
        assert!(same == mixed && bytes < 1_000_000 / 8 + 16 * (8192 / 16 + BLOCK_HEADER), "{bytes}");
    }

    #[test]
    fn nothing_above_what_was_asked_for_is_taken() {
        let (bytes, _) = set([5, 70_000]).encode(SeqNo(0), usize::MAX);
        assert!(SeqNoSet::decode(&bytes, SeqNo(70_000)).is_ok());
        for highest in [69_999, 5, -1] {
            assert!(SeqNoSet::decode(&bytes, SeqNo(highest)).is_err());
        }
    }

    proptest! {
        #[test]
        fn a_set_behaves_like_a_set(a in proptest::collection::vec((0i64..300_000, 1i64..3000), 0..20),
                                    b in proptest::collection::vec((0i64..300_000, 1i64..3000), 0..20), bytes_max in 1usize..30_000) {
            let numbers = |runs: &[(i64, i64)]| runs.iter().flat_map(|(start, length)| *start..start + length).collect::<BTreeSet<_>>();
            let (one, two) = (numbers(&a), numbers(&b));
            let (first, second) = (set(one.iter().copied()), set(two.iter().copied()));
            prop_assert!(first.iter().map(|n| n.0).eq(one.iter().copied()));
            prop_assert!(first.without(&second).iter().map(|n| n.0).eq(one.difference(&two).copied()));
            prop_assert_eq!(first.len(), one.len() as u64);
            prop_assert_eq!(first.is_empty(), one.is_empty());
            prop_assert!((0..300).all(|n| first.contains(SeqNo(n * 997)) == one.contains(&(n * 997))));
            prop_assert_eq!(decoded(&first, bytes_max).0, first);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = SeqNoSet::decode(&bytes, SeqNo(1 << 40));
        }
    }
}
