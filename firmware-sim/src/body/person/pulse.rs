use super::chance::{Chance, Lag, Wander};
use super::motion::Effort;
use super::quantised;

/// The optical pulse at the wrist, 64 Hz, in steps of 0.01 counts.
///
/// Each beat is two Gaussians over its phase (Tang et al. 2020, Scientific Data 7:259),
/// smaller with narrow vessels; artefacts come and go with motion.
#[derive(Debug)]
pub(super) struct Pulse {
    chance: Chance,
    amplitude: f64,
    /// Share of the amplitude that full arousal takes away.
    narrowing: f64,
    second_wave: f64,
    vessels: Lag,
    /// How tightly the band sits and how high the arm is held, as they change the height.
    contact: Wander,
    wander: Wander,
    artefact: Artefact,
    rhythm: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Artefact {
    Clean,
    Drifting,
    Noisy,
    /// The movement shows instead of the pulse.
    Moving,
    /// The sensor has no contact.
    Lost,
}

const ARTEFACTS: [Artefact; 4] =
    [Artefact::Drifting, Artefact::Noisy, Artefact::Moving, Artefact::Lost];

impl Pulse {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed, 4);
        Self {
            amplitude: chance.lognormal(90.0, 0.4).clamp(35.0, 250.0),
            narrowing: chance.uniform(0.2, 0.6),
            second_wave: chance.uniform(0.25, 0.5),
            vessels: Lag::default(),
            contact: Wander::new(&mut chance, 90.0, 0.2, 0.5),
            wander: Wander::new(&mut chance, 1.5, 1.0, 1.0 / 64.0),
            chance,
            artefact: Artefact::Clean,
            rhythm: 0.0,
        }
    }

    /// Half a second of pulse over the heart's phases.
    pub(super) fn window(&mut self, phases: &[f64], arousal: f64, effort: Effort) -> Vec<i32> {
        self.change(effort);
        self.vessels.follow(arousal.clamp(0.0, 1.5) / 1.5, 10.0, 0.5);
        let contact = self.contact.step(&mut self.chance).exp();
        let height = self.amplitude * contact * (1.0 - self.narrowing * self.vessels.0);
        phases
            .iter()
            .map(|phase| {
                let beat = height * beat(*phase, self.second_wave);
                quantised(self.disturbed(beat, effort).clamp(-2_000.0, 2_000.0) * 100.0)
            })
            .collect()
    }

    /// Whether the device would trust a beat of now.
    pub(super) fn trusted(&mut self) -> bool {
        self.artefact == Artefact::Clean && self.chance.happens(0.9)
    }

    fn change(&mut self, effort: Effort) {
        if self.artefact == Artefact::Clean {
            if self.chance.happens(0.004 + 0.15 * effort.disturbance) {
                let moving = 2.0 * effort.disturbance;
                self.artefact = ARTEFACTS[self.chance.pick(&[1.0, 0.7, moving, 0.15])];
            }
        } else if self.chance.happens(0.3 - 0.2 * effort.disturbance) {
            self.artefact = Artefact::Clean;
        }
    }

    fn disturbed(&mut self, beat: f64, effort: Effort) -> f64 {
        let wander = self.wander.step(&mut self.chance);
        let grain = self.chance.normal(0.0, 0.6);
        self.rhythm = (self.rhythm + effort.rhythm_hz.max(0.7) / 64.0).fract();
        let moved = (std::f64::consts::TAU * self.rhythm).sin() * self.amplitude;
        match self.artefact {
            Artefact::Clean => beat + 4.0 * wander + grain,
            Artefact::Drifting => beat + 60.0 * wander + grain,
            Artefact::Noisy => beat + 25.0 * wander + 30.0 * grain,
            Artefact::Moving => 0.4 * beat + 1.2 * moved + 20.0 * wander + grain,
            Artefact::Lost => 3.0 * wander + grain,
        }
    }
}

/// The shape of a beat over its phase: a main wave and a reflected one, mean about 0.
fn beat(phase: f64, second_wave: f64) -> f64 {
    let wave = |centre: f64, width: f64| (-((phase - centre) / width).powi(2) / 2.0).exp();
    wave(0.22, 0.09) + second_wave * wave(0.52, 0.13) - 0.225 - 0.32 * second_wave
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_beat_has_one_highest_wave_and_no_offset() {
        let phases: Vec<f64> = (0..1_000).map(|step| f64::from(step) / 1_000.0).collect();
        let shape: Vec<f64> = phases.iter().map(|phase| beat(*phase, 0.4)).collect();
        assert!((shape.iter().sum::<f64>() / 1_000.0).abs() < 0.02);
        let highest = shape.iter().copied().fold(f64::MIN, f64::max);
        assert!((shape[220] - highest).abs() < 0.01 && shape[520] < highest / 2.0);
    }
}
