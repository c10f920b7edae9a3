//! Finds posture sequences for the pen: a library that `[expert]` of kind `sequences` plays back.
//!
//! `find_sequences OUT.csv SECONDS [SEED]`; where OUT.csv exists, the search goes on from it.
//!
//! Quality diversity (Mouret and Clune 2015, MAP-Elites, with the line operator of Vassiliades and
//! Mouret 2018): whatever a sequence does with the pen is judged against every goal of a grid, and
//! each goal keeps the best sequence seen, on average over several playbacks with noise. The shaped
//! reward decides; nothing else is known of the hand. The pen always starts alike, which is why a
//! sequence can do at all.

use std::{env, error::Error, fs, time::Instant};

use dextra_tasks::{Env, EnvOptions};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Goals along each angle, from -0.9 to 0.9 rad.
const GRID: usize = 10;
/// Control steps of the postures; between them the actions are interpolated.
const KNOTS: [usize; 5] = [0, 12, 28, 45, 65];
const ACTIONS: usize = 24;
const SIZE: usize = KNOTS.len() * ACTIONS;
/// Every playback is shifted by this much: only robust sequences last.
const NOISE: f64 = 0.05;
/// Playbacks that decide, after a first one has promised something.
const PLAYBACKS: usize = 4;
/// Control steps that do not count yet.
const GRACE: usize = 25;

#[derive(Clone)]
struct Elite {
    goal_rad: [f64; 2],
    axis: [f64; 3],
    genes: Vec<f64>,
    fitness: f64,
    successes: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [out, seconds, rest @ ..] = arguments.as_slice() else {
        return Err("usage: find_sequences OUT.csv SECONDS [SEED]".into());
    };
    let seconds: f64 = seconds.parse()?;
    let seed: u64 = rest.first().map_or(Ok(0), |seed| seed.parse())?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut env = Env::make("pen", &EnvOptions::default())?;
    let mut archive = grid();
    let (began, mut episodes) = (Instant::now(), 0);
    let mut candidates = known(out)?;
    while began.elapsed().as_secs_f64() < seconds {
        let genes = candidates
            .pop()
            .unwrap_or_else(|| variation(&archive, episodes, &mut rng));
        judge(&mut env, &genes, &mut archive, &mut rng);
        episodes += 1;
        if episodes % 100 == 0 {
            let solved = archive.iter().filter(|e| e.successes > 20).count();
            let mean = archive.iter().map(|e| e.fitness).sum::<f64>() / archive.len() as f64;
            let secs = began.elapsed().as_secs();
            println!("{episodes} episodes, {secs} s: {solved} goals, mean fitness {mean:.3}");
            write(out, &archive)?;
        }
    }
    write(out, &archive)
}

fn grid() -> Vec<Elite> {
    let angle = |i: usize| -0.9 + 1.8 * i as f64 / (GRID - 1) as f64;
    let elite = |i: usize| {
        let [a, b] = [angle(i / GRID), angle(i % GRID)];
        Elite {
            goal_rad: [a, b],
            axis: [b.sin(), -a.sin() * b.cos(), a.cos() * b.cos()],
            genes: vec![0.0; SIZE],
            fitness: -9.0,
            successes: 0,
        }
    };
    (0..GRID * GRID).map(elite).collect()
}

/// Random at first, then elites changed a little and along the line to another.
fn variation(archive: &[Elite], episodes: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let filled: Vec<&Elite> = archive.iter().filter(|e| e.fitness > -9.0).collect();
    if episodes < 200 || filled.is_empty() {
        return (0..SIZE).map(|_| 0.6 * normal(rng)).collect();
    }
    let [one, other] = [(); 2].map(|()| filled[rng.random_range(0..filled.len())]);
    let wide = [0.02, 0.1, 0.3][rng.random_range(0..3)];
    let share = [0.15, 0.5, 1.0][rng.random_range(0..3)];
    let line = [0.0, 0.3][rng.random_range(0..2)] * normal(rng);
    (0..SIZE)
        .map(|k| {
            let own = if rng.random_bool(share) {
                wide * normal(rng)
            } else {
                0.0
            };
            one.genes[k] + own + line * (other.genes[k] - one.genes[k])
        })
        .map(|x: f64| x.clamp(-1.0, 1.0))
        .collect()
}

