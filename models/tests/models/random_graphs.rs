//! Random graphs: fused as in training and unfused as under a recorder, forward and backward.
//!
//! Some of them are also compared with PyTorch, by `tests/golden/random_graphs.py`: scores, and gradients of a loss. With
//! `VIVARIUM_RANDOM_GRAPHS` a folder, all are written there for it.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor, Var};
use vivarium_models::graph::{Graph, Operation};
use vivarium_models::nn::{Context, Executor, LayerRecord, Mode, VarStore};
use vivarium_models::ops::{Activation, PoolWindow, Tape, cross_entropy};
use vivarium_models::random::{Generator, Key};

use crate::python;

const GRAPHS: u64 = 500;
const CLASSES: usize = 5;
const BATCH: usize = 3;

/// A random network of convolutions, normalisations, activations, pools, sums and concatenations.
pub(crate) struct Random {
    graph: Graph,
    generator: Generator,
}

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.generator.below(end as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn push(&mut self, operation: Operation, inputs: &[usize]) -> usize {
        let name = format!("net.n{}", self.graph.nodes.len());
        self.graph.push(name, operation, inputs.to_vec()).unwrap()
    }

    fn shape(&self, node: usize) -> [usize; 3] {
        self.graph.nodes[node].shape[..].try_into().unwrap()
    }

    fn conv(&mut self, x: usize, out_channels: usize, kernel: usize, groups: usize) -> usize {
        let bias = self.below(3) == 0;
        let operation = Operation::Conv2d {
            out_channels,
            kernel: [kernel; 2],
            stride: [1, 1],
            padding: [kernel / 2; 2],
            dilation: [1, 1],
            groups,
            bias,
            init: None,
        };
        self.push(operation, &[x])
    }

    fn function(&mut self) -> Operation {
        if self.below(10) == 0 {
            return Operation::Hardtanh {
                min: -0.75,
                max: 1.5,
            };
        }
        Operation::Activation {
            function: self.one_of(&Activation::ALL),
        }
    }

    /// A convolution, mostly followed by a normalisation, mostly followed by an activation.
    fn layer(&mut self, x: usize, out: usize) -> usize {
        let [channels, ..] = self.shape(x);
        let mut x = match self.below(4) {
            0 => self.conv(x, channels, 3, channels),
            1 => self.conv(x, out, 3, 1),
            2 if channels.is_multiple_of(2) && out.is_multiple_of(2) => self.conv(x, out, 3, 2),
            _ => self.conv(x, out, 1, 1),
        };
        if self.below(5) > 0 {
            let norm = match self.below(4) {
                0 => Operation::BatchNorm {
                    eps: 1e-3,
                    momentum: 0.01,
                },
                _ => Operation::BATCH_NORM,
            };
            x = self.push(norm, &[x]);
        }
        if self.below(5) > 0 {
            let function = self.function();
            x = self.push(function, &[x]);
        }
        x
    }

    fn with_width(&mut self, x: usize, out: usize) -> usize {
        let x = self.conv(x, out, 1, 1);
        self.push(Operation::BATCH_NORM, &[x])
    }

    fn branch(&mut self, x: usize, out: usize) -> usize {
        let mut x = x;
        for _ in 0..self.below(3) {
            let width = self.one_of(&[4, 6, 8]);
            x = self.layer(x, width);
        }
        let x = self.conv(x, out, 1, 1);
        let x = self.push(Operation::BATCH_NORM, &[x]);
        let function = self.function();
        self.push(function, &[x])
    }

    /// A window that is not square, with what is left over, or both.
    fn pool(&mut self) -> Operation {
        let (kernel, stride, padding) = self.one_of(&[
            ([3, 2], [2, 1], [1, 0]),
            ([2, 3], [2, 2], [0, 1]),
            ([1, 3], [3, 2], [0, 0]),
            ([3, 3], [2, 2], [1, 1]),
        ]);
        let window = PoolWindow {
            kernel,
            stride,
            padding,
            ceil_mode: self.below(2) == 0,
        };
        match self.below(3) {
            0 => Operation::MaxPool2d { window },
            more => Operation::AvgPool2d {
                window,
                count_include_pad: more == 1,
            },
        }
    }

    fn block(&mut self, x: usize) -> usize {
        let [channels, height, width] = self.shape(x);
        match self.below(10) {
            0 => {
                let body = self.branch(x, channels);
                self.push(Operation::Sum, &[body, x])
            }
            1 => {
                let out = self.one_of(&[4, 8, 12]);
                let body = self.branch(x, out);
                let skip = self.with_width(x, out);
                self.push(Operation::Sum, &[body, skip])
            }
            2 => {
                let count = 2 + self.below(3);
                let branches: Vec<_> = (0..count)
                    .map(|_| {
                        let out = self.one_of(&[3, 4, 5]);
                        self.branch(x, out)
                    })
                    .collect();
                self.push(Operation::Concat, &branches)
            }
            3 if height > 2 && width > 2 => {
                let (kernel, stride, padding) = self.one_of(&[(2, 2, 0), (3, 1, 1), (3, 2, 1)]);
                let window = PoolWindow::square(kernel, stride, padding);
                self.push(Operation::MaxPool2d { window }, &[x])
            }
            // Squeeze and excitation.
            5 => {
                let mut gate = self.push(Operation::AdaptiveAvgPool2d { output: [1, 1] }, &[x]);
                gate = self.conv(gate, 3, 1, 1);
                let function = self.function();
                gate = self.push(function, &[gate]);
                gate = self.conv(gate, channels, 1, 1);
                let function = self.one_of(&[Activation::Sigmoid, Activation::Hardsigmoid]);
                gate = self.push(Operation::Activation { function }, &[gate]);
                self.push(Operation::Mul, &[x, gate])
            }
            6 if height > 3 && width > 3 => {
                let pool = self.pool();
                self.push(pool, &[x])
            }
            7 => {
                let output = [1 + self.below(4), 1 + self.below(5)];
                self.push(Operation::AdaptiveAvgPool2d { output }, &[x])
            }
            8 if height > 4 && width > 4 => {
                let (kernel, dilation) =
                    self.one_of(&[([3, 2], [2, 1]), ([1, 3], [1, 2]), ([2, 2], [3, 3])]);
                let groups = self.one_of(&[1, channels]);
                let conv = Operation::Conv2d {
                    out_channels: channels,
                    kernel,
                    stride: [1, self.one_of(&[1, 2])],
                    padding: [self.below(2), self.below(3)],
                    dilation,
                    groups,
                    bias: false,
                    init: None,
                };
                self.push(conv, &[x])
            }
            4 => {
                let kernel = self.one_of(&[1, 3, 5]);
                let stride = self.one_of(&[1, 2]);
                let conv = Operation::Conv2d {
                    out_channels: 6,
                    kernel: [kernel; 2],
                    stride: [stride, 1],
                    padding: [kernel / 2; 2],
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                    init: None,
                };
                self.push(conv, &[x])
            }
            _ => {
                let out = self.one_of(&[4, 6, 8]);
                self.layer(x, out)
            }
        }
    }

    pub(crate) fn network(seed: u64) -> Graph {
        let mut generator = Key::new(seed, "random graph").generator();
        let side = 5 + (generator.uniform(0.0, 6.0) as usize);
        let mut this = Self {
            graph: Graph::new("random", &[3, side, side + 1]),
            generator,
        };
        let mut x = this.layer(0, 4);
        for _ in 0..1 + this.below(6) {
            x = this.block(x);
        }
        x = match this.below(3) {
            0 => this.push(Operation::Mean, &[x]),
            1 => {
                x = this.push(Operation::AdaptiveAvgPool2d { output: [2, 2] }, &[x]);
                this.push(Operation::Flatten, &[x])
            }
            _ => this.push(Operation::Flatten, &[x]),
        };
        let scores = Operation::Linear {
            out_features: CLASSES,
            bias: true,
            init: None,
        };
        this.push(scores, &[x]);
        this.graph
    }
}

