//! Prints timesteps per second of a scene: `rate SCENE.xml [SPLIT_BODY]`.

use std::{error::Error, path::Path, sync::Arc, time::Instant};

use dextra_sim::{Model, PhysicsOptions, Sim};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: rate SCENE.xml [SPLIT_BODY]")?;
    let options = PhysicsOptions {
        split_at: args.collect(),
        ..PhysicsOptions::default()
    };
    let mut sim = Sim::new(Arc::new(Model::load(Path::new(&path), &options)?));
    let steps = 5000;
    for round in 0..4 {
        sim.reset();
        let start = Instant::now();
        for step in 0..steps {
            let ctrl: Vec<f64> = (0..sim.model().nu)
                .map(|i| {
                    let [lo, hi] = sim.model().actuators[i].ctrl_range.unwrap_or([-1.0, 1.0]);
                    let phase = f64::from(step / 5) * 0.05 + i as f64;
                    lo + (hi - lo) * (0.5 + 0.5 * phase.sin())
                })
                .collect();
            sim.step(&ctrl);
        }
        let rate = f64::from(steps) / start.elapsed().as_secs_f64();
        println!(
            "round {round}: {rate:.0} steps/s, finite: {}",
            sim.is_finite()
        );
    }
    Ok(())
}
