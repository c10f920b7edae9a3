//! DAPG's demonstrations (Rajeswaran et al. 2018): a pickled list of dictionaries of arrays.

use super::{
    Trajectory,
    pickle::{self, Array, Value},
};

/// The episodes of a pickle. DAPG keeps no observation after the last action, so the last action is left
/// out: where it led is not known.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Trajectory>, String> {
    let Value::List(paths) = pickle::read(bytes)? else {
        return Err("it holds no list of episodes".into());
    };
    let read = paths.iter().enumerate();
    read.map(|(index, path)| trajectory(path).map_err(|why| format!("episode {index}: {why}")))
        .collect()
}

fn trajectory(path: &Value) -> Result<Trajectory, String> {
    let array = |key: &str| {
        let found = path.get(key).and_then(Value::array);
        found.ok_or_else(|| format!("it has no array `{key}`"))
    };
    let obs = rows(array("observations")?)?;
    let mut actions = rows(array("actions")?)?;
    let mut rewards: Vec<f32> = array("rewards")?.values.iter().map(|&x| x as f32).collect();
    if obs.len() != actions.len() || obs.len() != rewards.len() {
        return Err("its arrays have different lengths".into());
    }
    actions.pop();
    rewards.pop();
    Ok(Trajectory {
        obs,
        actions,
        rewards,
        terminated: false,
        seed: None,
    })
}

fn rows(array: &Array) -> Result<Vec<Vec<f32>>, String> {
    let [_, width] = array.shape.as_slice() else {
        return Err("an array is no table".into());
    };
    let rows = array.values.chunks_exact((*width).max(1));
    Ok(rows
        .map(|row| row.iter().map(|&x| x as f32).collect())
        .collect())
}
