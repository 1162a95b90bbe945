//! Loss functions. Each is computed together with its gradient, from scores [n, classes] and target classes, as a mean
//! over the n rows, which class weights may weigh.

use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Result, Shape, Tensor, bail};

use super::float::Float;
use super::kernel::storage_slice;
use super::reference;
use super::tape::{SaveForBackward, apply1};

/// The value of a loss function.
#[derive(Clone, Debug)]
pub struct Loss {
    /// The mean loss as a scalar to call `backward` on.
    pub tensor: Tensor,
    /// The mean loss, summed in double precision.
    pub mean: f64,
    /// Rows whose highest score is that of the target; of equal scores the first counts.
    pub correct: u64,
}

/// Softmax followed by cross-entropy: the mean of `-log(softmax(scores)[target])`. PyTorch's `CrossEntropyLoss`.
///
/// # Errors
/// When the scores are not [n, classes], or a target is not a class.
pub fn cross_entropy(scores: &Tensor, targets: &[u32]) -> Result<Loss> {
    if reference::selected() {
        return reference::cross_entropy(scores, targets, 0.0);
    }
    match scores.dtype() {
        DType::F64 => criterion::<f64>(scores, targets, cross_entropy_row),
        _ => criterion::<f32>(scores, targets, cross_entropy_row),
    }
}

/// Cross-entropy with label smoothing (Szegedy et al. 2016): with `q = (1 - smoothing)·[target] + smoothing / classes`,
/// the mean of `-Σ q·log(softmax(scores))`. PyTorch's `CrossEntropyLoss(label_smoothing=smoothing)`.
///
/// # Errors
/// As [`cross_entropy`].
pub fn smoothed_cross_entropy(scores: &Tensor, targets: &[u32], smoothing: f64) -> Result<Loss> {
    if reference::selected() {
        return reference::cross_entropy(scores, targets, smoothing);
    }
    match scores.dtype() {
        DType::F64 => criterion::<f64>(scores, targets, |row, target| {
            smoothed_row(row, target, smoothing)
        }),
        _ => criterion::<f32>(scores, targets, |row, target| {
            smoothed_row(row, target, smoothing as f32)
        }),
    }
}

/// The classes that the rows of a batch should have: one each, or a mixture of two as mixup and CutMix make them.
#[derive(Clone, Copy, Debug)]
pub struct Targets<'a> {
    /// The class of each row.
    pub classes: &'a [u32],
    /// The second class of each row, and the share of the first, 0 to 1; `None` where nothing is mixed.
    pub mixed: Option<(&'a [u32], f64)>,
}

impl<'a> Targets<'a> {
    /// The class with the greater share of each row; of equal shares the first counts.
    fn dominant(&self) -> &'a [u32] {
        match self.mixed {
            Some((second, share)) if share < 0.5 => second,
            _ => self.classes,
        }
    }
}

impl<'a, T: AsRef<[u32]> + ?Sized> From<&'a T> for Targets<'a> {
    fn from(classes: &'a T) -> Self {
        Self {
            classes: classes.as_ref(),
            mixed: None,
        }
    }
}

