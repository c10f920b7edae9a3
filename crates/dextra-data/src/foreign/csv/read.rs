//! Episodes from a table of text with the columns that [`super::write_csv`] writes.

use ::csv::{ReaderBuilder, StringRecord};

use crate::foreign::Trajectory;

/// Numbers that are read of one file; more is a hostile or a foreign file.
const MAX_VALUES: usize = 1 << 26;

/// Where the columns that are read stand.
struct Columns {
    episode: usize,
    observation: Vec<usize>,
    action: Vec<usize>,
    reward: usize,
}

impl Columns {
    fn of(names: &StringRecord) -> Result<Self, String> {
        let one = |name: &str| {
            let found = names.iter().position(|found| found.trim() == name);
            found.ok_or_else(|| format!("it has no column `{name}`"))
        };
        let all = |begin: &str| -> Vec<usize> {
            let of_kind = |(_, name): &(usize, &str)| name.trim().starts_with(begin);
            let found = names.iter().enumerate().filter(of_kind);
            found.map(|(index, _)| index).collect()
        };
        let columns = Self {
            episode: one("episode")?,
            observation: all("observation["),
            action: all("action "),
            reward: one("reward")?,
        };
        for (kind, found) in [
            ("observation[0]", &columns.observation),
            ("action NAME", &columns.action),
        ] {
            if found.is_empty() {
                return Err(format!("it has no columns `{kind}`, ..."));
            }
        }
        Ok(columns)
    }
}

/// The episodes of a table. It has no observation after an episode's last action, so the last action is
/// left out: where it led is not known.
///
/// # Errors
/// What is wrong with it, with its line.
pub(in crate::foreign) fn read(bytes: &[u8]) -> Result<Vec<Trajectory>, String> {
    let mut reader = ReaderBuilder::new().from_reader(bytes);
    let names = reader.headers().map_err(|error| error.to_string())?.clone();
    let columns = Columns::of(&names)?;
    let mut trajectories: Vec<Trajectory> = Vec::new();
    let mut present: Option<String> = None;
    let mut values = 0;
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        values += record.len();
        if values > MAX_VALUES {
            return Err("it holds too many numbers".into());
        }
        let line = record.position().map_or(0, |place| place.line());
        let number = |column: usize| {
            let text = record.get(column).unwrap_or_default().trim();
            let number = text.parse::<f32>().ok();
            number.ok_or_else(|| {
                let name = names.get(column).unwrap_or_default();
                format!("line {line}: `{text}` in the column {name} is no number")
            })
        };
        let row = |columns: &[usize]| columns.iter().map(|&c| number(c)).collect();
        let episode = record.get(columns.episode).unwrap_or_default();
        if present.as_deref() != Some(episode) {
            present = Some(episode.to_owned());
            trajectories.push(Trajectory::default());
        }
        if let Some(trajectory) = trajectories.last_mut() {
            let observation: Result<Vec<f32>, String> = row(&columns.observation);
            trajectory.obs.push(observation?);
            let action: Result<Vec<f32>, String> = row(&columns.action);
            trajectory.actions.push(action?);
            trajectory.rewards.push(number(columns.reward)?);
        }
    }
    for trajectory in &mut trajectories {
        trajectory.actions.pop();
        trajectory.rewards.pop();
    }
    Ok(trajectories)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rand::{Rng, SeedableRng};

    use super::*;

    const EXAMPLE: &str = "\"episode\",\"step\",\"observation[0]\",\"observation[1]\",\"action a\",\"reward\"\n\
        0,0,1.5,2,0.25,1\n0,1,-1e3,3,-1,2\n1,0,0,0,1,3\n1,1,1,1,1,4\n1,2,2,2,0,5\n";

    #[test]
    fn episodes_follow_each_other() {
        let read = read(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].obs, [[1.5, 2.0], [-1e3, 3.0]]);
        assert_eq!(
            (&read[0].actions, &read[0].rewards),
            (&vec![vec![0.25]], &vec![1.0])
        );
        assert_eq!((read[1].obs.len(), read[1].actions.len()), (3, 2));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let refused = |text: &str, part: &str| {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        refused("a,b\n1,2\n", "no column `episode`");
        refused("episode,reward\n1,2\n", "no columns `observation[0]`");
        refused(
            &EXAMPLE.replace("-1e3", "much"),
            "line 3: `much` in the column observation[0]",
        );
        refused(&EXAMPLE.replace("1,1,1,1,1,4", "1,1,1"), "record 4");
    }

    #[test]
    fn no_bytes_make_the_reader_panic() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
        let mut read_well = 0;
        for _ in 0..20_000 {
            let mut bytes = EXAMPLE.as_bytes().to_vec();
            for _ in 0..rng.random_range(1..4) {
                let place = rng.random_range(0..bytes.len());
                match rng.random_range(0..4) {
                    0 => bytes[place] = rng.random(),
                    1 => bytes[place] = EXAMPLE.as_bytes()[rng.random_range(0..EXAMPLE.len())],
                    2 => bytes.insert(place, b"\",\n0-e"[rng.random_range(0..6)]),
                    _ => bytes.truncate(place + 1),
                }
            }
            read_well += usize::from(read(&bytes).is_ok());
        }
        assert!(
            read_well > 100,
            "too few mutations are readable: {read_well}"
        );
    }
}
