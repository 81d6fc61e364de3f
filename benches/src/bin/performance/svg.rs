//! Drawings of two kinds, as SVG that reads well on a light and on a dark page: it brings its own background and follows
//! the reader's preference.

use std::fmt::Write;

/// Horizontal bars with their names and figures.
pub(crate) struct Bars<'t> {
    pub(crate) title: &'t str,
    pub(crate) axis: &'t str,
    pub(crate) bars: Vec<Bar>,
    pub(crate) label: fn(f64) -> String,
}

pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) value: f64,
    /// Drawn in the first colour, all others in grey.
    pub(crate) strong: bool,
}

/// Lines through points.
pub(crate) struct Lines<'t> {
    pub(crate) title: &'t str,
    pub(crate) x_axis: &'t str,
    pub(crate) y_axis: &'t str,
    pub(crate) lines: Vec<Line>,
    /// Whether the horizontal axis is; the vertical one is not and begins at zero.
    pub(crate) logarithmic: bool,
    pub(crate) label: fn(f64) -> String,
}

pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 760.0;
const COLOURS: usize = 4;

const STYLE: &str = "\
:root{--page:#fff;--ink:#1f2328;--soft:#59636e;--grid:#d1d9e0;--c0:#0969da;--c1:#bc4c00;--c2:#1a7f37;--c3:#8250df}\
@media(prefers-color-scheme:dark){:root{--page:#0d1117;--ink:#f0f6fc;--soft:#9198a1;--grid:#3d444d;--c0:#58a6ff;\
--c1:#f0883e;--c2:#3fb950;--c3:#bc8cff}}\
text{font:13px system-ui,sans-serif;fill:var(--ink)}.title{font-weight:600;font-size:15px}.axis{fill:var(--soft)}\
.page{fill:var(--page)}.grid{stroke:var(--grid);stroke-width:1}.bar{fill:var(--soft);opacity:.55}\
.c0{stroke:var(--c0);fill:var(--c0)}.c1{stroke:var(--c1);fill:var(--c1)}.c2{stroke:var(--c2);fill:var(--c2)}\
.c3{stroke:var(--c3);fill:var(--c3)}.strong{fill:var(--c0)}path{fill:none!important;stroke-width:2}.key{stroke-width:3}";

impl Bars<'_> {
    /// On a logarithmic axis: differences of a hundredfold fit, and the length says little.
    pub(crate) fn draw(&self) -> String {
        let least = self.bars.iter().map(|bar| bar.value).fold(f64::MAX, f64::min);
        let low = 10_f64.powf(least.log10().floor());
        self.draw_by(low, |value| (value / low).log10(), |tick| low * 10_f64.powf(tick))
    }

    /// On an axis from zero.
    pub(crate) fn draw_linear(&self) -> String {
        let greatest = self.bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
        let step = step(greatest, 5.0);
        self.draw_by(0.0, |value| value / step, |tick| tick * step)
    }

    fn draw_by(&self, low: f64, place: impl Fn(f64) -> f64, value: impl Fn(f64) -> f64) -> String {
        const LEFT: f64 = 270.0;
        const RIGHT: f64 = 90.0;
        const ROW: f64 = 26.0;
        let height = 90.0 + ROW * count(self.bars.len());
        let ticks = self.bars.iter().map(|bar| place(bar.value)).fold(0.0, f64::max).ceil().max(1.0);
        let x = |at: f64| LEFT + (WIDTH - LEFT - RIGHT) * at / ticks;
        let mut out = begin(self.title, height);
        let bottom = height - 48.0;
        let mut tick = 0.0;
        while tick <= ticks {
            line(&mut out, "grid", (x(tick), 40.0), (x(tick), bottom));
            text(&mut out, "axis", "middle", (x(tick), bottom + 18.0), &(self.label)(value(tick)));
            tick += 1.0;
        }
        for (number, bar) in self.bars.iter().enumerate() {
            let y = 44.0 + ROW * count(number);
            let class = if bar.strong { "strong" } else { "bar" };
            let length = (x(place(bar.value.max(low))) - LEFT).max(1.0);
            let _ = writeln!(
                out,
                "<rect class=\"{class}\" x=\"{LEFT:.1}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"18\"/>"
            );
            text(&mut out, "", "end", (LEFT - 8.0, y + 14.0), &bar.name);
            text(&mut out, "", "start", (LEFT + length + 6.0, y + 14.0), &(self.label)(bar.value));
        }
        text(&mut out, "axis", "middle", (x(ticks / 2.0), height - 10.0), self.axis);
        out + "</svg>\n"
    }
}