/// The scores and the gradients of input and parameters.
fn pass(executor: &Executor, store: &VarStore, x: &Var, recorded: bool) -> Vec<(String, Vec<f64>)> {
    let mode = Mode::Train { seed: 0, step: 1 };
    let mut ignore = |_: &LayerRecord<'_>| Ok(());
    let ((scores, loss), tape) = Tape::record(|| {
        let mut context = match recorded {
            true => Context::recorded(mode, &mut ignore),
            false => Context::new(mode),
        };
        let scores = executor.forward(x, &mut context).unwrap();
        let loss = cross_entropy(&scores, &[0, 1, 2]).unwrap();
        (scores, loss)
    });
    let gradients = tape.backward(&loss.tensor).unwrap();
    let values = |tensor: &Tensor| {
        let flat = tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap();
        flat.to_vec1::<f64>().unwrap()
    };
    let parameters = store.parameters().map(|(name, var)| (name, var.id()));
    let all = parameters.chain([("input", x.id())]);
    let gradients = all.map(|(name, id)| (name.to_owned(), values(&gradients[&id])));
    [("scores".to_owned(), values(&scores))]
        .into_iter()
        .chain(gradients)
        .collect()
}

/// An input from a key.
pub(crate) fn input(graph: &Graph, seed: u64) -> Var {
    let shape = [&[BATCH], graph.input()].concat();
    let mut values = vec![0f64; shape.iter().product()];
    let mut generator = Key::new(seed, "input").generator();
    values
        .iter_mut()
        .for_each(|value| *value = generator.normal());
    Var::from_vec(values, shape, &Device::Cpu).unwrap()
}

