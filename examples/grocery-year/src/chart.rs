//! The year as a picture: sales by department as stacked areas, baskets a week as bars below; one SVG file.
//! Draws what it is given; adds up nothing but the heights of its stacks.

use std::fmt::Write;

/// What is drawn.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    /// ISO 4217 code of the amounts.
    pub(crate) currency: String,
    /// Names, largest first; as many as the colours or fewer.
    pub(crate) series: Vec<String>,
    /// In order of time; at least one.
    pub(crate) weeks: Vec<ChartWeek>,
}

/// A week of the chart.
#[derive(Clone, Debug)]
pub(crate) struct ChartWeek {
    pub(crate) week: u8,
    /// Cents by series.
    pub(crate) sold: Vec<i64>,
    /// What the tills took for all baskets, sold here or not, in cents.
    pub(crate) till: i64,
    /// Baskets that came out at the till's total.
    pub(crate) exact: usize,
    /// Baskets whose prices the data leaves open.
    pub(crate) open: usize,
}

/// From the strongest to the quietest; the last is for what is left over.
pub(crate) const COLOURS: [&str; 9] =
    ["#264653", "#2a7f86", "#4fa58a", "#8ab17d", "#c9b458", "#e9a23b", "#e07a3f", "#b9504a", "#a9a9a3"];

const WIDTH: f64 = 1120.0;
const HEIGHT: f64 = 690.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 848.0;
const LEGEND: f64 = 876.0;
const SALES: Panel = Panel { top: 128.0, bottom: 460.0 };
const BASKETS: Panel = Panel { top: 516.0, bottom: 636.0 };

#[derive(Clone, Copy)]
struct Panel {
    top: f64,
    bottom: f64,
}

/// A vertical axis that begins at zero and ends at a round number.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    step: f64,
    end: f64,
}

impl Axis {
    /// At most five steps of 1, 2, 2.5 or 5 times a power of ten that reach `largest`, each a whole number.
    fn up_to(largest: f64) -> Self {
        let largest = largest.max(1.0);
        let power = 10_f64.powf((largest / 5.0).log10().floor());
        let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power);
        let enough = |step: &f64| largest / step <= 5.0 && step.fract() == 0.0;
        let step = steps.into_iter().find(enough).unwrap_or(10.0 * power.ceil());
        Self { step, end: (largest / step).ceil() * step }
    }

    fn y(self, panel: Panel, value: f64) -> f64 {
        panel.bottom - (panel.bottom - panel.top) * value / self.end
    }

    fn ticks(self) -> impl Iterator<Item = f64> {
        (0..=(self.end / self.step).round() as u32).map(move |tick| f64::from(tick) * self.step)
    }
}

/// The chart as the text of an SVG file.
pub(crate) fn svg(chart: &Chart) -> String {
    let mut out = String::new();
    head(&mut out, chart);
    sales(&mut out, chart);
    baskets(&mut out, chart);
    weeks(&mut out, chart);
    legend(&mut out, chart);
    out.push_str("</svg>\n");
    out
}

