//! A learner's whole state as one safetensors file: a resumed run continues to the bit.

use std::borrow::Cow;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use safetensors::{Dtype, SafeTensors, View, tensor::serialize};

use crate::{LearnError, Learner};

/// The metadata key that says whose state it is.
pub(crate) const KEY: &str = "dextra";
/// What the file is; a change of layout changes it.
const FORMAT: &str = "dextra-learner-1";

/// One array of a state file: its shape is its length.
pub(crate) struct Array {
    dtype: Dtype,
    bytes: Vec<u8>,
    shape: [usize; 1],
}

impl Array {
    fn new<const N: usize>(dtype: Dtype, numbers: impl Iterator<Item = [u8; N]>) -> Self {
        let bytes: Vec<u8> = numbers.flatten().collect();
        Self {
            dtype,
            shape: [bytes.len() / N],
            bytes,
        }
    }

    pub fn f32(numbers: &[f32]) -> Self {
        Self::new(Dtype::F32, numbers.iter().map(|x| x.to_le_bytes()))
    }

    pub fn f64(numbers: &[f64]) -> Self {
        Self::new(Dtype::F64, numbers.iter().map(|x| x.to_le_bytes()))
    }
}

impl View for &Array {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }
    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

impl Learner {
    /// The whole state: networks, targets, moments, multipliers, statistics, generator and counters, as
    /// the bytes of a safetensors file. `parameters` and `target` are flat: each critic's w1, b1, gain,
    /// shift, w2, b2, w3, b3, w4, b4 and padding to a multiple of 16, then the prior's; matrices are
    /// (inputs, outputs), row-major.
    ///
    /// # Errors
    /// When the file cannot be put together.
    pub fn save(&self) -> Result<Vec<u8>, LearnError> {
        let region = &self.trust_region;
        let mut rng = self.rng.get_seed().to_vec();
        rng.extend(self.rng.get_stream().to_le_bytes());
        rng.extend(self.rng.get_word_pos().to_le_bytes());
        let arrays = [
            ("parameters", Array::f32(&self.parameters)),
            ("target", Array::f32(&self.target)),
            ("adam.first", Array::f32(&self.adam.first)),
            ("adam.second", Array::f32(&self.adam.second)),
            (
                "trust_region.log_multipliers",
                Array::f32(&region.log_multipliers),
            ),
            ("trust_region.adam.first", Array::f32(&region.adam.first)),
            ("trust_region.adam.second", Array::f32(&region.adam.second)),
            ("observation.mean", Array::f64(&self.normaliser.mean)),
            ("observation.squares", Array::f64(&self.normaliser.squares)),
            ("observation.rows", Array::f64(&[self.normaliser.rows])),
            (
                "rng",
                Array::new(Dtype::U8, rng.into_iter().map(|byte| [byte])),
            ),
            (
                "counters",
                Array::new(
                    Dtype::U64,
                    [self.updates, self.adam.steps, region.adam.steps]
                        .into_iter()
                        .map(u64::to_le_bytes),
                ),
            ),
        ];
        let views = arrays.iter().map(|(name, array)| (*name, array));
        serialize(views, Some([(KEY.to_owned(), self.identity())].into()))
            .map_err(|error| LearnError::State(error.to_string()))
    }

