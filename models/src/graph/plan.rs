//! The steps of a forward pass. Fusion is a rule about neighbours in the graph, so it is found in any network.

use super::{Graph, Operation};

/// Which operations may be fused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fusion {
    /// None: every result exists, for a recorder.
    None,
    /// Normalisation with activation, for evaluation.
    Activations,
    /// All, for training.
    All,
}

/// One step of a forward pass. Each computes the results of one or several nodes from those of earlier steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A node by itself.
    Node(usize),
    /// A batch normalisation and the activation after it. Only the activation has a result.
    NormActivation {
        /// The normalisation.
        norm: usize,
        /// The activation.
        activation: usize,
    },
    /// Batch normalisation, activation, and a convolution that is bound by memory. Only the convolution has a result.
    NormConv {
        /// The normalisation.
        norm: usize,
        /// The activation.
        activation: usize,
        /// The convolution: 1x1 or depthwise, without a bias.
        conv: usize,
    },
    /// Several 1x1 convolutions of the same images, each followed by a normalisation and an activation.
    Branches(Vec<usize>),
}

/// The steps of a forward pass, and when results are no longer needed.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The steps in order.
    pub(crate) steps: Vec<Step>,
    /// For each step, the nodes whose results no later step takes.
    pub(crate) last_uses: Vec<Vec<usize>>,
}

impl Step {
    /// The nodes whose results the step takes.
    pub(crate) fn inputs<'a>(&self, graph: &'a Graph) -> &'a [usize] {
        let first = match self {
            Self::Node(place) => *place,
            Self::NormActivation { norm, .. } | Self::NormConv { norm, .. } => *norm,
            Self::Branches(convs) => convs[0],
        };
        &graph.nodes[first].inputs
    }
}

impl Plan {
    pub(crate) fn new(graph: &Graph, fusion: Fusion) -> Self {
        Self::of_part(graph, fusion, &|_| true, &[])
    }

    /// The steps that compute the nodes that are `inside`, from results of the others. The results of `kept` stay.
    pub(crate) fn of_part(
        graph: &Graph,
        fusion: Fusion,
        inside: &dyn Fn(usize) -> bool,
        kept: &[usize],
    ) -> Self {
        let steps = steps(graph, fusion, inside);
        let mut last_step = vec![None; graph.nodes.len()];
        for (at, step) in steps.iter().enumerate() {
            for &input in step.inputs(graph) {
                last_step[input] = Some(at);
            }
        }
        let mut last_uses = vec![Vec::new(); steps.len()];
        // The output is taken by nobody and stays.
        for (node, at) in last_step.into_iter().enumerate() {
            if let Some(at) = at
                && !kept.contains(&node)
            {
                last_uses[at].push(node);
            }
        }
        Self { steps, last_uses }
    }
}

fn steps(graph: &Graph, fusion: Fusion, inside: &dyn Fn(usize) -> bool) -> Vec<Step> {
    let consumers = graph.consumers();
    // The only node that takes a result.
    let next = |place: usize| match consumers[place][..] {
        [next] if inside(next) => Some(next),
        _ => None,
    };
    let mut done: Vec<_> = (0..graph.nodes.len()).map(|place| !inside(place)).collect();
    let mut steps = Vec::new();
    for place in 1..graph.nodes.len() {
        if done[place] {
            continue;
        }
        let step = match graph.nodes[place].operation {
            Operation::BatchNorm { .. } if fusion != Fusion::None => {
                let after = next(place).filter(|next| is_activation(graph, *next));
                let conv = after
                    .and_then(next)
                    .filter(|conv| fusion == Fusion::All && is_bound_by_memory(graph, *conv));
                match (after, conv) {
                    (Some(activation), Some(conv)) => Step::NormConv {
                        norm: place,
                        activation,
                        conv,
                    },
                    (Some(activation), None) => Step::NormActivation {
                        norm: place,
                        activation,
                    },
                    (None, _) => Step::Node(place),
                }
            }
            Operation::Conv2d { .. } if fusion == Fusion::All && is_pointwise(graph, place) => {
                let input = graph.nodes[place].inputs[0];
                // Other convolutions, such as that of a long skip, would keep their results until they are needed.
                let goes_on = |conv: usize| {
                    let norm = next(conv).filter(|norm| {
                        matches!(graph.nodes[*norm].operation, Operation::BatchNorm { .. })
                    });
                    norm.and_then(next)
                        .is_some_and(|after| is_activation(graph, after))
                };
                let convs: Vec<_> = consumers[input]
                    .iter()
                    .copied()
                    .filter(|conv| inside(*conv) && is_pointwise(graph, *conv) && goes_on(*conv))
                    .collect();
                if convs.len() > 1 && convs.contains(&place) {
                    Step::Branches(convs)
                } else {
                    Step::Node(place)
                }
            }
            _ => Step::Node(place),
        };
        match &step {
            Step::Node(place) => done[*place] = true,
            Step::NormActivation { norm, activation } => {
                done[*norm] = true;
                done[*activation] = true;
            }
            Step::NormConv {
                norm,
                activation,
                conv,
            } => {
                for place in [norm, activation, conv] {
                    done[*place] = true;
                }
            }
            Step::Branches(convs) => convs.iter().for_each(|conv| done[*conv] = true),
        }
        steps.push(step);
    }
    steps
}

fn is_activation(graph: &Graph, place: usize) -> bool {
    matches!(graph.nodes[place].operation, Operation::Activation { .. })
}

/// A 1x1 convolution that takes every pixel once, without a bias.
fn is_pointwise(graph: &Graph, place: usize) -> bool {
    matches!(
        graph.nodes[place].operation,
        Operation::Conv2d {
            kernel: [1, 1],
            stride: [1, 1],
            padding: [0, 0],
            groups: 1,
            bias: false,
            ..
        }
    )
}

/// A convolution whose time is that of reading and writing its images.
fn is_bound_by_memory(graph: &Graph, place: usize) -> bool {
    let channels = graph.nodes[graph.nodes[place].inputs.first().copied().unwrap_or(0)].shape[0];
    let is_depthwise = match graph.nodes[place].operation {
        Operation::Conv2d {
            out_channels,
            groups,
            bias: false,
            ..
        } => groups == channels && out_channels == channels,
        _ => false,
    };
    is_depthwise || is_pointwise(graph, place)
}
