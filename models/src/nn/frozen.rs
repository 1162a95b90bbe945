//! A network of which the first part is frozen. The frozen part is computed as in evaluation, with running statistics and
//! without dropout, and outside of the tape: its parameters have no gradients, and the backward pass ends at the first
//! layer that is trained.

use std::collections::HashSet;

use super::Context;
use crate::graph::{Fusion, Graph, Plan};

/// The division of a graph into a frozen part and the rest.
#[derive(Clone, Debug)]
pub struct FrozenPart {
    /// Whether each node is frozen.
    nodes: Vec<bool>,
    /// The frozen nodes whose results the rest takes.
    outputs: Vec<usize>,
    /// The steps of the frozen part.
    pub(super) frozen: Plan,
    /// The steps of the rest, in training and in evaluation.
    training: Plan,
    evaluation: Plan,
}

impl FrozenPart {
    /// Freezes all but the last `trainable_blocks` [blocks](Graph::blocks); `None` where nothing is frozen.
    pub fn new(graph: &Graph, trainable_blocks: u64) -> Option<Self> {
        let nodes = graph.frozen(trainable_blocks)?;
        let consumers = graph.consumers();
        let is_output = |place: &usize| {
            nodes[*place] && consumers[*place].iter().any(|consumer| !nodes[*consumer])
        };
        let outputs: Vec<_> = (0..nodes.len()).filter(is_output).collect();
        let rest = |fusion| Plan::of_part(graph, fusion, &|place| !nodes[place], &[]);
        Some(Self {
            frozen: Plan::of_part(graph, Fusion::Activations, &|place| nodes[place], &outputs),
            training: rest(Fusion::All),
            evaluation: rest(Fusion::Activations),
            outputs,
            nodes,
        })
    }

    /// The node whose result alone the rest takes; `None` where it takes several.
    pub fn output(&self) -> Option<usize> {
        match self.outputs[..] {
            [output] => Some(output),
            _ => None,
        }
    }

    /// The steps of the rest.
    pub(super) fn rest(&self, context: &Context<'_>) -> &Plan {
        match context.is_training() {
            true => &self.training,
            false => &self.evaluation,
        }
    }

    /// The names of the frozen nodes.
    pub fn names<'a>(&self, graph: &'a Graph) -> HashSet<&'a str> {
        let nodes = graph.nodes.iter().zip(&self.nodes);
        nodes
            .filter(|(_, frozen)| **frozen)
            .map(|(node, _)| node.name.as_str())
            .collect()
    }
}
