//! The history of a sandbox: any of the last states, to the bit.
//!
//! A snapshot of a hand is some hundred kilobytes, an input some hundred bytes. So only every sixteenth
//! state is kept whole, and those between are simulated again from the inputs that led to them.

use std::{collections::VecDeque, sync::Arc};

use dextra_sim::{Model, Push, Sim, SimError, Snapshot};

/// States that can be gone back to, at least.
pub(crate) const CAPACITY: usize = 5_000;
/// States of a block: one whole, the others by their inputs.
const BLOCK: usize = 16;

/// What a step was made with.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub ctrl: Box<[f64]>,
    pub push: Option<Push>,
}

struct Block {
    model: Arc<Model>,
    start: Snapshot,
    inputs: Vec<Input>,
}

impl Block {
    fn states(&self) -> usize {
        1 + self.inputs.len()
    }

    /// Brings a simulation of the block's own model to one of its states.
    fn replay(&self, sim: &mut Sim, state: usize) -> Result<(), SimError> {
        sim.restore(&self.start)?;
        for input in &self.inputs[..state] {
            sim.step_pushed(&input.ctrl, input.push.as_ref());
        }
        Ok(())
    }
}

/// States in order, the newest last, and which of them is shown.
#[derive(Default)]
pub(super) struct Timeline {
    blocks: VecDeque<Block>,
    states: usize,
    at: usize,
}

impl Timeline {
    /// States kept.
    pub fn states(&self) -> usize {
        self.states
    }

    /// Index of the state that the simulation is in.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Whether the simulation is in the newest state.
    pub fn is_newest(&self) -> bool {
        self.at + 1 >= self.states
    }

    /// Appends a state that no step led to, or that the model of the one before did not. What came
    /// after the shown state is forgotten: the history branches here.
    pub fn jump(&mut self, sim: &Sim) {
        self.forget_later();
        self.blocks.push_back(Block {
            model: Arc::clone(sim.model()),
            start: sim.snapshot(),
            inputs: Vec::new(),
        });
        self.grown();
    }

    /// Appends the state of `sim`, to which a step with `input` led from the shown one.
    pub fn step(&mut self, sim: &Sim, input: Input) {
        self.forget_later();
        match self.blocks.back_mut() {
            Some(block) if block.states() < BLOCK => {
                block.inputs.push(input);
                self.grown();
            }
            _ => self.jump(sim),
        }
    }

    fn grown(&mut self) {
        self.states += 1;
        while let Some(oldest) = self.blocks.front()
            && self.states - oldest.states() >= CAPACITY
        {
            self.states -= oldest.states();
            self.blocks.pop_front();
        }
        self.at = self.states - 1;
    }

    fn forget_later(&mut self) {
        while self.states > self.at + 1 {
            let Some(block) = self.blocks.back_mut() else {
                return;
            };
            let surplus = self.states - self.at - 1;
            if surplus >= block.states() {
                self.states -= block.states();
                self.blocks.pop_back();
            } else {
                block.inputs.truncate(block.inputs.len() - surplus);
                self.states -= surplus;
            }
        }
    }

    /// Brings the simulation to a state; one of another model is carried over by joint names.
    pub fn go_to(&mut self, index: usize, sim: &mut Sim) -> Result<(), SimError> {
        let index = index.min(self.states.saturating_sub(1));
        let mut first = 0;
        for block in &self.blocks {
            if index < first + block.states() {
                if block.model.hash() == sim.model().hash() {
                    block.replay(sim, index - first)?;
                } else {
                    let mut past = Sim::new(Arc::clone(&block.model));
                    block.replay(&mut past, index - first)?;
                    sim.adopt(&past)?;
                }
                self.at = index;
                return Ok(());
            }
            first += block.states();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::path::Path;

    use super::*;
    use dextra_sim::{Parameter, PhysicsOptions};

    fn sim() -> Sim {
        let xml = "<mujoco><worldbody><geom type='plane' size='1 1 1'/>\
            <body pos='0 0 0.3'><freejoint/><geom type='box' size='0.1 0.05 0.02'/></body>\
            <body pos='1 0 1'><joint name='j' axis='0 1 0'/><geom type='capsule' size='0.02' \
            fromto='0 0 0 0.3 0 0'/></body></worldbody>\
            <actuator><motor joint='j'/></actuator></mujoco>";
        let model = Model::from_xml(xml, Path::new("t.xml"), &PhysicsOptions::default()).unwrap();
        Sim::new(Arc::new(model))
    }

    fn step(sim: &mut Sim, timeline: &mut Timeline, n: usize) {
        let input = Input {
            ctrl: [(n as f64 * 0.1).sin()].into(),
            push: n.is_multiple_of(3).then_some(Push {
                body: 1,
                force_n: [1.0, 0.0, 5.0],
                ..Push::default()
            }),
        };
        sim.step_pushed(&input.ctrl, input.push.as_ref());
        timeline.step(sim, input);
    }

    #[test]
    fn every_state_comes_back_to_the_bit_and_the_oldest_go() {
        let (mut sim, mut timeline) = (sim(), Timeline::default());
        timeline.jump(&sim);
        let mut states = vec![(sim.qpos().to_vec(), sim.qvel().to_vec())];
        for n in 0..CAPACITY + 100 {
            step(&mut sim, &mut timeline, n);
            states.push((sim.qpos().to_vec(), sim.qvel().to_vec()));
        }
        assert!(timeline.states() >= CAPACITY && timeline.states() < CAPACITY + BLOCK);
        let first = states.len() - timeline.states();
        for index in [0, 1, 15, 16, 17, 999, timeline.states() - 1] {
            timeline.go_to(index, &mut sim).unwrap();
            let (qpos, qvel) = &states[first + index];
            assert_eq!(
                (sim.qpos(), sim.qvel()),
                (&qpos[..], &qvel[..]),
                "state {index}"
            );
        }
    }

    #[test]
    fn going_on_from_the_past_branches() {
        let (mut sim, mut timeline) = (sim(), Timeline::default());
        timeline.jump(&sim);
        (0..50).for_each(|n| step(&mut sim, &mut timeline, n));
        timeline.go_to(20, &mut sim).unwrap();
        assert!(!timeline.is_newest());
        let before = sim.qpos().to_vec();
        step(&mut sim, &mut timeline, 7);
        assert_eq!((timeline.states(), timeline.at()), (22, 21));
        timeline.go_to(20, &mut sim).unwrap();
        assert_eq!(sim.qpos(), before);
    }

    #[test]
    fn the_past_of_an_edited_scene_can_be_gone_back_to() {
        let (mut sim, mut timeline) = (sim(), Timeline::default());
        timeline.jump(&sim);
        (0..20).for_each(|n| step(&mut sim, &mut timeline, n));
        let before = sim.qpos().to_vec();
        let edited = sim.model().with(Parameter::JointDamping(1), 1.0).unwrap();
        let mut heavier = Sim::new(Arc::new(edited));
        heavier.adopt(&sim).unwrap();
        timeline.jump(&heavier);
        (0..20).for_each(|n| step(&mut heavier, &mut timeline, n));
        timeline.go_to(20, &mut heavier).unwrap();
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-6;
        assert!(heavier.qpos().iter().zip(&before).all(close));
    }
}
