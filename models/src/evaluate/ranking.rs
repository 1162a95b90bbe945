//! What follows from the order of the samples by a class's score: average precision, the area under the ROC curve, and
//! both curves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::figure::{Figure, LANES, Lanes, Resamples, Weights};
use super::scores::{Rows, Scores, for_each_row};
use super::thin::thin;
use crate::error::{Error, Result};

/// Scores that are sorted at a time, over all classes of a block.
const VALUES_AT_A_TIME: usize = 1 << 21;

/// With more scores than this the figures over all pairs of sample and class are not computed: they would be sorted at
/// once.
const MOST_PAIRS: usize = 1 << 22;

/// The samples in the order of a score, the highest first, in groups of equals.
pub(super) struct Ranking {
    /// The sample and its place in its group, with the flags below.
    entries: Vec<u32>,
}

/// The sample of an entry belongs to the class.
const POSITIVE: u32 = 1;
/// An entry is the first of a group that has samples of the class.
const BEGINS: u32 = 2;
/// An entry is the last of such a group.
const ENDS: u32 = 4;
/// Bits of an entry below its sample.
const FLAGS: u32 = 3;

/// The most samples that fit in an entry.
pub(super) const MOST_SAMPLES: usize = 1 << (32 - FLAGS);

impl Ranking {
    /// Ranks scored samples: the score, the sample, and whether it belongs to the class.
    fn of(mut scored: Vec<(f64, u32, bool)>) -> Self {
        scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let mut entries = Vec::with_capacity(scored.len());
        for group in scored.chunk_by(|a, b| a.0 == b.0) {
            let begin = entries.len();
            let flagged = |(_, sample, positive): &(f64, u32, bool)| {
                sample << FLAGS | if *positive { POSITIVE } else { 0 }
            };
            entries.extend(group.iter().map(flagged));
            if group.iter().any(|(.., positive)| *positive) {
                entries[begin] |= BEGINS;
                if let Some(last) = entries.last_mut() {
                    *last |= ENDS;
                }
            }
        }
        Self { entries }
    }

    /// Average precision and the area under the ROC curve. As in scikit-learn, average precision is the sum over the
    /// distinct scores of the precision times the gain in recall, without interpolation; equals count half in the area.
    /// `None` without samples of the class, and for the area also without others.
    fn areas(&self) -> [Option<f64>; 2] {
        let [precision, area] = self.weighted(|_| Weights([1; LANES]));
        let known = |value: f64| value.is_finite().then_some(value);
        [known(precision[0]), known(area[0])]
    }

    /// [`Ranking::areas`] in each resample of a block; NaN where they are undefined.
    fn of_block(&self, block: &[Weights]) -> [Lanes<f64>; 2] {
        self.weighted(|sample| block[sample])
    }

    fn weighted(&self, weights: impl Fn(usize) -> Weights) -> [Lanes<f64>; 2] {
        let mut precision = [0.0; LANES];
        let mut area = [0.0; LANES];
        // Samples so far, and those of the class; then both as they were before the group.
        let (mut all, mut positive) = ([0u32; LANES], [0u32; LANES]);
        let (mut all_before, mut positive_before) = (all, positive);
        for entry in &self.entries {
            if entry & BEGINS != 0 {
                (all_before, positive_before) = (all, positive);
            }
            let Weights(weights) = weights((entry >> FLAGS) as usize);
            for (sum, weight) in all.iter_mut().zip(weights) {
                *sum += u32::from(weight);
            }
            if entry & POSITIVE != 0 {
                for (sum, weight) in positive.iter_mut().zip(weights) {
                    *sum += u32::from(weight);
                }
            }
            if entry & ENDS == 0 {
                continue;
            }
            for lane in 0..LANES {
                let gained = f64::from(positive[lane] - positive_before[lane]);
                let others = f64::from(all[lane] - all_before[lane]) - gained;
                let above = f64::from(all_before[lane] - positive_before[lane]);
                precision[lane] +=
                    gained * f64::from(positive[lane]) / f64::from(all[lane]).max(1.0);
                area[lane] += gained * (above + 0.5 * others);
            }
        }
        for lane in 0..LANES {
            let of_class = f64::from(positive[lane]);
            let others = f64::from(all[lane]) - of_class;
            // 0 / 0 is NaN.
            precision[lane] /= of_class;
            area[lane] = 1.0 - area[lane] / (of_class * others);
        }
        [precision, area]
    }
}

/// Average precision and the area under the ROC curve; `None` where undefined.
pub(super) type Areas = [Option<Figure>; 2];

/// The areas of every class, and their averages.
pub(super) struct AllAreas {
    pub(super) classes: Vec<Areas>,
    pub(super) plain: Areas,
    pub(super) weighted: Areas,
    /// Over all pairs of sample and class; `None` where they are too many.
    pub(super) pairs: Areas,
}

