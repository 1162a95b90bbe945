//! The forward pass of a graph.

use candle_core::{Result as CandleResult, Tensor};

use super::batch_norm::BatchNorm;
use super::context::{Context, LayerOp, Mode};
use super::conv2d::Conv2d;
use super::dropout::dropout;
use super::frozen::FrozenPart;
use super::linear::Linear;
use super::var_store::{VarBuilder, VarStore};
use crate::error::{Error, Result};
use crate::graph::{Fusion, Graph, Operation, Plan, Step};
use crate::ops::{self, Activation, ConvParams, WithStats};

/// A graph with its parameters, ready to compute. Images are channels last between its layers.
#[derive(Debug)]
pub struct Executor {
    graph: Graph,
    /// The parameters of each node.
    layers: Vec<Layer>,
    /// The part of the network that each node belongs to.
    groups: Vec<String>,
    /// Whether a node takes the input as an image.
    takes_image: bool,
    training: Plan,
    evaluation: Plan,
    recording: Plan,
}

#[derive(Debug)]
enum Layer {
    None,
    Conv(Conv2d),
    Linear(Linear),
    Norm(BatchNorm),
}

/// The results of earlier steps that are still needed, by node.
type Results = Vec<Option<WithStats>>;

impl Executor {
    /// Creates the parameters of a graph, in the order of a PyTorch state dict.
    ///
    /// # Errors
    /// As [`VarBuilder::parameter`].
    pub fn new(graph: Graph, store: &mut VarStore) -> Result<Self> {
        let mut layers: Vec<_> = graph.nodes.iter().map(|_| Layer::None).collect();
        for place in graph.state_dict_order() {
            let node = &graph.nodes[place];
            let mut root = store.root();
            let vb = if node.root { root } else { root.pp(&node.name) };
            layers[place] = Layer::new(vb, &graph, place)?;
        }
        let takes_image = graph.input().len() == 3
            && graph.nodes.iter().any(|node| {
                node.inputs.contains(&0) && !matches!(node.operation, Operation::Flatten)
            });
        Ok(Self {
            groups: graph.groups(),
            training: Plan::new(&graph, Fusion::All),
            evaluation: Plan::new(&graph, Fusion::Activations),
            recording: Plan::new(&graph, Fusion::None),
            layers,
            takes_image,
            graph,
        })
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The result for samples `x` `[n, …]`, images as `[n, channels, height, width]`.
    ///
    /// # Errors
    /// [`Error::Layer`] names the node that failed.
    pub fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        let plan = match (context.is_recording(), context.is_training()) {
            (true, _) => &self.recording,
            (false, true) => &self.training,
            (false, false) => &self.evaluation,
        };
        let mut results = self.of_input(x)?;
        self.run(plan, &mut results, context)?;
        output(results)
    }

    /// As [`Executor::forward`], with a frozen part: it is computed as in evaluation, and no tape has it.
    ///
    /// # Errors
    /// As [`Executor::forward`].
    pub fn forward_frozen(
        &self,
        x: &Tensor,
        part: &FrozenPart,
        context: &mut Context<'_>,
    ) -> Result<Tensor> {
        let mut results = self.of_input(x)?;
        self.run(
            &part.frozen,
            &mut results,
            &mut Context::new(Mode::Evaluate),
        )?;
        self.run(part.rest(context), &mut results, context)?;
        output(results)
    }

    /// The result of the frozen part for samples `x`, where the rest takes only one: `[n, …]`, images as
    /// `[n, height, width, channels]`.
    ///
    /// # Errors
    /// As [`Executor::forward`]; where the rest takes several results.
    pub fn features(&self, x: &Tensor, part: &FrozenPart) -> Result<Tensor> {
        let place = self.feature(part)?;
        let mut results = self.of_input(x)?;
        self.run(
            &part.frozen,
            &mut results,
            &mut Context::new(Mode::Evaluate),
        )?;
        let features = results.swap_remove(place);
        let features = features.map(|features| features.values);
        features.ok_or_else(|| Error::setting("network", "has no frozen layers"))
    }

    /// The result of the network, from the result of its frozen part.
    ///
    /// # Errors
    /// As [`Executor::features`].
    pub fn forward_features(
        &self,
        features: &Tensor,
        part: &FrozenPart,
        context: &mut Context<'_>,
    ) -> Result<Tensor> {
        let place = self.feature(part)?;
        let mut results: Results = vec![None; self.graph.nodes.len()];
        results[place] = Some(features.into());
        self.run(part.rest(context), &mut results, context)?;
        output(results)
    }

