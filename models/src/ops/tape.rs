//! Reverse-mode automatic differentiation: a record of the forward pass, and the backward pass over it.
//!
//! While a [`Tape`] records, the operations of this crate are added to it instead of Candle's graph. The backward pass
//! frees each activation as soon as its gradient is known, and the tape does not hold what no backward function needs.
//! Gradients are added up in place, where Candle allocates a tensor of zeros and two copies for every edge. Outside of
//! a recording, Candle differentiates these operations as any custom operation.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::thread::LocalKey;

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, DType, InplaceOp2, Layout, Result, Tensor,
    TensorId, bail,
};

use super::float::Float;
use super::kernel::{check_len, contiguous_slice, zip_mut};
use super::reference;

/// Computes the gradients of an operation's arguments from its result and the gradient of the result.
pub(super) type BackwardFn = Box<dyn Fn(&Tensor, &Tensor) -> Result<Vec<Option<Tensor>>>>;

/// As [`BackwardFn`], for an operation with several results. A result that the loss does not depend on has no gradient.
pub(super) type MultiBackwardFn = Box<dyn Fn(&[Option<Tensor>]) -> Result<Vec<Option<Tensor>>>>;

struct Node {
    arguments: Vec<TensorId>,
    results: Vec<TensorId>,
    back: MultiBackwardFn,
}

/// What the backward function of an operation with one argument needs besides the gradient. Everything else is freed,
/// unless another operation holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SaveForBackward {
    /// Shapes only.
    Shapes,
    /// Argument and result.
    Values,
}

/// A tensor of the same shape that takes no memory.
fn shape_only(tensor: &Tensor) -> Result<Tensor> {
    Tensor::zeros((), tensor.dtype(), tensor.device())?.broadcast_as(tensor.shape())
}

/// The operations of a forward pass that depend on a parameter, in order.
#[derive(Default)]
pub struct Tape {
    nodes: Vec<Node>,
    /// Results on the tape. Their gradients are required.
    results: HashSet<TensorId>,
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tape of {} operations", self.nodes.len())
    }
}

thread_local! {
    static RECORDING: RefCell<Option<Tape>> = const { RefCell::new(None) };
    /// Results on the tape whose backward pass runs.
    static REQUIRES_GRAD: RefCell<HashSet<TensorId>> = RefCell::default();
}

/// A value of this thread for a while. The earlier one comes back when this is dropped, also when a panic unwinds: a
/// caller that catches it must not go on recording on the tape of a pass that failed.
pub(super) struct Scoped<T: Default + 'static> {
    value: &'static LocalKey<RefCell<T>>,
    before: T,
}

impl<T: Default> Scoped<T> {
    pub(super) fn set(value: &'static LocalKey<RefCell<T>>, now: T) -> Self {
        let before = value.replace(now);
        Self { value, before }
    }
}

impl<T: Default> Drop for Scoped<T> {
    fn drop(&mut self) {
        self.value.replace(std::mem::take(&mut self.before));
    }
}

impl Tape {
    /// Runs `forward` and records the operations of this crate on this thread.
    pub fn record<R>(forward: impl FnOnce() -> R) -> (R, Self) {
        let _scope = Scoped::set(&RECORDING, Some(Self::default()));
        let result = forward();
        (result, RECORDING.take().unwrap_or_default())
    }

    /// Runs the backward pass from `loss`, a scalar on the tape. Returns the gradients of variables, except those that
    /// a sink took: [`Gradients`](super::Gradients) or a [`FusedBackward`](super::FusedBackward).
    ///
    /// # Errors
    /// When an operation's gradient fails.
    pub fn backward(self, loss: &Tensor) -> Result<HashMap<TensorId, Tensor>> {
        self.backward_with_hook(loss, loss.ones_like()?, &mut |_, _, _| false)
    }

