//! Episodes of the three kinds of files.

use hdf5_pure::Group;

use crate::foreign::Trajectory;

/// Values of one array that are read; more is a hostile or a foreign file.
const MAX_VALUES: u64 = 1 << 26;
/// Where robomimic and its converters keep observations that have no parts.
pub(super) const FLAT: &str = "flat";

/// The episodes below the root of a file, and whose kind of file it is.
pub(super) fn episodes(root: &Group) -> Result<(Vec<Trajectory>, &'static str), String> {
    let groups = root.groups().map_err(|error| error.to_string())?;
    let has = |name: &str| groups.iter().any(|group| group == name);
    if has("data") {
        Ok((robomimic(&child(root, "data")?)?, "robomimic"))
    } else if has("episode_0") {
        Ok((minari(root)?, "Minari"))
    } else if arrays(root)?.iter().any(|name| name == "observations") {
        Ok((d4rl(root)?, "D4RL"))
    } else {
        Err(
            "it has neither D4RL's `observations`, robomimic's `data` nor Minari's `episode_0`"
                .into(),
        )
    }
}

/// D4RL: flat arrays over all episodes, which end where `terminals` or `timeouts` say.
fn d4rl(root: &Group) -> Result<Vec<Trajectory>, String> {
    let obs = rows(root, "observations")?;
    let actions = rows(root, "actions")?;
    let rewards = column(root, "rewards")?;
    let terminals = flags(root, "terminals")?;
    let timeouts = optional(root, "timeouts", flags)?;
    let next = optional(root, "next_observations", rows)?;
    let steps = obs.len();
    let others = [actions.len(), rewards.len(), terminals.len()];
    let fits = |length: Option<usize>| length.is_none_or(|length| length == steps);
    let optional_fit = fits(timeouts.as_ref().map(Vec::len)) && fits(next.as_ref().map(Vec::len));
    if others.iter().any(|&length| length != steps) || !optional_fit {
        return Err("its arrays have different lengths".into());
    }
    let mut trajectories = Vec::new();
    let mut from = 0;
    for to in 1..=steps {
        let timed_out = timeouts.as_ref().is_some_and(|timeouts| timeouts[to - 1]);
        if !terminals[to - 1] && !timed_out && to < steps {
            continue;
        }
        trajectories.extend(trajectory(
            obs[from..to].to_vec(),
            actions[from..to].to_vec(),
            rewards[from..to].to_vec(),
            next.as_ref().map(|next| next[to - 1].clone()),
            terminals[to - 1],
        ));
        from = to;
    }
    Ok(trajectories)
}

/// robomimic: a group `demo_<i>` per episode, with observations by name.
fn robomimic(data: &Group) -> Result<Vec<Trajectory>, String> {
    let mut names = data.groups().map_err(|error| error.to_string())?;
    // By number, as they were recorded.
    names.sort_by_key(|name| (name.len(), name.clone()));
    let demos = names.iter().filter(|name| name.starts_with("demo_"));
    let read = demos.map(|name| {
        let demo = child(data, name)?;
        demonstration(&demo).map_err(|reason| format!("`data/{name}`: {reason}"))
    });
    let read: Vec<Option<Trajectory>> = read.collect::<Result<_, String>>()?;
    Ok(read.into_iter().flatten().collect())
}

fn demonstration(demo: &Group) -> Result<Option<Trajectory>, String> {
    let seen = child(demo, "obs")?;
    let key = observation_key(&seen)?;
    let obs = rows(&seen, &key)?;
    let next = match demo.groups().map_err(|error| error.to_string())? {
        groups if groups.iter().any(|name| name == "next_obs") => {
            rows(&child(demo, "next_obs")?, &key)?.pop()
        }
        _ => None,
    };
    let actions = rows(demo, "actions")?;
    let rewards = match optional(demo, "rewards", column)? {
        Some(rewards) => rewards,
        None => vec![0.0; actions.len()],
    };
    if obs.len() != actions.len() || rewards.len() != actions.len() {
        return Err("its arrays have different lengths".into());
    }
    // `dones` mark successes or the end of the recording, not that the task itself ended.
    Ok(trajectory(obs, actions, rewards, next, false))
}

