//! Prints how many timesteps a scene makes per second of processor time, with controls that sweep
//! their whole ranges: `rate SCENE.xml [SPLIT_BODY...]`.

use std::{error::Error, path::Path, sync::Arc};

use dextra_sim::{Model, PhysicsOptions, Sim};

const STEPS: u32 = 5000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: rate SCENE.xml [SPLIT_BODY...]")?;
    let options = PhysicsOptions {
        split_at: args.collect(),
        ..PhysicsOptions::default()
    };
    let mut sim = Sim::new(Arc::new(Model::load(Path::new(&path), &options)?));
    let model = Arc::clone(sim.model());
    for round in 1..=4 {
        sim.reset();
        let mut contacts = 0;
        let start = cpu_secs()?;
        for step in 0..STEPS {
            let control = |i: usize| {
                let [lo, hi] = model.actuators[i].ctrl_range.unwrap_or([-1.0, 1.0]);
                let phase = f64::from(step / 5) * 0.05 + i as f64;
                lo + (hi - lo) * (0.5 + 0.5 * phase.sin())
            };
            let ctrl: Vec<f64> = (0..model.nu).map(control).collect();
            sim.step(&ctrl);
            if step % 100 == 0 {
                contacts += sim.contacts().len();
            }
        }
        let rate = f64::from(STEPS) / (cpu_secs()? - start);
        let contacts = contacts as f64 / f64::from(STEPS / 100);
        println!(
            "round {round}: {rate:.0} steps/s, {contacts:.1} contacts, finite: {}",
            sim.is_finite()
        );
    }
    Ok(())
}

/// Time that this thread has spent on a processor, as Linux counts it.
fn cpu_secs() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text
        .split_whitespace()
        .next()
        .ok_or("no scheduler statistics")?;
    Ok(nanoseconds.parse::<f64>()? * 1e-9)
}
