//! What a person or a test does to the simulated house while it runs: one JSON line each.

use std::time::Duration;

use serde::Deserialize;

/// Something done to a band or to the gateway's Bluetooth.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Line")]
pub enum Command {
    /// Done to the band of a number (from 1).
    Band {
        /// The band's number.
        band: usize,
        /// What is done.
        fault: BandFault,
        /// How long until it is undone by itself; for good where `None`.
        lasting: Option<Duration>,
    },
    /// Done to the adapter or the Bluetooth daemon.
    Radio {
        /// What is done.
        fault: RadioFault,
        /// How long until it is undone by itself; for good where `None`.
        lasting: Option<Duration>,
    },
    /// Ends the simulation.
    Stop,
}

/// What can be done to a band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BandFault {
    /// Out of reach: no advertisement, and its link is lost. Flash goes on.
    Vanish,
    /// Back in reach.
    Return,
    /// Restarts with a new epoch; three seconds are not measured.
    Reboot,
    /// Sends random bytes in place of its live packets.
    Garbage,
    /// Sends its live packets again.
    Sane,
    /// Sensor values stop changing, packets go on.
    Freeze,
    /// Sensors measure again.
    Thaw,
    /// Lies on the table.
    OffWrist,
    /// Is worn.
    OnWrist,
    /// The link is lost; the band stays in reach.
    DropLink,
    /// So large a share of live notifications never arrives, 0 to 1.
    Lose(f64),
    /// So large a share of live notifications arrives after the one behind it, 0 to 1.
    Reorder(f64),
    /// The button is pressed.
    Button,
}

/// What can be done to the gateway's Bluetooth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RadioFault {
    /// The adapter is pulled out.
    AdapterOff,
    /// The adapter is plugged in.
    AdapterOn,
    /// bluetoothd ends and comes back (two seconds later where no time is given).
    BluetoothdRestart,
    /// The adapter holds so many connections; those that are up stay.
    Slots(usize),
    /// From the link until services are resolved.
    ResolveAfter(Duration),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    band: Option<usize>,
    r#do: String,
    #[serde(default, rename = "for", with = "humantime_serde")]
    lasting: Option<Duration>,
    share: Option<f64>,
    slots: Option<usize>,
    #[serde(default, with = "humantime_serde")]
    after: Option<Duration>,
}

impl TryFrom<Line> for Command {
    type Error = String;

    fn try_from(line: Line) -> Result<Self, String> {
        if line.r#do == "stop" {
            return Ok(Self::Stop);
        }
        if let Some(fault) = radio_fault(&line)? {
            return Ok(Self::Radio { fault, lasting: line.lasting });
        }
        let fault = band_fault(&line)?.ok_or_else(|| format!("cannot do {:?}", line.r#do))?;
        let band = line.band.ok_or_else(|| format!("{:?} to which `band`?", line.r#do))?;
        Ok(Self::Band { band, fault, lasting: line.lasting })
    }
}

fn radio_fault(line: &Line) -> Result<Option<RadioFault>, String> {
    Ok(Some(match line.r#do.as_str() {
        "adapter_off" => RadioFault::AdapterOff,
        "adapter_on" => RadioFault::AdapterOn,
        "bluetoothd_restart" => RadioFault::BluetoothdRestart,
        "slots" => RadioFault::Slots(line.slots.ok_or("how many `slots`?")?),
        "resolve_after" => RadioFault::ResolveAfter(line.after.ok_or("`after` how long?")?),
        _ => return Ok(None),
    }))
}

fn band_fault(line: &Line) -> Result<Option<BandFault>, String> {
    let share = || match line.share {
        Some(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("{:?} needs a `share` from 0 to 1", line.r#do)),
    };
    Ok(Some(match line.r#do.as_str() {
        "vanish" => BandFault::Vanish,
        "return" => BandFault::Return,
        "reboot" => BandFault::Reboot,
        "garbage" => BandFault::Garbage,
        "sane" => BandFault::Sane,
        "freeze" => BandFault::Freeze,
        "thaw" => BandFault::Thaw,
        "off_wrist" => BandFault::OffWrist,
        "on_wrist" => BandFault::OnWrist,
        "drop_link" => BandFault::DropLink,
        "lose" => BandFault::Lose(share()?),
        "reorder" => BandFault::Reorder(share()?),
        "button" => BandFault::Button,
        _ => return Ok(None),
    }))
}

impl BandFault {
    /// What undoes it when its time is over; nothing undoes what is over at once.
    pub(crate) fn undone_by(self) -> Option<Self> {
        match self {
            Self::Vanish => Some(Self::Return),
            Self::Garbage => Some(Self::Sane),
            Self::Freeze => Some(Self::Thaw),
            Self::OffWrist => Some(Self::OnWrist),
            Self::Lose(_) => Some(Self::Lose(0.0)),
            Self::Reorder(_) => Some(Self::Reorder(0.0)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, String> {
        serde_json::from_str(line).map_err(|error| error.to_string())
    }

    #[test]
    fn a_line_says_what_to_do_to_whom_and_how_long() {
        assert_eq!(
            read(r#"{"band":1,"do":"vanish","for":"10s"}"#),
            Ok(Command::Band {
                band: 1,
                fault: BandFault::Vanish,
                lasting: Some(Duration::from_secs(10)),
            })
        );
        let adapter_off = Command::Radio { fault: RadioFault::AdapterOff, lasting: None };
        assert_eq!(read(r#"{"do":"adapter_off"}"#), Ok(adapter_off));
        assert_eq!(read(r#"{"do":"stop"}"#), Ok(Command::Stop));
    }

    #[test]
    fn a_line_that_makes_no_sense_says_why() {
        for (line, reason) in [
            (r#"{"do":"vanish"}"#, "to which `band`?"),
            (r#"{"band":1,"do":"explode"}"#, "cannot do \"explode\""),
            (r#"{"band":1,"do":"lose","share":3}"#, "a `share` from 0 to 1"),
            (r#"{"band":1,"do":"reboot","when":"now"}"#, "unknown field `when`"),
            ("vanish", "expected"),
        ] {
            let says = read(line).expect_err(line);
            assert!(says.contains(reason), "{line} gave {says:?}");
        }
    }
}
