//! Relative Entropy Q-Learning, the update of Jeong et al. 2020 (arXiv:2010.08587), section 3.
//!
//! The paper's names: prior pi_theta, critic Q_phi, their targets pi' and Q', the improved policy
//! `pi(a|s) = pi'(a|s) exp(Q'(s, a) / eta_s) / Z`, which is never a network: it is the prior's samples
//! and their weights. Where a configuration goes beyond the paper (several critics, n-step rewards,
//! exponential weights), the paper's form is one of the values.

use candle_core::{Device, Result, Tensor, Var};
use dextra_data::Batch;

use crate::{
    LearnConfig, Weight,
    mlp::Scratch,
    network::{Deviation, Network},
    op::{Networks, with_slice},
    temperature, trust_region,
};

/// Rows whose losses are one graph. More would leave the cache, and wake the tensor library's own
/// threads, which belong to the simulation.
const PIECE: usize = 1024;

/// pi' and the improved policy at a number of states.
#[derive(Default)]
pub(crate) struct Improved {
    /// Mean of pi', (states, actions).
    pub mean: Vec<f32>,
    /// Standard deviation of pi', (states, actions).
    pub std: Vec<f32>,
    /// V(s), one per state.
    pub value: Vec<f32>,
    /// eta_s, averaged over states.
    pub eta_mean: f64,
    /// KL of the improved policy's weights to the prior's, averaged over states.
    pub kl_mean: f64,
}

/// The improved policy (appendix A.3) and its value (equation 2) at each row of `obs`:
///
/// `a_j ~ pi'(.|s)`, `eta_s` where `KL(softmax(Q'(s, a_j) / eta_s) || uniform) = eps`,
/// `V(s) = sum_j softmax_j(Q'(s, a_j) / eta_s) Q'(s, a_j)`.
///
/// `noise` is standard normal, (states, samples, actions). Samples are clipped to [-1, 1], as the
/// environment clips them.
pub(crate) fn improve(
    network: &Network,
    target: &[f32],
    config: &LearnConfig,
    obs: &[f32],
    noise: &[f32],
    scratch: &mut Scratch,
) -> Improved {
    let samples = config.action_samples;
    let mut improved = Improved::default();
    network.prior(target, obs, &mut improved.mean, &mut improved.std, scratch);
    let actions = prior_samples(&improved.mean, &improved.std, noise, network.action_dim);
    let mut q = vec![];
    network.smallest_q(target, obs, (&actions, samples), &mut q, scratch);

    let mut weights = vec![0.0; samples];
    for q in q.chunks_exact(samples) {
        let solution = temperature::solve(q, config.kl, &mut weights);
        improved.value.push(solution.value as f32);
        improved.eta_mean += solution.eta;
        improved.kl_mean += solution.kl;
    }
    let states = improved.value.len() as f64;
    improved.eta_mean /= states;
    improved.kl_mean /= states;
    improved
}

/// `a_j = clip(mean + std noise_j)`, for as many samples per state as there is noise.
pub(crate) fn prior_samples(
    mean: &[f32],
    std: &[f32],
    noise: &[f32],
    action_dim: usize,
) -> Vec<f32> {
    let states = mean.len() / action_dim;
    let per_state = noise.len() / states;
    let mut actions = Vec::with_capacity(noise.len());
    let prior = mean
        .chunks_exact(action_dim)
        .zip(std.chunks_exact(action_dim));
    for ((mean, std), noise) in prior.zip(noise.chunks_exact(per_state)) {
        for noise in noise.chunks_exact(action_dim) {
            let action = mean
                .iter()
                .zip(std)
                .zip(noise)
                .map(|((m, s), z)| (m + s * z).clamp(-1.0, 1.0));
            actions.extend(action);
        }
    }
    actions
}

/// The weight of an action with advantage `A = Q'(s, a) - V(s)`: 1[A >= 0] in equations 3 and 4.
pub(crate) fn weight(config: &LearnConfig, advantage: f32) -> f32 {
    match config.weight {
        Weight::Binary => f32::from(advantage >= 0.0),
        Weight::Exponential => {
            let most = config.weight_clip as f32;
            (advantage / config.weight_temperature as f32)
                .exp()
                .min(most)
        }
    }
}

/// What the losses compare the networks with; constants of the update, one entry per row.
pub(crate) struct Targets {
    /// Observation s, normalised, (rows, observations).
    pub obs: Vec<f32>,
    /// `y = r + gamma V(s')`, equation 2.
    pub y: Vec<f32>,
    /// Weight of log pi_theta(a|s), equation 3.
    pub weight: Vec<f32>,
    /// Weight of log pi_theta(expert's action|s), equation 4; 0 where there is none.
    pub expert_weight: Vec<f32>,
    /// pi' at s.
    pub prior: Improved,
    /// Averages over rows: Q'(s, a), V(s) and the share whose advantage is not negative.
    pub q_mean: f64,
    pub v_mean: f64,
    pub pass_share: f64,
}