/// Cross-entropy with everything that PyTorch's `CrossEntropyLoss` takes: with `weights`, `w`, one for each class, with
/// label smoothing, and with mixed targets.
///
/// With `q` the target distribution of a row after smoothing, its loss is `-Σ w·q·log(softmax(scores))`. For single
/// classes the sum over the rows is divided by the sum of their classes' weights, as `CrossEntropyLoss(weight=w)` does.
/// For mixed targets it is divided by the number of rows, as PyTorch does for targets that are probabilities.
/// [`Loss::correct`] counts the rows whose highest score is that of the class with the greater share.
///
/// # Errors
/// As [`cross_entropy`]; and when there is not one weight for each class, or those of all targets are 0.
pub fn weighted_cross_entropy(
    scores: &Tensor,
    targets: Targets<'_>,
    smoothing: f64,
    weights: Option<&[f64]>,
) -> Result<Loss> {
    let (n, classes) = check(scores, targets.classes)?;
    if let Some((second, share)) = targets.mixed {
        check(scores, second)?;
        if !(0.0..=1.0).contains(&share) {
            bail!("a share of {share} is not between 0 and 1")
        }
    }
    let divisor = match (weights, targets.mixed) {
        (Some(weights), _) if weights.len() != classes => {
            bail!("{} class weights for {classes} classes", weights.len())
        }
        (Some(weights), None) => targets
            .classes
            .iter()
            .map(|class| weights[*class as usize])
            .sum(),
        _ => n as f64,
    };
    if !(divisor > 0.0 && divisor.is_finite()) {
        bail!("the weights of all targets together must be above 0, not {divisor}")
    }
    if reference::selected() {
        let soft = reference::SoftTargets {
            targets,
            smoothing,
            weights,
            divisor,
        };
        return reference::weighted_cross_entropy(scores, soft, targets.dominant());
    }
    let weight = |class: usize| weights.map_or(1.0, |weights| weights[class]);
    let (second, share) = targets.mixed.unwrap_or((targets.classes, 1.0));
    let rows = |row: usize| {
        let hard = 1.0 - smoothing;
        let of = |classes: &[u32], share: f64| {
            let class = classes[row] as usize;
            (class, weight(class) * share * hard)
        };
        [of(targets.classes, share), of(second, 1.0 - share)]
    };
    let spread: Vec<f64> = (0..classes)
        .map(|class| weight(class) * smoothing / classes as f64)
        .collect();
    match scores.dtype() {
        DType::F64 => reduced::<f64>(scores, targets.dominant(), divisor, |at, row, _| {
            weighted_row(row, rows(at), &spread)
        }),
        _ => reduced::<f32>(scores, targets.dominant(), divisor, |at, row, _| {
            weighted_row(row, rows(at), &spread)
        }),
    }
}

/// The perceptron criterion (Duda and Hart 1973): the mean of `max(0, best wrong score - score of the target)`.
///
/// At a tie the gradient is that of a mistake, so that a perceptron of zeros starts to learn. Then a step of plain
/// gradient descent on one sample is the classic rule: add the sample to the weights of the target, and subtract it
/// from those of the wrong class that scored best (Kesler's construction for more than two classes).
///
/// # Errors
/// As [`cross_entropy`]; and when there is only one class.
pub fn perceptron_loss(scores: &Tensor, targets: &[u32]) -> Result<Loss> {
    if reference::selected() {
        return reference::perceptron_loss(scores, targets);
    }
    match scores.dtype() {
        DType::F64 => criterion::<f64>(scores, targets, perceptron_row),
        _ => criterion::<f32>(scores, targets, perceptron_row),
    }
}

/// The softmax of every row of scores [n, classes].
///
/// # Errors
/// When the scores are not [n, classes].
pub fn softmax(scores: &Tensor) -> Result<Vec<Vec<f32>>> {
    if reference::selected() {
        return reference::softmax(scores);
    }
    let mut rows = scores.to_vec2::<f32>()?;
    for row in &mut rows {
        softmax_row(row);
    }
    Ok(rows)
}

/// The maximum of a row.
fn maximum<T: Float>(row: &[T]) -> T {
    row.iter()
        .copied()
        .fold(T::of(f64::NEG_INFINITY), |a, b| if b > a { b } else { a })
}

/// Replaces a row by its softmax. Returns the maximum and the sum of `exp(score - maximum)`.
fn softmax_row<T: Float>(row: &mut [T]) -> (T, T) {
    let greatest = maximum(row);
    let mut sum = T::ZERO;
    for value in &mut *row {
        *value = Float::exp(*value - greatest);
        sum += *value;
    }
    for value in &mut *row {
        *value /= sum;
    }
    (greatest, sum)
}

/// Replaces the scores by the gradient and returns the loss.
fn cross_entropy_row<T: Float>(row: &mut [T], target: usize) -> T {
    let score = row[target];
    let (greatest, sum) = softmax_row(row);
    row[target] -= T::ONE;
    Float::ln(sum) - (score - greatest)
}