impl Lines<'_> {
    pub(crate) fn draw(&self) -> String {
        const LEFT: f64 = 80.0;
        const RIGHT: f64 = 170.0;
        const HEIGHT: f64 = 380.0;
        const BOTTOM: f64 = HEIGHT - 56.0;
        const TOP: f64 = 44.0;
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let greatest = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(0.0, f64::max);
        let (most_x, most_y) = (greatest(|point| point.0), greatest(|point| point.1));
        let y_step = step(most_y, 6.0);
        let top = (most_y / y_step).ceil() * y_step;
        // Zero has no logarithm. It stands one decade before the least other size.
        let least = points().map(|point| point.0).filter(|x| *x > 0.0).fold(f64::MAX, f64::min);
        let zero = points().any(|point| point.0 <= 0.0);
        let place = |x: f64| match (self.logarithmic, x > 0.0) {
            (true, true) => (x / least).log10() + if zero { 1.0 } else { 0.0 },
            (true, false) => 0.0,
            (false, _) => x,
        };
        let x = |at: f64| LEFT + (WIDTH - LEFT - RIGHT) * place(at) / place(most_x).max(1e-9);
        let y = |at: f64| BOTTOM - (BOTTOM - TOP) * at / top;

        let mut out = begin(self.title, HEIGHT);
        let mut tick = 0.0;
        while tick <= top + y_step / 2.0 {
            line(&mut out, "grid", (LEFT, y(tick)), (WIDTH - RIGHT, y(tick)));
            text(&mut out, "axis", "end", (LEFT - 8.0, y(tick) + 4.0), &(self.label)(tick));
            tick += y_step;
        }
        let mut sizes: Vec<f64> = points().map(|point| point.0).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        let mut free = f64::MIN;
        for size in sizes {
            line(&mut out, "grid", (x(size), TOP), (x(size), BOTTOM));
            // Sizes that are too close get no name.
            if x(size) >= free {
                text(&mut out, "axis", "middle", (x(size), BOTTOM + 18.0), &crate::tables::whole(size));
                free = x(size) + 28.0;
            }
        }
        for (number, (drawn, class)) in self.lines.iter().zip((0..COLOURS).cycle()).enumerate() {
            let path: Vec<_> =
                drawn.points.iter().map(|(px, py)| format!("{:.1},{:.1}", x(*px), y(*py))).collect();
            let _ = writeln!(out, "<path class=\"c{class}\" d=\"M{}\"/>", path.join("L"));
            for (px, py) in &drawn.points {
                let _ = writeln!(
                    out,
                    "<circle class=\"c{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>",
                    x(*px),
                    y(*py)
                );
            }
            let at = TOP + 12.0 + 20.0 * count(number);
            line(&mut out, &format!("key c{class}"), (WIDTH - RIGHT + 14.0, at), (WIDTH - RIGHT + 34.0, at));
            text(&mut out, "", "start", (WIDTH - RIGHT + 40.0, at + 4.0), &drawn.name);
        }
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        text(&mut out, "axis", "middle", (middle, HEIGHT - 12.0), self.x_axis);
        let _ = writeln!(
            out,
            "<text class=\"axis\" text-anchor=\"middle\" transform=\"translate(16 {:.1}) rotate(-90)\">{}</text>",
            f64::midpoint(TOP, BOTTOM),
            escaped(self.y_axis)
        );
        out + "</svg>\n"
    }
}

fn begin(title: &str, height: f64) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>{0}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\"/>\n",
        escaped(title)
    );
    text(&mut out, "title", "start", (16.0, 24.0), title);
    out
}

fn line(out: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        out,
        "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(out: &mut String, class: &str, anchor: &str, at: (f64, f64), text: &str) {
    let _ = writeln!(
        out,
        "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        at.0,
        at.1,
        escaped(text)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The least of 1, 2, 5, 10 … of which so many at most are below `greatest`.
fn step(greatest: f64, most: f64) -> f64 {
    let raw = (greatest / most).max(f64::MIN_POSITIVE);
    let decade = 10_f64.powf(raw.log10().floor());
    [1.0, 2.0, 5.0].map(|times| times * decade).into_iter().find(|step| *step >= raw).unwrap_or(10.0 * decade)
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        for (greatest, expected) in [(10.0, 2.0), (24.0, 5.0), (49.0, 10.0), (1_000.0, 200.0)] {
            assert_eq!(step(greatest, 5.0), expected, "{greatest}");
        }
    }

    #[test]
    fn text_is_escaped() {
        let bars = vec![Bar { name: "a<b&c".into(), value: 20.0, strong: true }];
        let drawn = Bars { title: "x", axis: "y", bars, label: |value| value.to_string() }.draw();
        assert!(drawn.contains("a&lt;b&amp;c"));
        assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n"));
    }

    #[test]
    fn nothing_is_drawn_outside() {
        let points = vec![(0.0, 5.0), (10.0, 7.0), (1_000.0, 90.0)];
        let lines = vec![Line { name: "n".into(), points }];
        let drawn = Lines {
            title: "x",
            x_axis: "x",
            y_axis: "y",
            lines,
            logarithmic: true,
            label: |v| v.to_string(),
        }
        .draw();
        for circle in drawn.lines().filter(|line| line.starts_with("<circle")) {
            let number = |name: &str| -> f64 {
                let (_, rest) = circle.split_once(&format!("{name}=\"")).unwrap();
                rest.split('"').next().unwrap().parse().unwrap()
            };
            assert!((80.0..=590.0).contains(&number("cx")), "{circle}");
            assert!((44.0..=324.0).contains(&number("cy")), "{circle}");
        }
    }
}
