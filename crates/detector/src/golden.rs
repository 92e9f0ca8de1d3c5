//! Reference values for tests, made by `models/golden/make_golden.py`.

use std::path::Path;

use biosignal::Channel;
use serde_json::Value;

/// A file of reference values, by its path from the top of the project.
pub(crate) fn read(path: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    let text = std::fs::read_to_string(&file).expect("reference values stand in the project");
    serde_json::from_str(&text).expect("reference values are JSON")
}

/// One synthetic window of 60 s with what NeuroKit2 and scipy make of it.
pub(crate) struct Window(Value);

impl Window {
    pub(crate) fn read() -> Self {
        Self(read("models/golden/window.json"))
    }

    /// A channel's samples in physical units.
    pub(crate) fn signal(&self, channel: Channel) -> Vec<f64> {
        let name = match channel {
            Channel::SkinTemperature => "temperature",
            other => other.name(),
        };
        numbers(&self.0[name]).into_iter().map(|step| step * channel.scale()).collect()
    }

    pub(crate) fn acceleration(&self) -> Vec<[f64; 3]> {
        let scale = Channel::Acceleration.scale();
        let rows = self.0["acceleration"].as_array().expect("rows");
        let axes = |row| <[f64; 3]>::try_from(numbers(row)).expect("three axes");
        rows.iter().map(|row| axes(row).map(|step| step * scale)).collect()
    }

    /// A reference value, by its section and name.
    pub(crate) fn of(&self, section: &str, name: &str) -> &Value {
        let found = &self.0["reference"][section][name];
        assert!(!found.is_null(), "no reference {section}/{name}");
        found
    }

    pub(crate) fn number(&self, section: &str, name: &str) -> f64 {
        self.of(section, name).as_f64().expect("a number")
    }

    pub(crate) fn numbers(&self, section: &str, name: &str) -> Vec<f64> {
        numbers(self.of(section, name))
    }
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list of numbers");
    list.iter().map(|number| number.as_f64().expect("a number")).collect()
}

pub(crate) fn indices(value: &Value) -> Vec<usize> {
    let list = value.as_array().expect("a list of indices");
    let index = |number: &Value| number.as_u64().and_then(|index| usize::try_from(index).ok());
    list.iter().map(|number| index(number).expect("an index")).collect()
}

#[track_caller]
pub(crate) fn assert_close(found: f64, expected: f64, tolerance: f64) {
    let allowed = tolerance * expected.abs().max(1.0);
    assert!((found - expected).abs() <= allowed, "{found} is not {expected} within {tolerance}");
}

#[track_caller]
pub(crate) fn assert_all_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_close(*found, *expected, tolerance);
    }
}