    /// The node whose result alone is taken from the frozen part.
    fn feature(&self, part: &FrozenPart) -> Result<usize> {
        part.output().ok_or_else(|| {
            Error::setting(
                "network",
                "has several results that its trained layers take from the frozen ones",
            )
        })
    }

    /// The results before the first step.
    fn of_input(&self, x: &Tensor) -> Result<Results> {
        let mut results: Results = vec![None; self.graph.nodes.len()];
        results[0] = Some(if self.takes_image {
            self.named(0, ops::channels_last(x))?.into()
        } else {
            x.into()
        });
        Ok(results)
    }

    fn run(&self, plan: &Plan, results: &mut Results, context: &mut Context<'_>) -> Result<()> {
        for (step, last_uses) in plan.steps.iter().zip(&plan.last_uses) {
            self.step(step, results, context)?;
            // Only the tape holds what is no longer needed.
            for &place in last_uses {
                results[place] = None;
            }
        }
        Ok(())
    }

    /// Names the node in an error.
    fn named<T>(&self, place: usize, result: CandleResult<T>) -> Result<T> {
        result.map_err(|source| Error::Layer {
            layer: self.graph.nodes[place].name.clone(),
            source,
        })
    }

    fn step(&self, step: &Step, results: &mut Results, context: &mut Context<'_>) -> Result<()> {
        match step {
            Step::Node(place) => {
                let y = self.node(*place, results, context)?;
                results[*place] = Some(y.into());
            }
            Step::NormActivation { norm, activation } => {
                let x = self.input(*norm, 0, results)?;
                let function = self.activation(*activation);
                let y = self.norm(*norm)?.forward(x, function, context);
                results[*activation] = Some(self.named(*norm, y)?.into());
            }
            Step::NormConv {
                norm,
                activation,
                conv,
            } => {
                let x = self.input(*norm, 0, results)?;
                let convolution = self.conv(*conv)?;
                let y = self.norm(*norm)?.forward_norm_conv(
                    x,
                    self.activation(*activation).unwrap_or(Activation::Relu),
                    &convolution.weight,
                    convolution.params,
                );
                results[*conv] = Some(self.named(*conv, y)?);
            }
            Step::Branches(convs) => {
                let x = &self.input(convs[0], 0, results)?.values;
                let weights = convs
                    .iter()
                    .map(|conv| Ok(&self.conv(*conv)?.weight))
                    .collect::<Result<Vec<_>>>()?;
                let branches = self.named(convs[0], ops::conv2d_branches(x, &weights))?;
                for (conv, y) in convs.iter().zip(branches) {
                    results[*conv] = Some(y.into());
                }
            }
        }
        Ok(())
    }

