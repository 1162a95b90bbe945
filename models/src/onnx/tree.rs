//! A graph as a tree of sequences and joins. A text knows no variables: what several branches take is what stands before
//! the join that ends them.
//!
//! A node that joins results is put after the node that all ways to it pass (its immediate dominator, here by the algorithm
//! of Cooper, Harvey and Kennedy 2001), and each way from there to one of its inputs becomes a branch.

use std::collections::HashMap;

use super::{ImportError, Outcome};
use crate::graph::{Graph, Operation};

/// A part of a sequence.
#[derive(Debug, PartialEq)]
pub(super) enum Item {
    /// A layer, by its node.
    Layer(usize),
    /// A sum, a product or a concatenation of branches.
    Join(usize, Vec<Vec<Self>>),
}

/// Joins within joins.
const MAX_DEPTH: usize = 60;

/// The most parts of a tree, which has a layer without weights in each branch that takes it.
const MAX_ITEMS: usize = 20_000;

/// The sequence from the input to `result`. `has_weights` says which nodes may not be there twice.
pub(super) fn tree(
    graph: &mut Graph,
    result: usize,
    has_weights: &dyn Fn(usize) -> bool,
    shown: &dyn Fn(usize) -> String,
) -> Outcome<Vec<Item>> {
    share_prefixes(graph);
    let dominators = dominators(graph);
    let mut builder = Builder {
        graph,
        dominators: &dominators,
        seen: vec![false; graph.nodes.len()],
        has_weights,
        shown,
        count: 0,
    };
    builder.sequence(0, result, 0)
}

struct Builder<'a> {
    graph: &'a Graph,
    dominators: &'a [usize],
    seen: Vec<bool>,
    has_weights: &'a dyn Fn(usize) -> bool,
    shown: &'a dyn Fn(usize) -> String,
    count: usize,
}

impl Builder<'_> {
    /// The way from a node, which is not part of it, to another.
    fn sequence(&mut self, from: usize, to: usize, depth: usize) -> Outcome<Vec<Item>> {
        if depth > MAX_DEPTH {
            return Err(ImportError::new(format!(
                "more than {MAX_DEPTH} branches within branches are not read"
            )));
        }
        let mut items = Vec::new();
        let mut at = to;
        while at != from {
            let joins = self.graph.nodes[at].operation.joins();
            let is_twice = std::mem::replace(&mut self.seen[at], true);
            if is_twice && (joins || (self.has_weights)(at)) {
                return Err(ImportError::new(format!(
                    "the result of {} is taken by branches that end at different places: a text has no way to write that",
                    (self.shown)(at)
                )));
            }
            self.count += 1;
            if self.count > MAX_ITEMS {
                return Err(ImportError::new("the branches share too many layers"));
            }
            if joins {
                let start = self.dominators[at];
                let branches = self.graph.nodes[at].inputs.clone();
                let branches = branches
                    .into_iter()
                    .map(|input| self.sequence(start, input, depth + 1))
                    .collect::<Outcome<_>>()?;
                items.push(Item::Join(at, branches));
                at = start;
            } else {
                items.push(Item::Layer(at));
                at = self.graph.nodes[at].inputs.first().copied().unwrap_or(from);
            }
        }
        items.reverse();
        Ok(items)
    }
}

/// For each node the last one that all ways to it pass.
fn dominators(graph: &Graph) -> Vec<usize> {
    let mut dominators = vec![0; graph.nodes.len()];
    let mut depth = vec![0usize; graph.nodes.len()];
    for (at, node) in graph.nodes.iter().enumerate().skip(1) {
        let common = |a: usize, b: &usize| {
            let (mut a, mut b) = (a, *b);
            while a != b {
                if depth[a] >= depth[b] {
                    a = dominators[a];
                } else {
                    b = dominators[b];
                }
            }
            a
        };
        let first = node.inputs.first().copied().unwrap_or(0);
        let dominator = node.inputs.iter().fold(first, common);
        dominators[at] = dominator;
        depth[at] = depth[dominator] + 1;
    }
    dominators
}

/// Replaces the first inputs of a concatenation by another one that has just these: densely connected networks concatenate
/// all earlier results again and again.
fn share_prefixes(graph: &mut Graph) {
    let mut next: HashMap<(usize, usize), usize> = HashMap::new();
    // The concatenation of each known list of inputs; the empty list is 0.
    let mut whole: Vec<Option<usize>> = vec![None];
    for at in 0..graph.nodes.len() {
        if graph.nodes[at].operation != Operation::Concat {
            continue;
        }
        let inputs = graph.nodes[at].inputs.clone();
        let mut list = 0;
        let mut shared = None;
        for (len, input) in inputs.iter().enumerate() {
            list = *next.entry((list, *input)).or_insert_with(|| {
                whole.push(None);
                whole.len() - 1
            });
            if let Some(other) = whole[list]
                && len > 0
            {
                shared = Some((len + 1, other));
            }
        }
        whole[list].get_or_insert(at);
        if let Some((len, other)) = shared {
            graph.nodes[at].inputs = [&[other], &inputs[len..]].concat();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Activation;

    fn graph(nodes: &[(Operation, &[usize])]) -> Graph {
        let mut graph = Graph::new("test", &[4, 2, 2]);
        for (operation, inputs) in nodes {
            graph
                .push(String::new(), operation.clone(), inputs.to_vec())
                .unwrap();
        }
        graph
    }

    fn read(graph: &mut Graph) -> Outcome<Vec<Item>> {
        let last = graph.nodes.len() - 1;
        tree(graph, last, &|_| true, &|at| at.to_string())
    }

    const RELU: Operation = Operation::Activation {
        function: Activation::Relu,
    };

    #[test]
    fn a_join_has_a_branch_for_each_way_to_it() {
        let mut graph = graph(&[
            (RELU, &[0]),
            (RELU, &[1]),
            (Operation::Sum, &[2, 1]),
            (RELU, &[3]),
        ]);
        let branches = vec![vec![Item::Layer(2)], vec![]];
        assert_eq!(
            read(&mut graph).unwrap(),
            [Item::Layer(1), Item::Join(3, branches), Item::Layer(4)]
        );
    }

    #[test]
    fn a_concatenation_of_all_before_takes_the_one_before_it() {
        let nodes = [
            (RELU, &[0][..]),
            (Operation::Concat, &[0, 1]),
            (RELU, &[2]),
            (Operation::Concat, &[0, 1, 3]),
        ];
        let inner = Item::Join(2, vec![vec![], vec![Item::Layer(1)]]);
        let outer = Item::Join(4, vec![vec![], vec![Item::Layer(3)]]);
        assert_eq!(read(&mut graph(&nodes)).unwrap(), [inner, outer]);
    }

    #[test]
    fn branches_that_share_a_layer_with_weights_are_refused() {
        let nodes = [
            (RELU, &[0][..]),
            (RELU, &[1]),
            (RELU, &[1]),
            (Operation::Sum, &[2, 0]),
            (Operation::Sum, &[3, 4]),
        ];
        let message = read(&mut graph(&nodes)).unwrap_err().to_string();
        assert!(
            message.contains("branches that end at different places"),
            "{message}"
        );
    }
}
