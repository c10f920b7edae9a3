//! Drives a scene from standard input, for comparison with other engines.
//!
//! `trace SCENE.xml [SPLIT_BODY...] [KEY=VALUE...] < lines > rows.csv`
//!
//! `KEY=VALUE` are physics options as in a task's TOML. Each line of input is one of
//!
//! - `qpos,...`: sets the positions, at rest; prints nothing;
//! - `qvel,...`: sets the velocities; prints nothing;
//! - `masses`: prints the mass of every body, kg, the world's first;
//! - `poses`: prints the position and the quaternion (w first) of every body, then the position of
//!   every site;
//! - a row of controls: advances one timestep and prints the positions.

use std::{
    error::Error,
    io::{self, BufRead, Write},
    num::ParseFloatError,
    path::Path,
    sync::Arc,
};

use dextra_sim::{Model, PhysicsOptions, Sim};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let path = args
        .next()
        .ok_or("usage: trace SCENE.xml [SPLIT_BODY...] [KEY=VALUE...] < lines")?;
    let (settings, bodies): (Vec<String>, Vec<String>) = args.partition(|arg| arg.contains('='));
    let options = PhysicsOptions {
        split_at: bodies,
        ..toml::from_str(&settings.join("\n"))?
    };
    let mut sim = Sim::new(Arc::new(Model::load(Path::new(&path), &options)?));
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let line = line?;
        if let Some(start) = line.strip_prefix("qpos,") {
            sim.set_state(&numbers(start)?, &vec![0.0; sim.model().nv])?;
            continue;
        }
        if let Some(start) = line.strip_prefix("qvel,") {
            let qpos = sim.qpos().to_vec();
            sim.set_state(&qpos, &numbers(start)?)?;
            continue;
        }
        let row = match line.as_str() {
            "masses" => sim.model().bodies.iter().map(|body| body.mass).collect(),
            "poses" => poses(&sim),
            controls => {
                sim.step(&numbers(controls)?);
                sim.qpos().to_vec()
            }
        };
        let row: Vec<String> = row.iter().map(f64::to_string).collect();
        writeln!(out, "{}", row.join(","))?;
    }
    Ok(())
}

fn poses(sim: &Sim) -> Vec<f64> {
    let bodies = (0..sim.model().bodies.len()).map(|body| sim.body_pose(body));
    let sites = (0..sim.model().sites.len()).map(|site| sim.site_pose(site));
    bodies
        .flat_map(|pose| pose.pos.into_iter().chain(pose.quat).collect::<Vec<_>>())
        .chain(sites.flat_map(|pose| pose.pos))
        .collect()
}

fn numbers(line: &str) -> Result<Vec<f64>, ParseFloatError> {
    line.split(',').map(|x| x.trim().parse()).collect()
}
