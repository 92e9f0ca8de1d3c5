//! Plots as inline SVG: axes from 0 to 1 unless said otherwise, colours from the page.

use std::fmt::Write as _;

const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 44.0;
const BOTTOM: f64 = 36.0;

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
        let (right, floor) = (WIDTH - 8.0, HEIGHT - BOTTOM);
        plot.add(format!("<title>{title}</title>"));
        plot.add(format!(
            "<path class=\"axis\" d=\"M{LEFT} 8V{floor}H{right}\"/>\
             <text x=\"{}\" y=\"{}\" class=\"middle\">{x}</text>\
             <text transform=\"translate(12 {}) rotate(-90)\" class=\"middle\">{y}</text>",
            f64::midpoint(LEFT, right),
            HEIGHT - 6.0,
            f64::midpoint(8.0, floor)
        ));
        for part in [0.0, 0.5, 1.0] {
            let (across, up) = (part * x_max, part * y_max);
            plot.add(format!(
                "<text x=\"{:.1}\" y=\"{}\" class=\"middle\">{}</text>\
                 <text x=\"{}\" y=\"{:.1}\" class=\"end\">{}</text>",
                plot.x(across),
                floor + 14.0,
                tick(across),
                LEFT - 5.0,
                plot.y(up) + 4.0,
                tick(up)
            ));
        }
        plot
    }

    /// A line through points.
    pub(super) fn line(&mut self, points: &[(f64, f64)], class: &str) {
        let mut path = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let verb = if index == 0 { 'M' } else { 'L' };
            write!(path, "{verb}{:.1} {:.1}", self.x(*x), self.y(*y)).expect("a string takes all");
        }
        self.add(format!("<path class=\"{class}\" d=\"{path}\"/>"));
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
        LEFT + x / self.x_max * (WIDTH - 8.0 - LEFT)
    }

    fn y(&self, y: f64) -> f64 {
        HEIGHT - BOTTOM - y / self.y_max * (HEIGHT - BOTTOM - 8.0)
    }
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
        plot.line(&[(0.0, 0.0), (2.0, 4.0)], "curve");
        assert!(plot.svg().contains("d=\"M44.0 204.0L312.0 8.0\""));
        assert_eq!([tick(0.5), tick(300.0), tick(0.0)], ["0.5", "300", "0"]);
    }
}
