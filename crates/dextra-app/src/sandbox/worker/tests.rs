#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::path::Path;

use super::*;
use dextra_sim::{Parameter, PhysicsOptions};

fn model() -> Arc<Model> {
    let xml = "<mujoco><worldbody><body><joint name='j' axis='0 1 0'/>\
        <geom type='capsule' size='0.02' fromto='0 0 0 0.3 0 0'/></body></worldbody>\
        <actuator><motor name='m' joint='j' ctrlrange='-1 1'/></actuator>\
        <keyframe><key name='k' time='3' qpos='0.5' ctrl='0.2'/></keyframe></mujoco>";
    let model = Model::from_xml(xml, Path::new("t.xml"), &PhysicsOptions::default()).unwrap();
    Arc::new(model)
}

/// Asks, and waits until the pictures are as wished.
fn until(worker: &Worker, requests: Vec<Request>, wish: impl Fn(&Shot) -> bool) -> Shot {
    requests.into_iter().for_each(|request| worker.ask(request));
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        if let Some(shot) = worker.take().filter(&wish) {
            return shot;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("it did not come to that")
}

#[test]
fn it_plays_pauses_steps_both_ways_and_goes_back_to_the_beginning() {
    let worker = Worker::start(model(), None);
    let playing = until(&worker, vec![Request::Pause(false)], |shot| shot.at > 20);
    assert!(!playing.paused);
    let paused = until(&worker, vec![Request::Pause(true)], |shot| shot.paused);
    let back = until(
        &worker,
        vec![Request::StepBack, Request::StepBack],
        |shot| shot.at + 2 == paused.at,
    );
    assert_eq!(back.states, paused.states);
    let forth = until(&worker, vec![Request::Step, Request::Step], |shot| {
        shot.at == paused.at
    });
    assert_eq!((forth.qpos, forth.qvel), (paused.qpos, paused.qvel));
    let reset = until(&worker, vec![Request::Reset(None)], |shot| {
        shot.time_secs == 0.0
    });
    assert_eq!(reset.qpos, [0.0]);
    let key = until(&worker, vec![Request::Reset(Some(0))], |shot| {
        shot.time_secs == 3.0
    });
    assert!((key.qpos[0] - 0.5).abs() < 1e-6 && key.ctrl == [0.2]);
}

#[test]
fn an_edited_scene_goes_on_where_it_was() {
    let worker = Worker::start(model(), None);
    let put = vec![Request::Joint(0, 0.7), Request::Control(0, 0.3)];
    until(&worker, put, |shot| {
        shot.ctrl == [0.3] && shot.qpos[0] > 0.69
    });
    let edited = model().with(Parameter::JointDamping(0), 2.0).unwrap();
    let request = vec![Request::Replace(Arc::new(edited))];
    let shot = until(&worker, request, |shot| shot.model.joints[0].damping == 2.0);
    assert!((shot.qpos[0] - 0.7).abs() < 1e-6 && shot.ctrl == [0.3]);
}

#[test]
fn a_number_that_is_not_finite_stops_it_and_the_last_good_state_comes_back() {
    let folder = std::env::temp_dir().join(format!("dextra-dump-{}", std::process::id()));
    let worker = Worker::start(model(), Some(folder.clone()));
    let steps = (0..30).map(|_| Request::Step).collect();
    let good = until(&worker, steps, |shot| shot.at == 30);
    let lost = vec![Request::Control(0, f64::NAN), Request::Pause(false)];
    let lost = until(&worker, lost, |shot| shot.trouble.is_some());
    assert!(lost.paused);
    let text = lost.trouble.unwrap();
    let path = text.split("states are in ").nth(1);
    let table = std::fs::read_to_string(path.expect("a file is named")).unwrap();
    assert_eq!(table.lines().count(), 1 + 31);
    let back = until(&worker, vec![Request::LastGood], |shot| {
        shot.trouble.is_none()
    });
    assert_eq!(back.qpos, good.qpos);
    std::fs::remove_dir_all(&folder).unwrap();
}