fn head(out: &mut String, chart: &Chart) {
    let style = "text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;font-size:13px;fill:#4a4a48}\
        .title{font-size:24px;font-weight:600;fill:#1d1d1b}.panel{font-size:13px;font-weight:600;fill:#1d1d1b}\
        .grid{stroke:#e4e2dc;stroke-width:1}.axis{stroke:#8d8b85;stroke-width:1}.end{text-anchor:end}.middle{text-anchor:middle}";
    put(
        out,
        format_args!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{}">"#,
            escape(&chart.title)
        ),
    );
    put(out, format_args!("<style>{style}</style>"));
    put(out, format_args!(r##"<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="#fbfaf7"/>"##));
    put(out, format_args!(r#"<text class="title" x="{LEFT}" y="44">{}</text>"#, escape(&chart.title)));
    put(out, format_args!(r#"<text x="{LEFT}" y="68">{}</text>"#, escape(&chart.subtitle)));
}

fn sales(out: &mut String, chart: &Chart) {
    let dollars = |cents: i64| cents as f64 / 100.0;
    let largest = chart.weeks.iter().map(|week| dollars(week.till)).fold(0.0, f64::max);
    let axis = Axis::up_to(largest);
    grid(out, SALES, axis, &format!("Sales a week by department, {}", escape(&chart.currency)));
    let mut floor = vec![0_i64; chart.weeks.len()];
    for (series, colour) in (0..chart.series.len()).zip(COLOURS) {
        let roof: Vec<_> =
            floor.iter().zip(&chart.weeks).map(|(below, week)| below + week.sold[series]).collect();
        let edge =
            |heights: &[i64]| points(chart, heights.iter().map(|cents| axis.y(SALES, dollars(*cents))));
        let (over, mut under) = (edge(&roof), edge(&floor));
        under.reverse();
        let outline = [over, under].concat().join(" ");
        let name = escape(&chart.series[series]);
        put(
            out,
            format_args!(
                r##"<polygon points="{outline}" fill="{colour}" stroke="#fbfaf7" stroke-width="0.6"><title>{name}</title></polygon>"##
            ),
        );
        floor = roof;
    }
    let till = points(chart, chart.weeks.iter().map(|week| axis.y(SALES, dollars(week.till)))).join(" ");
    put(
        out,
        format_args!(
            r##"<polyline points="{till}" fill="none" stroke="#1d1d1b" stroke-width="1.4" stroke-dasharray="2 4" stroke-linecap="round"/>"##
        ),
    );
}

fn baskets(out: &mut String, chart: &Chart) {
    let largest = chart.weeks.iter().map(|week| (week.exact + week.open) as f64).fold(0.0, f64::max);
    let axis = Axis::up_to(largest);
    grid(out, BASKETS, axis, "Baskets a week");
    let width = slot(chart) * 0.72;
    for (index, week) in chart.weeks.iter().enumerate() {
        let x = centre(chart, index) - width / 2.0;
        let (exact, all) =
            (axis.y(BASKETS, week.exact as f64), axis.y(BASKETS, (week.exact + week.open) as f64));
        put(
            out,
            format_args!(
                r#"<rect x="{x:.1}" y="{exact:.1}" width="{width:.1}" height="{:.1}" fill="{}"><title>week {}: {} to the cent</title></rect>"#,
                BASKETS.bottom - exact,
                COLOURS[1],
                week.week,
                thousands(week.exact as f64)
            ),
        );
        put(
            out,
            format_args!(
                r##"<rect x="{x:.1}" y="{all:.1}" width="{width:.1}" height="{:.1}" fill="#d6d3cb"><title>week {}: {} left open by the data</title></rect>"##,
                exact - all,
                week.week,
                thousands(week.open as f64)
            ),
        );
    }
}

fn grid(out: &mut String, panel: Panel, axis: Axis, name: &str) {
    put(out, format_args!(r#"<text class="panel" x="{LEFT}" y="{}">{name}</text>"#, panel.top - 12.0));
    for tick in axis.ticks() {
        let y = axis.y(panel, tick);
        let class = if tick > 0.0 { "grid" } else { "axis" };
        put(out, format_args!(r#"<line class="{class}" x1="{LEFT}" x2="{RIGHT}" y1="{y:.1}" y2="{y:.1}"/>"#));
        put(
            out,
            format_args!(
                r#"<text class="end" x="{}" y="{:.1}">{}</text>"#,
                LEFT - 10.0,
                y + 4.5,
                thousands(tick)
            ),
        );
    }
}

fn weeks(out: &mut String, chart: &Chart) {
    let every = chart.weeks.len().div_ceil(14);
    for (index, week) in chart.weeks.iter().enumerate().step_by(every) {
        let x = centre(chart, index);
        put(
            out,
            format_args!(
                r#"<text class="middle" x="{x:.1}" y="{}">{}</text>"#,
                BASKETS.bottom + 20.0,
                week.week
            ),
        );
    }
    put(
        out,
        format_args!(
            r#"<text class="middle" x="{}" y="{}">week of 2017, Monday to Sunday</text>"#,
            (LEFT + RIGHT) / 2.0,
            BASKETS.bottom + 40.0
        ),
    );
}

fn legend(out: &mut String, chart: &Chart) {
    let mut y = SALES.top + 6.0;
    let named = chart.series.iter().zip(COLOURS).enumerate().rev();
    for (series, (name, colour)) in named {
        let cents: i64 = chart.weeks.iter().map(|week| week.sold[series]).sum();
        key(out, y, colour, &escape(name), &thousands((cents as f64 / 100.0).round()));
        y += 26.0;
    }
    put(
        out,
        format_args!(
            r##"<line x1="{LEGEND}" x2="{}" y1="{y}" y2="{y}" stroke="#1d1d1b" stroke-width="1.4" stroke-dasharray="2 4" stroke-linecap="round"/>"##,
            LEGEND + 14.0
        ),
    );
    let till: i64 = chart.weeks.iter().map(|week| week.till).sum();
    label(out, y, "all, at the tills", &thousands((till as f64 / 100.0).round()));
    let sum = |count: fn(&ChartWeek) -> usize| thousands(chart.weeks.iter().map(count).sum::<usize>() as f64);
    key(out, BASKETS.top + 6.0, "#d6d3cb", "left open by the data", &sum(|week| week.open));
    key(out, BASKETS.top + 32.0, COLOURS[1], "to the cent", &sum(|week| week.exact));
}

fn key(out: &mut String, y: f64, colour: &str, name: &str, total: &str) {
    put(
        out,
        format_args!(
            r#"<rect x="{LEGEND}" y="{:.1}" width="14" height="14" rx="3" fill="{colour}"/>"#,
            y - 7.0
        ),
    );
    label(out, y, name, total);
}

fn label(out: &mut String, y: f64, name: &str, total: &str) {
    put(out, format_args!(r#"<text x="{}" y="{:.1}">{name}</text>"#, LEGEND + 22.0, y + 4.5));
    put(out, format_args!(r#"<text class="end" x="{}" y="{:.1}">{total}</text>"#, WIDTH - 24.0, y + 4.5));
}

fn slot(chart: &Chart) -> f64 {
    (RIGHT - LEFT) / chart.weeks.len().max(1) as f64
}

fn centre(chart: &Chart, index: usize) -> f64 {
    LEFT + slot(chart) * (index as f64 + 0.5)
}

/// One point a week; the first and the last reach the edges, so that one week is an area too.
fn points(chart: &Chart, heights: impl Iterator<Item = f64>) -> Vec<String> {
    let mut points: Vec<_> = heights.enumerate().map(|(index, y)| (centre(chart, index), y)).collect();
    if let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) {
        points.insert(0, (LEFT, first.1));
        points.push((RIGHT, last.1));
    }
    points.into_iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect()
}

fn put(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("a string takes what is written");
}

/// A whole number with commas: `12,345`.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let grouped: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    format!("{}{}", if number < 0.0 { "-" } else { "" }, grouped.join(","))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(largest: f64) -> Vec<f64> {
        Axis::up_to(largest).ticks().collect()
    }

    #[test]
    fn an_axis_has_round_steps_and_reaches_the_largest_value() {
        assert_eq!(axis(97.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(axis(100_000.0), [0.0, 20_000.0, 40_000.0, 60_000.0, 80_000.0, 100_000.0]);
        assert_eq!(axis(3300.0), [0.0, 1000.0, 2000.0, 3000.0, 4000.0]);
        assert_eq!(axis(107_000.0), [0.0, 25_000.0, 50_000.0, 75_000.0, 100_000.0, 125_000.0]);
        assert_eq!(axis(2.0), [0.0, 1.0, 2.0]);
        assert!(Axis::up_to(0.0).end > 0.0);
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0.0, 999.0, 1000.0, 1_234_567.0].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn areas_stand_on_one_another_and_names_are_escaped() {
        let weeks = vec![
            ChartWeek { week: 1, sold: vec![5_000, 2_500], till: 10_000, exact: 3, open: 1 },
            ChartWeek { week: 2, sold: vec![2_500, 2_500], till: 5_000, exact: 4, open: 0 },
        ];
        let series = vec!["DRUG & GM".to_owned(), "other".to_owned()];
        let text = svg(&Chart {
            title: "T".to_owned(),
            subtitle: String::new(),
            currency: "USD".to_owned(),
            series,
            weeks,
        });
        let polygons: Vec<_> = text.lines().filter(|line| line.starts_with("<polygon")).collect();
        insta::assert_snapshot!(polygons.join("\n"));
        assert!(text.contains("DRUG &amp; GM") && !text.contains("DRUG & GM"));
    }
}
