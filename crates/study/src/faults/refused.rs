//! Where numbers with a fraction come in, what is no number is refused, and it is said where.

use std::collections::BTreeMap;

use biosignal::recording::Recording;
use biosignal::{Channel, DeviceId, Reading, Timestamp};
use detector::{Config, Model, Parts, default_model};

/// Something that is no sample, and with what it is refused.
pub(super) struct Entry {
    pub(super) what: &'static str,
    /// None where it is not.
    pub(super) refused: Option<String>,
}

/// Every way in, tried.
pub(super) fn refused() -> Vec<Entry> {
    let recorded = |what, file: &str, text: &str| {
        let files = BTreeMap::from([(file.to_owned(), text.to_owned())]);
        Entry { what, refused: Recording::from_files(&files).err().map(|error| error.to_string()) }
    };
    vec![
        recorded("NaN in a recording's EDA", "EDA.csv", "1600000000\n4\n0.5\nNaN\n"),
        recorded("an infinity in a recording's pulse wave", "BVP.csv", "1600000000\n64\ninf\n"),
        recorded("1e300 g in a recording", "ACC.csv", "1600000000\n32\n0,0,1e300\n"),
        recorded("a rate of NaN Hz in a recording", "TEMP.csv", "1600000000\nNaN\n33.1\n"),
        recorded("a start at infinity in a recording", "HR.csv", "inf\n1\n70\n"),
        model_text("NaN in a model file", "NaN"),
        model_text("1e999, an infinity, in a model file", "1e999"),
        model("a model with a bias of NaN", |parts| parts.weights.bias = f64::NAN),
        model("a model with a weight of infinity", |parts| {
            parts.weights.terms[0].values[0] = f64::INFINITY;
        }),
        config("a half-life of NaN in the configuration", |config| {
            config.baseline_half_life_s = f64::NAN;
        }),
        config("an infinite budget in the configuration", |config| {
            config.rising_budget_per_hour = f64::INFINITY;
        }),
        reading("two thirds of a sample of acceleration", Channel::Acceleration, 31_250, 2),
        reading("a pulse wave without a rate", Channel::Bvp, 0, 1),
    ]
}

/// The detector's own model with another bias.
fn model_text(what: &'static str, bias: &str) -> Entry {
    let text = default_model().to_json();
    let lines = text.lines().map(|line| match line.trim().strip_prefix("\"bias\": ") {
        Some(_) => format!("\"bias\": {bias},\n"),
        None => format!("{line}\n"),
    });
    let text: String = lines.collect();
    Entry { what, refused: Model::from_json(&text).err().map(|error| error.to_string()) }
}

fn model(what: &'static str, change: impl FnOnce(&mut Parts)) -> Entry {
    let mut parts = default_model().parts().clone();
    change(&mut parts);
    Entry { what, refused: Model::new(parts).err().map(|error| error.to_string()) }
}

fn config(what: &'static str, change: impl FnOnce(&mut Config)) -> Entry {
    let mut config = Config::default();
    change(&mut config);
    Entry { what, refused: config.check().err().map(|error| error.to_string()) }
}

fn reading(what: &'static str, channel: Channel, period_us: u32, integers: usize) -> Entry {
    let at = Timestamp::from_seconds(1_600_000_000);
    let reading = Reading {
        device: DeviceId::from_address([0xE4, 0, 0, 0, 0, 1]),
        channel,
        epoch: 1,
        sequence: 1,
        measured_at: at,
        received_at: at,
        period_us,
        samples: vec![0; integers],
    };
    Entry { what, refused: reading.validate().err().map(|error| error.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_no_sample_is_refused_with_what_and_where() {
        for Entry { what, refused } in refused() {
            assert!(refused.is_some_and(|words| words.len() > 10), "{what}");
        }
    }
}
