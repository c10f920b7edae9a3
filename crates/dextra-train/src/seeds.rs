//! Where every random number comes from: (run seed, role, index), never a global generator.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// A generator of its own for `role` number `index` of the run with that seed.
pub fn generator(seed: u64, role: &str, index: u64) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(index.to_le_bytes());
    hash.update(role.as_bytes());
    ChaCha8Rng::from_seed(hash.finalize().into())
}

/// The reset seed of an actor's next episode. Training seeds have the top bit set, evaluation seeds
/// never: no evaluation starts from a state that was trained on.
pub(crate) fn episode_seed(rng: &mut ChaCha8Rng) -> u64 {
    rng.next_u64() | 1 << 63
}

/// Reset seeds of evaluations; the three kinds never overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalSeeds {
    /// Evaluations during training, `n` episodes already evaluated.
    Monitor(u64),
    /// The evaluation that ends a run.
    Final,
    /// `dextra eval --seed n`.
    Command(u64),
}

impl EvalSeeds {
    /// The first seed; the others follow one by one.
    pub fn first(self) -> u64 {
        const BLOCK: u64 = 1_000_000;
        match self {
            Self::Monitor(done) => BLOCK + done % BLOCK,
            Self::Final => 2 * BLOCK,
            Self::Command(n) => (n % (1 << 40) + 3) * BLOCK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_indices_have_streams_of_their_own() {
        let draw = |seed, role, index| generator(seed, role, index).next_u64();
        let base = draw(0, "actor", 0);
        assert_eq!(base, draw(0, "actor", 0));
        assert_ne!(base, draw(1, "actor", 0));
        assert_ne!(base, draw(0, "replay", 0));
        assert_ne!(base, draw(0, "actor", 1));
    }

    #[test]
    fn evaluation_and_training_seeds_are_disjoint() {
        let mut rng = generator(0, "actor", 0);
        let highest = EvalSeeds::Command(u64::MAX).first();
        assert!((0..1000).all(|_| episode_seed(&mut rng) > highest));
        assert!(EvalSeeds::Monitor(999_999).first() < EvalSeeds::Final.first());
        assert!(EvalSeeds::Final.first() < EvalSeeds::Command(0).first());
    }
}
