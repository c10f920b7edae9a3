#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn every_key_can_be_set_to_its_own_value() {
    let config = TrainConfig::default();
    for key in TrainConfig::keys() {
        let mut table = Table::try_from(&config).unwrap();
        let value = field(&mut table, &key).unwrap().to_string();
        let mut again = config.clone();
        again.set(&key, &value).unwrap();
        assert_eq!(again, config, "{key}");
    }
}

#[test]
fn unknown_keys_name_the_nearest() {
    let mut config = TrainConfig::default();
    let nearest = |config: &mut TrainConfig, key: &str| match config.set(key, "1") {
        Err(ConfigError::UnknownKey { nearest, .. }) => nearest,
        other => panic!("{key}: {other:?}"),
    };
    assert_eq!(nearest(&mut config, "utd_ration"), "utd_ratio");
    assert_eq!(nearest(&mut config, "lambda_ps"), "lambda_psi");
    assert_eq!(nearest(&mut config, "learn.discont"), "learn.discount");
    assert_eq!(nearest(&mut config, "discount"), "learn.discount");
}

#[test]
fn values_are_read_as_their_kind_and_checked() {
    let mut config = TrainConfig::default();
    config.set("steps", "50k").unwrap();
    assert_eq!(config.steps, 50_000);
    config.set("utd_ratio", "1").unwrap();
    assert_eq!(config.utd_ratio, 1.0);
    config.set("reward", "dense").unwrap();
    assert_eq!(config.reward, RewardKind::Dense);
    config.set("stop_at_success", "never").unwrap();
    assert_eq!(config.stop_at_success, None);
    config.set("stop_at_success", "0.9").unwrap();
    assert_eq!(config.stop_at_success, Some(0.9));
    let before = config.clone();
    for (key, value) in [
        ("reward", "denser"),
        ("steps", "-1"),
        ("steps", "many"),
        ("learn", "1"),
        ("stop_at_success", "soon"),
    ] {
        assert!(config.set(key, value).is_err(), "{key}={value}");
        assert_eq!(config, before, "{key}={value}");
    }
    for (key, value) in [
        ("lambda_psi", "1.5"),
        ("utd_ratio", "nan"),
        ("round_steps", "0"),
        ("exploration_hold_steps", "0"),
        ("beginning_share", "-0.1"),
        ("beginning_steps", "0"),
        ("learn.hidden", "17"),
        ("hindsight", "true"),
    ] {
        let mut config = before.clone();
        config.set(key, value).unwrap();
        let message = config.validate().unwrap_err().to_string();
        assert!(message.contains(key), "{message}");
    }
}

#[test]
fn a_file_overrides_only_what_it_names() {
    let mut config = TrainConfig::default();
    config
        .merge_toml(
            "seed = 3\n[learn]\ndiscount = 0.98\n[provenance]\ndextra = \"0\"\n",
            "a.toml",
        )
        .unwrap();
    assert_eq!(config.seed, 3);
    assert_eq!(config.actors, TrainConfig::default().actors);
    let text = config.to_toml().unwrap();
    let mut again = TrainConfig::default();
    again.merge_toml(&text, "again").unwrap();
    assert_eq!(again, config);
    let error = config.merge_toml("sed = 3", "a.toml").unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown configuration key `sed`; did you mean `seed`?"
    );
    let error = config
        .merge_toml("seed = = 3", "a.toml")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a.toml") && error.contains("line 1"),
        "{error}"
    );
}

#[test]
fn presets_exist_by_name() {
    let paper = TrainConfig::preset("paper").unwrap();
    assert!(!paper.end_on_success && paper.learn.projection_weight == 0.0);
    assert_eq!(
        TrainConfig::preset("default").unwrap(),
        TrainConfig::default()
    );
    assert!(TrainConfig::preset("best").is_err());
}
