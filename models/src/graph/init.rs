//! The distributions of initial weights. Each is drawn from a key of the run's seed and its own name, so adding a layer does
//! not change the others.

use serde::{Deserialize, Serialize};

use super::{Graph, Operation, WeightInit};
use crate::ops::Activation;
use crate::random::{Generator, Key};

/// Initialisation schemes for weights. The uniform ones draw from a uniform distribution of the same standard
/// deviation, the others from a normal one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InitScheme {
    /// Standard deviation `gain / √inputs`, with the gain of the activation that follows: √2 for ReLU and those
    /// like it (ReLU6, SiLU, GELU, Hardswish), 5/3 for tanh, 1 for sigmoids and where none follows (He and others 2015;
    /// gains as PyTorch's `calculate_gain`, which has none for those like ReLU: they take ReLU's).
    Kaiming,
    /// Standard deviation `√(2 / (inputs + outputs))` (Glorot and Bengio 2010).
    Xavier,
    /// As [`InitScheme::Kaiming`], between -√3 and √3 of its standard deviations.
    KaimingUniform,
    /// As [`InitScheme::Xavier`], between -√3 and √3 of its standard deviations.
    XavierUniform,
}

/// The initial distribution of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// A constant.
    Constant(f32),
    /// A normal distribution around 0.
    Normal {
        /// Standard deviation.
        std: f64,
    },
    /// A uniform distribution around 0.
    Uniform {
        /// The upper bound; the lower one is its negative.
        bound: f64,
    },
}

impl InitScheme {
    /// The distribution for weights of fan-in `inputs` and fan-out `outputs`, followed by the activation `next`.
    pub fn weights(self, inputs: usize, outputs: usize, next: Option<Activation>) -> Init {
        let gain = match next {
            Some(
                Activation::Relu
                | Activation::Relu6
                | Activation::Silu
                | Activation::Gelu
                | Activation::Hardswish,
            ) => std::f64::consts::SQRT_2,
            Some(Activation::Tanh) => 5.0 / 3.0,
            Some(Activation::Sigmoid | Activation::Hardsigmoid) | None => 1.0,
        };
        let std = match self {
            Self::Kaiming | Self::KaimingUniform => gain / (inputs.max(1) as f64).sqrt(),
            Self::Xavier | Self::XavierUniform => (2.0 / (inputs + outputs).max(1) as f64).sqrt(),
        };
        match self {
            Self::Kaiming | Self::Xavier => Init::Normal { std },
            Self::KaimingUniform | Self::XavierUniform => Init::Uniform {
                bound: std * 3f64.sqrt(),
            },
        }
    }
}

impl Init {
    /// Draws the values of the parameter `name`.
    pub fn values(self, len: usize, seed: u64, name: &str) -> Vec<f32> {
        match self {
            Self::Constant(value) => vec![value; len],
            Self::Normal { std } => {
                let mut values = vec![0.0; len];
                Key::new(seed, &format!("init {name}")).fill_normal(&mut values, std);
                values
            }
            Self::Uniform { bound } => {
                let mut values = vec![0.0; len];
                let draw = |generator: &mut Generator| generator.uniform(-bound, bound);
                Key::new(seed, &format!("init {name}")).fill(&mut values, draw);
                values
            }
        }
    }
}

impl Graph {
    /// The distribution of a node's initial weights.
    pub(crate) fn weight_init(&self, place: usize) -> Init {
        let node = &self.nodes[place];
        let own = match node.operation {
            Operation::Conv2d { init, .. } | Operation::Linear { init, .. } => init,
            _ => None,
        };
        let scheme = match own {
            None => self.init,
            Some(WeightInit::Scheme(scheme)) => scheme,
            Some(WeightInit::Zeros) => return Init::Constant(0.0),
            Some(WeightInit::Normal(std)) => return Init::Normal { std },
        };
        let [outputs, inputs, taps @ ..] = &self.weight_shape(place)[..] else {
            return Init::Constant(1.0);
        };
        let groups = match node.operation {
            Operation::Conv2d { groups, .. } => groups,
            _ => 1,
        };
        let taps: usize = taps.iter().product();
        scheme.weights(
            inputs * taps,
            outputs / groups * taps,
            self.next_activation(place),
        )
    }

    /// The activation that a node's result goes to, also after a normalisation, a dropout or a maximum.
    fn next_activation(&self, place: usize) -> Option<Activation> {
        let passes = |operation: &Operation| {
            matches!(
                operation,
                Operation::BatchNorm { .. }
                    | Operation::Dropout { .. }
                    | Operation::Identity
                    | Operation::MaxPool2d { .. }
                    | Operation::AvgPool2d { .. }
            )
        };
        let mut result = place;
        for (next, node) in self.nodes.iter().enumerate().skip(place + 1) {
            if !node.inputs.contains(&result) {
                continue;
            }
            match node.operation {
                Operation::Activation { function } => return Some(function),
                ref operation if passes(operation) => result = next,
                _ => return None,
            }
        }
        None
    }
}
