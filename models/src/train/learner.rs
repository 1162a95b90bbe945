//! A network in training, with its steps and evaluations. The training loop and the benchmark share it.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{Tensor, Var};

use super::ema::Ema;
use super::optimizer::StatefulOptimizer;
use super::scores;
use crate::contract::Score;
use crate::data::Samples;
use crate::error::{Error, Result};
use crate::graph::Criterion;
use crate::inspect::film::Predictions;
use crate::networks::Model;
use crate::nn::{Context, FrozenPart, Mode};
use crate::ops::{Gradients, Loss, ParamGroup, Tape, Targets, argmax, threads};
use crate::spec::{EmaSpec, OptimizerSpec, TrainingSpec};

/// A network in training.
#[derive(Debug)]
pub struct Learner {
    pub(super) model: Arc<Model>,
    pub(super) optimizer: StatefulOptimizer,
    /// The part that is not trained; `None` where all is.
    frozen: Option<FrozenPart>,
    /// The steps before the part that was frozen was trained, too.
    unfrozen: Option<u64>,
    /// What the learning rate of all layers but the last is multiplied by.
    backbone_lr: f64,
    /// The gradients of the last step, if they are kept.
    gradients: Option<Gradients>,
    seed: u64,
    /// The label smoothing.
    smoothing: f64,
    /// The weight of each class in the loss.
    class_weights: Option<Vec<f64>>,
    /// The norm to which gradients are clipped.
    clip: Option<f64>,
    /// The average of the weights, if it is taken.
    ema: Option<Ema>,
}

/// The result of an evaluation.
pub(super) struct Evaluation {
    pub(super) score: Score,
    /// The confusion matrix. Rows: target, columns: prediction.
    pub(super) confusion: Vec<Vec<u64>>,
    /// The predictions of single samples.
    pub(super) predictions: Predictions,
}

impl Learner {
    /// A network before its first step, with its optimizer and the seed of dropout.
    pub fn new(model: Model, rule: &OptimizerSpec, seed: u64) -> Self {
        Self::with_frozen(model, None, 1.0, rule, seed)
    }

    fn with_frozen(
        model: Model,
        frozen: Option<FrozenPart>,
        backbone_lr: f64,
        rule: &OptimizerSpec,
        seed: u64,
    ) -> Self {
        let names = frozen.as_ref().map(|part| part.names(model.graph()));
        let names = names.unwrap_or_default();
        let group = |name: &str| {
            let is_frozen = names.contains(layer_of(name));
            (!is_frozen).then(|| group_of(name, &model, backbone_lr, 0))
        };
        Self {
            optimizer: StatefulOptimizer::new(rule, model.store(), &group),
            model: Arc::new(model),
            frozen,
            unfrozen: None,
            backbone_lr,
            gradients: None,
            seed,
            smoothing: 0.0,
            class_weights: None,
            clip: None,
            ema: None,
        }
    }

    /// A network before its first step, with the settings of a run.
    pub fn of_run(model: Model, training: &TrainingSpec) -> Self {
        let transfer = training.transfer.as_ref();
        let blocks = transfer.and_then(|transfer| transfer.trainable_blocks);
        let frozen = blocks.and_then(|blocks| FrozenPart::new(model.graph(), blocks));
        let backbone_lr = transfer.map_or(1.0, |transfer| transfer.backbone_lr);
        Self {
            smoothing: training.label_smoothing.unwrap_or(0.0),
            clip: training.clip,
            gradients: training.clip.map(|_| Gradients::default()),
            ..Self::with_frozen(
                model,
                frozen,
                backbone_lr,
                &training.optimizer,
                training.seed,
            )
        }
    }

    /// The same, with weights for the classes of the loss; see
    /// [`weighted_cross_entropy`](crate::ops::weighted_cross_entropy).
    #[must_use]
    pub fn with_class_weights(mut self, weights: Option<Vec<f64>>) -> Self {
        self.class_weights = weights;
        self
    }

    /// The same, with an average of the weights that begins with the current ones.
    ///
    /// # Errors
    /// When memory for the average cannot be allocated.
    pub fn with_ema(mut self, ema: Option<&EmaSpec>) -> Result<Self> {
        self.ema = ema
            .map(|ema| Ema::new(&self.model, ema.decay))
            .transpose()?;
        Ok(self)
    }

