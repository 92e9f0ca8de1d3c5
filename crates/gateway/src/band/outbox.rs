use biosignal::{DeviceId, Gap, Reading};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use wristband::{Profile, Session};

use crate::collector::Intake;

/// What a session handed out and the collector has not taken.
#[derive(Debug)]
pub(crate) struct Outbox {
    intake: mpsc::Sender<Intake>,
    live: Vec<Reading>,
    late: Vec<Reading>,
    gaps: Vec<Gap>,
}

impl Outbox {
    pub(crate) fn new(intake: mpsc::Sender<Intake>) -> Self {
        Self { intake, live: Vec::new(), late: Vec::new(), gaps: Vec::new() }
    }

    pub(crate) fn reading(&mut self, reading: Reading, live: bool) {
        if live { self.live.push(reading) } else { self.late.push(reading) }
    }

    pub(crate) fn gap(&mut self, gap: Gap) {
        self.gaps.push(gap);
    }

    /// Whether something waits because the collector does not keep up.
    pub(crate) fn is_blocked(&self) -> bool {
        !(self.live.is_empty() && self.late.is_empty() && self.gaps.is_empty())
    }

    /// Passes on what there is, with where the session stands after it. Where there is no
    /// place it stays here, and nothing more is to be taken from the band.
    pub(crate) fn flush(&mut self, device: &DeviceId, session: &Session) {
        if !self.is_blocked() {
            return;
        }
        let place = match self.intake.try_reserve() {
            Ok(place) => place,
            // The collector ends after every band's task has, or with the whole gateway.
            Err(TrySendError::Full(()) | TrySendError::Closed(())) => return,
        };
        place.send(Intake {
            device: device.clone(),
            profile: session.profile(),
            live: std::mem::take(&mut self.live),
            late: std::mem::take(&mut self.late),
            gaps: std::mem::take(&mut self.gaps),
            clock: session.clock(),
            cursor: session.cursor(),
        });
    }
}

/// Whether a device of a profile keeps what nobody took.
pub(crate) fn has_flash(profile: Profile) -> bool {
    match profile {
        Profile::Tidewatch => true,
        Profile::HeartRateStrap => false,
    }
}
