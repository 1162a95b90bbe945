//! The training loop.

use std::path::PathBuf;
use std::time::Instant;

use super::boundary;
use super::checkpoint::Checkpoints;
use super::class_weights::class_weights;
use super::compute_config::ComputeConfig;
use super::environment;
use super::features::{Features, Keeping};
use super::film::Film;
use super::learner::{Evaluation, Learner};
use super::loader::{Batch, DataLoader, LoaderConfig};
use super::observer::{Control, Observer};
use super::plan::{Plan, graph_of};
use super::preparation;
use super::progress::Progress;
use super::run_paths::RunPaths;
use super::schedule::lr_at;
use super::throughput::Throughput;
use crate::contract::{Epoch, Event, NotFinite, Reason, Started, Steps, Test, Which};
use crate::data::{self, Library, Splits};
use crate::error::{Error, Result};
use crate::networks::Model;
use crate::spec::RunSpec;

/// The note of a run that starts from weights of which no more is known.
const FOREIGN: &str = "It starts from weights that were imported.";

/// The note of a run whose test has flips.
const FLIPPED: &str = "The test takes the mean over each image and its mirror.";

/// Trains a run to its end, from the start or from its checkpoint. The library must have its data set.
///
/// # Errors
/// When the data, a file, a tensor operation or the observer fails. The caller reports it; every other end of a run is
/// reported here, as [`Event::Finished`].
///
/// ```
/// use vivarium_models::contract::{Event, Reason};
/// use vivarium_models::train::{Control, Observer, train};
/// # use vivarium_models::{data::Library, form};
///
/// #[derive(Default)]
/// struct Losses(Vec<f64>);
///
/// impl Observer for Losses {
///     fn observe(&mut self, event: &Event) -> Result<Control, Box<dyn std::error::Error + Send + Sync>> {
///         if let Event::Steps(steps) = event {
///             self.0.extend(&steps.loss);
///         }
///         Ok(Control::Continue)
///     }
///
///     fn sync(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let document = serde_json::json!({
/// #     "data": {"set": "moons"}, "network": {"kind": "perceptron"}, "training": {"epochs": 1}
/// # });
/// # let run = form::check(&document, &Library::none()).map_err(|mut faults| faults.remove(0))?;
/// let folder = tempfile::tempdir()?;
/// let mut losses = Losses::default();
/// let reason = train(&run, &Library::none(), folder.path(), &mut losses)?;
/// assert_eq!(reason, Reason::Completed);
/// assert!(losses.0.iter().all(|loss| loss.is_finite()));
/// # Ok(())
/// # }
/// ```
pub fn train(
    spec: &RunSpec,
    library: &Library,
    paths: impl Into<RunPaths>,
    observer: &mut dyn Observer,
) -> Result<Reason> {
    let paths = paths.into();
    // Before the first step there are no recorded results to differ from.
    let record = paths.record.as_ref().filter(|record| record.step > 0);
    let compute = ComputeConfig::configure(spec, record)?;
    if !preparation::prepare(&spec.data, library, observer)? {
        let (reason, message) = (Reason::Stopped, String::new());
        let stopped = Event::Finished { reason, message };
        observer.observe(&stopped).map_err(Error::Observer)?;
        return Ok(reason);
    }
    let data = data::load(&spec.data, library)?;
    let graph = graph_of(spec, &data, paths.graph.as_deref())?;
    let model = Model::of_graph(graph.clone(), spec.training.seed)?;
    let plan = Plan::new(spec, data.summary(), graph);
    let foreign = paths.start.filter(|path| path.exists());
    let mut notes = Vec::new();
    if let Some(path) = &foreign {
        notes = model.load_for_fine_tuning(path, paths.fresh_head)?;
        notes.push(paths.start_note.unwrap_or_else(|| FOREIGN.to_owned()));
    }
    let mut learner = Learner::of_run(model, &spec.training)
        .with_class_weights(class_weights(&spec.training, &data))
        .with_ema(spec.training.ema.as_ref())?;
    let mut checkpoints = Checkpoints::in_folder(&paths.checkpoints)?;
    let mut start = checkpoints.resume(&mut learner, paths.record.as_ref())?;
    if let Some(record) = record {
        start.notes.extend(compute.differences(record, &data.hash));
    }
    if start.progress.step == 0 {
        start.notes.extend(notes);
    }
    let config = LoaderConfig::of_run(&data, &spec.training);
    let batches = config.batches();
    // Two-dimensional data has a boundary instead.
    let film = paths.film.filter(|_| data.range.is_none());
    let film = film.map(|folder| Film::in_folder(&folder, paths.pinned.as_deref()));
    let base = start.progress.elapsed;
    let mut run = Run {
        spec,
        plan,
        data,
        loader: None,
        config,
        features: None,
        may_keep_features: true,
        folder: paths.checkpoints,
        batches,
        learner,
        checkpoints,
        film,
        observer,
        progress: start.progress,
        base,
        began: Instant::now(),
        throughput: Throughput::default(),
        stop: false,
    };
    run.emit_start(&compute, start.notes)?;
    let (reason, message) = run.finish()?;
    if reason != Reason::Stopped {
        run.checkpoints.remove_previous()?;
    }
    run.emit(Event::Finished { reason, message })?;
    Ok(reason)
}

