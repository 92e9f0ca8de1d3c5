//! Plots as inline SVG: axes from 0 on with round ticks, colours from the page.

use std::fmt::Write as _;

const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 44.0;
const BOTTOM: f64 = 36.0;
/// Half of the widest number under the right end of an axis has room here.
const RIGHT: f64 = 18.0;
const TOP: f64 = 8.0;
/// Most intervals between ticks.
const INTERVALS: f64 = 5.0;

/// A plot that grows by what is drawn into it.
pub(super) struct Plot {
    body: String,
    x_max: f64,
    y_max: f64,
}

impl Plot {
    /// A frame with its axes' names and ends.
    pub(super) fn new(title: &str, x: &str, y: &str, x_max: f64, y_max: f64) -> Self {
        let mut plot = Self { body: String::new(), x_max, y_max };
        let (right, floor) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        plot.add(format!("<title>{title}</title>"));
        plot.add(format!(
            "<path class=\"axis\" d=\"M{LEFT} {TOP}V{floor}H{right}\"/>\
             <text x=\"{}\" y=\"{}\" class=\"middle\">{x}</text>\
             <text transform=\"translate(12 {}) rotate(-90)\" class=\"middle\">{y}</text>",
            f64::midpoint(LEFT, right),
            HEIGHT - 6.0,
            f64::midpoint(TOP, floor)
        ));
        for across in ticks(x_max) {
            plot.add(format!(
                "<path class=\"axis\" d=\"M{0:.1} {floor}v3\"/>\
                 <text x=\"{0:.1}\" y=\"{1}\" class=\"middle\">{2}</text>",
                plot.x(across),
                floor + 14.0,
                tick(across)
            ));
        }
        for up in ticks(y_max) {
            plot.add(format!(
                "<path class=\"axis\" d=\"M{LEFT} {:.1}h-3\"/>\
                 <text x=\"{}\" y=\"{:.1}\" class=\"end\">{}</text>",
                plot.y(up),
                LEFT - 6.0,
                plot.y(up) + 3.5,
                tick(up)
            ));
        }
        plot
    }

    /// A line through points, with a hint where there is one.
    pub(super) fn line(&mut self, points: &[(f64, f64)], class: &str, hint: &str) {
        let mut path = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let verb = if index == 0 { 'M' } else { 'L' };
            write!(path, "{verb}{:.1} {:.1}", self.x(*x), self.y(*y)).expect("a string takes all");
        }
        self.add(format!("<path class=\"{class}\" d=\"{path}\"><title>{hint}</title></path>"));
    }

    /// A dot with a hint.
    pub(super) fn dot(&mut self, x: f64, y: f64, hint: &str) {
        self.add(format!(
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\"><title>{hint}</title></circle>",
            self.x(x),
            self.y(y)
        ));
    }

    /// A bar from the floor, with a hint.
    pub(super) fn bar(&mut self, from: f64, until: f64, height: f64, hint: &str) {
        let (left, right) = (self.x(from), self.x(until));
        self.add(format!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{hint}</title></rect>",
            left + 0.5,
            self.y(height),
            (right - left - 1.0).max(0.5),
            self.y(0.0) - self.y(height)
        ));
    }

    pub(super) fn svg(&self) -> String {
        format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">{}</svg>", self.body)
    }

    fn add(&mut self, element: impl AsRef<str>) {
        self.body.push_str(element.as_ref());
    }

    fn x(&self, x: f64) -> f64 {
        LEFT + x / self.x_max * (WIDTH - RIGHT - LEFT)
    }

    fn y(&self, y: f64) -> f64 {
        HEIGHT - BOTTOM - y / self.y_max * (HEIGHT - BOTTOM - TOP)
    }
}

/// The round number (1, 2 or 5 and zeros) that goes into a length at most so many times.
pub(super) fn round_step(length: f64, most: f64) -> f64 {
    let least = length / most;
    let power = 10_f64.powf(least.log10().floor());
    let fits = |digit: &f64| digit * power >= least * (1.0 - 1e-9);
    [1.0, 2.0, 5.0].into_iter().find(fits).unwrap_or(10.0) * power
}

/// Round numbers from 0 to the end of an axis.
fn ticks(end: f64) -> impl Iterator<Item = f64> {
    let step = round_step(end, INTERVALS);
    (0..).map(move |place| f64::from(place) * step).take_while(move |it| *it <= end * (1.0 + 1e-9))
}

/// A number without needless zeros.
fn tick(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_lie_in_the_corners() {
        let mut plot = Plot::new("t", "x", "y", 2.0, 4.0);
        plot.line(&[(0.0, 0.0), (2.0, 4.0)], "curve", "");
        assert!(plot.svg().contains("d=\"M44.0 204.0L302.0 8.0\""), "{}", plot.svg());
        assert_eq!([tick(0.5), tick(300.0), tick(0.0)], ["0.5", "300", "0"]);
    }

    #[test]
    fn ticks_are_round_and_end_within_the_axis() {
        let all = |end: f64| ticks(end).map(tick).collect::<Vec<_>>();
        assert_eq!(all(1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(all(19.0), ["0", "5", "10", "15"]);
        assert_eq!(all(591.0), ["0", "200", "400"]);
        assert_eq!(all(3.0), ["0", "1", "2", "3"]);
        assert_eq!(round_step(591.0, 12.0), 50.0);
    }
}
