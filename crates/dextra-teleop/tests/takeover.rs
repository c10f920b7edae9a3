//! A scripted device takes a training environment over, drives it and gives it back.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::{Arc, Mutex};

use dextra_data::{Source, Transition};
use dextra_tasks::{Env, TaskModel};
use dextra_teleop::{Button, Input, Phase, Rig, Session, Takeover};
use dextra_train::{Outside, Pilot, Seat, TrainConfig, Trainer};

fn press(name: &str) -> Input {
    Input::Press(Button::named(name).unwrap())
}

fn release(name: &str) -> Input {
    Input::Release(Button::named(name).unwrap())
}

/// Device events by the step they come before, and the step at which the hand is given back.
struct Scripted {
    takeover: Takeover,
    script: Vec<(usize, Input)>,
    until: usize,
    step: usize,
    /// Where the palm was before each step.
    palms_m: Arc<Mutex<Vec<[f64; 3]>>>,
}

impl Pilot for Scripted {
    fn act(&mut self, env: &Env, before: &[Transition]) -> Option<Vec<f32>> {
        self.takeover.meet(env, before);
        for (_, input) in self.script.iter().filter(|(step, _)| *step == self.step) {
            self.takeover.input(input);
        }
        let palm = env.sim().model().site("S_grasp").unwrap();
        self.palms_m
            .lock()
            .unwrap()
            .push(env.sim().site_pose(palm).pos);
        self.step += 1;
        (self.step <= self.until).then(|| self.takeover.act(env, before))
    }
}

fn config() -> TrainConfig {
    let mut config = TrainConfig {
        task: "relocate".into(),
        actors: 2,
        ..TrainConfig::default()
    };
    config.set("learn.hidden", "16").unwrap();
    config
}

#[test]
fn a_device_drives_a_training_environment_and_gives_it_back() {
    let rig = Rig::load(&TaskModel::load("relocate").unwrap()).unwrap();
    let mut trainer = Trainer::new(config()).unwrap();
    trainer.round(None).unwrap();
    let palms_m = Arc::default();
    let seat = Seat::default();
    let takeover = Takeover::new(&rig);
    let dt_secs = takeover.step_secs();
    let pilot = Scripted {
        takeover,
        // Nothing, then up for five steps, then nothing again.
        script: vec![(30, press("E")), (35, release("E"))],
        until: 90,
        step: 0,
        palms_m: Arc::clone(&palms_m),
    };
    seat.take(0, Box::new(pilot));
    let mut rates = Vec::new();
    while trainer.steps() < 500 {
        let outside = Outside {
            seat: Some(&seat),
            ..Outside::default()
        };
        let row = trainer.round_with(&outside).unwrap().row;
        rates.extend(
            row.values
                .iter()
                .filter(|v| v.0 == "intervention_rate")
                .map(|v| v.1),
        );
    }
    assert_eq!(rates, [0.5, 0.4, 0.0, 0.0]);
    assert_eq!(seat.actor(), None, "it was given back");

    // The hand stays where it was taken until a key goes down, and goes as far as the key was held.
    let palms_m = palms_m.lock().unwrap();
    let way_m = |from: usize, to: usize| palms_m[to][2] - palms_m[from][2];
    let told_m = 5.0 * dt_secs * rig.config.rates.translation_m_per_s;
    assert!(way_m(0, 30).abs() < told_m / 4.0, "{}", way_m(0, 30));
    let risen_m = way_m(30, 90);
    assert!(
        (risen_m / told_m - 1.0).abs() < 0.25,
        "{risen_m} of {told_m}"
    );

    let episodes = trainer.some_episodes(60);
    let steps: Vec<_> = episodes.iter().flat_map(|e| &e.transitions).collect();
    let human = steps.iter().filter(|t| t.source == Source::Human);
    assert_eq!(human.clone().count(), 90);
    assert!(
        human
            .clone()
            .all(|t| t.expert_action.as_ref() == Some(&t.action))
    );
}

#[test]
fn fingers_keep_what_they_were_told_when_the_hand_is_taken() {
    let rig = Rig::load(&TaskModel::load("door").unwrap()).unwrap();
    let mut env = Env::with_model(Arc::clone(rig.task()), &Default::default());
    let mut before = Vec::new();
    // A noisy policy that grips: the noise is not what it wants, the grip is.
    for step in 0..30 {
        let noise = if step % 2 == 0 { 0.1 } else { -0.1 };
        let action = vec![0.4 + noise; env.action_dim()];
        let obs = env.observation().to_vec();
        let done = env.step(&action);
        before.push(Transition {
            obs,
            action,
            expert_action: None,
            reward: done.reward,
            terminated: false,
            source: Source::Policy,
        });
    }
    let action = Takeover::new(&rig).act(&env, &before);
    let model = env.sim().model();
    let fingers: Vec<f32> = (0..model.nu)
        .filter(|&a| {
            !model.actuators[a].name.starts_with("A_AR")
                && !model.actuators[a].name.starts_with("A_WR")
        })
        .map(|a| action[a])
        .collect();
    assert_eq!(fingers.len(), 22);
    assert!(
        fingers.iter().all(|a| (a - 0.4).abs() < 1e-3),
        "{fingers:?}"
    );
}

/// At an eighth of the speed a control step takes five pictures of a screen.
#[test]
fn the_next_picture_shows_what_a_key_does_and_the_step_ends_there() {
    let rig = Rig::load(&TaskModel::load("relocate").unwrap()).unwrap();
    let mut session = Session::new(&rig, &Default::default(), 0);
    while !matches!(session.phase(), Phase::Driving) {
        session.tick().unwrap();
    }
    const PICTURE_SECS: f64 = 0.016;
    let at = session.driver().target();
    assert_eq!(session.foreseen(PICTURE_SECS), at);
    session.input(&press("E"));
    let way_m = session.foreseen(PICTURE_SECS).pos[2] - at.pos[2];
    let told_m = PICTURE_SECS * rig.config.rates.translation_m_per_s;
    assert!((way_m / told_m - 1.0).abs() < 0.05, "{way_m} of {told_m}");
    assert_eq!(
        session.driver().target(),
        at,
        "looking ahead changes nothing"
    );
    let foreseen = session.foreseen(1.0);
    session.tick().unwrap();
    assert_eq!(session.driver().target(), foreseen);
}