/// The one observation that there is, or the one without parts.
fn observation_key(obs: &Group) -> Result<String, String> {
    let names = arrays(obs)?;
    match names.as_slice() {
        [only] => Ok(only.clone()),
        names if names.iter().any(|name| name == FLAT) => Ok(FLAT.into()),
        names => Err(format!(
            "its observations are of {} parts ({}): only one, or `{FLAT}`, is read",
            names.len(),
            names.join(", ")
        )),
    }
}

/// Minari: a group `episode_<i>` per episode, with one observation more than actions.
fn minari(root: &Group) -> Result<Vec<Trajectory>, String> {
    let count = root.groups().map_err(|error| error.to_string())?.len();
    let read = (0..count).map(|index| {
        let name = format!("episode_{index}");
        let episode = child(root, &name)?;
        minari_episode(&episode).map_err(|reason| format!("`{name}`: {reason}"))
    });
    read.collect()
}

fn minari_episode(episode: &Group) -> Result<Trajectory, String> {
    let attributes = episode.attrs().map_err(|error| error.to_string())?;
    Ok(Trajectory {
        obs: rows(episode, "observations")?,
        actions: rows(episode, "actions")?,
        rewards: column(episode, "rewards")?,
        terminated: flags(episode, "terminations")?.last() == Some(&true),
        seed: attributes.get("seed").and_then(|seed| seed.as_u64()),
    })
}

/// An episode from as many observations as actions, and the one after the last action. Without that one
/// the last action is left out: where it led is not known. `None` where nothing is left.
fn trajectory(
    mut obs: Vec<Vec<f32>>,
    mut actions: Vec<Vec<f32>>,
    mut rewards: Vec<f32>,
    last: Option<Vec<f32>>,
    terminated: bool,
) -> Option<Trajectory> {
    let known = last.is_some();
    match last {
        Some(last) => obs.push(last),
        None => {
            actions.pop();
            rewards.pop();
        }
    }
    (!actions.is_empty()).then_some(Trajectory {
        obs,
        actions,
        rewards,
        terminated: terminated && known,
        seed: None,
    })
}

fn child(group: &Group, name: &str) -> Result<Group, String> {
    let found = group.group(name);
    found.map_err(|error| format!("it has no group `{name}` that can be read: {error}"))
}

fn arrays(group: &Group) -> Result<Vec<String>, String> {
    group.datasets().map_err(|error| error.to_string())
}

/// What `read` makes of an array, where there is one.
fn optional<T>(
    group: &Group,
    name: &str,
    read: impl Fn(&Group, &str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    match arrays(group)?.iter().any(|found| found == name) {
        true => read(group, name).map(Some),
        false => Ok(None),
    }
}

/// The rows of a table of numbers.
fn rows(group: &Group, name: &str) -> Result<Vec<Vec<f32>>, String> {
    let (shape, values) = numbers(group, name)?;
    let &[_, width] = shape.as_slice() else {
        return Err(format!(
            "its array `{name}` is no table: its shape is {shape:?}"
        ));
    };
    let rows = values.chunks_exact((width as usize).max(1));
    Ok(rows.map(<[f32]>::to_vec).collect())
}

/// The values of an array with one for each step.
fn column(group: &Group, name: &str) -> Result<Vec<f32>, String> {
    let (shape, values) = numbers(group, name)?;
    match shape.as_slice() {
        [_] | [_, 1] => Ok(values),
        _ => Err(format!(
            "its array `{name}` has not one value for each step: its shape is {shape:?}"
        )),
    }
}

/// As [`column`], of flags: truth values or numbers other than 0.
fn flags(group: &Group, name: &str) -> Result<Vec<bool>, String> {
    let values = column(group, name)?;
    Ok(values.into_iter().map(|value| value != 0.0).collect())
}

fn numbers(group: &Group, name: &str) -> Result<(Vec<u64>, Vec<f32>), String> {
    let unreadable =
        |error: hdf5_pure::Error| format!("its array `{name}` cannot be read: {error}");
    let array = group.dataset(name).map_err(unreadable)?;
    let shape = array.shape().map_err(unreadable)?;
    let claimed = shape.iter().try_fold(1u64, |n, &side| n.checked_mul(side));
    if claimed.is_none_or(|claimed| claimed > MAX_VALUES) {
        return Err(format!("its array `{name}` claims the shape {shape:?}"));
    }
    let values = array.read_f32().map_err(unreadable)?;
    if Some(values.len() as u64) != claimed {
        return Err(format!(
            "its array `{name}` has not as many values as its shape says"
        ));
    }
    Ok((shape, values))
}
