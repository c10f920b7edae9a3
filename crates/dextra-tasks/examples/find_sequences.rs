//! Finds posture sequences for the pen: a library that `[expert]` of kind `sequences` plays back.
//!
//! `find_sequences SEQUENCES.csv GOALS.csv SECONDS [SEED]`; where SEQUENCES.csv exists, the search goes
//! on from it, and with 0 SECONDS it is only sorted anew. Until the end what was found stands in
//! SEQUENCES.csv.found: goals count the library's lines, so the two change together.
//!
//! Quality diversity (Mouret and Clune 2015, MAP-Elites, with the line operator of Vassiliades and
//! Mouret 2018): whatever a sequence does with the pen is judged against every goal of a grid, and
//! each goal keeps the best sequence seen, on average over several playbacks with noise. The shaped
//! reward decides; nothing else is known of the hand. Every other batch climbs towards one goal that is
//! badly served (an emitter, as in Fontaine et al. 2020, CMA-ME, by the cross-entropy method). The pen
//! always starts alike, which is why a sequence can do at all. At the end each goal is given a sequence that serves it, and its neighbours
//! like ones.

use std::{env, error::Error, fs, path::Path, thread, time::Instant};

use dextra_tasks::{Env, EnvOptions};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Goals along each angle, from -1 to 1 rad.
const GRID: usize = 21;
/// Control steps of the postures; between them the actions are interpolated.
const KNOTS: [usize; 5] = [0, 12, 28, 45, 65];
const ACTIONS: usize = 24;
const SIZE: usize = KNOTS.len() * ACTIONS;
/// Every playback is shifted by this much: only robust sequences last.
const NOISE: f64 = 0.02;
/// Playbacks so far, each time a candidate must still be better than an elite to go on.
const ROUNDS: [usize; 3] = [1, 3, 6];
/// Playbacks by which the library is sorted.
const FINAL_PLAYBACKS: usize = 16;
/// Control steps that do not count yet.
const GRACE: usize = 25;
/// Candidates tried side by side.
const BATCH: usize = 16;
/// Batches for which a goal is climbed towards.
const CLIMB: usize = 24;
/// Of a climb's batch, those whose mean and spread the next one is drawn from.
const BEST: usize = 4;
/// A climb's spread of actions at first, and at least.
const SPREAD: [f64; 2] = [0.15, 0.03];
/// Goals by which a cell of the grid is judged, around its own.
const GOALS_OF_A_CELL: usize = 6;
/// What a difference of 1 between the actions of neighbours costs, in successes.
const ALIKE: f64 = 1.5;
/// Rounds over all goals until each has settled.
const SWEEPS: usize = 50;

type Genes = Vec<f64>;

/// Of each control step, the pen's axis and its distance from its place, m.
type Playback = Vec<([f64; 3], f64)>;

struct Elite {
    axis: [f64; 3],
    genes: Genes,
    fitness: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [library, goals, seconds, rest @ ..] = arguments.as_slice() else {
        return Err("usage: find_sequences SEQUENCES.csv GOALS.csv SECONDS [SEED]".into());
    };
    let seconds: f64 = seconds.parse()?;
    let seed: u64 = rest.first().map_or(Ok(0), |seed| seed.parse())?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut envs = (0..workers)
        .map(|_| Env::make("pen", &EnvOptions::default()))
        .collect::<Result<Vec<_>, _>>()?;
    let mut archive: Vec<Elite> = (0..GRID * GRID).map(unserved).collect();
    let found = format!("{library}.found");
    let mut candidates = known(library)?;
    candidates.extend(known(&found)?);
    let mut climb = Climb::begin(&archive, &mut rng);
    let (began, mut tried) = (Instant::now(), 0);
    while !candidates.is_empty() || began.elapsed().as_secs_f64() < seconds {
        let mut batch = candidates.split_off(candidates.len().saturating_sub(BATCH));
        while batch.len() < BATCH {
            batch.push(variation(&archive, tried, &mut rng));
        }
        judge(&mut envs, batch, &mut archive, &mut rng);
        tried += BATCH;
        if candidates.is_empty() {
            let batch = climb.batch(&mut rng);
            let firsts = judge(&mut envs, batch.clone(), &mut archive, &mut rng);
            climb.learn(&batch, &firsts);
            if climb.batches == CLIMB {
                climb = Climb::begin(&archive, &mut rng);
            }
            tried += BATCH;
        }
        if tried % (100 * BATCH) == 0 {
            let mean = archive.iter().map(|e| e.fitness).sum::<f64>() / archive.len() as f64;
            let secs = began.elapsed().as_secs();
            println!("{tried} candidates, {secs} s: mean fitness {mean:.3}");
            write_library(&found, &distinct(&archive))?;
        }
    }
    sort(
        &mut envs,
        &distinct(&archive),
        Path::new(library),
        goals,
        &mut rng,
    )?;
    if Path::new(&found).exists() {
        fs::remove_file(&found)?;
    }
    Ok(())
}