    /// Whether a part of the network is not trained.
    pub fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Trains the part that was frozen, too, after so many steps of the others.
    pub fn unfreeze(&mut self, steps: u64) {
        if self.frozen.take().is_none() {
            return;
        }
        self.unfrozen = Some(steps);
        let (model, factor) = (Arc::clone(&self.model), self.backbone_lr);
        let group = |name: &str| Some(group_of(name, &model, factor, steps));
        self.optimizer.add(model.store(), &group);
    }

    /// The steps after which the part that was frozen was trained, too; `None` if it was not.
    pub(super) fn unfrozen(&self) -> Option<u64> {
        self.unfrozen
    }

    /// The network that is trained.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The network that is evaluated, kept and looked into: the average of the weights, where that is taken, else the
    /// network that is trained.
    pub fn served_model(&self) -> &Arc<Model> {
        self.ema.as_ref().map_or(&self.model, Ema::model)
    }

    /// The weights that are trained, where they are not those of the served network.
    pub(super) fn raw_model(&self) -> Option<&Model> {
        self.ema.as_ref().map(|_| &*self.model)
    }

    /// The served network, between steps.
    pub(super) fn shared_model(&self) -> Arc<Model> {
        Arc::clone(self.served_model())
    }

    /// Keeps the gradients of each step. Otherwise each is freed once its parameter is updated, except with clipping,
    /// which needs all gradients before the first update.
    #[must_use]
    pub fn keeping_gradients(mut self) -> Self {
        self.gradients.get_or_insert_default();
        self
    }

    /// The gradient of a parameter in the last step, as the optimizer used it; `None` if the loss does not depend on
    /// it, or gradients are not kept.
    pub fn gradient(&self, parameter: &Var) -> Option<&[f32]> {
        self.gradients.as_ref()?.of(parameter)
    }

    /// A batch [n, …] from its values.
    ///
    /// # Errors
    /// When the number of values does not match the shape.
    pub fn batch(&self, values: Vec<f32>, n: usize) -> Result<Tensor> {
        scores::batch(&self.model, values, n)
    }

