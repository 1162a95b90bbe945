//! The blocks of a network: what is frozen or trained as a whole.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Graph, Operation};

/// A part of a network that is frozen or trained as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Block {
    /// Its name, which is that of the part in the network's picture, such as `blocks.1`.
    pub name: String,
    /// Its trainable values.
    pub parameters: u64,
    /// The places of its first and its last node with parameters.
    #[serde(skip)]
    nodes: (usize, usize),
}

impl Graph {
    /// The blocks with parameters, from the input to the output. A block is a part of the network's picture; a network of
    /// one part is divided into its layers. Parts that are computed side by side are one block.
    pub fn blocks(&self) -> Vec<Block> {
        let parts = self.merged(&self.groups());
        if parts.len() > 1 {
            return parts;
        }
        let layers: Vec<_> = self.nodes.iter().map(|node| node.name.clone()).collect();
        self.merged(&layers)
    }

    /// Blocks by the part of each node. Two whose nodes alternate are one, so that no node takes the result of a later
    /// block.
    fn merged(&self, parts: &[String]) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            let parameters = self.parameters_of(place);
            if parameters == 0 {
                continue;
            }
            match blocks.iter().position(|block| block.name == *part) {
                Some(at) => {
                    let later: u64 = blocks.drain(at + 1..).map(|block| block.parameters).sum();
                    let block = &mut blocks[at];
                    block.parameters += parameters + later;
                    block.nodes.1 = place;
                }
                None => blocks.push(Block {
                    name: part.clone(),
                    parameters,
                    nodes: (place, place),
                }),
            }
        }
        blocks
    }

    /// The name of the last layer with parameters; empty where it is the whole network.
    pub fn head(&self) -> &str {
        let order = self.state_dict_order();
        let last = order
            .iter()
            .rev()
            .find(|place| self.parameters_of(**place) > 0);
        let node = last
            .map(|place| &self.nodes[*place])
            .filter(|node| !node.root);
        node.map_or("", |node| &node.name)
    }

    /// Which nodes are frozen where only the last `trainable_blocks` blocks are trained; `None` where all are trained.
    ///
    /// Frozen nodes take results of frozen nodes alone. What follows them without parameters is frozen too, as far as the
    /// others then take the result of one frozen node, and up to the first dropout, so that the dropout before a new head
    /// stays at work.
    pub fn frozen(&self, trainable_blocks: u64) -> Option<Vec<bool>> {
        let blocks = self.blocks();
        let trainable = usize::try_from(trainable_blocks).unwrap_or(usize::MAX);
        let frozen = blocks.len().checked_sub(trainable)?;
        let (_, last) = blocks.get(frozen.checked_sub(1)?)?.nodes;
        let mut part = FrozenNodes::up_to(last, self);
        let mut widest = part.is_frozen.clone();
        for place in last + 1..self.nodes.len() {
            let node = &self.nodes[place];
            let is_random = matches!(node.operation, Operation::Dropout { p } if p > 0.0);
            let follows = node.inputs.iter().all(|input| part.is_frozen[*input]);
            if follows && !is_random && self.parameters_of(place) == 0 {
                part.add(place, &node.inputs);
                if part.outputs == 1 {
                    widest.clone_from(&part.is_frozen);
                }
            }
        }
        Some(widest)
    }

    /// The trainable values where only the last `trainable_blocks` blocks are trained.
    pub fn trainable_parameters(&self, trainable_blocks: Option<u64>) -> u64 {
        let frozen = trainable_blocks.and_then(|blocks| self.frozen(blocks));
        let Some(frozen) = frozen else {
            return self.parameters();
        };
        let trained = (0..self.nodes.len()).filter(|place| !frozen[*place]);
        trained.map(|place| self.parameters_of(place)).sum()
    }
}

/// Nodes that are frozen, and how many of them the others take results of.
struct FrozenNodes {
    is_frozen: Vec<bool>,
    /// How many nodes that are not frozen take the result of each.
    takers: Vec<usize>,
    outputs: usize,
}

impl FrozenNodes {
    /// The nodes up to one.
    fn up_to(last: usize, graph: &Graph) -> Self {
        let mut part = Self {
            is_frozen: vec![false; graph.nodes.len()],
            takers: graph.consumers().iter().map(Vec::len).collect(),
            outputs: 0,
        };
        for (place, node) in graph.nodes[..=last].iter().enumerate() {
            part.add(place, &node.inputs);
        }
        part
    }

    /// Freezes a node whose inputs are frozen.
    fn add(&mut self, place: usize, inputs: &[usize]) {
        self.is_frozen[place] = true;
        self.outputs += usize::from(self.takers[place] > 0);
        for input in inputs {
            self.takers[*input] -= 1;
            self.outputs -= usize::from(self.takers[*input] == 0);
        }
    }
}
