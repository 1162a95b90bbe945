//! The stages of a network, of which pages draw its picture.

use serde::Serialize;
use utoipa::ToSchema;
use vivarium_models::graph::{Graph, Operation};

/// Neighbouring layers whose results have the same height and width; of vectors, a single layer.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stage {
    /// The shape of the last result: `[channels, height, width]` or `[values]`.
    shape: Vec<usize>,
    /// Convolutions and linear layers; 0 of the sample.
    layers: usize,
    /// The line of the text that makes the first of them, from 1; 0 for the sample.
    line: u32,
}

/// The sample, and the stages of the layers after it.
pub(super) fn stages(graph: &Graph) -> Vec<Stage> {
    let sample = Stage {
        shape: graph.input().to_vec(),
        layers: 0,
        line: 0,
    };
    let mut stages = vec![sample];
    for node in &graph.nodes {
        let is_layer = matches!(
            node.operation,
            Operation::Conv2d { .. } | Operation::Linear { .. }
        );
        // A concatenation ends a stage with all of its channels.
        let joins = matches!(node.operation, Operation::Concat);
        let plane = node.shape.get(1..).unwrap_or_default();
        let same = stages.last_mut().filter(|stage| {
            stage.layers > 0 && !plane.is_empty() && stage.shape.get(1..) == Some(plane)
        });
        match same {
            Some(stage) if is_layer || joins => {
                stage.layers += usize::from(is_layer);
                stage.shape.clone_from(&node.shape);
            }
            None if is_layer => stages.push(Stage {
                shape: node.shape.clone(),
                layers: 1,
                line: node.lines.first().copied().unwrap_or(0),
            }),
            _ => {}
        }
    }
    stages
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
        let mlp = stages_of("mlp", &[2]);
        assert_eq!(mlp.first(), Some(&(vec![2], 0)));
        assert!(
            mlp[1..]
                .iter()
                .all(|(shape, layers)| shape.len() == 1 && *layers == 1)
        );
    }
}
