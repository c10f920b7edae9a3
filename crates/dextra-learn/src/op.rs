//! The multilayer perceptron as one operation of the tensor library, with its own way back.
//!
//! Layer by layer, the library spends three quarters of an update on elementwise passes, temporaries
//! and bookkeeping. As one operation, the whole network is a node of the graph, and the losses above
//! it stay ordinary tensor algebra.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Storage, Tensor, bail};

use crate::mlp::{self, Shape, Tape};

/// Networks of one shape; keeps the buffers of finished evaluations for the next ones.
#[derive(Clone)]
pub(crate) struct Networks {
    shape: Shape,
    spare: Arc<Mutex<Vec<Vec<Tape>>>>,
}

impl Networks {
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            spare: Arc::default(),
        }
    }

    /// Outputs (networks, rows, outputs) of the networks with `parameters` (networks, parameters) on
    /// the same `x` (rows, inputs). Differentiable with respect to the parameters.
    pub fn apply(&self, parameters: &Tensor, x: &Tensor) -> Result<Tensor> {
        let tapes = lock(&self.spare).pop().unwrap_or_default();
        parameters.apply_op2(
            x,
            Evaluation {
                networks: self.clone(),
                tapes: Mutex::new(tapes),
            },
        )
    }
}

/// One use of the operation: its tapes stay with it until the way back is done.
struct Evaluation {
    networks: Networks,
    tapes: Mutex<Vec<Tape>>,
}

impl Drop for Evaluation {
    fn drop(&mut self) {
        let tapes = std::mem::take(&mut *lock(&self.tapes));
        lock(&self.networks.spare).push(tapes);
    }
}

impl CustomOp2 for Evaluation {
    fn name(&self) -> &'static str {
        "layer-norm-mlp"
    }

    fn cpu_fwd(
        &self,
        parameters: &CpuStorage,
        parameters_layout: &Layout,
        x: &CpuStorage,
        x_layout: &Layout,
    ) -> Result<(CpuStorage, candle_core::Shape)> {
        let shape = self.networks.shape;
        let (networks, _) = parameters_layout.shape().dims2()?;
        let (rows, _) = x_layout.shape().dims2()?;
        let (parameters, x) = (slice(parameters, parameters_layout)?, slice(x, x_layout)?);
        let mut out = vec![0.0; networks * rows * shape.outputs];
        let mut tapes = lock(&self.tapes);
        tapes.resize_with(networks, Tape::default);
        let each = parameters
            .chunks(shape.len())
            .zip(out.chunks_mut(rows * shape.outputs));
        for ((p, out), tape) in each.zip(tapes.iter_mut()) {
            mlp::forward(shape, p, x, out, tape);
        }
        Ok((CpuStorage::F32(out), (networks, rows, shape.outputs).into()))
    }

    fn bwd(
        &self,
        parameters: &Tensor,
        x: &Tensor,
        _out: &Tensor,
        d_out: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let shape = self.networks.shape;
        let (networks, length) = parameters.dims2()?;
        let rows = x.dim(0)?;
        let d_out = d_out.contiguous()?;
        let mut gradient = vec![0.0; networks * length];
        let mut tapes = lock(&self.tapes);
        with_slice(parameters, |parameters| {
            with_slice(x, |x| {
                with_slice(&d_out, |d_out| {
                    let each = parameters
                        .chunks(length)
                        .zip(d_out.chunks(rows * shape.outputs))
                        .zip(gradient.chunks_mut(length));
                    for (((p, d_out), g), tape) in each.zip(tapes.iter_mut()) {
                        mlp::backward(shape, p, x, d_out, g, tape);
                    }
                })
            })
        })???;
        Ok((
            Some(Tensor::from_vec(gradient, (networks, length), x.device())?),
            None,
        ))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("the network takes contiguous tensors"),
    }
}

/// Lends a contiguous tensor's numbers.
pub(crate) fn with_slice<R>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(f(slice(storage, layout)?)),
        _ => bail!("the network runs on the processor"),
    }
}
