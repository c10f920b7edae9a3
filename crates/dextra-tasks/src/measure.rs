//! What success asks for, as numbers that a person can read: why an episode succeeds or fails.

/// One condition of success and how far it is met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// What is measured.
    pub name: &'static str,
    /// Its value now.
    pub value: f64,
    /// The value at which the condition begins to hold.
    pub bound: f64,
    /// Whether it has to be at least the bound, rather than below it.
    pub at_least: bool,
    /// The unit of both.
    pub unit: &'static str,
}

impl Measure {
    /// A value that has to reach a bound.
    pub(crate) fn at_least(name: &'static str, value: f64, bound: f64, unit: &'static str) -> Self {
        Self {
            name,
            value,
            bound,
            at_least: true,
            unit,
        }
    }

    /// A value that has to stay below a bound.
    pub(crate) fn below(name: &'static str, value: f64, bound: f64, unit: &'static str) -> Self {
        Self {
            at_least: false,
            ..Self::at_least(name, value, bound, unit)
        }
    }

    /// Whether the condition holds.
    pub fn is_met(&self) -> bool {
        if self.at_least {
            self.value >= self.bound
        } else {
            self.value < self.bound
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::{Env, EnvOptions, Expert, TaskModel, task_names};

    #[test]
    fn a_task_is_solved_where_all_measures_are_met() {
        for task in task_names() {
            let model = TaskModel::load(task).unwrap();
            let mut env = Env::with_model(model.clone(), &EnvOptions::default());
            let mut expert = Expert::new(&model).unwrap();
            let mut solved = 0;
            for seed in 0..6 {
                env.reset(seed);
                expert.reset(seed);
                loop {
                    let action = expert.act(&env);
                    let step = env.step(&action);
                    let met = env.measures().iter().all(|measure| measure.is_met());
                    assert_eq!(met, step.success, "{task}: {:?}", env.measures());
                    solved += usize::from(met);
                    if step.terminated || step.truncated {
                        break;
                    }
                }
            }
            assert!(solved > 0, "{task}: nothing was solved");
        }
    }
}