/// Sums over classes of an area, plain and weighted, for all samples and for each resample.
struct Sums {
    plain: Vec<f64>,
    count: Vec<f64>,
    weighted: Vec<f64>,
    weight: Vec<f64>,
}

impl Sums {
    fn new(n: usize) -> Self {
        let zero = || vec![0.0; n];
        Self {
            plain: zero(),
            count: zero(),
            weighted: zero(),
            weight: zero(),
        }
    }

    fn add(&mut self, i: usize, value: f64, support: f64) {
        if value.is_finite() {
            self.plain[i] += value;
            self.count[i] += 1.0;
            self.weighted[i] += value * support;
            self.weight[i] += support;
        }
    }

    /// The plain and the weighted average; the first number is that of all samples.
    fn averages(&self) -> [Option<Figure>; 2] {
        [(&self.plain, &self.count), (&self.weighted, &self.weight)].map(|(sums, counts)| {
            let mut means = sums.iter().zip(counts).map(|(sum, count)| sum / count);
            let value = means.next().filter(|mean| mean.is_finite())?;
            Some(Figure::bootstrap(value, means.collect()))
        })
    }
}

impl AllAreas {
    /// Ranks the samples by every class. `progress` is told the share that is done, and may fail to end it.
    pub(super) fn of(
        scores: &dyn Scores,
        targets: &[u32],
        rows: &Rows,
        resamples: &Resamples,
        progress: &mut dyn FnMut(f64) -> Result<()>,
    ) -> Result<Self> {
        let classes = scores.classes();
        if targets.len() > MOST_SAMPLES {
            let message = format!("must be at most {MOST_SAMPLES} samples");
            return Err(Error::setting("scores", message));
        }
        let supports = supports(targets, classes, resamples);
        let mut sums = [0, 1].map(|_| Sums::new(1 + resamples.count()));
        let mut per_class = Vec::with_capacity(classes);
        for_each_ranking(scores, targets, rows, |class, ranking| {
            progress(class as f64 / classes as f64)?;
            let values = ranking.areas();
            let mut resampled = [0, 1].map(|_| Vec::with_capacity(resamples.count()));
            if values[0].is_some() {
                for block in resamples.blocks() {
                    for (all, lanes) in resampled.iter_mut().zip(ranking.of_block(block)) {
                        all.extend(lanes);
                    }
                }
            }
            let mut figures = [None, None];
            for (i, mut resampled) in resampled.into_iter().enumerate() {
                let Some(value) = values[i] else { continue };
                resampled.truncate(resamples.count());
                let all = std::iter::once(value).chain(resampled.iter().copied());
                for (place, (value, support)) in all.zip(&supports[class]).enumerate() {
                    sums[i].add(place, value, *support);
                }
                figures[i] = Some(Figure::bootstrap(value, resampled));
            }
            per_class.push(figures);
            Ok(())
        })?;
        let averages = sums.map(|sums| sums.averages());
        Ok(Self {
            classes: per_class,
            plain: [averages[0][0], averages[1][0]],
            weighted: [averages[0][1], averages[1][1]],
            pairs: over_pairs(scores, targets, rows, resamples)?,
        })
    }
}

/// The samples of every class, in the split and in each resample.
fn supports(targets: &[u32], classes: usize, resamples: &Resamples) -> Vec<Vec<f64>> {
    let mut supports = vec![vec![0.0]; classes];
    for target in targets {
        supports[*target as usize][0] += 1.0;
    }
    for block in resamples.blocks() {
        let mut lanes = vec![[0u32; LANES]; classes];
        for (weights, target) in block.iter().zip(targets) {
            for (sum, weight) in lanes[*target as usize].iter_mut().zip(weights.0) {
                *sum += u32::from(weight);
            }
        }
        for (supports, lanes) in supports.iter_mut().zip(&lanes) {
            supports.extend(lanes.iter().map(|n| f64::from(*n)));
        }
    }
    supports
}

/// Calls a function with every class and its ranking; the scores of a block of classes are in memory at a time.
fn for_each_ranking(
    scores: &dyn Scores,
    targets: &[u32],
    rows: &Rows,
    mut each: impl FnMut(usize, Ranking) -> Result<()>,
) -> Result<()> {
    let classes = scores.classes();
    let at_a_time = (VALUES_AT_A_TIME / targets.len()).clamp(1, classes);
    for start in (0..classes).step_by(at_a_time) {
        let block: Vec<usize> = (start..(start + at_a_time).min(classes)).collect();
        let rankings = rankings(scores, targets, rows, &block)?;
        for (class, ranking) in block.into_iter().zip(rankings) {
            each(class, ranking)?;
        }
    }
    Ok(())
}