    /// As [`Tape::backward`], from any `result` on the tape and its gradient. `hook` is called for each operation of
    /// the backward pass: with the result, its gradient, and the part of the first argument's gradient that comes
    /// through this operation, if any. An operation with several results calls it once for each. `hook` returns whether
    /// it keeps these tensors, which are then not changed in place.
    ///
    /// # Errors
    /// When an operation's gradient fails.
    pub fn backward_with_hook(
        self,
        result: &Tensor,
        gradient: Tensor,
        hook: &mut dyn FnMut(TensorId, &Tensor, Option<&Tensor>) -> bool,
    ) -> Result<HashMap<TensorId, Tensor>> {
        let Self { mut nodes, results } = self;
        let _scope = Scoped::set(&REQUIRES_GRAD, results);
        let mut gradients = HashMap::from([(result.id(), (gradient, false))]);
        while let Some(node) = nodes.pop() {
            let of_result = |id| match gradients.remove(id) {
                Some((dy, shared)) => (Some(dy), shared),
                None => (None, false),
            };
            let (dys, shared): (Vec<_>, Vec<_>) = node.results.iter().map(of_result).unzip();
            if dys.iter().all(Option::is_none) {
                continue;
            }
            let parts = (node.back)(&dys)?;
            let first = parts.first().and_then(Option::as_ref);
            let mut kept = false;
            for (id, dy) in node.results.iter().zip(&dys) {
                kept |= dy.as_ref().is_some_and(|dy| hook(*id, dy, first));
            }
            for (argument, part) in node.arguments.iter().zip(parts) {
                let Some(part) = part else { continue };
                // An operation that only passes the gradient on returns the same tensor for several arguments.
                let shared = dys.iter().zip(&shared).any(|(dy, shared)| {
                    dy.as_ref().is_some_and(|dy| dy.id() == part.id())
                        && (*shared || node.arguments.len() > 1)
                });
                accumulate(&mut gradients, *argument, part, kept || shared)?;
            }
        }
        Ok(gradients
            .into_iter()
            .map(|(id, (gradient, _))| (id, gradient))
            .collect())
    }

    /// The tensors that are an argument more than once.
    pub(super) fn reused_tensors(&self) -> HashSet<TensorId> {
        let mut once = HashSet::new();
        let taken = self.nodes.iter().flat_map(|node| &node.arguments);
        taken.filter(|id| !once.insert(**id)).copied().collect()
    }

    fn contains(&self, tensor: &Tensor) -> bool {
        tensor.is_variable() || self.results.contains(&tensor.id())
    }
}

/// Whether the gradient of an operation's argument is required.
pub(super) fn requires_grad(argument: &Tensor) -> bool {
    argument.track_op() || REQUIRES_GRAD.with(|ids| ids.borrow().contains(&argument.id()))
}

/// Gradients, and whether others share their memory.
type GradientSums = HashMap<TensorId, (Tensor, bool)>;

fn accumulate(sums: &mut GradientSums, id: TensorId, part: Tensor, shared: bool) -> Result<()> {
    match sums.remove(&id) {
        None => sums.insert(id, (part, shared)),
        Some((sum, false)) => {
            sum.inplace_op2(&part, &AddInPlace)?;
            sums.insert(id, (sum, false))
        }
        Some((sum, true)) if !shared => {
            part.inplace_op2(&sum, &AddInPlace)?;
            sums.insert(id, (part, false))
        }
        Some((sum, true)) => sums.insert(id, ((sum + part)?, false)),
    };
    Ok(())
}

struct AddInPlace;

impl InplaceOp2 for AddInPlace {
    fn name(&self) -> &'static str {
        "add-in-place"
    }

    fn cpu_fwd(
        &self,
        sum: &mut CpuStorage,
        sum_layout: &Layout,
        part: &CpuStorage,
        part_layout: &Layout,
    ) -> Result<()> {
        fn on<T: Float>(
            sum: &mut [T],
            layout: &Layout,
            part: &CpuStorage,
            part_layout: &Layout,
        ) -> Result<()> {
            let Some((start, end)) = layout.contiguous_offsets() else {
                bail!("a gradient must lie in one piece")
            };
            let part = contiguous_slice::<T>(part, part_layout)?;
            check_len(end - start, part.len())?;
            zip_mut(&mut sum[start..end], part, |sum, part| *sum += part);
            Ok(())
        }
        match sum {
            CpuStorage::F32(sum) => on(sum, sum_layout, part, part_layout),
            CpuStorage::F64(sum) => on(sum, sum_layout, part, part_layout),
            _ => bail!("gradients are f32 or f64"),
        }
    }
}

/// `None` if no tape records, else whether an argument is a variable or on the tape.
pub(super) fn recording(arguments: &[&Tensor]) -> Option<bool> {
    RECORDING.with(|recording| {
        let recording = recording.borrow();
        let tape = recording.as_ref()?;
        Some(arguments.iter().any(|argument| tape.contains(argument)))
    })
}

/// Whether a tape records, and an argument is a variable or on the tape.
pub(super) fn recorded(arguments: &[&Tensor]) -> bool {
    recording(arguments) == Some(true)
}

