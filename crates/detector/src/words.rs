use crate::features::Feature;

/// What a value is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    /// What is usual for the person.
    Usual,
    /// The mean over the minutes before.
    Before,
}

/// How a feature is spoken of.
struct Saying {
    what: &'static str,
    more: &'static str,
    less: &'static str,
    /// None where numbers mean nothing to who does not measure them.
    number: Option<Number>,
}

/// How its numbers are written.
struct Number {
    /// Stands between what is spoken of and its value.
    lead: &'static str,
    unit: &'static str,
    /// The unit of the other number, where it bears repeating.
    again: &'static str,
    times: f64,
    digits: i32,
    /// Whether a plus is written.
    signed: bool,
}

/// So many digits more, at most, tell two numbers apart.
const MORE_DIGITS: i32 = 2;

/// A value beside another, in words that need no training. Numbers that look alike are not
/// written: the words alone say which is greater.
pub(crate) fn words(feature: Feature, value: f64, other: f64, against: Against) -> String {
    let saying = saying(feature);
    let side = if value > other { saying.more } else { saying.less };
    let than = match against {
        Against::Usual => "usual",
        Against::Before => "in the minutes before",
    };
    let Some(number) = saying.number else { return format!("{} {side} than {than}", saying.what) };
    let alike = |digits: &i32| number.round(value, *digits) == number.round(other, *digits);
    let digits = (number.digits..=number.digits + MORE_DIGITS).find(|digits| !alike(digits));
    let Some(digits) = digits else {
        return format!("{} a little {side} than {than}", saying.what);
    };
    let [now, then] = [value, other].map(|it| number.text(number.round(it, digits), digits));
    let Number { lead, unit, again, .. } = number;
    if feature.sign() == Feature::HeartRate && !number.signed {
        let off = number.round(value, digits) - number.round(other, digits);
        let side = if off > 0.0 { "above" } else { "below" };
        let off = number.text(off.abs(), digits);
        let than = if against == Against::Usual { than } else { "the minutes before" };
        return format!("{} {now}, {off} {side} {than} ({then})", saying.what);
    }
    match against {
        Against::Usual => format!("{} {lead}{now}{unit} (usually {then}{again})", saying.what),
        Against::Before => format!("{} {lead}{now}{unit} ({then}{again} {than})", saying.what),
    }
}

impl Number {
    fn round(&self, value: f64, digits: i32) -> f64 {
        let steps = 10.0_f64.powi(digits);
        // Adding nothing makes a negative zero a plain one.
        (value * self.times * steps).round() / steps + 0.0
    }

    fn text(&self, rounded: f64, digits: i32) -> String {
        let digits = usize::try_from(digits).unwrap_or(0);
        let plus = if self.signed && rounded > 0.0 { "+" } else { "" };
        format!("{plus}{rounded:.digits$}")
    }
}