    /// One training step: forward, loss, backward, update, and the average of the weights. `step` counts from 1.
    ///
    /// If the loss is not finite, nothing is updated; the caller has to check.
    ///
    /// # Errors
    /// When the batch does not fit the network.
    pub fn step<'a>(
        &mut self,
        x: &Tensor,
        targets: impl Into<Targets<'a>>,
        lr: f64,
        step: u64,
    ) -> Result<Loss> {
        let targets = targets.into();
        let work = scores::multiplications(&self.model, targets.classes.len());
        let forward = |learner: &Self, context: &mut Context<'_>| match &learner.frozen {
            Some(part) => learner.model.forward_frozen(x, part, context),
            None => learner.model.forward(x, context),
        };
        threads::in_pool(work, || self.step_inner(forward, targets, lr, step))
    }

    /// As [`Learner::step`], from the features of the frozen part instead of the samples.
    ///
    /// # Errors
    /// When the features do not fit the network, or nothing is frozen.
    pub fn step_from_features<'a>(
        &mut self,
        features: &Tensor,
        targets: impl Into<Targets<'a>>,
        lr: f64,
        step: u64,
    ) -> Result<Loss> {
        let targets = targets.into();
        let work = scores::multiplications(&self.model, targets.classes.len());
        let forward = |learner: &Self, context: &mut Context<'_>| {
            let part = learner.frozen_part()?;
            learner.model.forward_features(features, part, context)
        };
        threads::in_pool(work, || self.step_inner(forward, targets, lr, step))
    }

    fn frozen_part(&self) -> Result<&FrozenPart> {
        let missing = || Error::setting("training.transfer", "nothing is frozen");
        self.frozen.as_ref().ok_or_else(missing)
    }

    /// The features of the frozen part for the samples of `values`: [n, …].
    ///
    /// # Errors
    /// When nothing is frozen, or the number of values does not match the shape.
    pub fn features(&self, values: Vec<f32>, n: usize) -> Result<Tensor> {
        let (x, part) = (self.batch(values, n)?, self.frozen_part()?);
        let work = scores::multiplications(&self.model, n);
        threads::in_pool(work, || self.model.features(&x, part))
    }

    fn step_inner(
        &mut self,
        forward: impl FnOnce(&Self, &mut Context<'_>) -> Result<Tensor>,
        targets: Targets<'_>,
        lr: f64,
        step: u64,
    ) -> Result<Loss> {
        let mut context = Context::new(Mode::Train {
            seed: self.seed,
            step,
        });
        let (loss, tape) = Tape::record(|| {
            let scores = forward(self, &mut context)?;
            let criterion = self.model.criterion();
            let weights = self.class_weights.as_deref();
            criterion.training_loss(&scores, targets, self.smoothing, weights)
        });
        let loss = loss?;
        if loss.mean.is_finite() {
            self.descend(tape, &loss.tensor, lr)?;
            if let Some(ema) = &self.ema {
                ema.update(&self.model, step)?;
            }
        }
        Ok(loss)
    }

    fn descend(&mut self, tape: Tape, loss: &Tensor, lr: f64) -> Result<()> {
        let Some(gradients) = &mut self.gradients else {
            return self.optimizer.fused_step(tape, loss, lr);
        };
        gradients.backward(tape, loss)?;
        let store = self.model.store();
        if let Some(most) = self.clip {
            gradients.clip(store.parameters().map(|(_, variable)| variable), most);
        }
        self.optimizer.step(store, gradients, lr)
    }

    /// The scores [n, classes] of all samples, in evaluation mode; with `flip`, of the mean over each image and its
    /// mirror.
    pub(super) fn scores(&self, values: Vec<f32>, n: usize, flip: bool) -> Result<Tensor> {
        scores::scores(self.served_model(), values, n, flip)
    }

    /// The scores [n, classes] of samples by the features [n, …] of the frozen part, in evaluation mode.
    ///
    /// # Errors
    /// When the features do not fit the network, or nothing is frozen.
    pub fn scores_from_features(&self, features: &Tensor) -> Result<Tensor> {
        let part = self.frozen_part()?;
        let model = self.served_model();
        let work = scores::multiplications(model, features.dim(0)?);
        threads::in_pool(work, || {
            model.forward_features(features, part, &mut Context::new(Mode::Evaluate))
        })
    }

    /// Evaluates a split, with `flip` on the mean over each image and its mirror; `None` when it is empty.
    pub(super) fn evaluate(
        &self,
        samples: &Samples,
        classes: usize,
        flip: bool,
    ) -> Result<Option<Evaluation>> {
        let model = self.served_model();
        self.evaluate_by(samples, classes, |range| {
            scores::of_samples(model, samples, range, flip)
        })
    }

    /// Evaluates a split by the scores of neighbouring samples; `None` when it is empty.
    pub(super) fn evaluate_by(
        &self,
        samples: &Samples,
        classes: usize,
        scores_of: impl FnMut(Range<usize>) -> Result<Tensor>,
    ) -> Result<Option<Evaluation>> {
        if samples.is_empty() {
            return Ok(None);
        }
        let criterion = self.model.criterion();
        let mut loss = 0.0;
        let mut confusion = vec![vec![0; classes]; classes];
        let (mut predicted, mut sure) = (Vec::new(), Vec::new());
        scores::for_each_batch(samples, scores_of, |targets, scores| {
            loss += criterion.loss(scores, targets)?.mean * targets.len() as f64;
            for (scores, target) in scores.to_vec2::<f32>()?.iter().zip(targets) {
                let class = argmax(scores);
                confusion[*target as usize][class] += 1;
                predicted.push(u16::try_from(class).unwrap_or(u16::MAX));
                sure.push(criterion.confidence(scores, class));
            }
            Ok(())
        })?;
        if criterion == Criterion::Perceptron {
            let most = sure
                .iter()
                .fold(f32::MIN_POSITIVE, |most, lead| most.max(*lead));
            sure.iter_mut().for_each(|lead| *lead /= most);
        }
        let right: u64 = confusion
            .iter()
            .enumerate()
            .map(|(class, row)| row[class])
            .sum();
        let n = samples.len() as f64;
        Ok(Some(Evaluation {
            score: Score::new(loss / n, right as f64 / n),
            confusion,
            predictions: Predictions::new(predicted, &sure),
        }))
    }
}

/// The layer of a parameter; empty for that of a module that is the whole network.
fn layer_of(parameter: &str) -> &str {
    parameter.rsplit_once('.').map_or("", |(layer, _)| layer)
}

/// The group of a trained parameter: the last layer has the whole learning rate.
fn group_of(parameter: &str, model: &Model, backbone_lr: f64, steps_before: u64) -> ParamGroup {
    let is_head = layer_of(parameter) == model.head();
    ParamGroup {
        lr_factor: if is_head { 1.0 } else { backbone_lr },
        steps_before,
    }
}