/// Plays a sequence and lets every goal keep it that it serves better than what it has.
fn judge(env: &mut Env, genes: &[f64], archive: &mut [Elite], rng: &mut ChaCha8Rng) {
    let mut mean = play(env, genes, archive, rng);
    if (0..archive.len()).all(|i| mean[i].0 <= archive[i].fitness) {
        return;
    }
    for _ in 1..PLAYBACKS {
        let again = play(env, genes, archive, rng);
        for (sum, one) in mean.iter_mut().zip(again) {
            *sum = (sum.0 + one.0, sum.1 + one.1);
        }
    }
    for (elite, (fitness, successes)) in archive.iter_mut().zip(mean) {
        let fitness = fitness / PLAYBACKS as f64;
        if fitness > elite.fitness {
            elite.fitness = fitness;
            elite.successes = successes / PLAYBACKS;
            elite.genes = genes.to_vec();
        }
    }
}

/// Plays a sequence once: its mean shaped reward and number of successful steps for every goal.
fn play(
    env: &mut Env,
    genes: &[f64],
    archive: &[Elite],
    rng: &mut ChaCha8Rng,
) -> Vec<(f64, usize)> {
    let offset: Vec<f64> = (0..ACTIONS).map(|_| NOISE * normal(rng)).collect();
    let mut outcome = vec![(0.0, 0); archive.len()];
    env.reset(0);
    let horizon = env.horizon();
    for t in 0..horizon {
        let action: Vec<f32> = (0..ACTIONS)
            .map(|k| (at(genes, t, k) + offset[k]) as f32)
            .collect();
        let step = env.step(&action);
        let obs: Vec<f64> = env.observation().iter().map(|&x| f64::from(x)).collect();
        if step.terminated {
            let lost = (horizon - t.max(GRACE)) as f64;
            outcome.iter_mut().for_each(|goal| goal.0 -= 2.0 * lost);
            break;
        }
        let distance_m = obs[39..42].iter().map(|x| x * x).sum::<f64>().sqrt();
        let in_place = distance_m < 0.075;
        let far = 20.0 * (distance_m - 0.05).max(0.0);
        for (goal, elite) in outcome.iter_mut().zip(archive) {
            let alignment: f64 = (0..3).map(|k| obs[33 + k] * elite.axis[k]).sum();
            goal.1 += usize::from(in_place && alignment > 0.95);
            if t >= GRACE {
                // The last bonus leaves room for goals beside the grid's.
                let bonuses = [(0.9, 1.0), (0.95, 1.5), (0.975, 1.0)];
                let earned = |(above, value)| if alignment > above { value } else { 0.0 };
                let bonus: f64 = bonuses.into_iter().map(earned).sum();
                goal.0 += alignment - far + if in_place { bonus } else { 0.0 };
            }
        }
    }
    let steps = (horizon - GRACE) as f64;
    outcome.iter_mut().for_each(|goal| goal.0 /= steps);
    outcome
}

/// Action `k` of a sequence at a control step.
fn at(genes: &[f64], step: usize, k: usize) -> f64 {
    let next = KNOTS.iter().position(|&knot| knot > step);
    match next {
        None => genes[(KNOTS.len() - 1) * ACTIONS + k],
        Some(next) => {
            let (from, to) = (KNOTS[next - 1], KNOTS[next]);
            let share = (step - from) as f64 / (to - from) as f64;
            genes[(next - 1) * ACTIONS + k] * (1.0 - share) + genes[next * ACTIONS + k] * share
        }
    }
}

/// The sequences of an earlier search.
fn known(path: &str) -> Result<Vec<Vec<f64>>, Box<dyn Error>> {
    let Ok(text) = fs::read_to_string(path) else {
        return Ok(Vec::new());
    };
    let mut rows = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let numbers: Vec<f64> = line.split(',').map(str::parse).collect::<Result<_, _>>()?;
        rows.push(numbers[2..].to_vec());
    }
    rows.dedup();
    Ok(rows)
}

fn write(path: &str, archive: &[Elite]) -> Result<(), Box<dyn Error>> {
    let mut text =
        String::from("# goal: two angles, rad; then the actions of each posture in turn\n");
    for elite in archive.iter().filter(|elite| elite.fitness > -9.0) {
        let [a, b] = elite.goal_rad;
        text += &format!("{a:.2},{b:.2}");
        elite.genes.iter().for_each(|x| text += &format!(",{x:.3}"));
        text += "\n";
    }
    Ok(fs::write(path, text)?)
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let u: f64 = rng.random_range(1e-12..1.0);
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}