fn saying(feature: Feature) -> Saying {
    let alone = |what, more, less| Saying { what, more, less, number: None };
    let number = |what, [more, less]: [&'static str; 2], lead, unit, digits| Saying {
        what,
        more,
        less,
        number: Some(Number { lead, unit, again: "", times: 1.0, digits, signed: false }),
    };
    let signed = |what, lead, unit, digits, times| Saying {
        what,
        more: "more upwards",
        less: "more downwards",
        number: Some(Number { lead, unit, again: "", times, digits, signed: true }),
    };
    let percent = |what, [more, less]: [&'static str; 2], lead, unit, times| Saying {
        what,
        more,
        less,
        number: Some(Number { lead, unit, again: " %", times, digits: 0, signed: false }),
    };
    let height = ["higher", "lower"];
    match feature {
        Feature::HeartRate | Feature::HeartRateNow | Feature::HeartRateTracked => {
            number("Heart rate", height, "", "", 0)
        }
        Feature::HeartRateResidual => {
            signed("Heart rate against what movement explains", "", " beats a minute", 0, 1.0)
        }
        Feature::Sdnn => number("Variation of the heart rhythm", height, "", " ms", 0),
        Feature::Rmssd => number("Beat-to-beat variation", height, "", " ms", 0),
        Feature::Pnn50 => percent("Heart beats that differ much", ["more", "fewer"], "", " %", 1.0),
        Feature::PulseAmplitude => alone("Pulse wave", "higher", "lower"),
        Feature::PulseAgreement | Feature::PulseClean | Feature::PulseCleanNow => {
            let often = ["more of the time", "less of the time"];
            percent("Pulse readable", often, "for ", " % of the time", 100.0)
        }
        Feature::Scl | Feature::SclNow => number("Sweat level", height, "", " uS", 1),
        Feature::EdaRising => {
            let often = ["more of the time", "less of the time"];
            percent("Sweat rising", often, "for ", " % of the time", 100.0)
        }
        Feature::SclSlope => signed("Sweat level changing", "by ", " uS a minute", 2, 1.0),
        Feature::SclLogSlope => signed("Sweat level changing", "by ", " % a minute", 0, 100.0),
        Feature::ScrRate => {
            number("Sweat responses", ["more frequent", "rarer"], "", " a minute", 0)
        }
        Feature::ScrAmplitude => {
            number("Sweat responses", ["stronger", "weaker"], "of ", " uS in a minute", 2)
        }
        Feature::ScrRise => {
            number("Sweat responses", ["slower", "quicker"], "that rise in ", " s", 1)
        }
        Feature::PhasicDeviation => {
            number("Sweat", ["moves more", "moves less"], "moves by ", " uS within the minute", 2)
        }
        Feature::SkinTemperature => number("Skin temperature", height, "", " C", 1),
        Feature::TemperatureSlope3 | Feature::TemperatureSlope5 => {
            signed("Skin temperature changing", "by ", " C a minute", 2, 1.0)
        }
        Feature::Enmo => alone("Effort of movement", "greater", "less"),
        Feature::Activity => alone("Movement", "stronger", "weaker"),
        Feature::Jerk => alone("Movement", "jerkier", "smoother"),
        Feature::MovementBurst => alone("Movement", "more uneven", "more even"),
        Feature::StereotypyRate => {
            number("Rhythm of movement", ["quicker", "slower"], "", " a second", 1)
        }
        Feature::Stereotypy | Feature::StereotypyBand => {
            percent("Rhythmic movement", ["more", "less"], "", " % of all movement", 100.0)
        }
        Feature::StereotypyRepeats => alone("Movement", "more regular", "less regular"),
        Feature::BreathRatio => alone("Breathing looks", "quicker", "slower"),
        Feature::BreathLine => alone("Quick breathing shows", "more", "less"),
        Feature::PosturePitch | Feature::PostureRoll => {
            number("Forearm angle", ["greater", "smaller"], "", " degrees", 0)
        }
        Feature::PostureChange => number("Forearm turned", ["more", "less"], "by ", " degrees", 0),
        Feature::PostureWander => alone("Arm held", "less still", "stiller"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Against::{Before, Usual};

    #[test]
    fn words_compare_with_what_weighed() {
        for (feature, value, other, against, said) in [
            (Feature::HeartRate, 76.4, 71.6, Usual, "Heart rate 76, 4 above usual (72)"),
            (
                Feature::HeartRateNow,
                70.0,
                76.0,
                Before,
                "Heart rate 70, 6 below the minutes before (76)",
            ),
            (
                Feature::EdaRising,
                0.3,
                0.12,
                Before,
                "Sweat rising for 30 % of the time (12 % in the minutes before)",
            ),
            (Feature::ScrRate, 6.0, 2.0, Usual, "Sweat responses 6 a minute (usually 2)"),
            (
                Feature::SclSlope,
                0.1,
                -0.001,
                Usual,
                "Sweat level changing by +0.10 uS a minute (usually 0.00)",
            ),
            (Feature::BreathRatio, -0.4, -0.9, Usual, "Breathing looks quicker than usual"),
            (
                Feature::PostureWander,
                0.01,
                0.02,
                Before,
                "Arm held stiller than in the minutes before",
            ),
        ] {
            assert_eq!(words(feature, value, other, against), said);
        }
    }

    #[test]
    fn numbers_that_look_alike_get_digits_or_are_left_out() {
        let level = |value, other| words(Feature::Scl, value, other, Usual);
        assert_eq!(level(0.24, 0.16), "Sweat level 0.24 uS (usually 0.16)");
        assert_eq!(level(0.241, 0.238), "Sweat level 0.241 uS (usually 0.238)");
        assert_eq!(level(0.2401, 0.2402), "Sweat level a little lower than usual");
        let rate = words(Feature::HeartRate, 75.8, 75.6, Usual);
        assert_eq!(rate, "Heart rate 75.8, 0.2 above usual (75.6)");
    }

    #[test]
    fn no_words_hold_a_negative_zero_or_two_equal_numbers() {
        for feature in Feature::ALL {
            for (value, other) in [(-1e-9, 0.3), (0.3, -1e-9), (1e-9, -1e-9), (2.5, 2.4999)] {
                for against in [Usual, Before] {
                    let said = words(feature, value, other, against);
                    let numbers: Vec<f64> = said
                        .split(|sign: char| !(sign.is_ascii_digit() || "+-.".contains(sign)))
                        .filter_map(|number| number.parse().ok())
                        .collect();
                    assert!(numbers.iter().all(|it| *it != 0.0 || it.is_sign_positive()), "{said}");
                    assert!(
                        numbers.is_empty() || numbers[0] != numbers[numbers.len() - 1],
                        "{said}"
                    );
                }
            }
        }
    }
}