/// As [`cross_entropy_row`], with label smoothing.
fn smoothed_row<T: Float>(row: &mut [T], target: usize, smoothing: T) -> T {
    let even = T::of(1.0 / row.len() as f64);
    let greatest = maximum(row);
    // Relative to the maximum, so that large scores near each other lose no digits and infinities do not cancel.
    let (of_target, mut of_all) = (greatest - row[target], T::ZERO);
    for score in row.iter() {
        of_all += (greatest - *score) * even;
    }
    let (_, sum) = softmax_row(row);
    let spread = smoothing * even;
    for value in &mut *row {
        *value -= spread;
    }
    row[target] -= T::ONE - smoothing;
    Float::ln(sum) + (T::ONE - smoothing) * of_target + smoothing * of_all
}

/// As [`cross_entropy_row`], for a target that has the mass `spread` on each class and that of `peaks` on two.
fn weighted_row<T: Float>(row: &mut [T], peaks: [(usize, f64); 2], spread: &[f64]) -> T {
    let greatest = maximum(row);
    // Relative to the maximum, as in `smoothed_row`.
    let (mut mass, mut lag) = (0.0, T::ZERO);
    for (score, spread) in row.iter().zip(spread) {
        mass += spread;
        lag += (greatest - *score) * T::of(*spread);
    }
    for (class, peak) in peaks {
        mass += peak;
        // A mass of 0 times an infinite distance is NaN, which a single target must not see.
        if peak != 0.0 {
            lag += (greatest - row[class]) * T::of(peak);
        }
    }
    let mass = T::of(mass);
    let (_, sum) = softmax_row(row);
    for (value, spread) in row.iter_mut().zip(spread) {
        *value = *value * mass - T::of(*spread);
    }
    for (class, peak) in peaks {
        row[class] -= T::of(peak);
    }
    Float::ln(sum) * mass + lag
}

fn perceptron_row<T: Float>(row: &mut [T], target: usize) -> T {
    let mut rival = usize::from(target == 0);
    let finite = row.iter().all(|score| score.is_finite());
    for (class, score) in row.iter().enumerate() {
        if class != target && *score > row[rival] {
            rival = class;
        }
    }
    let lead = row[rival] - row[target];
    row.fill(T::ZERO);
    if !finite {
        // Comparisons with NaN are false, so the loss shows it instead.
        return T::of(f64::NAN);
    }
    if lead < T::ZERO {
        return T::ZERO;
    }
    row[rival] = T::ONE;
    row[target] = T::ZERO - T::ONE;
    lead
}

/// The index of the maximum; the first of equals.
pub(crate) fn argmax<T: PartialOrd>(row: &[T]) -> usize {
    let mut best = 0;
    for (i, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = i;
        }
    }
    best
}

/// The number of rows and of classes, if there is a target for each row.
pub(super) fn check(scores: &Tensor, targets: &[u32]) -> Result<(usize, usize)> {
    let (n, classes) = scores.dims2()?;
    if targets.len() != n || n == 0 || classes < 2 {
        bail!(
            "a criterion takes at least two scores a row and a true class for each, not {n}x{classes} for {}",
            targets.len()
        )
    }
    if let Some(target) = targets.iter().find(|target| **target as usize >= classes) {
        bail!("class {target} is none of {classes}")
    }
    Ok((n, classes))
}

/// Whether the highest score of a row is that of the target. A row with a NaN has no maximum.
pub(super) fn is_correct<T: Float>(row: &[T], target: usize) -> bool {
    row.iter().all(|score| score.is_finite()) && argmax(row) == target
}

/// The mean over the rows.
fn criterion<T: Float>(
    scores: &Tensor,
    targets: &[u32],
    row_loss: impl Fn(&mut [T], usize) -> T,
) -> Result<Loss> {
    let (n, _) = check(scores, targets)?;
    reduced(scores, targets, n as f64, |_, row, target| {
        row_loss(row, target)
    })
}