/// Adds an operation to the tape. `save` says whether its backward function needs the values of the result.
pub(super) fn push(
    arguments: &[&Tensor],
    result: &Tensor,
    save: SaveForBackward,
    back: BackwardFn,
) -> Result<()> {
    let kept = match save {
        SaveForBackward::Shapes => shape_only(result)?,
        SaveForBackward::Values => result.clone(),
    };
    let back = move |dys: &[Option<Tensor>]| match dys {
        [Some(dy)] => back(&kept, dy),
        _ => Ok(Vec::new()),
    };
    push_multi(arguments, std::slice::from_ref(result), Box::new(back));
    Ok(())
}

/// Adds an operation with several results to the tape.
pub(super) fn push_multi(arguments: &[&Tensor], results: &[Tensor], back: MultiBackwardFn) {
    let results: Vec<_> = results.iter().map(Tensor::id).collect();
    RECORDING.with(|recording| {
        if let Some(tape) = recording.borrow_mut().as_mut() {
            tape.results.extend(&results);
            tape.nodes.push(Node {
                arguments: arguments.iter().map(|argument| argument.id()).collect(),
                results,
                back,
            });
        }
    });
}

/// Applies an operation with one argument.
pub(super) fn apply1(
    a: &Tensor,
    op: impl CustomOp1 + Send + Sync + 'static,
    save: SaveForBackward,
) -> Result<Tensor> {
    let Some(known) = recording(&[a]) else {
        return a.apply_op1(op);
    };
    let y = a.apply_op1_no_bwd(&op)?;
    if known {
        let kept = match save {
            SaveForBackward::Shapes => shape_only(a)?,
            SaveForBackward::Values => a.clone(),
        };
        push(
            &[a],
            &y,
            save,
            Box::new(move |y, dy| Ok(vec![op.bwd(&kept, y, dy)?])),
        )?;
    }
    Ok(y)
}

/// Applies an operation with two arguments, whose backward function needs the arguments and not the result.
pub(super) fn apply2(
    a: &Tensor,
    b: &Tensor,
    op: impl CustomOp2 + Send + Sync + 'static,
) -> Result<Tensor> {
    let Some(known) = recording(&[a, b]) else {
        return a.apply_op2(b, op);
    };
    let y = a.apply_op2_no_bwd(b, &op)?;
    if known {
        let kept = (a.clone(), b.clone());
        let back: BackwardFn = Box::new(move |y, dy| {
            let (da, db) = op.bwd(&kept.0, &kept.1, y, dy)?;
            Ok(vec![da, db])
        });
        push(&[a, b], &y, SaveForBackward::Shapes, back)?;
    }
    Ok(y)
}

/// Applies an operation with three arguments, whose backward function needs the arguments and not the result.
pub(super) fn apply3(
    a: &Tensor,
    b: &Tensor,
    c: &Tensor,
    op: impl CustomOp3 + Send + Sync + 'static,
) -> Result<Tensor> {
    let Some(known) = recording(&[a, b, c]) else {
        return a.apply_op3(b, c, op);
    };
    let y = a.apply_op3_no_bwd(b, c, &op)?;
    if known {
        let kept = (a.clone(), b.clone(), c.clone());
        let back: BackwardFn = Box::new(move |y, dy| {
            let (da, db, dc) = op.bwd(&kept.0, &kept.1, &kept.2, y, dy)?;
            Ok(vec![da, db, dc])
        });
        push(&[a, b, c], &y, SaveForBackward::Shapes, back)?;
    }
    Ok(y)
}

/// Concatenates tensors along their last dimension. All other dimensions must be equal. PyTorch's `cat`.
///
/// # Errors
/// When the shapes do not match.
pub fn cat(parts: &[&Tensor]) -> Result<Tensor> {
    if reference::selected() {
        return reference::cat(parts);
    }
    let last = parts
        .first()
        .map_or(0, |first| first.rank().saturating_sub(1));
    let Some(known) = recording(parts) else {
        return Tensor::cat(parts, last)?.contiguous();
    };
    let y = super::columns::cat(parts)?;
    if known {
        let widths: Vec<_> = parts
            .iter()
            .map(|part| part.dim(last))
            .collect::<Result<_>>()?;
        let back: BackwardFn = Box::new(move |_, dy| {
            let parts = super::columns::split(dy, &widths)?;
            Ok(parts.into_iter().map(Some).collect())
        });
        push(parts, &y, SaveForBackward::Shapes, back)?;
    }
    Ok(y)
}

