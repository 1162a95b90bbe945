//! The tensors of a network: parameters, which are trained, and buffers, which are not.

use candle_core::{DType, Device, Tensor, Var};

use crate::error::{Error, Result};
use crate::graph::Init;

/// The most trainable parameters a network may have: 8 GiB in f32, three times that with an optimizer's state.
pub const MAX_PARAMETERS: u64 = 1 << 31;

/// Fails for more parameters than a network may have.
pub(crate) fn check_parameters(count: u64) -> Result<()> {
    if count > MAX_PARAMETERS {
        let message = format!("the network has more than {MAX_PARAMETERS} parameters");
        return Err(Error::setting("network", message));
    }
    Ok(())
}

/// The parameters and buffers of one network, in the order of their creation.
#[derive(Debug)]
pub struct VarStore {
    /// The seed of initialisation; `None` for parameters of 0.
    seed: Option<u64>,
    /// The type of parameters.
    dtype: DType,
    count: u64,
    parameters: Vec<(String, Var)>,
    buffers: Vec<(String, Tensor)>,
}

impl VarStore {
    /// A store that initialises parameters from a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            seed: Some(seed),
            dtype: DType::F32,
            count: 0,
            parameters: Vec::new(),
            buffers: Vec::new(),
        }
    }

    /// As [`VarStore::new`], with parameters of f64.
    pub fn new_f64(seed: u64) -> Self {
        Self {
            dtype: DType::F64,
            ..Self::new(seed)
        }
    }

    /// A store whose parameters are 0, for values that are then loaded.
    pub fn zeros() -> Self {
        Self {
            seed: None,
            ..Self::new(0)
        }
    }

    /// The builder of the root module.
    pub fn root(&mut self) -> VarBuilder<'_> {
        VarBuilder {
            store: self,
            path: String::new(),
        }
    }

    /// The number of trainable values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The trainable parameters with their names.
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = (&str, &Var)> + Clone {
        self.parameters
            .iter()
            .map(|(name, variable)| (name.as_str(), variable))
    }

    /// The buffers, such as running means, with their names.
    pub fn buffers(&self) -> impl ExactSizeIterator<Item = (&str, &Tensor)> {
        self.buffers
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// All tensors of a checkpoint: parameters, then buffers.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        let parameters = self
            .parameters()
            .map(|(name, variable)| (name, variable.as_tensor()));
        parameters.chain(self.buffers())
    }
}

/// Creates parameters and buffers under a path in the tree of modules.
#[derive(Debug)]
pub struct VarBuilder<'a> {
    store: &'a mut VarStore,
    path: String,
}

impl VarBuilder<'_> {
    /// The builder of a child module ("push prefix").
    pub fn pp(&mut self, child: impl std::fmt::Display) -> VarBuilder<'_> {
        let path = self.name(child);
        VarBuilder {
            store: self.store,
            path,
        }
    }

    /// The path, such as `net.0`; empty for the root.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn name(&self, child: impl std::fmt::Display) -> String {
        if self.path.is_empty() {
            child.to_string()
        } else {
            format!("{}.{child}", self.path)
        }
    }

    /// Creates a trainable parameter.
    ///
    /// # Errors
    /// When the network has more parameters than [`MAX_PARAMETERS`], or memory cannot be allocated.
    pub fn parameter(&mut self, name: &str, shape: &[usize], init: Init) -> Result<Tensor> {
        let name = self.name(name);
        let len = shape
            .iter()
            .fold(1u64, |product, d| product.saturating_mul(*d as u64));
        self.store.count = self.store.count.saturating_add(len);
        check_parameters(self.store.count)?;
        let values = match self.store.seed {
            Some(seed) => init.values(len as usize, seed, &name),
            None => vec![0.0; len as usize],
        };
        let variable = match self.store.dtype {
            DType::F64 => {
                let wide: Vec<_> = values.into_iter().map(f64::from).collect();
                Var::from_vec(wide, shape, &Device::Cpu)?
            }
            _ => Var::from_vec(values, shape, &Device::Cpu)?,
        };
        let tensor = variable.as_tensor().clone();
        self.store.parameters.push((name, variable));
        Ok(tensor)
    }

    /// Creates a buffer: a tensor that is saved with the parameters but not trained.
    ///
    /// # Errors
    /// When memory cannot be allocated.
    pub fn buffer(&mut self, name: &str, start: Tensor) -> Result<Tensor> {
        let name = self.name(name);
        self.store.buffers.push((name, start.clone()));
        Ok(start)
    }
}