/// The samples ranked by each of some classes.
fn rankings(
    scores: &dyn Scores,
    targets: &[u32],
    rows: &Rows,
    classes: &[usize],
) -> Result<Vec<Ranking>> {
    let mut scored = vec![Vec::with_capacity(targets.len()); classes.len()];
    for_each_row(scores, |index, row| {
        for (scored, class) in scored.iter_mut().zip(classes) {
            let score = rows.ranked_by(index, *class, row[*class]);
            scored.push((score, index as u32, targets[index] as usize == *class));
        }
        Ok(())
    })?;
    Ok(scored.into_iter().map(Ranking::of).collect())
}

/// The areas over all pairs of sample and class.
fn over_pairs(
    scores: &dyn Scores,
    targets: &[u32],
    rows: &Rows,
    resamples: &Resamples,
) -> Result<Areas> {
    let pairs = targets.len().saturating_mul(scores.classes());
    if pairs > MOST_PAIRS {
        return Ok([None, None]);
    }
    let mut scored = Vec::with_capacity(pairs);
    for_each_row(scores, |index, row| {
        for (class, value) in row.iter().enumerate() {
            let score = rows.ranked_by(index, class, *value);
            scored.push((score, index as u32, targets[index] as usize == class));
        }
        Ok(())
    })?;
    let ranking = Ranking::of(scored);
    let mut resampled = [Vec::new(), Vec::new()];
    for block in resamples.blocks() {
        for (all, lanes) in resampled.iter_mut().zip(ranking.of_block(block)) {
            all.extend(lanes);
        }
    }
    let mut values = ranking.areas().into_iter().zip(resampled);
    let mut next = || {
        let (value, mut resampled) = values.next()?;
        resampled.truncate(resamples.count());
        Some(Figure::bootstrap(value?, resampled))
    };
    Ok([next(), next()])
}

/// The curves of a class against all others, thinned for drawing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClassCurves {
    /// The class, from 0.
    pub class: usize,
    /// The ROC curve from (0, 0) to (1, 1): the share of other classes' samples at or above a score, and the share of
    /// the class's own. Empty without samples of the class or of others.
    #[schema(value_type = Vec<Vec<f64>>)]
    pub roc: Vec<[f64; 2]>,
    /// The precision-recall curve from recall 0, where precision is 1 by convention, to recall 1: recall and precision.
    /// Empty without samples of the class.
    #[schema(value_type = Vec<Vec<f64>>)]
    pub precision_recall: Vec<[f64; 2]>,
}

/// The curves of some classes. A thinned curve is nowhere farther than 0.0005 from the whole one; the areas that
/// [`evaluate`](super::evaluate) tells are those of the whole one.
///
/// # Errors
/// When the scores cannot be read, the targets do not fit them, or there is no such class.
pub fn curves(scores: &dyn Scores, targets: &[u32], classes: &[usize]) -> Result<Vec<ClassCurves>> {
    if let Some(class) = classes.iter().find(|class| **class >= scores.classes()) {
        let message = format!("must be below {}, and is {class}", scores.classes());
        return Err(Error::setting("class", message));
    }
    let rows = Rows::of(scores, targets)?;
    let rankings = rankings(scores, targets, &rows, classes)?;
    let of = |(class, ranking): (&usize, Ranking)| {
        let (roc, precision_recall) = ranking.curves();
        ClassCurves {
            class: *class,
            roc: thin(&roc, |point| *point),
            precision_recall: thin(&precision_recall, |point| *point),
        }
    };
    Ok(classes.iter().zip(rankings).map(of).collect())
}

impl Ranking {
    /// The whole ROC and precision-recall curves.
    fn curves(&self) -> (Vec<[f64; 2]>, Vec<[f64; 2]>) {
        let all = self.entries.len() as f64;
        let positive = self.entries.iter().filter(|entry| **entry & POSITIVE != 0);
        let positive = positive.count() as f64;
        let (mut roc, mut precision_recall) = (vec![[0.0, 0.0]], vec![[0.0, 1.0]]);
        let (mut seen, mut right) = (0.0, 0.0);
        for (place, entry) in self.entries.iter().enumerate() {
            if entry & BEGINS != 0 {
                // The curve is straight from the end of the last group with samples of the class to here.
                roc.push([(seen - right) / (all - positive), right / positive]);
                if seen > 0.0 {
                    precision_recall.push([right / positive, right / seen]);
                }
            }
            seen = place as f64 + 1.0;
            right += f64::from(entry & POSITIVE);
            if entry & ENDS != 0 {
                roc.push([(seen - right) / (all - positive), right / positive]);
                precision_recall.push([right / positive, right / seen]);
            }
        }
        roc.push([1.0, 1.0]);
        precision_recall.push([1.0, right / seen]);
        let [has_roc, has_recall] = [positive > 0.0 && positive < all, positive > 0.0];
        (
            if has_roc { roc } else { Vec::new() },
            if has_recall {
                precision_recall
            } else {
                Vec::new()
            },
        )
    }
}