    /// An input of a node.
    fn input<'a>(&self, place: usize, which: usize, results: &'a Results) -> Result<&'a WithStats> {
        let node = &self.graph.nodes[place];
        let input = node.inputs.get(which).and_then(|i| results[*i].as_ref());
        input.ok_or_else(|| Error::setting(&node.name, "has no input"))
    }

    fn activation(&self, place: usize) -> Option<Activation> {
        match self.graph.nodes[place].operation {
            Operation::Activation { function } => Some(function),
            _ => None,
        }
    }

    fn norm(&self, place: usize) -> Result<&BatchNorm> {
        match &self.layers[place] {
            Layer::Norm(norm) => Ok(norm),
            _ => Err(self.wrong_layer(place)),
        }
    }

    fn conv(&self, place: usize) -> Result<&Conv2d> {
        match &self.layers[place] {
            Layer::Conv(conv) => Ok(conv),
            _ => Err(self.wrong_layer(place)),
        }
    }

    fn wrong_layer(&self, place: usize) -> Error {
        let name = &self.graph.nodes[place].name;
        Error::setting(name, "is not the layer that the plan says")
    }

    /// Computes one node by itself.
    fn node(&self, place: usize, results: &Results, context: &mut Context<'_>) -> Result<Tensor> {
        let node = &self.graph.nodes[place];
        let inputs = (0..node.inputs.len())
            .map(|which| Ok(&self.input(place, which, results)?.values))
            .collect::<Result<Vec<_>>>()?;
        let first = self.input(place, 0, results)?;
        let x = &first.values;
        let (op, y) = match (&self.layers[place], &node.operation) {
            (Layer::Conv(conv), _) => (conv.op(), conv.forward(x, context)),
            (Layer::Linear(linear), _) => (linear.op(), linear.forward(x, context)),
            (Layer::Norm(norm), _) => (norm.op(), norm.forward(first, None, context)),
            (_, Operation::Activation { function }) => {
                (LayerOp::Activation(*function), ops::activate(x, *function))
            }
            (_, operation) => match operation {
                Operation::Hardtanh { min, max } => (LayerOp::Clip, ops::hardtanh(x, *min, *max)),
                Operation::MaxPool2d { window } => (LayerOp::Pool, ops::max_pool2d(x, *window)),
                Operation::AvgPool2d {
                    window,
                    count_include_pad,
                } => (
                    LayerOp::Pool,
                    ops::avg_pool2d(x, *window, *count_include_pad),
                ),
                Operation::AdaptiveAvgPool2d {
                    output: [rows, columns],
                } => (LayerOp::Pool, ops::adaptive_avg_pool2d(x, *rows, *columns)),
                Operation::Mean => {
                    let means = ops::adaptive_avg_pool2d(x, 1, 1)
                        .and_then(|means| ops::flatten_channels_first(&means));
                    (LayerOp::Pool, means)
                }
                Operation::Dropout { p } => (LayerOp::Dropout, dropout(&node.name, *p, x, context)),
                Operation::Sum => {
                    let sum = inputs[1..]
                        .iter()
                        .try_fold(x.clone(), |sum, y| ops::add(&sum, y));
                    (LayerOp::Sum, sum)
                }
                Operation::Mul => {
                    let product = inputs[1..]
                        .iter()
                        .try_fold(x.clone(), |product, y| ops::mul(&product, y));
                    (LayerOp::Mul, product)
                }
                Operation::Concat => (LayerOp::Concat, ops::cat(&inputs)),
                _ => return self.named(place, self.moved(place, x)),
            },
        };
        context.enter(&self.groups[place]);
        context.pass(&node.name, op, &inputs, y)
    }

    /// The result of a node that only moves values.
    fn moved(&self, place: usize, x: &Tensor) -> CandleResult<Tensor> {
        let node = &self.graph.nodes[place];
        match node.operation {
            Operation::Flatten if x.rank() == 4 && (node.inputs[0] != 0 || self.takes_image) => {
                ops::flatten_channels_first(x)
            }
            Operation::Flatten => ops::flatten(x),
            Operation::ZeroPad1d { padding } => {
                let zeros = |len| Tensor::zeros((x.dim(0)?, len), x.dtype(), x.device());
                let (before, after) = (zeros(padding[0])?, zeros(padding[1])?);
                let mut parts = vec![x];
                if padding[0] > 0 {
                    parts.insert(0, &before);
                }
                if padding[1] > 0 {
                    parts.push(&after);
                }
                ops::cat(&parts)
            }
            Operation::ZeroPad2d { padding } => ops::zero_pad2d(x, padding),
            _ => Ok(x.clone()),
        }
    }
}

/// The result of the last node.
fn output(mut results: Results) -> Result<Tensor> {
    let output = results.pop().flatten();
    let output = output.map(|output| output.values);
    output.ok_or_else(|| Error::setting("network", "has no layers"))
}

impl Layer {
    fn new(vb: VarBuilder<'_>, graph: &Graph, place: usize) -> Result<Self> {
        let shape = graph.weight_shape(place);
        let init = graph.weight_init(place);
        Ok(match graph.nodes[place].operation {
            Operation::Conv2d {
                stride,
                padding,
                dilation,
                groups,
                bias,
                ..
            } => {
                let params = ConvParams {
                    stride,
                    padding,
                    dilation,
                    groups,
                };
                Self::Conv(Conv2d::new(vb, &shape, params, bias, init)?)
            }
            Operation::Linear { bias, .. } => Self::Linear(Linear::new(vb, &shape, bias, init)?),
            Operation::BatchNorm { eps, momentum } => {
                Self::Norm(BatchNorm::new(vb, shape[0], eps, momentum)?)
            }
            _ => Self::None,
        })
    }
}
