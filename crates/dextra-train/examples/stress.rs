//! What a task's physics does under random, bang-bang, the expert's and the trained policy's actions:
//! whether it stays finite, how far joints pass their limits, whether something goes into or through the
//! table, how low bodies get (the table is at 0), and the dense return.
//!
//! `cargo run --release -p dextra-train --example stress -- door 100 [first seed]`

use std::{env, error::Error, ops::Range, process::ExitCode};

use dextra_sim::{Geom, Model, Shape, Sim, Transmission};
use dextra_tasks::{Env, EnvOptions, Expert, RewardKind};
use dextra_train::{Act, LoadedPolicy, load_policy, shipped_policy};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ACTORS: [&str; 4] = ["random", "bang-bang", "expert", "trained"];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let task = arguments.first().map_or("door", String::as_str);
    let number = |index: usize, default: u64| {
        arguments
            .get(index)
            .map_or(Ok(default), |argument| argument.parse::<u64>())
    };
    let (Ok(episodes), Ok(first_seed)) = (number(1, 100), number(2, 0)) else {
        eprintln!("usage: stress [task] [episodes] [first seed]");
        return ExitCode::FAILURE;
    };
    for actor in ACTORS {
        match report(task, actor, first_seed..first_seed + episodes) {
            Ok(line) => println!("{line}"),
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Who acts.
enum Actor {
    Random,
    BangBang,
    Expert(Box<Expert>),
    Trained(Box<LoadedPolicy>),
}

impl Actor {
    fn new(name: &str, env: &Env) -> Result<Self, Box<dyn Error>> {
        let task = env.task_model().name();
        Ok(match name {
            "random" => Self::Random,
            "bang-bang" => Self::BangBang,
            "expert" => Self::Expert(Box::new(Expert::new(env.task_model())?)),
            _ => {
                let path = shipped_policy(task).ok_or("no trained policy in assets/policies")?;
                Self::Trained(Box::new(load_policy(&path)?))
            }
        })
    }

    fn act(&mut self, env: &Env, rng: &mut ChaCha8Rng) -> Vec<f32> {
        let mut uniform = || -> Vec<f32> {
            let draw = |_| rng.random_range(-1.0..1.0);
            (0..env.action_dim()).map(draw).collect()
        };
        match self {
            Self::Random => uniform(),
            Self::BangBang => uniform().into_iter().map(f32::signum).collect(),
            Self::Expert(expert) => expert.act(env),
            Self::Trained(policy) => policy.act(env.observation(), rng),
        }
    }
}

/// The worst of some episodes.
#[derive(Default)]
struct Worst {
    /// How far beyond its range a joint was, rad or m, and which.
    beyond: f64,
    joint: String,
    lowest_m: f64,
    /// How far below the table's top the centre of something over it was.
    into_table_m: f64,
    failures: usize,
}

fn report(task: &str, actor: &str, seeds: Range<u64>) -> Result<String, Box<dyn Error>> {
    let options = EnvOptions {
        reward: RewardKind::Dense,
        ..EnvOptions::default()
    };
    let mut env = Env::make(task, &options)?;
    let mut who = Actor::new(actor, &env)?;
    let table = Table::of(env.sim().model())?;
    let mut worst = Worst {
        lowest_m: f64::INFINITY,
        ..Worst::default()
    };
    let mut returns = Vec::new();
    for seed in seeds {
        env.reset(seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Stream 0 is the environment's reset.
        rng.set_stream(1);
        if let Actor::Expert(expert) = &mut who {
            expert.reset(seed);
        }
        let mut over = vec![false; env.sim().model().bodies.len()];
        loop {
            let action = who.act(&env, &mut rng);
            let step = env.step(&action);
            worst.failures += usize::from(step.failure.is_some());
            worst.add(env.sim());
            worst.into_table_m = worst.into_table_m.max(table.depth_m(env.sim(), &mut over));
            if step.terminated || step.truncated {
                break;
            }
        }
        returns.push(env.episode_return());
    }
    let mean = returns.iter().sum::<f64>() / returns.len().max(1) as f64;
    Ok(format!(
        "{task}, {actor}: {} of {} episodes failed; joints at most {:.3} beyond their range ({}); \
         objects at most {:.3} m into the table; bodies at least at {:.3} m; mean return {mean:.1}",
        worst.failures,
        returns.len(),
        worst.beyond,
        worst.joint,
        worst.into_table_m,
        worst.lowest_m
    ))
}

impl Worst {
    fn add(&mut self, sim: &Sim) {
        let model = sim.model();
        for joint in &model.joints {
            let Some([low, high]) = joint.range else {
                continue;
            };
            let q = sim.qpos()[joint.qpos_adr];
            let beyond = (low - q).max(q - high);
            if beyond > self.beyond {
                (self.beyond, self.joint) = (beyond, joint.name.clone());
            }
        }
        for body in 1..model.bodies.len() {
            self.lowest_m = self.lowest_m.min(match model.bodies[body].joints.len() {
                0 => f64::INFINITY,
                _ => sim.body_pose(body).pos[2],
            });
        }
    }
}

/// The table, and what it has to carry: the bodies that no actuator moves.
struct Table {
    half_size_m: [f64; 2],
    centre_m: [f64; 2],
    top_m: f64,
    objects: Vec<usize>,
}

impl Table {
    fn of(model: &Model) -> Result<Self, Box<dyn Error>> {
        let table = &model.geoms[model.geom("table")?];
        let Shape::Box { half_extents } = table.shape else {
            return Err("the table is no box".into());
        };
        let driven = |joint: usize| {
            let by = |transmission: &Transmission| match transmission {
                Transmission::Joint(j) => *j == joint,
                Transmission::Tendon(t) => model.tendons[*t].terms.iter().any(|(j, _)| *j == joint),
            };
            model.actuators.iter().any(|a| by(&a.transmission))
        };
        // A body is carried by what carries its parent.
        let mut moved = vec![(false, false); model.bodies.len()];
        for (index, body) in model.bodies.iter().enumerate() {
            let (jointed, servo) = body.parent.map_or((false, false), |parent| moved[parent]);
            moved[index] = (
                jointed || !body.joints.is_empty(),
                servo || body.joints.iter().any(|&joint| driven(joint)),
            );
        }
        let touches = |g: &Geom| g.contype | g.conaffinity != 0;
        let collides = |body: usize| model.geoms.iter().any(|g| g.body == body && touches(g));
        let objects = (0..moved.len()).filter(|&b| moved[b] == (true, false) && collides(b));
        Ok(Self {
            half_size_m: [half_extents[0], half_extents[1]],
            centre_m: [table.pose.pos[0], table.pose.pos[1]],
            top_m: table.pose.pos[2] + half_extents[2],
            objects: objects.collect(),
        })
    }

    /// How far the centre of an object is below the top of the table it was over until then. `over` is kept
    /// from step to step: what leaves by the edge and falls beside the table went through nothing.
    fn depth_m(&self, sim: &Sim, over: &mut [bool]) -> f64 {
        let mut deepest: f64 = 0.0;
        for &body in &self.objects {
            let [x, y, z] = sim.body_pose(body).pos;
            let within = (x - self.centre_m[0]).abs() < self.half_size_m[0]
                && (y - self.centre_m[1]).abs() < self.half_size_m[1];
            let depth = self.top_m - z;
            over[body] = within && (over[body] || depth <= 0.0);
            if over[body] {
                deepest = deepest.max(depth);
            }
        }
        deepest
    }
}