/// The state of a running run.
struct Run<'a> {
    spec: &'a RunSpec,
    plan: Plan,
    data: Splits,
    /// What makes the batches; `None` before the first, and where others are wanted from now on.
    loader: Option<DataLoader>,
    config: LoaderConfig,
    /// What the frozen layers make of the samples, where that is kept.
    features: Option<Features>,
    /// Whether it was not tried yet to keep them.
    may_keep_features: bool,
    /// The folder of files that vanish with the process.
    folder: PathBuf,
    /// Batches of an epoch.
    batches: u64,
    learner: Learner,
    checkpoints: Checkpoints,
    film: Option<Film>,
    observer: &'a mut dyn Observer,
    progress: Progress,
    /// Training seconds of earlier processes.
    base: f64,
    began: Instant,
    throughput: Throughput,
    /// Whether the observer asked to stop.
    stop: bool,
}

/// The reason for the end of a run, and a message.
type End = (Reason, String);

impl Run<'_> {
    fn finish(&mut self) -> Result<End> {
        if let Some(end) = self.all_epochs()? {
            if end.0 == Reason::Stopped {
                self.checkpoint()?;
            } else if self.checkpoints.write_pending_best()? {
                self.emit_best()?;
            }
            return Ok(end);
        }
        self.checkpoint()?;
        self.test()?;
        let stopping = self.spec.training.early_stopping.as_ref();
        if self.progress.epoch < self.spec.training.epochs
            && let Some(stopping) = stopping
        {
            let message = format!(
                "Epoch {} was the {} in a row without a better {}.",
                self.progress.epoch,
                ordinal(stopping.patience),
                stopping.metric.in_words(),
            );
            return Ok((Reason::EarlyStopped, message));
        }
        Ok((Reason::Completed, String::new()))
    }

    /// Trains all epochs, or until early stopping; returns any other end.
    fn all_epochs(&mut self) -> Result<Option<End>> {
        let training = &self.spec.training;
        while self.progress.epoch < training.epochs
            && !self
                .progress
                .out_of_patience(training.early_stopping.as_ref())
        {
            if let Some(end) = self.epoch()? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    /// Trains the rest of the current epoch.
    fn epoch(&mut self) -> Result<Option<End>> {
        let stopped = || Ok(Some((Reason::Stopped, String::new())));
        let before = self.progress.epoch_seconds;
        let began = Instant::now();
        self.begin_epoch()?;
        while self.progress.batch < self.batches {
            if self.stop {
                return stopped();
            }
            if let Some(end) = self.step()? {
                return Ok(Some(end));
            }
            self.progress.epoch_seconds = before + began.elapsed().as_secs_f64();
            if self.progress.epoch == 0 && self.progress.batch < self.batches {
                self.early_film()?;
            }
            if self.checkpoints.due(false) {
                self.checkpoint()?;
            }
        }
        if self.stop {
            return stopped();
        }
        self.end_epoch()
    }

    /// Unfreezes the frozen layers when it is time, or computes what they make of the samples, which stays the same.
    fn begin_epoch(&mut self) -> Result<()> {
        if !self.learner.is_frozen() || self.stop {
            return Ok(());
        }
        let transfer = self.spec.training.transfer.as_ref();
        let unfreezes = transfer.and_then(|transfer| transfer.unfreeze_at);
        if unfreezes.is_some_and(|epoch| self.progress.epoch + 1 >= epoch) {
            self.learner.unfreeze(self.progress.step);
            self.features = None;
            self.loader = None;
            self.config.with_values = true;
            let message = format!(
                "From epoch {} on all layers are trained.",
                self.progress.epoch + 1
            );
            return self.emit(Event::Note { message });
        }
        // Once in the life of a process: what cannot be kept is not tried again.
        if std::mem::take(&mut self.may_keep_features) {
            self.keep_features()?;
        }
        Ok(())
    }

    fn keep_features(&mut self) -> Result<()> {
        let samples = (self.data.train.len() + self.data.validation.len()) as u64;
        match Keeping::of(self.spec, &self.plan.graph, samples) {
            Keeping::Values(_) => {}
            Keeping::NotFrozen => return Ok(()),
            Keeping::No(why) => {
                let message = format!("The frozen layers are computed in every epoch: {why}.");
                return self.emit(Event::Note { message });
            }
        }
        let message = format!("The frozen layers are computed once, for {samples} samples.");
        self.emit(Event::Note { message })?;
        let began = Instant::now();
        let (observer, stop) = (&mut self.observer, &mut self.stop);
        let mut goes_on = || {
            *stop |= observer.poll() == Control::Stop;
            !*stop
        };
        let splits = [&self.data.train, &self.data.validation];
        let message = match Features::compute(&self.learner, splits, &self.folder, &mut goes_on) {
            Ok(None) => return Ok(()),
            Ok(Some(features)) => {
                let (bytes, in_file) = features.size();
                let place = if in_file { "in a file" } else { "in memory" };
                self.features = Some(features);
                self.config.with_values = false;
                self.loader = None;
                format!(
                    "That took {:.1} s. The results, {:.1} MiB, are kept {place}.",
                    began.elapsed().as_secs_f64(),
                    bytes as f64 / f64::from(1 << 20)
                )
            }
            Err(Error::File { source, .. }) => format!(
                "The frozen layers are computed in every epoch: their results cannot be kept ({source})."
            ),
            Err(error) => return Err(error),
        };
        self.emit(Event::Note { message })
    }

    /// The next batch.
    fn batch(&mut self) -> Result<Batch> {
        if let Some(loader) = &mut self.loader {
            return loader.next();
        }
        let (epoch, batch) = (self.progress.epoch, self.progress.batch);
        let loader = DataLoader::new(self.config.clone(), epoch, batch)?;
        self.loader.insert(loader).next()
    }

    fn step(&mut self) -> Result<Option<End>> {
        let began = Instant::now();
        let mut batch = self.batch()?;
        let samples = batch.targets.len();
        let values = std::mem::take(&mut batch.values);
        let (step, lr) = (self.progress.step + 1, self.lr());
        let loss = match &self.features {
            Some(features) => {
                let x = features.train(&batch.indices)?;
                self.learner
                    .step_from_features(&x, batch.targets(), lr, step)?
            }
            None => {
                let x = self.learner.batch(values, samples)?;
                self.learner.step(&x, batch.targets(), lr, step)?
            }
        };
        let samples = samples as u64;
        self.throughput.add(samples, began.elapsed());
        let done = Steps {
            first_step: step,
            epoch: self.progress.epoch + 1,
            samples_seen: self.progress.samples_seen + samples,
            seconds: self.elapsed(),
            loss: vec![loss.mean],
            accuracy: vec![loss.correct as f64 / samples as f64],
            lr: vec![lr],
            images_per_s: Some(self.throughput.per_second()),
            not_finite: NotFinite::of(loss.mean),
        };
        self.emit(Event::Steps(done))?;
        if !loss.mean.is_finite() {
            let message = format!("The loss of step {step} is not a finite number.");
            return Ok(Some((Reason::Diverged, message)));
        }
        self.progress.add(loss.mean, loss.correct, samples);
        self.progress.elapsed = self.elapsed();
        Ok(None)
    }

    fn end_epoch(&mut self) -> Result<Option<End>> {
        let began = Instant::now();
        let classes = self.data.classes.len();
        let samples = &self.data.validation;
        let evaluation = match &self.features {
            Some(features) => self.learner.evaluate_by(samples, classes, |range| {
                self.learner
                    .scores_from_features(&features.validation(range)?)
            })?,
            None => self.learner.evaluate(samples, classes, false)?,
        };
        let validation = evaluation.as_ref().map(|of| of.score);
        let finite = self.learner.served_model().all_finite()
            && self.learner.raw_model().is_none_or(Model::all_finite)
            && validation.is_none_or(|score| score.loss.is_finite());
        self.progress.elapsed = self.elapsed();
        let end = Epoch {
            seconds: self.progress.epoch_seconds + began.elapsed().as_secs_f64(),
            elapsed: self.progress.elapsed,
            peak_memory_bytes: environment::peak_memory_bytes(),
            ..Epoch::new(
                self.progress.epoch + 1,
                self.progress.step,
                self.progress.samples_seen,
                self.progress.train_score(),
                validation,
            )
        };
        if !finite {
            self.emit(Event::Epoch(end))?;
            let message = format!(
                "After step {} the network gives no finite numbers.",
                self.progress.step
            );
            return Ok(Some((Reason::Diverged, message)));
        }
        let stopping = self.spec.training.early_stopping.as_ref();
        let best = self.progress.end_epoch(validation, stopping);
        let last = self.progress.out_of_patience(stopping);
        // The frame is written before the epoch is reported.
        self.film(evaluation.as_ref(), last)?;
        self.emit(Event::Epoch(end))?;
        if last || boundary::wanted(self.progress.epoch, self.spec.training.epochs) {
            self.emit_boundary()?;
        }
        if self.checkpoints.due(true) {
            self.checkpoint()?;
        } else if best {
            self.checkpoints
                .remember_best(&self.learner, &self.progress)?;
        }
        Ok(self.stop.then(|| (Reason::Stopped, String::new())))
    }

    /// Adds a frame for the completed epoch.
    fn film(&mut self, validation: Option<&Evaluation>, last: bool) -> Result<()> {
        let last = last || self.progress.epoch == self.spec.training.epochs;
        let (learner, data, progress) = (&self.learner, &self.data, &self.progress);
        let film = self.film.as_mut();
        match film.and_then(|film| film.add(learner, data, progress, validation, last)) {
            Some(message) => self.emit(Event::Note { message }),
            None => Ok(()),
        }
    }

    /// Adds a frame before the end of the first epoch, where one is wanted.
    fn early_film(&mut self) -> Result<()> {
        let (learner, data, progress) = (&self.learner, &self.data, &self.progress);
        let film = self.film.as_mut();
        match film.and_then(|film| film.add_early(learner, data, progress)) {
            Some(message) => self.emit(Event::Note { message }),
            None => Ok(()),
        }
    }

    /// Evaluates the best epoch on the test split.
    fn test(&mut self) -> Result<()> {
        if let Err(error) = self.checkpoints.load_best(&self.learner, &self.progress) {
            let message = format!(
                "The best checkpoint could not be used: {error}. The test is of the last epoch."
            );
            self.emit(Event::Note { message })?;
        }
        let flip = self.spec.data.test_time_flip() && !self.data.test.is_empty();
        if let Some(of) = self
            .learner
            .evaluate(&self.data.test, self.data.classes.len(), flip)?
        {
            if flip {
                let message = FLIPPED.to_owned();
                self.emit(Event::Note { message })?;
            }
            let film = self.film.as_mut();
            if let Some(message) = film.and_then(|film| film.add_test(&of)) {
                self.emit(Event::Note { message })?;
            }
            self.emit(Event::Test(Test {
                score: of.score,
                confusion: of.confusion,
            }))?;
        }
        Ok(())
    }

    fn checkpoint(&mut self) -> Result<()> {
        self.progress.elapsed = self.elapsed();
        self.observer.sync().map_err(Error::Observer)?;
        let written = self.checkpoints.write(&self.learner, &self.progress)?;
        if written.best {
            self.emit_best()?;
        }
        if written.last {
            let (epoch, step) = (self.progress.epoch, self.progress.step);
            self.emit(Event::Checkpoint {
                which: Which::Last,
                epoch,
                step,
            })?;
        }
        Ok(())
    }

    fn emit_best(&mut self) -> Result<()> {
        match &self.progress.best {
            Some(best) => {
                let (epoch, step) = (best.epoch, best.step);
                self.emit(Event::Checkpoint {
                    which: Which::Best,
                    epoch,
                    step,
                })
            }
            None => Ok(()),
        }
    }

    fn emit_boundary(&mut self) -> Result<()> {
        let (epoch, step) = (self.progress.epoch, self.progress.step);
        match boundary::boundary(&self.learner, &self.data, epoch, step)? {
            Some(boundary) => self.emit(Event::Boundary(boundary)),
            None => Ok(()),
        }
    }

    fn emit_start(&mut self, compute: &ComputeConfig, notes: Vec<String>) -> Result<()> {
        let plan = self.plan.clone();
        self.emit(Event::Started(Box::new(Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            candle: environment::CANDLE.to_owned(),
            cpu: environment::cpu(),
            instructions: compute.instructions.name().to_owned(),
            threads: compute.threads,
            device: self.spec.device.clone(),
            data_hash: self.data.hash.clone(),
            parameters: plan.parameters,
            classes: plan.classes,
            input: plan.input,
            train_samples: plan.train_samples,
            validation_samples: plan.validation_samples,
            test_samples: plan.test_samples,
            steps_per_epoch: plan.steps_per_epoch,
            total_steps: plan.total_steps,
            resumed_from_step: self.progress.step,
            elapsed: self.base,
            normalisation: self.data.normalisation.clone(),
        })))?;
        for message in notes {
            self.emit(Event::Note { message })?;
        }
        if self.progress.step == 0 {
            for message in plan.warnings {
                self.emit(Event::Note { message })?;
            }
            self.early_film()?;
            self.emit_boundary()?;
        }
        Ok(())
    }

    fn emit(&mut self, event: Event) -> Result<()> {
        let control = self.observer.observe(&event).map_err(Error::Observer)?;
        self.stop |= control == Control::Stop;
        Ok(())
    }

    /// Training seconds in all.
    fn elapsed(&self) -> f64 {
        self.base + self.began.elapsed().as_secs_f64()
    }

    /// The learning rate of the next step.
    fn lr(&self) -> f64 {
        let training = &self.spec.training;
        lr_at(
            &training.schedule,
            training.optimizer.lr(),
            self.plan.steps_per_epoch,
            self.plan.total_steps,
            self.progress.step + 1,
        )
    }
}

/// "2nd" of 2.
fn ordinal(n: u64) -> String {
    let suffix = match (n % 10, n % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::ordinal;

    #[test]
    fn ordinals_are_english() {
        let words = [1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal);
        assert_eq!(
            words,
            [
                "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"
            ]
        );
    }
}
