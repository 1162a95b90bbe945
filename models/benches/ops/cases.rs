//! The rows of the table: the operations, in the shapes that the networks have at 32x32.

use std::rc::Rc;

use candle_core::{DType, Device, Result, Tensor, Var};
use vivarium_models::ops::{
    Activation, AdamW, ConvParams, Optimizer, PoolWindow, Sgd, activate, adaptive_avg_pool2d, add,
    avg_pool2d, batch_norm, conv2d, cross_entropy, dropout, linear, max_pool2d,
};
use vivarium_models::random::{Generator, Key};

use crate::ceiling::Work;
use crate::round::{Round, backward, forward, whole};

pub(crate) const BATCH: usize = 64;

/// A row of the table.
pub(crate) struct Case {
    /// The operation, its shape, and forward or backward.
    pub(crate) name: (String, String, &'static str),
    pub(crate) work: Work,
    pub(crate) build: Box<dyn FnOnce() -> Result<Round>>,
}

/// Normally distributed numbers from a fixed seed.
pub(crate) fn normal(name: &str, shape: &[usize]) -> Result<Tensor> {
    let mut values = vec![0.0; shape.iter().product()];
    Key::new(0, name).fill(&mut values, Generator::normal);
    Tensor::from_vec(values, shape, &Device::Cpu)
}

fn case(
    name: (&str, String, &'static str),
    work: Work,
    build: impl FnOnce() -> Result<Round> + 'static,
) -> Case {
    Case {
        name: (name.0.to_owned(), name.1, name.2),
        work,
        build: Box::new(build),
    }
}

pub(crate) fn all() -> Vec<Case> {
    let mut rows = Vec::new();
    for (channels, side) in [(64, 32), (128, 16), (256, 8), (512, 4), (512, 2)] {
        convolution(&mut rows, 3, channels, channels, side);
    }
    convolution(&mut rows, 3, 3, 64, 32);
    for (inputs, outputs, side) in [(64, 128, 16), (256, 256, 8), (512, 1024, 2)] {
        convolution(&mut rows, 1, inputs, outputs, side);
    }
    for (inputs, outputs, side) in [(16, 32, 16), (32, 96, 16), (32, 128, 4)] {
        convolution(&mut rows, 5, inputs, outputs, side);
    }
    for (channels, side) in [(64, 16), (128, 16), (256, 8), (512, 4)] {
        depthwise(&mut rows, channels, side);
    }
    for (channels, side) in [(64, 32), (128, 16), (256, 8), (512, 4)] {
        for activation in [Activation::Relu, Activation::Silu] {
            normalisation(&mut rows, channels, side, activation);
        }
    }
    for (channels, side) in [(64, 32), (256, 8)] {
        let halves = |x: &Tensor| max_pool2d(x, PoolWindow::HALVING);
        pool(
            &mut rows,
            "max-pool 2x2",
            channels,
            side,
            1,
            side / 2,
            halves,
        );
    }
    let around = |x: &Tensor| {
        let (kernel, stride, padding) = (3, 1, 1);
        max_pool2d(x, PoolWindow::square(kernel, stride, padding))
    };
    pool(&mut rows, "max-pool 3x3 stride 1", 192, 16, 1, 16, around);
    pool(&mut rows, "mean-pool 3x3", 192, 16, 0, 16, |x| {
        avg_pool2d(x, PoolWindow::square(3, 1, 1), true)
    });
    pool(&mut rows, "mean-pool", 512, 4, 0, 1, |x| {
        adaptive_avg_pool2d(x, 1, 1)
    });
    for (inputs, outputs) in [(512, 512), (4096, 4096), (25_088, 4096)] {
        fully_connected(&mut rows, inputs, outputs);
    }
    for activation in Activation::ALL {
        activations(&mut rows, activation);
    }
    others(&mut rows);
    rows
}

/// The gradients of a backward pass.
const WAYS: [(&str, bool, bool); 3] = [
    ("dx", true, false),
    ("dw", false, true),
    ("dx and dw", true, true),
];

/// Forward and backward passes of an operation on an image and weights.
fn of_image_and_weights(
    rows: &mut Vec<Case>,
    (name, shape): (&str, String),
    [x, w]: [Vec<usize>; 2],
    work: impl Fn(usize) -> Work,
    operation: impl Fn(&Tensor, &Tensor) -> Result<Tensor> + Copy + 'static,
) {
    let (xs, ws) = (x.clone(), w.clone());
    rows.push(case((name, shape.clone(), "forward"), work(1), move || {
        let (x, w) = (normal("x", &xs)?, Var::from_tensor(&normal("w", &ws)?)?);
        Ok(forward(move || operation(&x, &w)))
    }));
    for (what, image, weights) in WAYS {
        let (xs, ws) = (x.clone(), w.clone());
        let parts = usize::from(image) + usize::from(weights);
        rows.push(case((name, shape.clone(), what), work(parts), move || {
            let argument = |name: &str, shape: &[usize], learns: bool| -> Result<Tensor> {
                let values = normal(name, shape)?;
                Ok(if learns {
                    Var::from_tensor(&values)?.into_inner()
                } else {
                    values
                })
            };
            let (x, w) = (argument("x", &xs, image)?, argument("w", &ws, weights)?);
            Ok(backward(weights, move || operation(&x, &w)))
        }));
    }
}

fn convolution(rows: &mut Vec<Case>, kernel: usize, inputs: usize, outputs: usize, side: usize) {
    let shape = if inputs == outputs {
        format!("{inputs}@{side}")
    } else {
        format!("{inputs}→{outputs}@{side}")
    };
    let flops = 2 * BATCH * side * side * inputs * outputs * kernel * kernel;
    of_image_and_weights(
        rows,
        (&format!("conv {kernel}x{kernel}"), shape),
        [
            vec![BATCH, side, side, inputs],
            vec![outputs, inputs, kernel, kernel],
        ],
        |parts| Work::Arithmetic((flops * parts) as f64),
        move |x, w| conv2d(x, w, None, ConvParams::same(kernel)),
    );
}

fn depthwise(rows: &mut Vec<Case>, channels: usize, side: usize) {
    let image = 4 * BATCH * side * side * channels;
    of_image_and_weights(
        rows,
        ("depthwise 3x3", format!("{channels}@{side}")),
        [vec![BATCH, side, side, channels], vec![channels, 1, 3, 3]],
        // Forward and dx read one image and write one, dw reads two.
        |parts| Work::Memory((2 * image * parts) as f64),
        move |x, w| {
            let params = ConvParams {
                groups: channels,
                ..ConvParams::same(3)
            };
            conv2d(x, w, None, params)
        },
    );
}

fn fully_connected(rows: &mut Vec<Case>, inputs: usize, outputs: usize) {
    let flops = 2 * BATCH * inputs * outputs;
    of_image_and_weights(
        rows,
        ("linear", format!("{inputs}→{outputs}")),
        [vec![BATCH, inputs], vec![outputs, inputs]],
        |parts| Work::Arithmetic((flops * parts) as f64),
        move |x, w| {
            let bias = Tensor::zeros(outputs, DType::F32, &Device::Cpu)?;
            linear(x, w, &bias)
        },
    );
}

fn normalisation(rows: &mut Vec<Case>, channels: usize, side: usize, activation: Activation) {
    let image = (4 * BATCH * side * side * channels) as f64;
    let name = match activation {
        Activation::Relu => "batch norm + relu",
        _ => "batch norm + silu",
    };
    let shape = format!("{channels}@{side}");
    let build = move || -> Result<_> {
        let x = Var::from_tensor(&normal("x", &[BATCH, side, side, channels])?)?;
        let w = Var::ones(channels, DType::F32, &Device::Cpu)?;
        let b = Var::zeros(channels, DType::F32, &Device::Cpu)?;
        Ok(move || Ok(batch_norm(x.as_tensor(), &w, &b, 1e-5, Some(activation))?.0))
    };
    // Reads the image twice, for statistics and normalisation, and writes the result once.
    rows.push(case(
        (name, shape.clone(), "forward"),
        Work::Memory(3.0 * image),
        move || Ok(forward(build()?)),
    ));
    // Reads the image and the gradient twice, and writes the image's gradient once.
    rows.push(case(
        (name, shape, "backward"),
        Work::Memory(5.0 * image),
        move || Ok(backward(false, build()?)),
    ));
}

/// `places`: bytes per result that are kept for the backward pass.
fn pool(
    rows: &mut Vec<Case>,
    name: &str,
    channels: usize,
    side: usize,
    places: usize,
    result: usize,
    operation: impl Fn(&Tensor) -> Result<Tensor> + Copy + 'static,
) {
    let bytes = BATCH * channels * (4 * side * side + (4 + places) * result * result);
    one_image(
        rows,
        (name, format!("{channels}@{side}")),
        [bytes as f64; 2],
        &[BATCH, side, side, channels],
        operation,
    );
}

/// Forward and backward pass of an operation on an image, with the bytes of both.
fn one_image(
    rows: &mut Vec<Case>,
    (name, shape): (&str, String),
    bytes: [f64; 2],
    dims: &[usize],
    operation: impl Fn(&Tensor) -> Result<Tensor> + Copy + 'static,
) {
    let dims: Rc<[usize]> = dims.into();
    let build = move || -> Result<_> {
        let x = Var::from_tensor(&normal("x", &dims)?)?;
        Ok(move || operation(&x))
    };
    let again = build.clone();
    rows.push(case(
        (name, shape.clone(), "forward"),
        Work::Memory(bytes[0]),
        move || Ok(forward(build()?)),
    ));
    rows.push(case(
        (name, shape, "backward"),
        Work::Memory(bytes[1]),
        move || Ok(backward(false, again()?)),
    ));
}

const IMAGE: [usize; 4] = [BATCH, 32, 32, 64];
const VALUES: f64 = (BATCH * 32 * 32 * 64) as f64;

fn activations(rows: &mut Vec<Case>, activation: Activation) {
    let name = activation.class();
    let bytes = [8.0 * VALUES, 12.0 * VALUES];
    one_image(rows, (name, "64@32".to_owned()), bytes, &IMAGE, move |x| {
        activate(x, activation)
    });
}

/// The parameters of an optimizer's step: those of VGG16's convolutions.
const PARAMETERS: usize = 14_700_000;

fn others(rows: &mut Vec<Case>) {
    let shape = || "64@32".to_owned();
    one_image(rows, ("dropout", shape()), [8.0 * VALUES; 2], &IMAGE, |x| {
        dropout(x, 0.5, &Key::new(0, "mask"))
    });
    rows.push(case(
        ("sum", shape(), "forward"),
        Work::Memory(12.0 * VALUES),
        || {
            let (a, b) = (normal("x", &IMAGE)?, normal("y", &IMAGE)?);
            Ok(forward(move || add(&a, &b)))
        },
    ));
    for classes in [10, 1000] {
        let bytes = (8 * BATCH * classes) as f64;
        rows.push(case(
            (
                "cross-entropy",
                format!("{classes} classes"),
                "with gradient",
            ),
            Work::Memory(bytes),
            move || {
                let scores = normal("scores", &[BATCH, classes])?;
                let targets: Vec<u32> = (0..BATCH as u32).map(|i| i % classes as u32).collect();
                Ok(whole(move || cross_entropy(&scores, &targets).map(drop)))
            },
        ));
    }
    let millions = || "14.7 M parameters".to_owned();
    let gradient = || normal("gradient", &[PARAMETERS])?.to_vec1::<f32>();
    // Reads the gradient; reads and writes parameters and the optimizer's state.
    rows.push(case(
        ("SGD with momentum", millions(), "step"),
        Work::Memory(20.0 * PARAMETERS as f64),
        move || {
            let (parameter, gradient) =
                (Var::from_tensor(&normal("p", &[PARAMETERS])?)?, gradient()?);
            let mut velocity = [vec![0.0; PARAMETERS]];
            let optimizer = Optimizer::Sgd(Sgd {
                lr: 1e-6,
                momentum: 0.9,
                weight_decay: 5e-4,
                nesterov: false,
            });
            Ok(whole(move || {
                optimizer.step(&parameter, &gradient, &mut velocity)
            }))
        },
    ));
    rows.push(case(
        ("AdamW", millions(), "step"),
        Work::Memory(28.0 * PARAMETERS as f64),
        move || {
            let (parameter, gradient) =
                (Var::from_tensor(&normal("p", &[PARAMETERS])?)?, gradient()?);
            let mut means = [vec![0.0; PARAMETERS], vec![0.0; PARAMETERS]];
            let optimizer = Optimizer::AdamW(AdamW {
                lr: 1e-6,
                beta1: 0.9,
                beta2: 0.999,
                eps: 1e-8,
                weight_decay: 0.01,
                step: 1,
            });
            Ok(whole(move || {
                optimizer.step(&parameter, &gradient, &mut means)
            }))
        },
    ));
}