fn goal_rad(cell: usize) -> [f64; 2] {
    [cell / GRID, cell % GRID].map(|i| -1.0 + 2.0 * i as f64 / (GRID - 1) as f64)
}

fn axis([a, b]: [f64; 2]) -> [f64; 3] {
    [b.sin(), -a.sin() * b.cos(), a.cos() * b.cos()]
}

fn unserved(cell: usize) -> Elite {
    Elite {
        axis: axis(goal_rad(cell)),
        genes: vec![0.0; SIZE],
        fitness: -9.0,
    }
}

/// Random at first, then elites, of badly served goals more often, changed a little and along the
/// line to another.
fn variation(archive: &[Elite], tried: usize, rng: &mut ChaCha8Rng) -> Genes {
    if tried < 10 * BATCH && archive.iter().all(|elite| elite.fitness == -9.0) {
        return (0..SIZE).map(|_| 0.6 * normal(rng)).collect();
    }
    let mut any = || &archive[rng.random_range(0..archive.len())];
    let other = any();
    let one = (0..3)
        .map(|_| any())
        .min_by(|a, b| a.fitness.total_cmp(&b.fitness));
    let one = one.unwrap_or(other);
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

/// A climb towards one goal.
struct Climb {
    cell: usize,
    mean: Genes,
    spread: Vec<f64>,
    batches: usize,
}

impl Climb {
    /// Towards a goal that is badly served, from what serves it or one near it.
    fn begin(archive: &[Elite], rng: &mut ChaCha8Rng) -> Self {
        let cell = (0..4)
            .map(|_| rng.random_range(0..archive.len()))
            .min_by(|&a, &b| archive[a].fitness.total_cmp(&archive[b].fitness))
            .unwrap_or_default();
        let near = |i: usize, rng: &mut ChaCha8Rng| {
            (i + rng.random_range(0..7)).saturating_sub(3).min(GRID - 1)
        };
        let from = near(cell / GRID, rng) * GRID + near(cell % GRID, rng);
        Self {
            cell,
            mean: archive[from].genes.clone(),
            spread: vec![SPREAD[0]; SIZE],
            batches: 0,
        }
    }

    fn batch(&self, rng: &mut ChaCha8Rng) -> Vec<Genes> {
        let mut one = || -> Genes {
            let pairs = self.mean.iter().zip(&self.spread);
            let draw = pairs.map(|(mean, spread)| mean + spread * normal(rng));
            draw.map(|x: f64| x.clamp(-1.0, 1.0)).collect()
        };
        (0..BATCH).map(|_| one()).collect()
    }

    /// The next batch is drawn from around the best of this one, by what each did for each goal.
    fn learn(&mut self, batch: &[Genes], fitness: &[Vec<f64>]) {
        let mut order: Vec<usize> = (0..batch.len()).collect();
        order.sort_by(|&a, &b| fitness[b][self.cell].total_cmp(&fitness[a][self.cell]));
        for (k, (mean, spread)) in self.mean.iter_mut().zip(&mut self.spread).enumerate() {
            let best = || order[..BEST].iter().map(|&i| batch[i][k]);
            let variance = best().map(|x| (x - *mean).powi(2)).sum::<f64>() / BEST as f64;
            *spread = (0.8 * spread.powi(2) + 0.2 * variance)
                .sqrt()
                .max(SPREAD[1]);
            *mean = best().sum::<f64>() / BEST as f64;
        }
        self.batches += 1;
    }
}

/// Plays candidates and lets every goal keep the one that serves it better than what it has. Returns what
/// the first playback of each was worth for each goal.
fn judge(
    envs: &mut [Env],
    batch: Vec<Genes>,
    archive: &mut [Elite],
    rng: &mut ChaCha8Rng,
) -> Vec<Vec<f64>> {
    let mut firsts = Vec::new();
    let mut alive: Vec<(Genes, Vec<f64>)> = batch
        .into_iter()
        .map(|genes| (genes, vec![0.0; archive.len()]))
        .collect();
    let mut played = 0;
    for until in ROUNDS {
        let jobs: Vec<Genes> = alive
            .iter()
            .flat_map(|(genes, _)| vec![genes.clone(); until - played])
            .collect();
        let playbacks = play_all(envs, &jobs, rng);
        for ((_, sums), own) in alive.iter_mut().zip(playbacks.chunks(until - played)) {
            for (sum, elite) in sums.iter_mut().zip(&*archive) {
                *sum += own.iter().map(|p| shaped(p, elite.axis)).sum::<f64>();
            }
        }
        if played == 0 {
            firsts = alive.iter().map(|(_, sums)| sums.clone()).collect();
        }
        played = until;
        alive.retain(|(_, sums)| {
            let mut pairs = sums.iter().zip(&*archive);
            pairs.any(|(sum, elite)| sum / until as f64 > elite.fitness)
        });
    }
    for (genes, sums) in alive {
        for (sum, elite) in sums.iter().zip(&mut *archive) {
            let fitness = sum / played as f64;
            if fitness > elite.fitness {
                elite.fitness = fitness;
                elite.genes.clone_from(&genes);
            }
        }
    }
    firsts
}

/// Plays sequences from the pen's start, each shifted by noise of its own.
fn play_all(envs: &mut [Env], jobs: &[Genes], rng: &mut ChaCha8Rng) -> Vec<Playback> {
    let offset = |_| (0..ACTIONS).map(|_| NOISE * normal(rng)).collect();
    let offsets: Vec<Vec<f64>> = jobs.iter().map(offset).collect();
    let share = jobs.len().div_ceil(envs.len()).max(1);
    let parts = jobs.chunks(share).zip(offsets.chunks(share));
    thread::scope(|scope| {
        let threads: Vec<_> = envs
            .iter_mut()
            .zip(parts)
            .map(|(env, (jobs, offsets))| {
                scope.spawn(move || {
                    let pairs = jobs.iter().zip(offsets);
                    pairs.map(|(job, offset)| play(env, job, offset)).collect()
                })
            })
            .collect();
        let parts = threads.into_iter().map(|thread| thread.join());
        parts
            .flat_map(Result::<Vec<_>, _>::unwrap_or_default)
            .collect()
    })
}

fn play(env: &mut Env, genes: &[f64], offset: &[f64]) -> Playback {
    env.reset(0);
    let mut playback = Vec::with_capacity(env.horizon());
    for step in 0..env.horizon() {
        let action: Vec<f32> = (0..ACTIONS)
            .map(|k| (at(genes, step, k) + offset[k]) as f32)
            .collect();
        if env.step(&action).terminated {
            break;
        }
        let obs = env.observation();
        let norm = obs[39..42].iter().map(|x| x * x).sum::<f32>().sqrt();
        playback.push(([33, 34, 35].map(|k| f64::from(obs[k])), f64::from(norm)));
    }
    playback
}

fn alignment(axis: [f64; 3], goal: [f64; 3]) -> f64 {
    (0..3).map(|k| axis[k] * goal[k]).sum()
}

/// The mean shaped reward of a playback for a goal.
fn shaped(playback: &Playback, goal: [f64; 3]) -> f64 {
    const HORIZON: usize = 100;
    let mut sum = -2.0 * (HORIZON - playback.len().max(GRACE)) as f64;
    for &(axis, distance_m) in playback.iter().skip(GRACE) {
        let alignment = alignment(axis, goal);
        sum += alignment - 20.0 * (distance_m - 0.05).max(0.0);
        if distance_m < 0.075 {
            // The last bonus leaves room for goals beside the grid's.
            let bonuses = [(0.9, 1.0), (0.95, 2.0), (0.965, 1.0)];
            let earned = |(above, value)| if alignment > above { value } else { 0.0 };
            sum += bonuses.into_iter().map(earned).sum::<f64>();
        }
    }
    sum / (HORIZON - GRACE) as f64
}

fn is_success(playback: &Playback, goal: [f64; 3]) -> bool {
    let good = |&&(axis, distance_m): &&([f64; 3], f64)| {
        distance_m < 0.075 && alignment(axis, goal) > 0.95
    };
    playback.iter().filter(good).count() > 20
}

/// Gives each goal a sequence that serves it, neighbours like ones, and keeps the sequences given.
fn sort(
    envs: &mut [Env],
    sequences: &[Genes],
    library: &Path,
    goals: &str,
    rng: &mut ChaCha8Rng,
) -> Result<(), Box<dyn Error>> {
    if sequences.is_empty() {
        return Err("no sequences to sort; give the search some SECONDS".into());
    }
    let jobs: Vec<Genes> = sequences
        .iter()
        .flat_map(|genes| vec![genes.clone(); FINAL_PLAYBACKS])
        .collect();
    let playbacks = play_all(envs, &jobs, rng);
    let near = |rng: &mut ChaCha8Rng, x: f64| (x + rng.random_range(-0.05..=0.05)).clamp(-1.0, 1.0);
    let served: Vec<Vec<f64>> = (0..GRID * GRID)
        .map(|cell| {
            let around: Vec<[f64; 3]> = (0..GOALS_OF_A_CELL)
                .map(|_| axis(goal_rad(cell).map(|x| near(rng, x))))
                .collect();
            let rate = |own: &[Playback]| {
                let pairs = own.iter().flat_map(|p| around.iter().map(move |g| (p, g)));
                let served = pairs.filter(|(playback, goal)| is_success(playback, **goal));
                served.count() as f64 / (own.len() * around.len()) as f64
            };
            playbacks.chunks(FINAL_PLAYBACKS).map(rate).collect()
        })
        .collect();
    let given = assign(&served, sequences);
    let kept: Vec<usize> = (0..sequences.len()).filter(|i| given.contains(i)).collect();
    let genes: Vec<Genes> = kept.iter().map(|&i| sequences[i].clone()).collect();
    write_library(library, &genes)?;
    let mut text = String::from(
        "# goal: two angles, rad; then the sequence for it: its line in the library, from 0\n",
    );
    for (cell, sequence) in given.iter().enumerate() {
        let [a, b] = goal_rad(cell);
        let line = kept.iter().position(|i| i == sequence).unwrap_or_default();
        text += &format!("{a:.1},{b:.1},{line}\n");
    }
    let sum: f64 = given.iter().zip(&served).map(|(&i, rates)| rates[i]).sum();
    let mean = sum / given.len() as f64;
    println!(
        "{} sequences; goals served, by sight: {mean:.3}; tenths of it, first angle down, second across:",
        kept.len()
    );
    let rate = |cell: usize| served[cell][given[cell]];
    for row in 0..GRID {
        let tenth = |column: usize| format!("{:3.0}", 10.0 * rate(row * GRID + column));
        println!("{}", (0..GRID).map(tenth).collect::<String>());
    }
    Ok(fs::write(goals, text)?)
}

/// Iterated conditional modes (Besag 1986): each goal in turn takes the sequence that serves it best,
/// less what it would differ from its neighbours'. A policy that is to learn from the library must tell
/// goals apart by sight: it is helped by regions that hang together, and where they meet by sequences
/// that are alike.
fn assign(served: &[Vec<f64>], sequences: &[Genes]) -> Vec<usize> {
    let difference = |a: usize, b: usize| -> f64 {
        // By the early postures: later the hand itself shows which sequence it follows.
        let pairs = sequences[a].iter().zip(&sequences[b]).take(3 * ACTIONS);
        (pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>() / (3 * ACTIONS) as f64).sqrt()
    };
    let all = 0..sequences.len();
    let differences: Vec<Vec<f64>> = all
        .clone()
        .map(|a| all.clone().map(|b| difference(a, b)).collect())
        .collect();
    let best = |worth: &dyn Fn(usize) -> f64| {
        let found = all.clone().max_by(|&a, &b| worth(a).total_cmp(&worth(b)));
        found.unwrap_or_default()
    };
    let mut given: Vec<usize> = served.iter().map(|rates| best(&|i| rates[i])).collect();
    for _ in 0..SWEEPS {
        for cell in 0..given.len() {
            let (row, column) = (cell / GRID, cell % GRID);
            let mut around = vec![];
            around.extend((row > 0).then(|| given[cell - GRID]));
            around.extend((row + 1 < GRID).then(|| given[cell + GRID]));
            around.extend((column > 0).then(|| given[cell - 1]));
            around.extend((column + 1 < GRID).then(|| given[cell + 1]));
            given[cell] = best(&|i| {
                let apart: f64 = around.iter().map(|&other| differences[i][other]).sum();
                served[cell][i] - ALIKE * apart
            });
        }
    }
    given
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

fn distinct(archive: &[Elite]) -> Vec<Genes> {
    let served = archive.iter().filter(|elite| elite.fitness > -9.0);
    let mut all: Vec<Genes> = served.map(|elite| elite.genes.clone()).collect();
    all.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    all.dedup();
    all
}

/// The sequences of an earlier search.
fn known(path: &str) -> Result<Vec<Genes>, Box<dyn Error>> {
    let Ok(text) = fs::read_to_string(path) else {
        return Ok(Vec::new());
    };
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let numbers: Genes = line.split(',').map(str::parse).collect::<Result<_, _>>()?;
            match numbers.len() {
                SIZE => Ok(numbers),
                other => Err(format!("{path}: a line of {other} numbers, not {SIZE}").into()),
            }
        })
        .collect()
}

fn write_library(path: impl AsRef<Path>, sequences: &[Genes]) -> Result<(), Box<dyn Error>> {
    let mut text = String::from("# a sequence a line: the actions of each posture in turn\n");
    for genes in sequences {
        let numbers: Vec<String> = genes.iter().map(|x| format!("{x:.3}")).collect();
        text += &(numbers.join(",") + "\n");
    }
    Ok(fs::write(path, text)?)
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let u: f64 = rng.random_range(1e-12..1.0);
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}
