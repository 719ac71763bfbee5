//! `multiplexer`: each word through several chains of filters, what comes out of all of them in one place.

use crate::analysis::chain::{Expander, ExpanderFactory, Filter, Queue, run};
use crate::analysis::token::Word;

/// Several chains; an empty one gives the word as it is.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct Multiplexer {
    pub(in crate::analysis) chains: Vec<Vec<Filter>>,
}

struct MultiplexerAtWork<'a>(&'a Multiplexer);

impl ExpanderFactory for Multiplexer {
    fn start(&self) -> Box<dyn Expander + '_> {
        Box::new(MultiplexerAtWork(self))
    }
}

impl Expander for MultiplexerAtWork<'_> {
    fn push(&mut self, word: Word, out: &mut Queue) {
        let mut given: Vec<String> = Vec::new();
        for chain in &self.0.chains {
            for mut made in run(chain, vec![word.clone()]) {
                // The same text is given once.
                if given.contains(&made.text) {
                    continue;
                }
                made.increment = if given.is_empty() { word.increment } else { 0 };
                given.push(made.text.clone());
                out.push_back(made);
            }
        }
    }
}
