//! Dotted keys of a configuration: listed, found, merged, read from text.

use toml::{Table, Value};

use crate::{
    config::{ConfigError, TrainConfig},
    edit::REWARD_WEIGHTS,
};

/// Refuses a key that no field has, naming the nearest one by its whole name or its last part.
pub fn check_key(key: &str) -> Result<(), ConfigError> {
    if key
        .strip_prefix(REWARD_WEIGHTS)
        .is_some_and(|term| !term.is_empty())
    {
        // Which terms there are, the task says.
        return Ok(());
    }
    let known = TrainConfig::keys();
    if known.iter().any(|k| k == key) {
        return Ok(());
    }
    let likeness = |candidate: &str| {
        let last = candidate.rsplit('.').next().unwrap_or(candidate);
        strsim::jaro_winkler(key, candidate).max(strsim::jaro_winkler(key, last))
    };
    let nearest = known
        .iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .cloned()
        .unwrap_or_default();
    Err(ConfigError::UnknownKey {
        key: key.to_owned(),
        nearest,
    })
}

/// The dotted keys of a table's values, in order.
pub fn flatten(prefix: &str, table: &Table, keys: &mut Vec<String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        match value {
            Value::Table(inner) => flatten(&key, inner, keys),
            _ => keys.push(key),
        }
    }
}

/// The value or group under a dotted key.
pub fn field<'a>(table: &'a mut Table, key: &str) -> Option<&'a mut Value> {
    match key.split_once('.') {
        None => table.get_mut(key),
        Some((head, rest)) => field(table.get_mut(head)?.as_table_mut()?, rest),
    }
}

/// Lays `over` on `base`, group by group.
pub fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(over)) => merge(inner, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Reads `text` as the kind of value that `current` is; what is not TOML is a string.
pub fn parse_value(text: &str, current: &Value) -> Value {
    let text = text.trim();
    if matches!(current, Value::String(_)) && !text.starts_with(['"', '\'']) {
        let number = text.parse::<f64>().ok();
        return number.map_or_else(|| Value::String(text.to_owned()), Value::Float);
    }
    if matches!(current, Value::Integer(_))
        && let Some(count) = parse_count(text)
    {
        return Value::Integer(count);
    }
    toml::from_str::<Table>(&format!("value = {text}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// `50k`, `1M`, `2_000`.
fn parse_count(text: &str) -> Option<i64> {
    let (digits, scale) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1e3),
        None => match text.strip_suffix(['m', 'M']) {
            Some(digits) => (digits, 1e6),
            None => return text.replace('_', "").parse().ok(),
        },
    };
    let count = digits.parse::<f64>().ok()? * scale;
    (count.fract() == 0.0 && count.abs() < 1e15).then_some(count as i64)
}
