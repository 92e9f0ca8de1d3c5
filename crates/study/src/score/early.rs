use serde::Serialize;

use super::grid::Graded;
use super::rank::{quantile, sorted};
use crate::episodes::incidents;

/// An alarm so long before an onset, s, warns of it,
const EARLIEST_S: f64 = 600.0;
/// down to so long before, s; a later one is late.
const LATEST_S: f64 = 30.0;

/// Alarms that begin 10 min to 30 s before an onset, and not while another episode lasts: that is
/// what they tell of. Where the onset is set by a protocol nothing
/// can foresee it: the share then tells of chance and of the unease before a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Early {
    /// Onsets, those within 15 min counted as one.
    pub(crate) onsets: usize,
    /// How many were warned of.
    pub(crate) warned: usize,
    /// From the first such alarm to the onset, s: lower quartile, median, upper quartile.
    pub(crate) lead_quartiles_s: Option<[f64; 3]>,
    pub(crate) leads_s: Vec<f64>,
}

impl Early {
    /// Of alarms that began at these places of each recording's grid, in the order of time.
    pub(crate) fn of(recordings: &[Graded], begun: &[Vec<usize>]) -> Self {
        let mut onsets = 0;
        let mut leads = Vec::new();
        for (recording, begun) in recordings.iter().zip(begun) {
            let lasts =
                |time: &f64| recording.events.iter().any(|it| (it.onset..=it.end).contains(time));
            let times = begun.iter().map(|index| recording.points[*index].time);
            let begun: Vec<f64> = times.filter(|time| !lasts(time)).collect();
            for incident in incidents(&recording.events) {
                let onset = incident.onset;
                onsets += 1;
                let leads_to = |time: &&f64| (LATEST_S..=EARLIEST_S).contains(&(onset - **time));
                leads.extend(begun.iter().find(leads_to).map(|time| onset - time));
            }
        }
        let leads = sorted(leads);
        let quartile = |part| quantile(&leads, part);
        let quartiles = quartile(0.25).zip(quartile(0.5)).zip(quartile(0.75));
        Self {
            onsets,
            warned: leads.len(),
            lead_quartiles_s: quartiles.map(|((low, middle), high)| [low, middle, high]),
            leads_s: leads,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::alarms::alarms;
    use super::*;
    use crate::episodes::{Episode, Labels};
    use crate::scores::{Hop, Scores};

    /// What an alarm at 1880 s tells of beforehand, among episodes.
    fn early(episodes: &[[f64; 2]]) -> Early {
        let hop = |index: u32| {
            let time = f64::from(index) * 10.0;
            Hop { time, score: Some(f64::from(u8::from(index == 188))), level: None }
        };
        let episode = |[start, end]: &[f64; 2]| Episode::new("x", *start, *end);
        let episodes = episodes.iter().map(episode).collect();
        let labels = Labels { episodes, ..Labels::default() };
        let scores = Scores { hops: (0..300).map(hop).collect(), has_level: false };
        let graded = Graded::of("A", &labels, &scores, None).expect("there are rows");
        let begun = vec![alarms(&graded, &graded.scores, 0.5)];
        Early::of(&[graded], &begun)
    }

    #[test]
    fn an_alarm_shortly_before_an_onset_warns_and_close_onsets_are_one() {
        let early = early(&[[1000.0, 1060.0], [1800.0, 1860.0], [2000.0, 2060.0]]);
        assert_eq!((early.onsets, early.warned), (2, 1));
        assert_eq!(early.lead_quartiles_s, Some([120.0; 3]));
    }

    #[test]
    fn an_alarm_within_an_episode_tells_of_that_one() {
        let of = |end| early(&[[1000.0, end], [2000.0, 2060.0]]);
        assert_eq!((of(1870.0).onsets, of(1870.0).warned), (2, 1));
        assert_eq!((of(1890.0).onsets, of(1890.0).warned), (2, 0));
    }
}
