//! Datasets as D4RL, robomimic and Minari read them.

use std::path::Path;

use hdf5_pure::{AttrValue, DatasetBuilder, Datatype, EnumTypeBuilder, FileBuilder, GroupBuilder};
use serde_json::json;

use super::read::FLAT;
use crate::{
    dataset::{Dataset, DatasetError, Header, Recording, Start, files},
    foreign::minari,
};

/// Rows that are compressed together.
const CHUNK_ROWS: usize = 1024;
const COMPRESSION: u32 = 4;
/// robomimic's number for environments of Gym's kind.
const GYM: i64 = 2;

/// Writes flat arrays over all episodes, as D4RL's are: `terminals` where the task itself ended, `timeouts`
/// at every other end, the simulator's states under `infos`.
///
/// # Errors
/// When the dataset is empty, an episode cannot be read or the file cannot be written.
pub fn write_d4rl(dataset: &Dataset, path: &Path) -> Result<(), DatasetError> {
    let header = dataset.header();
    let [mut obs, mut next, mut actions, mut rewards] = [const { Vec::new() }; 4];
    let [mut qpos, mut qvel] = [const { Vec::new() }; 2];
    let [mut terminals, mut timeouts] = [const { Vec::new() }; 2];
    for recording in episodes(dataset, path)? {
        let recording = recording?;
        let (episode, steps) = (&recording.episode, recording.episode.len());
        for (step, transition) in episode.transitions.iter().enumerate() {
            obs.extend(&transition.obs);
            next.extend(episode.obs(step + 1));
            actions.extend(&transition.action);
            rewards.push(transition.reward);
            terminals.push(u8::from(transition.terminated));
            timeouts.push(u8::from(step + 1 == steps && !transition.terminated));
        }
        if let Some(states) = &recording.states {
            let [nq, nv] = header.state_dims;
            qpos.extend_from_slice(&states.qpos[..steps * nq]);
            qvel.extend_from_slice(&states.qvel[..steps * nv]);
        }
    }
    let mut file = FileBuilder::new();
    f32_table(file.create_dataset("observations"), &obs, header.obs_dim);
    f32_table(
        file.create_dataset("next_observations"),
        &next,
        header.obs_dim,
    );
    f32_table(
        file.create_dataset("actions"),
        &actions,
        header.action_dim(),
    );
    file.create_dataset("rewards").with_f32_data(&rewards);
    let truth = truth_values(path)?;
    for (name, values) in [("terminals", &terminals), ("timeouts", &timeouts)] {
        file.create_dataset(name)
            .with_enum_u8_data(truth.clone(), values);
    }
    if !qpos.is_empty() {
        let mut infos = file.create_group("infos");
        f64_table(infos.create_dataset("qpos"), &qpos, header.state_dims[0]);
        f64_table(infos.create_dataset("qvel"), &qvel, header.state_dims[1]);
        file.add_group(infos.finish());
    }
    save(file, path)
}

/// Writes a group per episode, as robomimic's are, with the observation under `flat`, the simulator's time,
/// positions and velocities as `states`, and the successful episodes as the filter key `successful`.
///
/// # Errors
/// As [`write_d4rl`].
pub fn write_robomimic(dataset: &Dataset, path: &Path) -> Result<(), DatasetError> {
    let header = dataset.header();
    let mut file = FileBuilder::new();
    let mut data = file.create_group("data");
    let mut successful = Vec::new();
    for (index, recording) in episodes(dataset, path)?.enumerate() {
        let recording = recording?;
        let name = format!("demo_{index}");
        let mut demo = data.create_group(&name);
        demonstration(&mut demo, &recording, header);
        data.add_group(demo.finish());
        if recording.episode.success {
            successful.push(name);
        }
    }
    data.set_attr("total", AttrValue::I64(dataset.steps() as i64));
    let environment = json!({
        "env_name": header.task,
        "env_type": GYM,
        "env_kwargs": header.options,
    });
    data.set_attr("env_args", AttrValue::String(environment.to_string()));
    file.add_group(data.finish());
    if !successful.is_empty() {
        let mut mask = file.create_group("mask");
        let names: Vec<&str> = successful.iter().map(String::as_str).collect();
        mask.create_dataset("successful")
            .with_ascii_strings(&names)
            .map_err(|error| unusable(path, error))?;
        file.add_group(mask.finish());
    }
    save(file, path)
}