/// The sum over the rows divided by `divisor`. `row_loss` takes a row's index, scores and target.
fn reduced<T: Float>(
    scores: &Tensor,
    targets: &[u32],
    divisor: f64,
    row_loss: impl Fn(usize, &mut [T], usize) -> T,
) -> Result<Loss> {
    let (n, classes) = check(scores, targets)?;
    let mut gradient = {
        let (storage, layout) = scores.storage_and_layout();
        storage_slice::<T>(&storage, layout)?.to_vec()
    };
    let (mut sum, mut correct) = (0.0, 0);
    let rows = gradient.chunks_exact_mut(classes).zip(targets);
    for (at, (row, target)) in rows.enumerate() {
        let target = *target as usize;
        correct += u64::from(is_correct(row, target));
        sum += row_loss(at, row, target).to_f64();
    }
    let share = T::of(1.0 / divisor);
    for value in &mut gradient {
        *value *= share;
    }
    let mean = sum / divisor;
    let gradient = Tensor::from_vec(gradient, (n, classes), &Device::Cpu)?;
    let tensor = apply1(
        scores,
        Precomputed { mean, gradient },
        SaveForBackward::Shapes,
    )?;
    Ok(Loss {
        tensor,
        mean,
        correct,
    })
}

/// A scalar whose value and gradient are precomputed.
struct Precomputed {
    mean: f64,
    gradient: Tensor,
}

impl CustomOp1 for Precomputed {
    fn name(&self) -> &'static str {
        "criterion"
    }

    fn cpu_fwd(&self, scores: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let loss = match scores {
            CpuStorage::F64(_) => CpuStorage::F64(vec![self.mean]),
            _ => CpuStorage::F32(vec![self.mean as f32]),
        };
        Ok((loss, ().into()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, dloss: &Tensor) -> Result<Option<Tensor>> {
        let scale = dloss.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        if scale == 1.0 {
            return Ok(Some(self.gradient.clone()));
        }
        self.gradient.affine(scale, 0.0).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores<const N: usize>(rows: &[[f32; 3]; N]) -> Tensor {
        Tensor::new(rows, &Device::Cpu).unwrap()
    }

    #[test]
    fn great_scores_do_not_overflow_and_what_is_no_number_shows() {
        let loss = cross_entropy(&scores(&[[1000.0, 0.0, -1000.0]]), &[0]).unwrap();
        assert_eq!((loss.mean, loss.correct), (0.0, 1));
        let loss = cross_entropy(&scores(&[[1000.0, 0.0, -1000.0]]), &[1]).unwrap();
        assert_eq!((loss.mean, loss.correct), (1000.0, 0));
        for bad in [f32::NAN, f32::INFINITY] {
            for place in 0..3 {
                let mut row = [0.0; 3];
                row[place] = bad;
                for target in 0..3 {
                    assert!(
                        !cross_entropy(&scores(&[row]), &[target])
                            .unwrap()
                            .mean
                            .is_finite()
                    );
                    assert!(
                        !perceptron_loss(&scores(&[row]), &[target])
                            .unwrap()
                            .mean
                            .is_finite()
                    );
                }
            }
        }
    }

    #[test]
    fn the_perceptron_criterion_takes_the_best_rival_and_a_tie_for_a_mistake() {
        let variable = candle_core::Var::from_tensor(&scores(&[
            [1.0, 3.0, 2.0],
            [5.0, 1.0, 0.0],
            [0.0, 0.0, 0.0],
        ]))
        .unwrap();
        let loss = perceptron_loss(variable.as_tensor(), &[2, 0, 1]).unwrap();
        assert!((loss.mean - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(loss.correct, 1);
        let gradient = loss
            .tensor
            .backward()
            .unwrap()
            .remove(&variable)
            .unwrap()
            .to_vec2::<f32>()
            .unwrap();
        let third = 1.0 / 3.0;
        assert_eq!(
            gradient,
            [[0.0, third, -third], [0.0, 0.0, 0.0], [third, -third, 0.0]]
        );
    }

    #[test]
    fn classes_that_do_not_exist_are_refused() {
        let scores = scores(&[[0.0; 3]]);
        assert!(cross_entropy(&scores, &[3]).is_err());
        assert!(cross_entropy(&scores, &[0, 1]).is_err());
        assert!(
            perceptron_loss(&scores.narrow(1, 0, 1).unwrap().contiguous().unwrap(), &[0]).is_err()
        );
    }
}
