//! Recorded episodes once more: by their actions, to the bit, or by their states.

use bincode::Options;
use dextra_data::dataset::{Recording, Start};
use dextra_tasks::{Env, EnvSnapshot};

use crate::error::TrainError;

/// The largest snapshot that is read, bytes.
const MAX_SNAPSHOT: u64 = 1 << 28;

/// What a replay found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplayReport {
    /// Steps replayed.
    pub steps: usize,
    /// The first difference; `None` when every observation, state and reward had the same bits.
    pub divergence: Option<Divergence>,
    /// The largest difference of an observed value.
    pub obs_error: f64,
    /// The largest difference of a position, m or rad.
    pub qpos_error: f64,
    /// The largest difference of a velocity.
    pub qvel_error: f64,
    /// Steps after which the task was solved, in the recording and in the replay.
    pub success_steps: [usize; 2],
}

/// Where a replay first left the recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    /// Steps made before it.
    pub step: usize,
    /// What differed: the observation, `qpos`, `qvel`, the time or the reward.
    pub what: &'static str,
    /// By how much.
    pub by: f64,
}

/// The state of an environment as a dataset keeps it.
///
/// # Errors
/// When it has no serial form.
pub fn snapshot_bytes(env: &Env) -> Result<Vec<u8>, TrainError> {
    bincode::serialize(&env.snapshot()).map_err(|error| TrainError::Replay {
        reason: format!("its state cannot be kept: {error}"),
    })
}

/// Puts an environment to where a recording begins.
///
/// # Errors
/// When the recording does not say, or its snapshot is damaged or of another scene.
pub fn begin(env: &mut Env, recording: &Recording) -> Result<(), TrainError> {
    match (recording.start, &recording.snapshot) {
        (Start::Reset, _) => {
            env.reset(recording.episode.seed);
            Ok(())
        }
        (Start::Snapshot, Some(bytes)) => {
            let options = bincode::DefaultOptions::new()
                .with_fixint_encoding()
                .with_limit(MAX_SNAPSHOT);
            let snapshot: EnvSnapshot =
                options
                    .deserialize(bytes)
                    .map_err(|error| TrainError::Replay {
                        reason: format!("its snapshot is damaged: {error}"),
                    })?;
            Ok(env.restore(&snapshot)?)
        }
        _ => Err(TrainError::Replay {
            reason:
                "how it begins is not known: it was recorded elsewhere, or lost its head without \
                     a snapshot; replay it by state"
                    .into(),
        }),
    }
}

/// Repeats the actions from where the recording begins, and compares everything after every step.
///
/// # Errors
/// As [`begin`].
pub fn replay_actions(env: &mut Env, recording: &Recording) -> Result<ReplayReport, TrainError> {
    begin(env, recording)?;
    let mut report = ReplayReport::default();
    report.compare(env, recording);
    for (row, transition) in recording.episode.transitions.iter().enumerate() {
        let step = env.step(&transition.action);
        report.steps += 1;
        report.count(recording.step_success[row], step.success);
        report.compare(env, recording);
        let by = f64::from(step.reward - transition.reward).abs();
        report.note(
            "reward",
            by,
            step.reward.to_bits() == transition.reward.to_bits(),
        );
        if step.failure.is_some() {
            break;
        }
    }
    Ok(report)
}

/// Puts the scene into every recorded state, and compares what is observed there. What depends on more
/// than positions and velocities (forces of contacts) differs.
///
/// # Errors
/// When the recording holds no states, or they are of another scene.
pub fn replay_states(env: &mut Env, recording: &Recording) -> Result<ReplayReport, TrainError> {
    let mut report = ReplayReport::default();
    visit_states(env, recording, |row, env, solved| {
        if row > 0 {
            report.steps += 1;
            report.count(recording.step_success[row - 1], solved);
        }
        let by = largest(env.observation(), recording.episode.obs(row));
        report.obs_error = report.obs_error.max(by);
    })?;
    Ok(report)
}

/// Puts the scene into every recorded state in turn and shows it to `visit`: with the steps made before
/// it, and whether the task is solved there.
///
/// # Errors
/// As [`replay_states`].
pub fn visit_states(
    env: &mut Env,
    recording: &Recording,
    mut visit: impl FnMut(usize, &Env, bool),
) -> Result<(), TrainError> {
    let Some(states) = &recording.states else {
        let reason = "it holds no states of a simulator".into();
        return Err(TrainError::Replay { reason });
    };
    // The reset places what the positions do not: a frame, a goal.
    begin(env, recording).or_else(|_| {
        env.reset(recording.episode.seed);
        Ok::<_, TrainError>(())
    })?;
    let rows = recording.episode.len() + 1;
    let (nq, nv) = (states.qpos.len() / rows, states.qvel.len() / rows);
    for row in 0..rows {
        let solved = env.set_state(
            &states.qpos[row * nq..][..nq],
            &states.qvel[row * nv..][..nv],
        )?;
        visit(row, env, solved);
    }
    Ok(())
}

impl ReplayReport {
    /// Compares the environment with the recording before the step that comes next.
    fn compare(&mut self, env: &Env, recording: &Recording) {
        let row = self.steps;
        let recorded = recording.episode.obs(row);
        let by = largest(env.observation(), recorded);
        self.obs_error = self.obs_error.max(by);
        let same = env.observation().iter().zip(recorded);
        let same = same.clone().all(|(a, b)| a.to_bits() == b.to_bits());
        self.note("observation", by, same);
        let Some(states) = &recording.states else {
            return;
        };
        let rows = recording.episode.len() + 1;
        let mut compare = |what, recorded: &[f64], found: &[f64]| {
            let width = recorded.len() / rows;
            let recorded = &recorded[row * width..][..width];
            let by = largest_f64(found, recorded);
            let same = found.len() == width
                && found
                    .iter()
                    .zip(recorded)
                    .all(|(a, b)| a.to_bits() == b.to_bits());
            self.note(what, by, same);
            by
        };
        let qpos = compare("qpos", &states.qpos, env.sim().qpos());
        let qvel = compare("qvel", &states.qvel, env.sim().qvel());
        compare("time", &states.time_secs, &[env.sim().time_secs()]);
        self.qpos_error = self.qpos_error.max(qpos);
        self.qvel_error = self.qvel_error.max(qvel);
    }

    fn note(&mut self, what: &'static str, by: f64, same: bool) {
        if !same && self.divergence.is_none() {
            let step = self.steps;
            self.divergence = Some(Divergence { step, what, by });
        }
    }

    fn count(&mut self, recorded: bool, replayed: bool) {
        self.success_steps[0] += usize::from(recorded);
        self.success_steps[1] += usize::from(replayed);
    }
}

fn largest(a: &[f32], b: &[f32]) -> f64 {
    let apart = a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs()));
    apart.fold(0.0, f64::max)
}

fn largest_f64(a: &[f64], b: &[f64]) -> f64 {
    let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    apart.fold(0.0, f64::max)
}
