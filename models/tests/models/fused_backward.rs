//! Fused updates, which keep no gradients, compared with updates from kept gradients.

use candle_core::{Device, Result, Tensor, Var};
use serde_json::json;
use vivarium_models::bench::network;
use vivarium_models::networks::Model;
use vivarium_models::ops::{
    Activation, AdamW, FusedBackward, Gradients, Optimizer, ParamGroup, Sgd, Tape, activate, add,
    cross_entropy, linear, threads,
};
use vivarium_models::spec::OptimizerSpec;
use vivarium_models::train::Learner;

use crate::common::THREADS;

fn optimizers() -> [Optimizer; 4] {
    let sgd = |momentum, nesterov| {
        Optimizer::Sgd(Sgd {
            lr: 0.1,
            momentum,
            weight_decay: 0.01,
            nesterov,
        })
    };
    let adamw = Optimizer::AdamW(AdamW {
        lr: 0.01,
        beta1: 0.9,
        beta2: 0.99,
        eps: 1e-8,
        weight_decay: 0.01,
        step: 1,
    });
    [sgd(0.0, false), sgd(0.9, false), sgd(0.9, true), adamw]
}

/// Pseudorandom numbers from -1 to 1.
fn numbers(shape: &[usize], seed: f32) -> Vec<f32> {
    let len: usize = shape.iter().product();
    (0..len)
        .map(|i| (i as f32 * 1.7 + seed + (i as f32 * 0.31).sin() * 40.0).sin())
        .collect()
}