/// Works out the targets. `states` holds the observations of the rows and then those next observations
/// that are no row's own ([`distinct_states`]); `improved` is [`improve`] of them.
pub(crate) fn targets(
    network: &Network,
    target: &[f32],
    config: &LearnConfig,
    batch: &Batch,
    (mut states, mut improved): (Vec<f32>, Improved),
    scratch: &mut Scratch,
) -> Targets {
    // Equation 2: y = r + gamma V(s').
    let rows = batch.rows();
    let mut appended = rows..;
    let y = (0..rows)
        .map(|row| {
            let next = shared_row(config, batch, row)
                .or_else(|| appended.next())
                .unwrap_or(row);
            batch.reward[row] + batch.discount[row] * improved.value[next]
        })
        .collect();

    // From here on, s alone.
    states.truncate(rows * network.obs_dim);
    improved.mean.truncate(rows * network.action_dim);
    improved.std.truncate(rows * network.action_dim);
    improved.value.truncate(rows);
    let (obs, value) = (states, &improved.value);

    // Equations 3 and 4: A(s, a) = Q'(s, a) - V(s) for the action done and the expert's.
    let mut q = vec![];
    network.smallest_q(target, &obs, (&batch.action, 1), &mut q, scratch);
    let advantage = |q: &[f32]| -> Vec<f32> { q.iter().zip(value).map(|(q, v)| q - v).collect() };
    let done = advantage(&q);
    let q_mean = mean(&q);
    let expert_weight = if config.expert_term {
        network.smallest_q(target, &obs, (&batch.expert_action, 1), &mut q, scratch);
        let pairs = advantage(&q).into_iter().zip(&batch.expert_mask);
        pairs
            .map(|(advantage, mask)| mask * weight(config, advantage))
            .collect()
    } else {
        vec![0.0; rows]
    };
    Targets {
        obs,
        y,
        weight: done
            .iter()
            .map(|&advantage| weight(config, advantage))
            .collect(),
        expert_weight,
        q_mean,
        v_mean: mean(value),
        pass_share: done.iter().filter(|&&advantage| advantage >= 0.0).count() as f64 / rows as f64,
        prior: improved,
    }
}

/// The observations at which V is needed: every s, then every s' that is no row's s. Where neighbours
/// are in the batch, V(s') of one is V(s) of the other and costs nothing.
pub(crate) fn distinct_states(config: &LearnConfig, batch: &Batch, obs_dim: usize) -> Vec<f32> {
    let mut states = batch.obs.clone();
    for (row, next) in batch.next_obs.chunks_exact(obs_dim).enumerate() {
        if shared_row(config, batch, row).is_none() {
            states.extend_from_slice(next);
        }
    }
    states
}

fn shared_row(config: &LearnConfig, batch: &Batch, row: usize) -> Option<usize> {
    batch.next_row[row].filter(|_| config.share_values)
}

/// Averages over the batch's rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Losses {
    /// Squared error of equation 2, averaged over critics too.
    pub critic: f64,
    /// Equation 3.
    pub prior: f64,
    /// The second term of equation 4.
    pub expert: f64,
    /// KL by the mean's and by the covariance's move.
    pub kl: [f64; 2],
    /// Standard deviation of pi_theta, averaged over actions too.
    pub std: f64,
}

/// The trained networks as operations of the tensor library.
pub(crate) struct Graph {
    critics: Networks,
    prior: Networks,
    action_dim: usize,
    deviation: Deviation,
}

impl Graph {
    pub fn new(network: &Network) -> Self {
        Self {
            critics: Networks::new(network.critic),
            prior: Networks::new(network.prior),
            action_dim: network.action_dim,
            deviation: network.deviation,
        }
    }

