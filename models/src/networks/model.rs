//! A network with its parameters and buffers.

use candle_core::{D, DType, Tensor};

use crate::error::{Error, Result};
use crate::graph::{Criterion, Graph};
use crate::nn::{Context, Executor, FrozenPart, Mode, VarStore};
use crate::ops::{CopySource, copy_};
use crate::spec::NetworkSpec;
use crate::tensor_file::{TensorValues, all_finite};

/// A network together with its numbers.
pub struct Model {
    network: Executor,
    store: VarStore,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("input", &self.input())
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl Model {
    /// A network for samples of the shape `input`, initialised from `seed`.
    ///
    /// # Errors
    /// When there is no such network, it does not take such samples, or it is too large.
    ///
    /// ```
    /// use candle_core::{DType, Device, Tensor};
    /// use vivarium_models::nn::{Context, Mode};
    /// use vivarium_models::networks::Model;
    /// # use vivarium_models::{data::Library, form};
    /// # let document = serde_json::json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}});
    /// # let run = form::check(&document, &Library::none()).unwrap();
    /// let model = Model::new(&run.network, &[1, 8, 8], 10, 0)?;
    /// let batch = Tensor::zeros((2, 1, 8, 8), DType::F32, &Device::Cpu)?;
    /// let scores = model.forward(&batch, &mut Context::new(Mode::Evaluate))?;
    /// assert_eq!(scores.dims(), [2, 10]);
    /// # Ok::<(), vivarium_models::Error>(())
    /// ```
    pub fn new(spec: &NetworkSpec, input: &[usize], classes: usize, seed: u64) -> Result<Self> {
        Self::of_graph(spec.graph(input, classes)?, seed)
    }

    /// The network of a graph, initialised from `seed`.
    ///
    /// # Errors
    /// When it is too large.
    pub fn of_graph(graph: Graph, seed: u64) -> Result<Self> {
        Self::in_store(VarStore::new(seed), graph)
    }

    /// The network of a graph with weights of 0, for weights that are then loaded: to draw those of a large network takes
    /// longer than to read them.
    ///
    /// # Errors
    /// When it is too large.
    pub fn of_zeros(graph: Graph) -> Result<Self> {
        Self::in_store(VarStore::zeros(), graph)
    }

    /// As [`Model::new`], with parameters of f64, for comparing gradients with an exact reference: rounding does not
    /// decide on which side of a kink a value is. It takes samples of f64 and cannot be trained.
    ///
    /// # Errors
    /// As [`Model::new`].
    pub fn new_f64(spec: &NetworkSpec, input: &[usize], classes: usize, seed: u64) -> Result<Self> {
        Self::in_store(VarStore::new_f64(seed), spec.graph(input, classes)?)
    }

    fn in_store(mut store: VarStore, graph: Graph) -> Result<Self> {
        Ok(Self {
            network: Executor::new(graph, &mut store)?,
            store,
        })
    }

    /// The scores [n, classes] of `x` [n, …].
    ///
    /// # Errors
    /// [`Error::Shape`] when the samples have another shape than the network was built for.
    pub fn forward(&self, x: &Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        self.check_input(x)?;
        self.network.forward(x, context)
    }

    /// As [`Model::forward`], with a frozen part: it is computed as in evaluation, and no tape has it.
    ///
    /// # Errors
    /// As [`Model::forward`].
    pub fn forward_frozen(
        &self,
        x: &Tensor,
        part: &FrozenPart,
        context: &mut Context<'_>,
    ) -> Result<Tensor> {
        self.check_input(x)?;
        self.network.forward_frozen(x, part, context)
    }

    /// The result of the frozen part for `x` [n, …], where the rest takes only one: [n, …].
    ///
    /// # Errors
    /// As [`Model::forward`]; where the rest takes several results.
    pub fn features(&self, x: &Tensor, part: &FrozenPart) -> Result<Tensor> {
        self.check_input(x)?;
        self.network.features(x, part)
    }

    /// The scores [n, classes], from the result of the frozen part.
    ///
    /// # Errors
    /// As [`Model::features`].
    pub fn forward_features(
        &self,
        features: &Tensor,
        part: &FrozenPart,
        context: &mut Context<'_>,
    ) -> Result<Tensor> {
        self.network.forward_features(features, part, context)
    }

    fn check_input(&self, x: &Tensor) -> Result<()> {
        if x.dims().get(1..) != Some(self.input()) {
            let expected = format!(
                "[n, {}]",
                self.input()
                    .iter()
                    .map(usize::to_string)
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            return Err(Error::Shape {
                place: "input".to_owned(),
                expected,
                got: x.dims().to_vec(),
            });
        }
        Ok(())
    }

    /// The scores [n, classes] of `x` [n, …] in evaluation mode; with `flip`, those of the mean over each image and its
    /// mirror image ([`Criterion::average_scores`]).
    ///
    /// # Errors
    /// As [`Model::forward`].
    pub fn evaluate(&self, x: &Tensor, flip: bool) -> Result<Tensor> {
        let scores = |x: &Tensor| self.forward(x, &mut Context::new(Mode::Evaluate));
        let upright = scores(x)?;
        if !flip || self.input().len() != 3 {
            return Ok(upright);
        }
        let width = u32::try_from(x.dim(D::Minus1)?).unwrap_or(0);
        let mirrored: Vec<u32> = (0..width).rev().collect();
        let columns = Tensor::new(mirrored, x.device())?;
        let mirror = scores(&x.index_select(&columns, x.rank() - 1)?)?;
        self.criterion().average_scores(&upright, &mirror)
    }

    /// A copy of the network with its own tensors.
    ///
    /// # Errors
    /// When memory cannot be allocated.
    pub fn duplicate(&self) -> Result<Self> {
        let copy = Self::of_graph(self.graph().clone(), 0)?;
        copy.set_weights(&self.weights()?)?;
        Ok(copy)
    }

    /// The parameters and buffers.
    pub fn store(&self) -> &VarStore {
        &self.store
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        self.network.graph()
    }

    /// The loss function.
    pub fn criterion(&self) -> Criterion {
        self.graph().criterion
    }

    /// The shape of a sample.
    pub fn input(&self) -> &[usize] {
        self.graph().input()
    }

    /// Copies of all tensors with their names: parameters, then buffers.
    ///
    /// # Errors
    /// When a tensor is neither f32 nor i64, which does not happen.
    pub fn weights(&self) -> Result<Vec<(String, Vec<usize>, TensorValues)>> {
        let copy = |(name, tensor): (&str, &Tensor)| {
            let flat = tensor.flatten_all()?;
            let values = match tensor.dtype() {
                DType::I64 => TensorValues::I64(flat.to_vec1()?),
                _ => TensorValues::F32(flat.to_vec1()?),
            };
            Ok((name.to_owned(), tensor.dims().to_vec(), values))
        };
        self.store.tensors().map(copy).collect()
    }

    /// Sets all tensors, in the order of [`Model::weights`].
    ///
    /// # Errors
    /// When names, shapes or types differ from the network's, or a value is not finite; then nothing is changed.
    pub fn set_weights(&self, weights: &[(String, Vec<usize>, TensorValues)]) -> Result<()> {
        let own: Vec<_> = self.store.tensors().collect();
        if own.len() != weights.len() {
            return Err(Error::setting(
                "network",
                format!("{} tensors where {} belong", weights.len(), own.len()),
            ));
        }
        for ((name, tensor), (given, shape, values)) in own.iter().zip(weights) {
            let same_type =
                matches!(values, TensorValues::I64(_)) == (tensor.dtype() == DType::I64);
            if name != given
                || tensor.dims() != shape
                || !same_type
                || values.len() != tensor.elem_count()
            {
                let expected = format!("{name} {:?}", tensor.dims());
                return Err(Error::Shape {
                    place: given.clone(),
                    expected,
                    got: shape.clone(),
                });
            }
            if !values.all_finite() {
                return Err(Error::setting(given, "has values that are not finite"));
            }
        }
        for ((_, tensor), (.., values)) in own.iter().zip(weights) {
            copy_(tensor, values.copy_source())?;
        }
        Ok(())
    }

    /// Whether every value is finite.
    pub fn all_finite(&self) -> bool {
        self.store.tensors().all(|(_, tensor)| {
            let (storage, _) = tensor.storage_and_layout();
            match &*storage {
                candle_core::Storage::Cpu(candle_core::CpuStorage::F32(values)) => {
                    all_finite(values)
                }
                _ => true,
            }
        })
    }
}

impl TensorValues {
    fn copy_source(&self) -> CopySource<'_> {
        match self {
            Self::F32(values) => CopySource::F32(values),
            Self::I64(values) => CopySource::I64(values),
        }
    }
}
