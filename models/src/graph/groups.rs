//! The parts of a network, as pictures show them.

use std::collections::{HashMap, HashSet};

use super::{Graph, Operation};

impl Graph {
    /// The part that each node belongs to, such as `blocks.1` or `features stage 2`: the first component of its name,
    /// with the second if that is the number of a block. A sequence of layers is divided after each pooling. Nodes without
    /// a layer with parameters beside them belong to the part before them.
    pub fn groups(&self) -> Vec<String> {
        self.divided(true)
    }

    /// The part of the text's tree that each node belongs to: as [`Graph::groups`], but each node is in the part that its name
    /// says.
    pub fn parts(&self) -> Vec<String> {
        self.divided(false)
    }

    /// The parts; `joined` where nodes without parameters belong to the part before them.
    fn divided(&self, joined: bool) -> Vec<String> {
        let bases: HashSet<_> = self.nodes.iter().map(|node| base(&node.name)).collect();
        // The sum of a block has the block's name, and belongs to it.
        let part = |name| bases.get(name).copied().unwrap_or_else(|| base(name));
        let names: Vec<_> = self.nodes.iter().map(|node| part(&*node.name)).collect();
        let with_parameters: HashSet<_> = (0..self.nodes.len())
            .filter(|place| self.parameters_of(*place) > 0)
            .map(|place| names[place])
            .collect();
        let mut groups: Vec<String> = Vec::with_capacity(names.len());
        let mut pools: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, (node, name)) in self.nodes.iter().zip(&names).enumerate() {
            let group = match groups.last() {
                Some(before) if joined && place > 1 && !with_parameters.contains(name) => {
                    before.clone()
                }
                _ => (*name).to_owned(),
            };
            let is_pool = matches!(
                node.operation,
                Operation::MaxPool2d { .. } | Operation::AvgPool2d { .. }
            );
            if is_pool && is_item(&node.name, name) {
                pools.entry(name).or_default().push(place);
            }
            groups.push(group);
        }
        for (place, name) in names.iter().enumerate() {
            if let Some(pools) = pools.get(name).filter(|pools| pools.len() > 1)
                && groups[place] == *name
            {
                let stage = 1 + pools.partition_point(|pool| *pool < place);
                groups[place] = format!("{name} stage {}", stage.min(pools.len()));
            }
        }
        groups
    }
}

/// The part that a name alone speaks of: `blocks.1` of `blocks.1.skip.conv`, `stem` of `stem.0`.
fn base(name: &str) -> &str {
    let mut dots = name.match_indices('.').map(|(at, _)| at);
    let Some(first) = dots.next() else {
        return name;
    };
    match dots.next() {
        Some(second) if name[first + 1..second].parse::<usize>().is_ok() => &name[..second],
        _ => &name[..first],
    }
}

/// Whether a node is an item of the sequence, such as `features.3` of `features`.
fn is_item(node: &str, sequence: &str) -> bool {
    let item = node
        .strip_prefix(sequence)
        .and_then(|rest| rest.strip_prefix('.'));
    item.is_some_and(|item| item.parse::<usize>().is_ok())
}
