//! What an environment feels and measures at a moment, for those who watch.

use dextra_sim::Contact;
use dextra_tasks::{Env, Measure};

/// Contacts, touch, controls and how near success is, after a step.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// The contact points that touch or carry force.
    pub contacts: Vec<Contact>,
    /// What a touch sensor at each site of the model feels, N.
    pub touches_n: Vec<f64>,
    /// The controls, in the model's order.
    pub ctrl: Vec<f64>,
    /// What success asks for, and how far it is met.
    pub measures: Vec<Measure>,
    /// Steps of the episode at which the task was solved, and how many make it a success.
    pub solved_steps: (usize, usize),
}

impl Readings {
    /// What is read of `env` now.
    pub fn of(env: &Env) -> Self {
        let sim = env.sim();
        let sites = 0..sim.model().sites.len();
        Self {
            contacts: sim.contacts(),
            touches_n: sites.map(|site| sim.site_touch(site)).collect(),
            ctrl: sim.ctrl().to_vec(),
            measures: env.measures(),
            solved_steps: env.solved_steps(),
        }
    }
}
