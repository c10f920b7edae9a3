//! Policies in DAPG's layout.
#![allow(clippy::unwrap_used)]

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use dextra_learn::{NpzPolicy, Pairs, Student};
use npyz::WriterBuilder;
use zip::{ZipWriter, write::SimpleFileOptions};

fn scratch_file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("dextra-{}-{name}", std::process::id()))
}

fn write(path: &Path, arrays: &[(&str, &[u64], &[f64])]) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    for (name, shape, values) in arrays {
        let mut bytes = vec![];
        let options = npyz::WriteOptions::new()
            .default_dtype()
            .shape(shape)
            .writer(&mut bytes);
        let mut writer = options.begin_nd().unwrap();
        writer.extend(values.iter().copied()).unwrap();
        writer.finish().unwrap();
        zip.start_file(format!("{name}.npy"), SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap();
}

const SMALL: [(&str, &[u64], &[f64]); 10] = [
    ("in_shift", &[2], &[1.0, 0.0]),
    ("in_scale", &[2], &[2.0, 1.0]),
    ("W0", &[2, 2], &[1.0, 2.0, 0.0, 1.0]),
    ("b0", &[2], &[0.0, 0.1]),
    ("W1", &[1, 2], &[0.5, -1.0]),
    ("b1", &[1], &[0.2]),
    ("W2", &[1, 1], &[3.0]),
    ("b2", &[1], &[-1.0]),
    ("out_scale", &[1], &[0.5]),
    ("out_shift", &[1], &[0.25]),
];

#[test]
fn the_forward_pass_is_the_published_one() {
    let path = scratch_file("small.npz");
    write(&path, &SMALL);
    let policy = NpzPolicy::load(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let x = [(3.0f64 - 1.0) / 2.0, -0.5];
    let h = [(x[0] + 2.0 * x[1]).tanh(), (x[1] + 0.1).tanh()];
    let y = (0.5 * h[0] - h[1] + 0.2).tanh();
    let expected = (3.0 * y - 1.0) * 0.5 + 0.25;
    assert_eq!((policy.obs_dim(), policy.action_dim()), (2, 1));
    assert!((f64::from(policy.act(&[3.0, -0.5])[0]) - expected).abs() < 1e-6);
}

#[test]
fn bad_files_are_named_with_what_is_wrong() {
    let path = scratch_file("bad.npz");
    let error = |path: &Path| NpzPolicy::load(path).unwrap_err().to_string();
    assert!(error(&path).contains("bad.npz"), "absent");
    fs::write(&path, b"no archive").unwrap();
    assert!(error(&path).contains("not a NumPy archive"));
    write(&path, &SMALL[..6]);
    assert!(error(&path).contains("no array `W2`"));
    let mut arrays = SMALL;
    arrays[4] = ("W1", &[1, 3], &[0.5, -1.0, 0.0]);
    write(&path, &arrays);
    assert!(error(&path).contains("array `W1` has 3 numbers, the others ask for 2"));
    arrays = SMALL;
    arrays[5] = ("b1", &[1], &[f64::NAN]);
    write(&path, &arrays);
    assert!(error(&path).contains("not finite"));
    fs::remove_file(&path).unwrap();
}

#[test]
fn the_published_door_policy_loads() {
    // From the package's folder, where cargo runs tests.
    let path = Path::new("../../../shared/data/dapg_door_policy.npz");
    if !path.exists() {
        println!("skipped: {} is absent", path.display());
        return;
    }
    let policy = NpzPolicy::load(path).unwrap();
    assert_eq!((policy.obs_dim(), policy.action_dim()), (39, 28));
    assert!(policy.act(&[0.0; 39]).iter().all(|a| a.is_finite()));
}

#[test]
fn a_student_from_its_file_acts_as_it_did_to_the_last_bit() {
    let (obs, path) = (
        [0.3f32, -0.2, 0.7, 0.1, 0.9, -0.4],
        scratch_file("student.npz"),
    );
    let pairs = Pairs {
        obs: obs.into(),
        actions: vec![0.5, -0.5, 0.1, 1.0],
    };
    let policy = Student::new(&pairs, [3, 8, 8, 2], 1).unwrap().policy();
    policy.save(&path).unwrap();
    let (bytes, again) = (fs::read(&path).unwrap(), NpzPolicy::load(&path).unwrap());
    again.save(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes, "the same bytes again");
    fs::remove_file(&path).unwrap();
    assert_eq!((again.obs_dim(), again.action_dim()), (3, 2));
    for obs in obs.chunks_exact(3) {
        assert_eq!(policy.act(obs), again.act(obs));
    }
    let nowhere = scratch_file("absent").join("policy.npz");
    let error = policy.save(&nowhere).unwrap_err().to_string();
    assert!(error.contains("policy.npz"), "{error}");
}