/// Samples `[n, …]` as rows `[n, values]`, in their order in memory. PyTorch's `flatten(1)`.
///
/// # Errors
/// When `x` is a scalar.
pub fn flatten(x: &Tensor) -> Result<Tensor> {
    if x.rank() == 2 {
        return Ok(x.clone());
    }
    if reference::selected() {
        return reference::flatten(x);
    }
    let y = x.flatten_from(1)?;
    if recording(&[x]) == Some(true) {
        let shape = x.shape().clone();
        // A copy, because others may share the memory of `dy`.
        let back: BackwardFn = Box::new(move |_, dy| Ok(vec![Some(dy.copy()?.reshape(&shape)?)]));
        push(&[x], &y, SaveForBackward::Shapes, back)?;
    }
    Ok(y)
}

/// The sum of two tensors of one shape.
///
/// # Errors
/// When their shapes differ.
pub fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if reference::selected() {
        return reference::add(a, b);
    }
    let known = match recording(&[a, b]) {
        Some(known) => known,
        // Candle's sums share one group of threads, for which callers side by side wait; it differentiates them, though.
        None if [a, b].iter().any(|x| x.track_op() || !is_plain(x)) => return a + b,
        None => false,
    };
    let y = super::kernel::add(a, b)?;
    if known {
        push(
            &[a, b],
            &y,
            SaveForBackward::Shapes,
            Box::new(|_, dy| Ok(vec![Some(dy.clone()), Some(dy.clone())])),
        )?;
    }
    Ok(y)
}

/// Whether a tensor is of floats in one piece in the CPU's memory.
fn is_plain(x: &Tensor) -> bool {
    x.is_contiguous() && x.device().is_cpu() && matches!(x.dtype(), DType::F32 | DType::F64)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use candle_core::{Device, Var};

    use super::*;

    fn doubled(var: &Var) -> Tensor {
        add(var, var).unwrap()
    }

    #[test]
    fn a_sum_outside_of_a_recording_is_candles_in_every_layout_and_has_its_gradient() {
        let a = Tensor::randn(0f32, 1.0, (300, 700), &Device::Cpu).unwrap();
        let b = Tensor::randn(0f32, 1.0, (300, 700), &Device::Cpu).unwrap();
        let values = |x: Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values(add(&a, &b).unwrap()), values((&a + &b).unwrap()));
        let (a, b) = (a.t().unwrap(), b.t().unwrap());
        assert_eq!(values(add(&a, &b).unwrap()), values((&a + &b).unwrap()));
        let var = Var::from_tensor(&a).unwrap();
        let gradients = add(&var, &b).unwrap().sum_all().unwrap().backward();
        let gradient = gradients.unwrap().get(&var).cloned().unwrap();
        assert_eq!(values(gradient), vec![1.0; 300 * 700]);
    }

    #[test]
    fn a_panic_while_a_tape_records_ends_the_recording() {
        let var = Var::new(&[1f32], &Device::Cpu).unwrap();
        let caught = catch_unwind(AssertUnwindSafe(|| {
            Tape::record(|| {
                doubled(&var);
                panic!("in the forward pass");
            })
        }));
        assert!(caught.is_err());
        assert!(RECORDING.with(|recording| recording.borrow().is_none()));
        assert!(!recorded(&[&var]));
    }

    #[test]
    fn a_panic_on_the_way_back_leaves_no_gradients_wanted() {
        let var = Var::new(&[1f32], &Device::Cpu).unwrap();
        let (loss, tape) = Tape::record(|| doubled(&var));
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let mut watch = |_, _: &Tensor, _: Option<&Tensor>| panic!("on the way back");
            tape.backward_with_hook(&loss, loss.ones_like().unwrap(), &mut watch)
        }));
        assert!(caught.is_err());
        assert!(REQUIRES_GRAD.with(|wanted| wanted.borrow().is_empty()));
    }

    #[test]
    fn a_tape_within_another_gives_the_outer_one_back() {
        let var = Var::new(&[1f32], &Device::Cpu).unwrap();
        let ((), outer) = Tape::record(|| {
            doubled(&var);
            let (_, inner) = Tape::record(|| doubled(&var));
            assert_eq!(inner.nodes.len(), 1);
            doubled(&var);
        });
        assert_eq!(outer.nodes.len(), 2);
    }
}
