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
    /// Frozen nodes take results of frozen nodes alone. What has no parameters and follows them one by one is frozen too, up
    /// to the first dropout, so that the dropout before a new head stays at work.
    pub fn frozen(&self, trainable_blocks: u64) -> Option<Vec<bool>> {
        let blocks = self.blocks();
        let trainable = usize::try_from(trainable_blocks).unwrap_or(usize::MAX);
        let frozen = blocks.len().checked_sub(trainable)?;
        let (_, last) = blocks.get(frozen.checked_sub(1)?)?.nodes;
        let mut is_frozen: Vec<_> = (0..self.nodes.len()).map(|place| place <= last).collect();
        let consumers = self.consumers();
        let mut output = self.only_output(&is_frozen, &consumers);
        while let Some(place) = output {
            let [next] = consumers[place][..] else { break };
            let is_random =
                matches!(self.nodes[next].operation, Operation::Dropout { p } if p > 0.0);
            if self.parameters_of(next) > 0 || is_random {
                break;
            }
            is_frozen[next] = true;
            output = Some(next);
        }
        Some(is_frozen)
    }

    /// The frozen node whose result alone the others take; `None` where they take several.
    fn only_output(&self, is_frozen: &[bool], consumers: &[Vec<usize>]) -> Option<usize> {
        let is_output = |place: &usize| {
            is_frozen[*place] && consumers[*place].iter().any(|next| !is_frozen[*next])
        };
        let mut outputs = (0..self.nodes.len()).filter(is_output);
        outputs.next().filter(|_| outputs.next().is_none())
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
