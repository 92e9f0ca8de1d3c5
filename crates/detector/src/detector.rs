use std::sync::Arc;

use biosignal::{MICROS_PER_SECOND, Reading, Timestamp};
use serde::{Deserialize, Serialize};

use crate::bin::{Bin, Bins};
use crate::inbox::{Inbox, Seen};
use crate::pipeline::Pipeline;
use crate::{Assessment, Config, Inputs, Level, Model, Output};

/// Watches one wearer.
#[derive(Clone, Debug)]
pub struct Detector {
    config: Config,
    #[expect(dead_code, reason = "being written")]
    model: Arc<Model>,
    state: State,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    next_s: Option<i64>,
    inbox: Inbox,
    seen: Seen,
    waiting: Bins,
    live: Pipeline,
}

/// A snapshot that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// It was made by another version, or is damaged.
    #[error("not a snapshot of this detector version: {0}")]
    Unreadable(String),
}

impl Detector {
    /// Starts without any memory of the person.
    #[must_use]
    pub fn new(config: Config, model: Arc<Model>) -> Self {
        Self { config, model, state: State::default() }
    }

    /// Takes a reading; a malformed one is left out.
    pub fn push(&mut self, reading: &Reading) {
        self.state.inbox.push(reading);
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Output> {
        let through =
            now.as_micros().div_euclid(MICROS_PER_SECOND) - i64::from(self.config.lateness_s);
        let next = self.state.next_s.unwrap_or(through);
        for reading in self.state.inbox.take() {
            if self.state.seen.insert(&reading) {
                Bin::sort(&reading, &mut self.state.waiting, |s| s >= next);
            }
        }
        let mut out = Vec::new();
        for second in next..through {
            let end_us = (second + 1) * MICROS_PER_SECOND;
            match self.state.waiting.remove(&second) {
                Some(bin) => self.state.live.process(bin, end_us),
                None => self.state.live.forget(end_us),
            }
            if (second + 1) % 10 == 0 {
                let window = self.state.live.window(end_us, 10 * MICROS_PER_SECOND);
                out.push(Output::Assessment(Assessment {
                    at: Timestamp::from_micros(end_us),
                    level: if window.cause.is_some() { Level::NoReading } else { Level::Learning },
                    score: None,
                    quality: window.quality,
                    cause: window.cause,
                    personal: false,
                    reasons: Vec::new(),
                    features: window.features,
                    inputs: Inputs::default(),
                }));
            }
        }
        self.state.next_s = Some(through);
        out
    }

    /// The whole memory, for [`Detector::restore`].
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        postcard::to_stdvec(&self.state).expect("plain data always serializes")
    }

    /// Goes on from a snapshot.
    ///
    /// # Errors
    /// [`RestoreError`] where the snapshot is of another version or damaged.
    pub fn restore(
        config: Config,
        model: Arc<Model>,
        snapshot: &[u8],
    ) -> Result<Self, RestoreError> {
        let state = postcard::from_bytes(snapshot)
            .map_err(|error| RestoreError::Unreadable(error.to_string()))?;
        Ok(Self { config, model, state })
    }
}
