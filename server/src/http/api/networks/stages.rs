//! The stages of a network, of which pages draw its picture.

use serde::Serialize;
use utoipa::ToSchema;
use vivarium_models::graph::{Graph, Node, Operation};

/// Neighbouring layers whose results have the same height and width, and blocks of them that end with as many channels; of
/// vectors, a single layer.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stage {
    /// The shape of the last result: `[channels, height, width]` or `[values]`.
    shape: Vec<usize>,
    /// Convolutions and linear layers; 0 of the sample.
    layers: usize,
    /// The line of the text that makes the first of them, from 1; 0 for the sample.
    line: u32,
    /// The sums that its blocks end with, by their place among the layers: each is a skip.
    skips: Vec<usize>,
    /// The sums over several of such blocks.
    long_skips: Vec<usize>,
    /// The concatenation of its last block; `null` without.
    concat: Option<usize>,
}

/// The sample, and the stages of the layers after it.
pub(super) fn stages(graph: &Graph) -> Vec<Stage> {
    let sample = Stage {
        shape: graph.input().to_vec(),
        layers: 0,
        line: 0,
        skips: Vec::new(),
        long_skips: Vec::new(),
        concat: None,
    };
    let mut stages = vec![sample];
    // Whether a sum or a concatenation was the last: a block ends, and its result has the channels.
    let mut has_ended = true;
    let takers = takers(graph);
    for (place, node) in graph.nodes.iter().enumerate() {
        let is_layer = matches!(
            node.operation,
            Operation::Conv2d { .. } | Operation::Linear { .. }
        );
        let joins = matches!(node.operation, Operation::Concat | Operation::Sum);
        if !is_layer && !joins {
            continue;
        }
        let plane = node.shape.get(1..).unwrap_or_default();
        let same = stages.last_mut().filter(|stage| {
            stage.layers > 0 && !plane.is_empty() && stage.shape.get(1..) == Some(plane)
        });
        match same {
            Some(stage) if joins || !has_ended => {
                stage.layers += usize::from(is_layer);
                stage.shape.clone_from(&node.shape);
                match node.operation {
                    Operation::Sum if is_over_sums(graph, node, &takers) => {
                        stage.long_skips.push(place);
                    }
                    Operation::Sum => stage.skips.push(place),
                    Operation::Concat => stage.concat = Some(place),
                    _ => {}
                }
            }
            _ if is_layer => stages.push(Stage {
                shape: node.shape.clone(),
                layers: 1,
                line: node.lines.first().copied().unwrap_or(0),
                skips: Vec::new(),
                long_skips: Vec::new(),
                concat: None,
            }),
            _ => {}
        }
        has_ended = joins;
    }
    stages.dedup_by(|stage, before| {
        let is_more = before.layers > 0 && stage.shape.len() > 1 && stage.shape == before.shape;
        if is_more {
            before.layers += stage.layers;
            before.skips.append(&mut stage.skips);
            before.long_skips.append(&mut stage.long_skips);
            before.concat = stage.concat;
        }
        is_more
    });
    stages
}

/// How many layers take the result of each.
fn takers(graph: &Graph) -> Vec<usize> {
    let mut takers = vec![0; graph.nodes.len()];
    for &input in graph.nodes.iter().flat_map(|node| &node.inputs) {
        takers[input] += 1;
    }
    takers
}

/// Whether one of the branches that a sum adds, back to where they part, ends with another sum.
fn is_over_sums(graph: &Graph, sum: &Node, takers: &[usize]) -> bool {
    sum.inputs.iter().any(|&end| {
        let mut node = end;
        while takers[node] == 1 {
            match graph.nodes[node].inputs[..] {
                [before] => node = before,
                _ => return graph.nodes[node].operation == Operation::Sum,
            }
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Map;
    use vivarium_models::networks::NETWORKS;

    use super::*;

    fn stages_of(kind: &str, input: &[usize]) -> Vec<(Vec<usize>, usize)> {
        let row = NETWORKS.iter().find(|row| row.kind == kind).unwrap();
        let graph = row.graph_of(&Map::new(), input, 10).unwrap();
        let stages = stages(&graph).into_iter();
        stages.map(|stage| (stage.shape, stage.layers)).collect()
    }

    #[test]
    fn layers_of_one_size_are_a_stage_and_each_vector_is_one() {
        let vgg16 = stages_of("vgg16", &[3, 32, 32]);
        let expected = [
            (vec![3, 32, 32], 0),
            (vec![64, 32, 32], 2),
            (vec![128, 16, 16], 2),
            (vec![256, 8, 8], 3),
            (vec![512, 4, 4], 3),
            (vec![512, 2, 2], 3),
            (vec![4096], 1),
            (vec![4096], 1),
            (vec![10], 1),
        ];
        assert_eq!(vgg16, expected);
        let residual = stages_of("residual-small", &[3, 32, 32]);
        let shapes: Vec<_> = residual.iter().map(|(shape, _)| shape[0]).collect();
        assert_eq!(shapes, [3, 64, 128, 256, 512, 1024, 512, 10]);
        assert_eq!(
            residual[2].1, 17,
            "two blocks of eight convolutions, one with a projection"
        );
        let row = NETWORKS.iter().find(|row| row.kind == "inception").unwrap();
        let graph = row.graph_of(&Map::new(), &[3, 32, 32], 10).unwrap();
        let concat = stages(&graph)[2].concat.expect("a concatenation");
        let joined = graph.nodes[concat].inputs.iter();
        let channels: Vec<_> = joined.map(|&at| graph.nodes[at].shape[0]).collect();
        assert_eq!(channels, [64, 128, 32, 32]);
        let skips_of = |kind: &str| {
            let row = NETWORKS.iter().find(|row| row.kind == kind).unwrap();
            let graph = row.graph_of(&Map::new(), &[3, 32, 32], 10).unwrap();
            let stages = stages(&graph).into_iter();
            stages
                .map(|stage| (stage.skips.len(), stage.long_skips.len()))
                .collect::<Vec<_>>()
        };
        assert_eq!(skips_of("residual-small")[2], (2, 0));
        assert_eq!(
            skips_of("residual-deep")[2..6],
            [(2, 1); 4],
            "a skip around each of two blocks, and one around both"
        );
        let mlp = stages_of("mlp", &[2]);
        assert_eq!(mlp.first(), Some(&(vec![2], 0)));
        assert!(
            mlp[1..]
                .iter()
                .all(|(shape, layers)| shape.len() == 1 && *layers == 1)
        );
    }
}
