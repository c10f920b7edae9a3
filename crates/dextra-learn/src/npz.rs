//! Policies published in DAPG's layout (Rajeswaran et al. 2018): two layers of tanh in a NumPy archive.

use std::{
    fs::{self, File},
    io::{Cursor, Read, Write},
    path::Path,
};

use npyz::{NpyFile, WriterBuilder};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::LearnError;

/// A deterministic policy read from an `.npz` archive with the arrays `in_shift`, `in_scale`, `W0`,
/// `b0`, `W1`, `b1`, `W2`, `b2`, `out_scale` and `out_shift`; matrices are (outputs, inputs).
#[derive(Clone, Debug)]
pub struct NpzPolicy {
    pub(crate) in_shift: Vec<f64>,
    pub(crate) in_scale: Vec<f64>,
    pub(crate) layers: [(Vec<f64>, Vec<f64>); 3],
    pub(crate) out_scale: Vec<f64>,
    pub(crate) out_shift: Vec<f64>,
}

impl NpzPolicy {
    /// Reads an archive.
    ///
    /// # Errors
    /// A file that cannot be read, is no such archive, lacks an array or has one of another size; the
    /// message names file and array.
    pub fn load(path: &Path) -> Result<Self, LearnError> {
        let fail = |reason: String| LearnError::File {
            path: path.into(),
            reason,
        };
        let file = File::open(path).map_err(|error| fail(error.to_string()))?;
        let mut archive = zip::ZipArchive::new(file)
            .map_err(|error| fail(format!("not a NumPy archive (.npz): {error}")))?;
        let mut array = |name: &str| -> Result<Vec<f64>, LearnError> {
            let mut entry = archive
                .by_name(&format!("{name}.npy"))
                .map_err(|_| fail(format!("the archive has no array `{name}`")))?;
            let mut bytes = vec![];
            entry
                .read_to_end(&mut bytes)
                .map_err(|error| fail(format!("array `{name}`: {error}")))?;
            read_array(&bytes).map_err(|reason| fail(format!("array `{name}`: {reason}")))
        };
        let policy = Self {
            in_shift: array("in_shift")?,
            in_scale: array("in_scale")?,
            layers: [
                (array("W0")?, array("b0")?),
                (array("W1")?, array("b1")?),
                (array("W2")?, array("b2")?),
            ],
            out_scale: array("out_scale")?,
            out_shift: array("out_shift")?,
        };
        policy.check().map_err(fail)?;
        Ok(policy)
    }

    /// Writes the archive that [`NpzPolicy::load`] reads. The same policy gives the same bytes.
    ///
    /// # Errors
    /// A file that cannot be written; the message names it.
    pub fn save(&self, path: &Path) -> Result<(), LearnError> {
        let bytes = self.archive().and_then(|bytes| fs::write(path, bytes));
        bytes.map_err(|error| LearnError::File {
            path: path.into(),
            reason: error.to_string(),
        })
    }

    fn archive(&self) -> std::io::Result<Vec<u8>> {
        let mut zip = ZipWriter::new(Cursor::new(vec![]));
        // A fixed date: the clock must not show.
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default());
        let mut array = |name: &str, values: &[f64], shape: &[u64]| {
            let mut bytes = vec![];
            let mut writer = npyz::WriteOptions::new()
                .default_dtype()
                .shape(shape)
                .writer(&mut bytes)
                .begin_nd()?;
            writer.extend(values.iter().copied())?;
            writer.finish()?;
            zip.start_file(format!("{name}.npy"), options)?;
            zip.write_all(&bytes)
        };
        let mut vector = |name: &str, values: &[f64]| array(name, values, &[values.len() as u64]);
        vector("in_shift", &self.in_shift)?;
        vector("in_scale", &self.in_scale)?;
        vector("out_scale", &self.out_scale)?;
        vector("out_shift", &self.out_shift)?;
        for (i, (weights, bias)) in self.layers.iter().enumerate() {
            let outputs = bias.len();
            let shape = [outputs as u64, (weights.len() / outputs) as u64];
            array(&format!("W{i}"), weights, &shape)?;
            array(&format!("b{i}"), bias, &shape[..1])?;
        }
        Ok(zip.finish()?.into_inner())
    }

    /// Length of an observation.
    pub fn obs_dim(&self) -> usize {
        self.in_shift.len()
    }

    /// Length of an action.
    pub fn action_dim(&self) -> usize {
        self.out_shift.len()
    }

    /// The action for an observation; nominally in [-1, 1], not clipped.
    pub fn act(&self, obs: &[f32]) -> Vec<f32> {
        let scaled = obs.iter().zip(self.in_shift.iter().zip(&self.in_scale));
        let mut x: Vec<f64> = scaled
            .map(|(&x, (shift, scale))| (f64::from(x) - shift) / (scale + 1e-8))
            .collect();
        for (i, (weights, bias)) in self.layers.iter().enumerate() {
            let rows = weights.chunks_exact(x.len()).zip(bias);
            let y = rows.map(|(w, b)| b + w.iter().zip(&x).map(|(w, x)| w * x).sum::<f64>());
            x = if i < 2 {
                y.map(f64::tanh).collect()
            } else {
                y.collect()
            };
        }
        let out = x.iter().zip(self.out_scale.iter().zip(&self.out_shift));
        out.map(|(x, (scale, shift))| (x * scale + shift) as f32)
            .collect()
    }

    fn check(&self) -> Result<(), String> {
        let mut width = self.in_shift.len();
        let same = |name: &str, found: usize, expected: usize| {
            if found == expected && found > 0 {
                Ok(())
            } else {
                Err(format!(
                    "array `{name}` has {found} numbers, the others ask for {expected}"
                ))
            }
        };
        same("in_scale", self.in_scale.len(), width)?;
        for (i, (weights, bias)) in self.layers.iter().enumerate() {
            same(&format!("W{i}"), weights.len(), bias.len() * width)?;
            width = bias.len();
        }
        same("out_scale", self.out_scale.len(), width)?;
        same("out_shift", self.out_shift.len(), width)
    }
}

/// The numbers of an array in row-major order.
fn read_array(bytes: &[u8]) -> Result<Vec<f64>, String> {
    let file = NpyFile::new(bytes).map_err(|error| error.to_string())?;
    if file.order() == npyz::Order::Fortran && file.shape().len() > 1 {
        return Err("stored column by column; save it with numpy.ascontiguousarray".into());
    }
    let read = match file.dtype().descr().as_str() {
        descr if descr.contains("f4") => file
            .into_vec::<f32>()
            .map(|values| values.into_iter().map(f64::from).collect()),
        _ => file.into_vec::<f64>(),
    };
    let values = read.map_err(|error| error.to_string())?;
    if values.iter().all(|x| x.is_finite()) {
        Ok(values)
    } else {
        Err("holds a number that is not finite".into())
    }
}
