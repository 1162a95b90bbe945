//! A network in training, with its steps and evaluations. The training loop and the benchmark share it.

use std::sync::Arc;

use candle_core::{Tensor, Var};

use super::ema::Ema;
use super::optimizer::StatefulOptimizer;
use super::scores;
use crate::contract::Score;
use crate::data::Samples;
use crate::error::Result;
use crate::graph::Criterion;
use crate::inspect::film::Predictions;
use crate::networks::Model;
use crate::nn::{Context, Mode};
use crate::ops::{Gradients, Loss, Tape, Targets, argmax, threads};
use crate::spec::{EmaSpec, OptimizerSpec, TrainingSpec};

/// A network in training.
#[derive(Debug)]
pub struct Learner {
    pub(super) model: Arc<Model>,
    pub(super) optimizer: StatefulOptimizer,
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
        let optimizer = StatefulOptimizer::new(rule, model.store());
        Self {
            model: Arc::new(model),
            optimizer,
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
        Self {
            smoothing: training.label_smoothing.unwrap_or(0.0),
            clip: training.clip,
            gradients: training.clip.map(|_| Gradients::default()),
            ..Self::new(model, &training.optimizer, training.seed)
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
        threads::in_pool(work, || self.step_inner(x, targets, lr, step))
    }

    fn step_inner(&mut self, x: &Tensor, targets: Targets<'_>, lr: f64, step: u64) -> Result<Loss> {
        let mut context = Context::new(Mode::Train {
            seed: self.seed,
            step,
        });
        let (loss, tape) = Tape::record(|| {
            let scores = self.model.forward(x, &mut context)?;
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

    /// Evaluates a split, with `flip` on the mean over each image and its mirror; `None` when it is empty.
    pub(super) fn evaluate(
        &self,
        samples: &Samples,
        classes: usize,
        flip: bool,
    ) -> Result<Option<Evaluation>> {
        if samples.is_empty() {
            return Ok(None);
        }
        let criterion = self.model.criterion();
        let mut loss = 0.0;
        let mut confusion = vec![vec![0; classes]; classes];
        let (mut predicted, mut sure) = (Vec::new(), Vec::new());
        scores::for_each_batch(self.served_model(), samples, flip, |targets, scores| {
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
