use detector::Signal;

use crate::sitting::Sitting;

/// What may become of what a wristband sends, all through a recording or before it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    /// A sensor that reads nothing.
    Without(Signal),
    /// Of a thousand packets so many are lost.
    Losing(u32),
    /// It comes after a made-up night, before which the band was worn already.
    AfterANight,
}

impl Trouble {
    /// Each leading signal, a radio that works and one that hardly does, and sleep.
    pub(super) const ALL: [Self; 6] = [
        Self::Without(Signal::LEADING[0]),
        Self::Without(Signal::LEADING[1]),
        Self::Without(Signal::LEADING[2]),
        Self::Losing(50),
        Self::Losing(200),
        Self::AfterANight,
    ];

    pub(super) fn name(self) -> String {
        match self {
            Self::Without(signal) => format!("no {} seen", signal.name()),
            Self::Losing(of_1000) => format!("{} % of packets lost", f64::from(of_1000) / 10.0),
            Self::AfterANight => "after a made-up night".to_owned(),
        }
    }

    /// A recording that went through it.
    pub(super) fn of(self, sitting: &Sitting) -> Sitting {
        match self {
            Self::Without(signal) => sitting.without(signal),
            Self::Losing(of_1000) => sitting.losing(of_1000),
            Self::AfterANight => sitting.after_a_night(),
        }
    }
}
