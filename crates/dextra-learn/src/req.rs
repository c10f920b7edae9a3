//! Relative Entropy Q-Learning, the update of Jeong et al. 2020 (arXiv:2010.08587), section 3.
//!
//! The paper's names: prior pi_theta, critic Q_phi, their targets pi' and Q', the improved policy
//! `pi(a|s) = pi'(a|s) exp(Q'(s, a) / eta_s) / Z`, which is never a network: it is the prior's samples
//! and their weights. Where a configuration goes beyond the paper (several critics, n-step rewards,
//! exponential weights, the projection), the paper's form is one of the values.

use candle_core::{Device, Result, Tensor};
use dextra_data::Batch;

use crate::{
    LearnConfig, Weight,
    network::{Deviation, Network},
    temperature, trust_region,
};

/// pi' and the improved policy at a number of states.
#[derive(Default)]
pub(crate) struct Improved {
    /// Mean of pi', (states, actions).
    pub mean: Vec<f32>,
    /// Standard deviation of pi', (states, actions).
    pub std: Vec<f32>,
    /// V(s), one per state.
    pub value: Vec<f32>,
    /// Mean of the improved policy, `sum_j w_j a_j`, (states, actions).
    pub improved_mean: Vec<f32>,
    /// Its variance, (states, actions).
    pub improved_variance: Vec<f32>,
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
) -> Improved {
    let samples = config.action_samples;
    let mut improved = Improved::default();
    network.prior(target, obs, &mut improved.mean, &mut improved.std);
    let actions = prior_samples(&improved.mean, &improved.std, noise, network.action_dim);
    let mut q = vec![];
    network.smallest_q(target, obs, (&actions, samples), &mut q);

    let mut weights = vec![0.0; samples];
    let per_state = actions.chunks_exact(samples * network.action_dim);
    for (q, actions) in q.chunks_exact(samples).zip(per_state) {
        let solution = temperature::solve(q, config.kl, &mut weights);
        for k in 0..network.action_dim {
            let samples = actions.iter().skip(k).step_by(network.action_dim);
            let weighted = weights.iter().zip(samples.map(|&a| f64::from(a)));
            let mean = weighted.clone().map(|(w, a)| w * a).sum::<f64>();
            let variance = weighted.map(|(w, a)| w * (a - mean).powi(2)).sum::<f64>();
            improved.improved_mean.push(mean as f32);
            improved.improved_variance.push(variance as f32);
        }
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

/// The weight of an action with advantage `A = Q'(s, a) - V(s)`: 1[A >= 0] in equations 3 and 4, or
/// exp(A / temperature) with the temperature in units of `spread`.
pub(crate) fn weight(config: &LearnConfig, advantage: f32, spread: f32) -> f32 {
    match config.weight {
        Weight::Uniform => 1.0,
        Weight::Binary => f32::from(advantage >= 0.0),
        Weight::Exponential => {
            let temperature = config.weight_temperature as f32 * spread;
            (advantage / temperature)
                .exp()
                .min(config.weight_clip as f32)
        }
    }
}

/// Standard deviation, kept above 0.
fn spread(x: &[f32]) -> f32 {
    let mean = mean(x);
    let squares = x
        .iter()
        .map(|&x| (f64::from(x) - mean).powi(2))
        .sum::<f64>();
    ((squares / x.len() as f64).sqrt() as f32).max(1e-6)
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
) -> Targets {
    // Equation 2: y = r + gamma V(s').
    let rows = batch.rows();
    let mut appended = rows..;
    let y = (0..rows)
        .map(|row| {
            let next = shared_row(config, batch, row)
                .or_else(|| appended.next())
                .unwrap_or(row);
            config.reward_scale as f32 * batch.reward[row]
                + batch.discount[row] * improved.value[next]
        })
        .collect();

    // From here on, s alone.
    states.truncate(rows * network.obs_dim);
    improved.mean.truncate(rows * network.action_dim);
    improved.std.truncate(rows * network.action_dim);
    improved.value.truncate(rows);
    improved.improved_mean.truncate(rows * network.action_dim);
    improved
        .improved_variance
        .truncate(rows * network.action_dim);
    let (obs, value) = (states, &improved.value);

    // Equations 3 and 4: A(s, a) = Q'(s, a) - V(s) for the action done and the expert's.
    let mut q = vec![];
    network.smallest_q(target, &obs, (&batch.action, 1), &mut q);
    let advantage = |q: &[f32]| -> Vec<f32> { q.iter().zip(value).map(|(q, v)| q - v).collect() };
    let done = advantage(&q);
    let spread = spread(&done);
    let q_mean = mean(&q);
    let expert_weight = if config.expert_term {
        network.smallest_q(target, &obs, (&batch.expert_action, 1), &mut q);
        let pairs = advantage(&q).into_iter().zip(&batch.expert_mask);
        pairs
            .map(|(advantage, mask)| mask * weight(config, advantage, spread))
            .collect()
    } else {
        vec![0.0; rows]
    };
    Targets {
        obs,
        y,
        weight: done
            .iter()
            .map(|&advantage| weight(config, advantage, spread))
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

/// Equation 2: `sum (Q_phi(s, a) - y)^2` over the piece's rows and critics; `q` is (critics, rows).
pub(crate) fn critic_loss(q: &Tensor, piece: &Piece) -> Result<Tensor> {
    let y = piece.matrix(&piece.targets.y)?.t()?;
    q.broadcast_sub(&y)?.sqr()?.sum_all()
}

/// What pulls at the prior, each summed over the piece's rows.
pub(crate) struct PriorLosses {
    /// `-w log pi_theta(a|s)` of equation 3.
    pub done: Tensor,
    /// The same of the expert's actions, equation 4.
    pub expert: Tensor,
    /// The projection of the improved policy: `-sum_j w_j log pi_theta(a_j|s)`, the M-step of MPO
    /// (Abdolmaleki et al. 2018, equation 4), from the moments of the samples. Not in the paper, where
    /// what the critic prefers reaches the prior only through the actions that it made an actor do.
    pub projection: Tensor,
    /// The trust region's divergences, by the mean's and by the covariance's move.
    pub kl: [Tensor; 2],
    /// The standard deviation, to be shown.
    pub std: Tensor,
}

/// The prior's losses. Beyond `outlier_deviations` the Gaussian has Huber's (1964) exponential
/// tails. `head` is the prior network's output, (rows, mean and raw deviation).
pub(crate) fn prior_losses(
    head: &Tensor,
    deviation: Deviation,
    outlier_deviations: f64,
    piece: &Piece,
) -> Result<PriorLosses> {
    let actions = head.dim(1)? / 2;
    let (mean, raw) = (
        head.narrow(1, 0, actions)?,
        head.narrow(1, actions, actions)?,
    );
    let softplus = (raw.relu()? + (raw.abs()?.neg()?.exp()? + 1.0)?.log()?)?;
    let std = softplus.affine(deviation.slope, deviation.min)?;
    let log_std = std.log()?;

    let constant = 0.5 * (2.0 * std::f64::consts::PI).ln();
    let weighted = |actions: &[f32], weight: &[f32]| -> Result<Tensor> {
        let z = ((piece.matrix(actions)? - &mean)? / &std)?.abs()?;
        let core = z.minimum(outlier_deviations)?;
        let tail = ((z - &core)? * outlier_deviations)?;
        let per_action = (((core.sqr()? * 0.5)? + tail)? + &log_std)?.affine(1.0, constant)?;
        piece.matrix(weight)?.broadcast_mul(&per_action)?.sum_all()
    };
    let done = weighted(&piece.batch.action, &piece.targets.weight)?;
    let expert = weighted(&piece.batch.expert_action, &piece.targets.expert_weight)?;

    let target = &piece.targets.prior;
    let square = (piece.matrix(&target.improved_mean)? - &mean)?.sqr()?;
    let square = ((square + piece.matrix(&target.improved_variance)?)? / std.sqr()?)?;
    let projection = ((square * 0.5)? + &log_std)?.affine(1.0, constant)?;
    let (target_mean, target_std) = (piece.matrix(&target.mean)?, piece.matrix(&target.std)?);
    Ok(PriorLosses {
        done,
        expert,
        projection: projection.sum_all()?,
        kl: trust_region::divergences((&mean, &std), (&target_mean, &target_std))?,
        std: std.sum_all()?,
    })
}

/// Rows `start..end` of a batch.
pub(crate) struct Piece<'a> {
    pub batch: &'a Batch,
    pub targets: &'a Targets,
    pub start: usize,
    pub end: usize,
}

impl Piece<'_> {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// The piece's rows of an array over the batch's rows.
    pub fn rows<'a>(&self, data: &'a [f32]) -> &'a [f32] {
        let columns = data.len() / self.batch.rows();
        &data[self.start * columns..self.end * columns]
    }

    fn matrix(&self, data: &[f32]) -> Result<Tensor> {
        let rows = self.rows(data);
        Tensor::from_slice(rows, (self.len(), rows.len() / self.len()), &Device::Cpu)
    }
}

fn mean(x: &[f32]) -> f64 {
    x.iter().map(|&x| f64::from(x)).sum::<f64>() / x.len() as f64
}

#[cfg(test)]
mod tests;
