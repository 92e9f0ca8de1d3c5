//! What the detector finds live, by all that it has heard, against numpy's and scipy's answer
//! to the same definitions.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use biosignal::Timestamp;
use biosignal::recording::Recording;
use detector::{Assessment, Config, Feature, default_model};
use serde::Deserialize;

use super::{How, Table, note, relative};
use crate::run::run;
use crate::stream::Stream;

const HEARD: &str = include_str!("../../../../models/golden/live.json");

#[derive(Deserialize)]
struct Heard {
    moments: Vec<Moment>,
}

/// The minute that ends at a moment, and what is to be found in it: a feature that is not named
/// is to be missing.
#[derive(Deserialize)]
pub(super) struct Moment {
    pub(super) recording: String,
    time_unix: i64,
    features: BTreeMap<String, f64>,
    /// What the reference cannot tell.
    unknown: Vec<String>,
}

/// All moments, recording by recording.
pub(super) fn moments() -> anyhow::Result<Vec<Moment>> {
    Ok(serde_json::from_str::<Heard>(HEARD)?.moments)
}

/// Compares what the detector finds at the moments of a recording.
pub(super) fn compare<'a>(
    table: &mut Table,
    moments: impl Iterator<Item = &'a Moment> + Clone,
    recording: &Recording,
) -> anyhow::Result<()> {
    let Some(last) = moments.clone().map(|moment| moment.time_unix).max() else { return Ok(()) };
    let stream = Stream::of(recording);
    let heard = stream.part(stream.start, Timestamp::from_seconds(last));
    let found = run(&heard, &Config::default(), &Arc::new(default_model())).assessments;
    for moment in moments {
        let at = Timestamp::from_seconds(moment.time_unix);
        let found = found.iter().find(|it| it.at == at);
        note_all(
            table,
            moment,
            found.with_context(|| format!("nothing found at {}", moment.time_unix))?,
        );
    }
    Ok(())
}

fn note_all(table: &mut Table, moment: &Moment, found: &Assessment) {
    let known = |name: &&str| !moment.unknown.iter().any(|unknown| unknown == name);
    for name in Feature::ALL.map(Feature::name).into_iter().filter(known) {
        let difference = match (found.features.get(name), moment.features.get(name)) {
            (None, None) => continue,
            (Some(found), Some(expected)) => relative(found, *expected),
            // One of the two has it, and the other does not.
            _ => f64::NAN,
        };
        note(table, name, How::Live, difference);
    }
}
