//! What each run of words has as synonyms.

use std::collections::HashMap;

/// The synonyms of one run of words.
#[derive(Clone, Debug, Default)]
pub(super) struct Synonyms {
    /// Each a run of words itself, in the order of the rules.
    pub(super) outputs: Vec<Vec<String>>,
    /// The words themselves stay.
    pub(super) keeps_original: bool,
}

/// Runs of words as a tree.
#[derive(Clone, Debug)]
pub(super) struct SynonymMap {
    nodes: Vec<Node>,
    /// The longest run, in words.
    pub(super) longest: usize,
}

#[derive(Clone, Debug, Default)]
struct Node {
    next: HashMap<String, usize>,
    synonyms: Option<Synonyms>,
}

impl SynonymMap {
    pub(super) fn new() -> SynonymMap {
        SynonymMap { nodes: vec![Node::default()], longest: 0 }
    }

    /// Adds a rule; the same rule twice counts once.
    pub(super) fn add(&mut self, input: &[String], output: &[String], keeps_original: bool) {
        let mut at = 0;
        for word in input {
            let fresh = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { return };
            at = *node.next.entry(word.clone()).or_insert(fresh);
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        self.longest = self.longest.max(input.len());
        if let Some(node) = self.nodes.get_mut(at) {
            let synonyms = node.synonyms.get_or_insert_default();
            synonyms.keeps_original |= keeps_original;
            if !synonyms.outputs.iter().any(|known| known == output) {
                synonyms.outputs.push(output.to_vec());
            }
        }
    }

    /// The longest run that these words begin with: how many words, and its synonyms.
    pub(super) fn longest_match<'w>(&self, words: impl Iterator<Item = &'w str>) -> Option<(usize, &Synonyms)> {
        let (mut node, mut best) = (self.nodes.first()?, None);
        for (number, word) in words.enumerate() {
            let Some(next) = node.next.get(word).and_then(|next| self.nodes.get(*next)) else { break };
            node = next;
            if let Some(synonyms) = &node.synonyms {
                best = Some((number + 1, synonyms));
            }
        }
        best
    }
}
