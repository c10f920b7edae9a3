//! The critics' word on the frames that are looked at, on a thread of its own: no frame waits for it.

use std::{sync::Arc, thread};

use bevy::prelude::*;
use crossbeam_channel::{Receiver, Sender, unbounded};
use dextra_learn::{Inspection, Policy};
use dextra_train::generator;

use crate::{
    panel::Layout,
    session::{Stage, Training},
    source::{PlaySystems, Source, Watch},
    tape::Tape,
};

/// Frames judged for each picture drawn: alone; beside a learner that needs the processor, a rollout's
/// or those of an episode that is scrubbed; and of a training environment that rushes by.
const ALONE: usize = 40;
const WHILE_TRAINING: usize = 6;
const RUSHING_BY: usize = 1;

/// A state, what was done there and who judges.
struct Question {
    number: u64,
    obs: Vec<f32>,
    action: Vec<f32>,
    policy: Arc<Policy>,
}

/// The thread and how much it has to do.
#[derive(Resource)]
struct Court {
    questions: Sender<Question>,
    answers: Receiver<(u64, Inspection)>,
    open: usize,
}

pub(crate) struct JudgePlugin;

impl Plugin for JudgePlugin {
    fn build(&self, app: &mut App) {
        let (questions, inbox) = unbounded::<Question>();
        let (outbox, answers) = unbounded();
        // Ends with the app.
        thread::spawn(move || {
            for question in inbox {
                let Question {
                    number,
                    obs,
                    action,
                    policy,
                } = question;
                // The same frame shows the same samples whenever it is looked at.
                let mut rng = generator(number, "inspection", 0);
                let inspection = policy.inspect(&obs, &action, &mut rng);
                if outbox.send((number, inspection)).is_err() {
                    return;
                }
            }
        });
        app.insert_resource(Court {
            questions,
            answers,
            open: 0,
        })
        .add_systems(Update, judge.after(PlaySystems));
    }
}

/// Asks about the frames of the shown episode that nobody has judged yet, the shown one first.
fn judge(
    mut court: ResMut<Court>,
    mut tape: ResMut<Tape>,
    watch: Res<Watch>,
    training: Res<Training>,
    layout: Res<Layout>,
) {
    while let Ok((number, inspection)) = court.answers.try_recv() {
        court.open -= 1;
        tape.note(number, inspection);
    }
    if court.open > 0 || !layout.shows_values() {
        return;
    }
    let Some(shown) = tape.shown(watch.frame()) else {
        return;
    };
    let Some(judge) = watch.judge(&training) else {
        return;
    };
    let rushes_by = tape.is_live() && matches!(watch.source, Source::Actor(_));
    let most = match training.stage() {
        Stage::Running | Stage::Starting | Stage::Evaluating if rushes_by => RUSHING_BY,
        Stage::Running | Stage::Starting | Stage::Evaluating => WHILE_TRAINING,
        _ => ALONE,
    };
    let episode = tape.episode(shown);
    let dims = (judge.policy.obs_dim(), judge.policy.action_dim());
    let order = (shown..episode.end).chain((episode.start..shown).rev());
    let questions: Vec<Question> = order
        .filter_map(|number| Some((number, tape.get(number)?)))
        .filter(|(_, kept)| kept.inspection.is_none())
        .filter(|(_, kept)| (kept.frame.obs.len(), kept.frame.action.len()) == dims)
        .take(most)
        .map(|(number, kept)| Question {
            number,
            obs: kept.frame.obs.clone(),
            action: kept.frame.action.clone(),
            policy: Arc::clone(&judge.policy),
        })
        .collect();
    for question in questions {
        if court.questions.send(question).is_ok() {
            court.open += 1;
        }
    }
}