fn tensor(shape: &[usize], seed: f32) -> Tensor {
    Tensor::from_vec(numbers(shape, seed), shape, &Device::Cpu).unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Parameters and slots after two steps, with kept gradients if `kept` is set.
fn after_two_steps(
    kept: bool,
    optimizer: &Optimizer,
    starts: &[Tensor],
    loss: impl Fn(&[Var]) -> Result<Tensor>,
) -> Vec<Vec<f32>> {
    let copy = |start: &Tensor| Var::from_tensor(&start.copy()?);
    let parameters: Vec<_> = starts.iter().map(|start| copy(start).unwrap()).collect();
    let (mut fused, mut gradients) = (FusedBackward::default(), Gradients::default());
    for parameter in &parameters {
        fused.add(parameter, optimizer.slots(), ParamGroup::default());
    }
    for _ in 0..2 {
        let (loss, tape) = Tape::record(|| loss(&parameters));
        let loss = loss.unwrap();
        if !kept {
            fused.step(tape, &loss, optimizer).unwrap();
            continue;
        }
        gradients.backward(tape, &loss).unwrap();
        for parameter in &parameters {
            if let Some(gradient) = gradients.of(parameter) {
                let slots = fused.slots_mut(parameter);
                optimizer.step(parameter, gradient, slots).unwrap();
            }
        }
    }
    let slots = parameters.iter().flat_map(|of| fused.slots(of).to_vec());
    let values = parameters.iter().map(|parameter| flat(parameter));
    values.chain(slots).collect()
}

#[test]
fn networks_learn_the_same_bit_for_bit_whether_gradients_are_kept_or_not() {
    let _steady = THREADS.read().unwrap();
    let optimizers = [
        OptimizerSpec::Sgd {
            lr: 0.01,
            momentum: 0.9,
            weight_decay: 5e-4,
            nesterov: true,
        },
        OptimizerSpec::AdamW {
            lr: 0.01,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.01,
        },
    ];
    for spec in [
        json!({"kind": "perceptron"}),
        json!({"kind": "mlp", "hidden": [7, 5], "norm": true, "dropout": 0.3}),
        json!({"kind": "vgg16", "head": "compact", "width": 0.0625}),
        json!({"kind": "vgg16", "head": "compact", "width": 0.0625, "norm": "none"}),
        json!({"kind": "residual-small", "plan": [16, 24, 32], "depth": [2], "long_skips": true}),
        json!({"kind": "inception"}),
    ] {
        let spec = network(&spec).unwrap();
        for optimizer in &optimizers {
            let ends = [true, false].map(|kept| {
                let model = Model::new(&spec, &[3, 32, 32], 10, 0).unwrap();
                let learner = Learner::new(model, optimizer, 0);
                let mut learner = if kept {
                    learner.keeping_gradients()
                } else {
                    learner
                };
                let x = learner.batch(numbers(&[6, 3, 32, 32], 0.2), 6).unwrap();
                for step in 1..=2 {
                    learner.step(&x, &[0, 1, 2, 3, 4, 5], 0.01, step).unwrap();
                }
                let parameters = learner.model().store().parameters();
                let end = parameters.map(|(name, parameter)| {
                    assert_eq!(learner.gradient(parameter).is_some(), kept, "{name}");
                    (name.to_owned(), flat(parameter))
                });
                end.collect::<Vec<_>>()
            });
            let [kept, forgotten] = ends;
            for ((name, kept), (_, forgotten)) in kept.iter().zip(&forgotten) {
                assert!(kept == forgotten, "{} {name}", spec.kind);
            }
        }
    }
}

#[test]
fn a_large_matrix_changes_tile_by_tile_as_it_does_as_a_whole() {
    let _alone = THREADS.write().unwrap();
    let before = threads::threads();
    // Neither rows nor columns are multiples of the tile.
    let (n, inputs, outputs) = (5, 1903, 611);
    let x = tensor(&[n, inputs], 0.1);
    let starts = [tensor(&[outputs, inputs], 0.5), tensor(&[outputs], 0.7)];
    let loss = |parameters: &[Var]| {
        let y = linear(&x, &parameters[0], &parameters[1])?;
        cross_entropy(&y, &[3, 610, 0, 100, 7]).map(|loss| loss.tensor)
    };
    for optimizer in optimizers() {
        let whole = after_two_steps(true, &optimizer, &starts, loss);
        let tiles = [1, 2, 3].map(|count| {
            threads::set_threads(count).unwrap();
            after_two_steps(false, &optimizer, &starts, loss)
        });
        threads::set_threads(before).unwrap();
        assert!(
            tiles[0] == tiles[1] && tiles[1] == tiles[2],
            "{optimizer:?}"
        );
        assert_eq!(tiles[0].len(), 2 + 2 * optimizer.slots());
        for (tiles, whole) in tiles[0].iter().zip(whole) {
            for (tile, whole) in tiles.iter().zip(whole) {
                assert!((tile - whole).abs() < 1e-6, "{optimizer:?}: {tile} {whole}");
            }
        }
    }
}

#[test]
fn a_parameter_that_is_taken_several_times_changes_once_by_the_sum() {
    let x = tensor(&[4, 3], 0.1);
    let starts = [tensor(&[3, 3], 0.5), tensor(&[3], 0.7)];
    let loss = |parameters: &[Var]| {
        let (w, b) = (&parameters[0], &parameters[1]);
        let y = linear(&linear(&x, w, b)?, w, b)?;
        let y = add(&y, &activate(&y, Activation::Tanh)?)?;
        cross_entropy(&y, &[0, 1, 2, 0]).map(|loss| loss.tensor)
    };
    for optimizer in optimizers() {
        let ends = [true, false].map(|kept| after_two_steps(kept, &optimizer, &starts, loss));
        assert_eq!(ends[0], ends[1]);
        assert_ne!(ends[0][0], flat(&starts[0]));
    }
}

#[test]
fn what_was_not_added_or_has_no_part_in_the_loss_stays() {
    let x = tensor(&[4, 3], 0.1);
    let [w, b, other] =
        [&[3, 3][..], &[3], &[5]].map(|shape| Var::from_tensor(&tensor(shape, 0.5)).unwrap());
    let mut fused = FusedBackward::default();
    let optimizer = optimizers()[1];
    fused.add(&w, optimizer.slots(), ParamGroup::default());
    fused.add(&other, optimizer.slots(), ParamGroup::default());
    let starts = [&w, &b, &other].map(|of| flat(of));
    let (loss, tape) = Tape::record(|| {
        let y = linear(&x, &w, &b).unwrap();
        cross_entropy(&y, &[0, 1, 2, 0]).unwrap().tensor
    });
    fused.step(tape, &loss, &optimizer).unwrap();
    assert_ne!(flat(&w), starts[0]);
    assert_eq!(flat(&b), starts[1]);
    assert_eq!(flat(&other), starts[2]);
    assert!(fused.slots(&b).is_empty());
    assert_eq!(fused.slots(&other), [[0.0; 5]]);
}

#[test]
fn what_does_not_go_together_is_refused_and_changes_nothing() {
    let parameter = Var::from_tensor(&tensor(&[5], 0.1)).unwrap();
    for optimizer in optimizers() {
        let right = || vec![vec![0.0; 5]; optimizer.slots()];
        assert!(optimizer.step(&parameter, &[0.5; 4], &mut right()).is_err());
        let mut more = right();
        more.push(vec![0.0; 5]);
        assert!(optimizer.step(&parameter, &[0.5; 5], &mut more).is_err());
        if optimizer.slots() > 0 {
            let mut short = right();
            short[0].pop();
            assert!(optimizer.step(&parameter, &[0.5; 5], &mut short).is_err());
            assert!(optimizer.step(&parameter, &[0.5; 5], &mut []).is_err());
        }
        assert_eq!(flat(&parameter), numbers(&[5], 0.1));
        optimizer.step(&parameter, &[0.5; 5], &mut right()).unwrap();
        assert_ne!(flat(&parameter), numbers(&[5], 0.1));
        parameter.set(&tensor(&[5], 0.1)).unwrap();
    }
}