    /// The losses of `batch` and, in `gradient`, their slope in every parameter.
    pub fn losses(
        &self,
        network: &Network,
        parameters: &[f32],
        batch: &Batch,
        targets: &Targets,
        multipliers: [f64; 2],
        gradient: &mut [f32],
    ) -> Result<Losses> {
        gradient.fill(0.0);
        let mut sum = Losses::default();
        let rows = batch.rows();
        let (critics, prior) = (network.critic_range(), network.prior_range());
        let var = |range: std::ops::Range<usize>, networks: usize| {
            let length = range.len() / networks;
            Var::from_vec(parameters[range].to_vec(), (networks, length), &Device::Cpu)
        };
        let phi = var(critics.clone(), network.critics)?;
        let theta = var(prior.clone(), 1)?;
        for start in (0..rows).step_by(PIECE) {
            let piece = Piece {
                batch,
                targets,
                start,
                end: rows.min(start + PIECE),
            };
            let critic = self.critic_loss(&phi, &piece)?;
            let [prior_loss, expert, moved, widened, std] = self.prior_losses(&theta, &piece)?;
            let bounds = ((&moved * multipliers[0])? + (&widened * multipliers[1])?)?;
            let loss = (((&critic + &prior_loss)? + &expert)? + bounds)?;
            let slopes = (loss / rows as f64)?.backward()?;
            for (var, range) in [(&phi, critics.clone()), (&theta, prior.clone())] {
                if let Some(slope) = slopes.get(var) {
                    with_slice(slope, |slope| {
                        gradient[range]
                            .iter_mut()
                            .zip(slope)
                            .for_each(|(sum, g)| *sum += g);
                    })?;
                }
            }
            let per_row =
                |t: &Tensor| -> Result<f64> { Ok(f64::from(t.to_scalar::<f32>()?) / rows as f64) };
            sum.critic += per_row(&critic)? / network.critics as f64;
            sum.prior += per_row(&prior_loss)?;
            sum.expert += per_row(&expert)?;
            sum.kl[0] += per_row(&moved)?;
            sum.kl[1] += per_row(&widened)?;
            sum.std += per_row(&std)? / self.action_dim as f64;
        }
        Ok(sum)
    }

    /// Equation 2: `sum (Q_phi(s, a) - y)^2`, over rows and critics.
    fn critic_loss(&self, phi: &Tensor, piece: &Piece) -> Result<Tensor> {
        let obs = piece.matrix(&piece.targets.obs)?;
        let action = piece.matrix(&piece.batch.action)?;
        let q = self
            .critics
            .apply(phi, &Tensor::cat(&[&obs, &action], 1)?)?
            .squeeze(2)?;
        let y = piece.matrix(&piece.targets.y)?.t()?;
        q.broadcast_sub(&y)?.sqr()?.sum_all()
    }

    /// Equations 3 and 4 as losses, the trust region's two divergences and the deviation, all summed
    /// over rows: `-sum w log pi_theta(a|s)`, the same with the expert's actions, KL, KL, std.
    fn prior_losses(&self, theta: &Tensor, piece: &Piece) -> Result<[Tensor; 5]> {
        let obs = piece.matrix(&piece.targets.obs)?;
        let out = self.prior.apply(theta, &obs)?.squeeze(0)?;
        let mean = out.narrow(1, 0, self.action_dim)?;
        let raw = out.narrow(1, self.action_dim, self.action_dim)?;
        let softplus = (raw.relu()? + (raw.abs()?.neg()?.exp()? + 1.0)?.log()?)?;
        let std = softplus.affine(self.deviation.slope, self.deviation.min)?;
        let log_std = std.log()?;

        let weighted = |actions: &[f32], weight: &[f32]| -> Result<Tensor> {
            let z = ((piece.matrix(actions)? - &mean)? / &std)?;
            let constant = 0.5 * (2.0 * std::f64::consts::PI).ln();
            let per_action = ((z.sqr()? * 0.5)? + &log_std)?.affine(1.0, constant)?;
            piece.matrix(weight)?.broadcast_mul(&per_action)?.sum_all()
        };
        let done = weighted(&piece.batch.action, &piece.targets.weight)?;
        let expert = weighted(&piece.batch.expert_action, &piece.targets.expert_weight)?;

        let target = &piece.targets.prior;
        let (target_mean, target_std) = (piece.matrix(&target.mean)?, piece.matrix(&target.std)?);
        let [moved, widened] =
            trust_region::divergences((&mean, &std), (&target_mean, &target_std))?;
        Ok([done, expert, moved, widened, std.sum_all()?])
    }
}

/// Rows `start..end` of a batch.
struct Piece<'a> {
    batch: &'a Batch,
    targets: &'a Targets,
    start: usize,
    end: usize,
}

impl Piece<'_> {
    /// The piece's rows of an array over the batch's rows.
    fn matrix(&self, data: &[f32]) -> Result<Tensor> {
        let columns = data.len() / self.batch.rows();
        let shape = (self.end - self.start, columns);
        Tensor::from_slice(
            &data[self.start * columns..self.end * columns],
            shape,
            &Device::Cpu,
        )
    }
}

fn mean(x: &[f32]) -> f64 {
    x.iter().map(|&x| f64::from(x)).sum::<f64>() / x.len() as f64
}

#[cfg(test)]
mod tests;
