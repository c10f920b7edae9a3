//! The slope of the losses in every parameter.
//!
//! Layer by layer, the tensor library spends three quarters of an update on elementwise passes,
//! temporaries and bookkeeping. Here each network is one operation with its own way back (`mlp.rs`);
//! only what lies above it, the losses on its outputs, is a graph of the library.

use candle_core::{Device, Result, Tensor, Var};
use dextra_data::Batch;
use rayon::prelude::*;

use crate::{
    LearnConfig,
    mlp::{self, Tape},
    network::Network,
    req::{Piece, PriorLosses, Targets, critic_loss, prior_losses},
};

/// Rows whose losses are one graph. More would leave the cache, and wake the library's own threads,
/// whose processors belong to the simulation.
pub(crate) const PIECE: usize = 512;

/// Averages over the batch's rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Losses {
    /// Squared error of equation 2, averaged over critics too.
    pub critic: f64,
    /// Equation 3.
    pub prior: f64,
    /// The second term of equation 4.
    pub expert: f64,
    /// The projection of the improved policy.
    pub projection: f64,
    /// KL per action by the mean's and by the covariance's move.
    pub kl: [f64; 2],
    /// Standard deviation of pi_theta, averaged over actions too.
    pub std: f64,
}

/// The activations of the trained networks, one tape for each critic and one for the prior.
pub(crate) struct Tapes {
    critics: Vec<Tape>,
    prior: Tape,
}

impl Tapes {
    pub fn new(network: &Network) -> Self {
        let critics = (0..network.critics).map(|_| Tape::default()).collect();
        Self {
            critics,
            prior: Tape::default(),
        }
    }
}

/// The losses of a batch and, in `gradient`, the slope of
/// `critics + prior + expert + weight projection + multipliers . KL` in every parameter.
pub(crate) fn slope(
    network: &Network,
    parameters: &[f32],
    (batch, targets): (&Batch, &Targets),
    multipliers: [f64; 2],
    config: &LearnConfig,
    gradient: &mut [f32],
    tapes: &mut Tapes,
) -> Result<Losses> {
    gradient.fill(0.0);
    let mut sum = Losses::default();
    let rows = batch.rows();
    for start in (0..rows).step_by(PIECE) {
        let piece = Piece {
            batch,
            targets,
            start,
            end: rows.min(start + PIECE),
        };
        let obs = piece.rows(&targets.obs);
        let mut inputs = Vec::with_capacity(piece.len() * network.critic.inputs);
        let action = piece.rows(&batch.action).chunks_exact(network.action_dim);
        for (obs, action) in obs.chunks_exact(network.obs_dim).zip(action) {
            inputs.extend_from_slice(obs);
            inputs.extend_from_slice(action);
        }

        let mut q = vec![0.0; network.critics * piece.len()];
        let mut head = vec![0.0; piece.len() * network.prior.outputs];
        let theta = &parameters[network.prior_range()];
        let each = network
            .each_critic(parameters)
            .zip(q.par_chunks_exact_mut(piece.len()))
            .zip(&mut tapes.critics);
        rayon::join(
            || mlp::forward(network.prior, theta, obs, &mut head, &mut tapes.prior),
            || {
                each.for_each(|((critic, q), tape)| {
                    mlp::forward(network.critic, critic, &inputs, q, tape);
                });
            },
        );

        let q = Var::from_vec(q, (network.critics, piece.len()), &Device::Cpu)?;
        let head = Var::from_vec(head, (piece.len(), network.prior.outputs), &Device::Cpu)?;
        let critic = critic_loss(&q, &piece)?;
        let PriorLosses {
            done,
            expert,
            projection,
            kl: [moved, widened],
            std,
        } = prior_losses(&head, network.deviation, config.outlier_deviations, &piece)?;
        let bounds = ((&moved * multipliers[0])? + (&widened * multipliers[1])?)?;
        let loss = (((&critic + &done)? + &expert)? + bounds)?;
        let loss = match config.projection_weight {
            0.0 => loss,
            weight => (loss + (&projection * weight)?)?,
        };
        let slopes = (loss / rows as f64)?.backward()?;

        let of = |output: &Var| -> Result<Vec<f32>> {
            slopes
                .get(output)
                .map_or(Ok(vec![0.0; output.elem_count()]), |d| {
                    d.flatten_all()?.to_vec1()
                })
        };
        let (d_q, d_head) = (of(&q)?, of(&head)?);
        let (d_critics, d_prior) = gradient.split_at_mut(network.critic_range().end);
        let each = network
            .each_critic(parameters)
            .zip(d_critics.par_chunks_exact_mut(network.critic.len()))
            .zip(d_q.par_chunks_exact(piece.len()))
            .zip(&mut tapes.critics);
        rayon::join(
            || {
                mlp::backward(
                    network.prior,
                    theta,
                    obs,
                    &d_head,
                    d_prior,
                    &mut tapes.prior,
                )
            },
            || {
                each.for_each(|(((critic, gradient), d), tape)| {
                    mlp::backward(network.critic, critic, &inputs, d, gradient, tape);
                });
            },
        );

        let per_row =
            |t: &Tensor| -> Result<f64> { Ok(f64::from(t.to_scalar::<f32>()?) / rows as f64) };
        sum.critic += per_row(&critic)? / network.critics as f64;
        sum.prior += per_row(&done)?;
        sum.expert += per_row(&expert)?;
        sum.projection += per_row(&projection)?;
        sum.kl[0] += per_row(&moved)?;
        sum.kl[1] += per_row(&widened)?;
        sum.std += per_row(&std)? / network.action_dim as f64;
    }
    Ok(sum)
}