fn demonstration(demo: &mut GroupBuilder, recording: &Recording, header: &Header) {
    let (episode, steps) = (&recording.episode, recording.episode.len());
    let all = || episode.transitions.iter();
    let obs = |shift: usize| -> Vec<f32> {
        let rows = (0..steps).flat_map(|step| episode.obs(step + shift));
        rows.copied().collect()
    };
    for (name, shift) in [("obs", 0), ("next_obs", 1)] {
        let mut group = demo.create_group(name);
        f32_table(group.create_dataset(FLAT), &obs(shift), header.obs_dim);
        demo.add_group(group.finish());
    }
    let actions: Vec<f32> = all().flat_map(|t| t.action.iter().copied()).collect();
    f32_table(
        demo.create_dataset("actions"),
        &actions,
        header.action_dim(),
    );
    let rewards: Vec<f64> = all().map(|t| f64::from(t.reward)).collect();
    demo.create_dataset("rewards").with_f64_data(&rewards);
    let dones: Vec<i64> = (0..steps)
        .map(|step| i64::from(step + 1 == steps))
        .collect();
    demo.create_dataset("dones").with_i64_data(&dones);
    if let Some(states) = &recording.states {
        let [nq, nv] = header.state_dims;
        let mut rows = Vec::with_capacity(steps * (1 + nq + nv));
        for step in 0..steps {
            rows.push(states.time_secs[step]);
            rows.extend_from_slice(&states.qpos[step * nq..][..nq]);
            rows.extend_from_slice(&states.qvel[step * nv..][..nv]);
        }
        f64_table(demo.create_dataset("states"), &rows, 1 + nq + nv);
    }
    demo.set_attr("num_samples", AttrValue::I64(steps as i64));
    demo.set_attr("seed", AttrValue::U64(episode.seed));
    let success = i64::from(episode.success);
    demo.set_attr("success", AttrValue::I64(success));
}

/// Writes a dataset as Minari's HDF5 storage, into a folder that does not exist yet.
///
/// # Errors
/// As [`write_d4rl`].
pub fn write_minari_hdf5(dataset: &Dataset, root: &Path) -> Result<(), DatasetError> {
    minari::require_new(root)?;
    let header = dataset.header();
    let path = root.join("data").join(minari::HDF5_FILE);
    let truth = truth_values(&path)?;
    let mut file = FileBuilder::new();
    for (index, recording) in episodes(dataset, &path)?.enumerate() {
        let recording = recording?;
        let (episode, steps) = (&recording.episode, recording.episode.len());
        let all = || episode.transitions.iter();
        let mut group = file.create_group(&format!("episode_{index}"));
        group.set_attr("id", AttrValue::I64(index as i64));
        group.set_attr("total_steps", AttrValue::I64(steps as i64));
        if recording.start == Start::Reset {
            group.set_attr("seed", AttrValue::U64(episode.seed));
        }
        let obs: Vec<f32> = (0..=steps).flat_map(|t| episode.obs(t)).copied().collect();
        f32_table(group.create_dataset("observations"), &obs, header.obs_dim);
        let actions: Vec<f32> = all().flat_map(|t| t.action.iter().copied()).collect();
        f32_table(
            group.create_dataset("actions"),
            &actions,
            header.action_dim(),
        );
        let rewards: Vec<f64> = all().map(|t| f64::from(t.reward)).collect();
        group.create_dataset("rewards").with_f64_data(&rewards);
        let ended: Vec<u8> = all().map(|t| u8::from(t.terminated)).collect();
        let last = |step: usize| step + 1 == steps;
        let cut = (0..steps).map(|step| u8::from(last(step) && ended[step] == 0));
        let cut: Vec<u8> = cut.collect();
        for (name, values) in [("terminations", &ended), ("truncations", &cut)] {
            group
                .create_dataset(name)
                .with_enum_u8_data(truth.clone(), values);
        }
        file.add_group(group.finish());
    }
    let bytes = save_sized(file, &path)?;
    minari::write_metadata(dataset, root, "hdf5", bytes)
}

/// The episodes one by one; there must be some.
fn episodes<'a>(
    dataset: &'a Dataset,
    path: &Path,
) -> Result<impl Iterator<Item = Result<Recording, DatasetError>> + use<'a>, DatasetError> {
    if dataset.is_empty() {
        let reason = format!(
            "was not written: {} has no episodes",
            dataset.root().display()
        );
        return Err(unusable(path, reason));
    }
    Ok((0..dataset.len()).map(|index| dataset.read(index)))
}

/// What h5py reads as `bool`.
fn truth_values(path: &Path) -> Result<Datatype, DatasetError> {
    let values = EnumTypeBuilder::u8_based()
        .u8_value("FALSE", 0)
        .u8_value("TRUE", 1);
    values.build().map_err(|error| unusable(path, error))
}

fn f32_table(array: &mut DatasetBuilder, values: &[f32], width: usize) {
    compressed(array.with_f32_data(values), values.len() / width, width);
}

fn f64_table(array: &mut DatasetBuilder, values: &[f64], width: usize) {
    compressed(array.with_f64_data(values), values.len() / width, width);
}

fn compressed(array: &mut DatasetBuilder, rows: usize, width: usize) {
    let size = |rows: usize| [rows as u64, width as u64];
    array
        .with_shape(&size(rows))
        .with_chunks(&size(rows.min(CHUNK_ROWS)))
        .with_shuffle()
        .with_deflate(COMPRESSION);
}

fn save(file: FileBuilder, path: &Path) -> Result<(), DatasetError> {
    save_sized(file, path).map(drop)
}

/// Writes it whole or not at all; how many bytes it has.
fn save_sized(file: FileBuilder, path: &Path) -> Result<usize, DatasetError> {
    let bytes = file.finish().map_err(|error| unusable(path, error))?;
    files::write_whole(path, &bytes)?;
    Ok(bytes.len())
}

fn unusable(path: &Path, reason: impl ToString) -> DatasetError {
    DatasetError::Unusable {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}