    /// Takes over a state that [`Learner::save`] wrote. On an error nothing has changed.
    ///
    /// # Errors
    /// Bytes that are truncated, no learner state, or the state of networks of other sizes.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), LearnError> {
        let bad = LearnError::State;
        let (_, header) = SafeTensors::read_metadata(bytes)
            .map_err(|error| bad(format!("truncated or not a safetensors file ({error})")))?;
        let (ours, theirs) = (
            self.identity(),
            header.metadata().as_ref().and_then(|m| m.get(KEY)),
        );
        match theirs {
            Some(theirs) if *theirs == ours => {}
            Some(theirs) => {
                return Err(bad(format!(
                    "it is of `{theirs}`, this learner is `{ours}`"
                )));
            }
            None => return Err(bad("a safetensors file of something else".into())),
        }
        let file = SafeTensors::deserialize(bytes)
            .map_err(|error| bad(format!("truncated or not a safetensors file ({error})")))?;
        let read = Reader { file };
        let mut next = LoadedState {
            parameters: read.f32("parameters", self.parameters.len())?,
            target: read.f32("target", self.target.len())?,
            adam: self.adam.clone(),
            trust_region: self.trust_region.clone(),
            normaliser: self.normaliser.clone(),
        };
        let (n, obs_dim) = (self.network.len(), self.normaliser.obs_dim());
        next.adam.first = read.f32("adam.first", n)?;
        next.adam.second = read.f32("adam.second", n)?;
        next.trust_region.log_multipliers = read.f32("trust_region.log_multipliers", 2)?;
        next.trust_region.adam.first = read.f32("trust_region.adam.first", 2)?;
        next.trust_region.adam.second = read.f32("trust_region.adam.second", 2)?;
        next.normaliser.mean = read.f64("observation.mean", obs_dim)?;
        next.normaliser.squares = read.f64("observation.squares", obs_dim)?;
        next.normaliser.rows = read.f64("observation.rows", 1)?[0];
        let counters: Vec<u64> = read
            .numbers("counters", Dtype::U64, 3)?
            .into_iter()
            .map(u64::from_le_bytes)
            .collect();
        let rng: Vec<u8> = read
            .numbers::<1>("rng", Dtype::U8, 56)?
            .into_iter()
            .flatten()
            .collect();
        let rng = restored_generator(&rng).ok_or_else(|| bad("its generator is damaged".into()))?;

        (self.updates, next.adam.steps, next.trust_region.adam.steps) =
            (counters[0], counters[1], counters[2]);
        self.parameters = next.parameters;
        self.target = next.target;
        self.adam = next.adam;
        self.trust_region = next.trust_region;
        self.normaliser = next.normaliser;
        self.rng = rng;
        Ok(())
    }

    /// What must agree for a state to fit. One text under one key: several keys would be written in no
    /// fixed order.
    fn identity(&self) -> String {
        let network = &self.network;
        format!(
            "{FORMAT} obs_dim={} action_dim={} critics={} hidden={}",
            network.obs_dim, network.action_dim, network.critics, network.prior.hidden
        )
    }
}

struct LoadedState {
    parameters: Vec<f32>,
    target: Vec<f32>,
    adam: crate::adam::Adam,
    trust_region: crate::trust_region::TrustRegion,
    normaliser: crate::normaliser::Normaliser,
}

pub(crate) struct Reader<'a> {
    pub file: SafeTensors<'a>,
}

impl Reader<'_> {
    fn numbers<const N: usize>(
        &self,
        name: &str,
        dtype: Dtype,
        count: usize,
    ) -> Result<Vec<[u8; N]>, LearnError> {
        let tensor = self
            .file
            .tensor(name)
            .map_err(|_| LearnError::State(format!("it has no array `{name}`")))?;
        if tensor.dtype() != dtype || tensor.data().len() != N * count {
            return Err(LearnError::State(format!(
                "its array `{name}` is {:?} of shape {:?}, not {count} numbers of {dtype:?}",
                tensor.dtype(),
                tensor.shape()
            )));
        }
        Ok(tensor.data().as_chunks::<N>().0.to_vec())
    }

    pub fn f32(&self, name: &str, count: usize) -> Result<Vec<f32>, LearnError> {
        Ok(self
            .numbers(name, Dtype::F32, count)?
            .into_iter()
            .map(f32::from_le_bytes)
            .collect())
    }

    pub fn f64(&self, name: &str, count: usize) -> Result<Vec<f64>, LearnError> {
        Ok(self
            .numbers(name, Dtype::F64, count)?
            .into_iter()
            .map(f64::from_le_bytes)
            .collect())
    }
}

/// A generator from its seed (32 bytes), stream (8) and position (16).
fn restored_generator(bytes: &[u8]) -> Option<ChaCha8Rng> {
    let (seed, rest) = bytes.split_first_chunk::<32>()?;
    let (stream, position) = rest.split_first_chunk::<8>()?;
    let mut rng = ChaCha8Rng::from_seed(*seed);
    rng.set_stream(u64::from_le_bytes(*stream));
    rng.set_word_pos(u128::from_le_bytes(*position.first_chunk::<16>()?));
    Some(rng)
}