#[test]
fn fused_graphs_compute_what_unfused_ones_do() {
    for seed in 0..GRAPHS {
        let graph = Random::network(seed);
        let x = input(&graph, seed);
        let mut store = VarStore::new_f64(seed);
        let executor = Executor::new(graph.clone(), &mut store).unwrap();
        let fused = pass(&executor, &store, &x, false);
        let unfused = pass(&executor, &store, &x, true);
        let largest = |values: &[f64]| values.iter().fold(0f64, |most, v| most.max(v.abs()));
        // Where a normalisation makes a gradient 0, only rounding is left: it is small beside the others.
        let scale = unfused
            .iter()
            .map(|(_, values)| largest(values))
            .fold(0.0, f64::max);
        for ((name, fused), (_, unfused)) in fused.iter().zip(&unfused) {
            let tolerance = 1e-5 * largest(unfused).max(1e-6 * scale);
            for (a, b) in fused.iter().zip(unfused) {
                assert!(
                    (a - b).abs() <= tolerance,
                    "graph {seed}, {name}: {a} {b}\n{graph:#?}"
                );
            }
        }
        if let Some(folder) = std::env::var_os("VIVARIUM_RANDOM_GRAPHS") {
            write(
                &Path::new(&folder).join(seed.to_string()),
                &graph,
                &executor,
                &store,
                &x,
                &unfused,
            );
        }
    }
}

#[test]
fn pytorch_gives_the_scores_and_gradients_of_random_graphs() {
    const COMPARED: u64 = 60;
    if !python::has("random graphs", &["safetensors", "torch"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..COMPARED {
        let graph = Random::network(seed);
        let x = input(&graph, seed);
        let mut store = VarStore::new_f64(seed);
        let executor = Executor::new(graph.clone(), &mut store).unwrap();
        let gradients = pass(&executor, &store, &x, false);
        let here = folder.path().join(seed.to_string());
        write(&here, &graph, &executor, &store, &x, &gradients);
    }
    println!("{}", python::run("random_graphs.py", &[folder.path()], &[]));
}

/// Writes a graph with what it computes, for PyTorch.
fn write(
    folder: &Path,
    graph: &Graph,
    executor: &Executor,
    store: &VarStore,
    x: &Var,
    gradients: &[(String, Vec<f64>)],
) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("model.py"), graph.pytorch()).unwrap();
    let scores = executor
        .forward(x, &mut Context::new(Mode::Evaluate))
        .unwrap();
    let tensors = store
        .tensors()
        .map(|(name, tensor)| (name.to_owned(), tensor.clone()));
    let mut tensors: HashMap<_, _> = tensors.collect();
    tensors.insert("<input>".to_owned(), x.as_tensor().clone());
    tensors.insert("<scores>".to_owned(), scores);
    for (name, values) in gradients {
        let values = Tensor::new(&values[..], &Device::Cpu).unwrap();
        tensors.insert(format!("<gradient>{name}"), values);
    }
    candle_core::safetensors::save(&tensors, folder.join("values.safetensors")).unwrap();
}
