//! Bars and lines as SVG, in colours that can be told apart on light and on dark.

/// One bar.
pub struct Bar {
    /// What it stands for.
    pub label: String,
    /// By what it is coloured.
    pub series: String,
    /// How long it is.
    pub value: f64,
    /// Written behind the value.
    pub unit: String,
    /// A mark across it.
    pub goal: Option<f64>,
}

/// One line.
pub struct Line {
    /// By what it is coloured and called.
    pub series: String,
    /// From left to right; x above 0.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 880.0;
const LABELS: f64 = 430.0;
const BAR: f64 = 20.0;
const STEP: f64 = 30.0;
const TOP: f64 = 64.0;
/// Room for the value behind the longest bar.
const VALUES: f64 = 110.0;

const STYLE: &str = "<style>
text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:15px;font-weight:600}
.page{fill:#fff}.axis{stroke:#8b949e}.goal{stroke:#1f2328;stroke-width:2}
.a{fill:#0b6bcb;stroke:#0b6bcb}.b{fill:#b35900;stroke:#b35900}.c{fill:#57606a;stroke:#57606a}
polyline{stroke-width:2}polyline.a,polyline.b,polyline.c{fill:none}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}.goal{stroke:#e6edf3}
.a{fill:#58a6ff;stroke:#58a6ff}.b{fill:#f0883e;stroke:#f0883e}.c{fill:#8b949e;stroke:#8b949e}
polyline.a,polyline.b,polyline.c{fill:none}}
</style>";

/// Bars below each other, the longest as long as there is room; each unit has a scale of its own.
pub fn bars(title: &str, bars: &[Bar]) -> String {
    let names = series(bars.iter().map(|bar| bar.series.as_str()));
    let room = WIDTH - LABELS - VALUES;
    let rows: String = (0..)
        .zip(bars)
        .map(|(place, bar)| {
            let y = TOP + STEP * f64::from(place);
            let of_unit = bars.iter().filter(|other| other.unit == bar.unit);
            let most = of_unit.map(|it| it.value.max(it.goal.unwrap_or_default())).fold(0.0, f64::max);
            let scale = |value: f64| if most == 0.0 { 0.0 } else { value / most * room };
            let (length, class) = (scale(bar.value).max(1.0), class_of(&names, &bar.series));
            let goal = bar.goal.map_or(String::new(), |goal| {
                let (x, end) = (LABELS + scale(goal), y + BAR + 3.0);
                format!(r#"<line class="goal" x1="{x:.1}" x2="{x:.1}" y1="{:.1}" y2="{end:.1}"/>"#, y - 3.0)
            });
            let value_at = LABELS + length.max(bar.goal.map_or(0.0, scale)) + 8.0;
            format!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
                 <rect class=\"{class}\" x=\"{LABELS}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{BAR}\"/>{goal}\
                 <text x=\"{value_at:.1}\" y=\"{:.1}\">{} {}</text>\n",
                LABELS - 10.0, y + 15.0, escape(&bar.label), y + 15.0, number(bar.value), escape(&bar.unit),
            )
        })
        .collect();
    let height = TOP + STEP * count(bars.len()) + 12.0;
    let has_goals = bars.iter().any(|bar| bar.goal.is_some());
    page(title, &names, has_goals, height, &rows)
}

/// Lines over an axis on which each tenfold is as far as the next.
pub fn lines(title: &str, axis: &str, unit: &str, lines: &[Line]) -> String {
    let names = series(lines.iter().map(|line| line.series.as_str()));
    let points = || lines.iter().flat_map(|line| &line.points);
    let most = points().map(|(_, y)| *y).fold(0.0, f64::max);
    let (first, last) =
        points().fold((f64::MAX, 0.0_f64), |(first, last), (x, _)| (first.min(*x), last.max(*x)));
    let (left, right, bottom) = (90.0, WIDTH - 90.0, 330.0);
    let span = (last / first).ln();
    let x_of = |x: f64| {
        let share = if 0.0 < span { (x / first).ln() / span } else { 0.5 };
        left + share * (right - left)
    };
    let y_of =
        |y: f64| if most == 0.0 { bottom } else { bottom - y / most * (bottom - TOP - 30.0) };
    let mut drawn = format!(
        "<line class=\"axis\" x1=\"{left}\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\n"
    );
    for line in lines {
        let class = class_of(&names, &line.series);
        let path: Vec<String> =
            line.points.iter().map(|(x, y)| format!("{:.1},{:.1}", x_of(*x), y_of(*y))).collect();
        drawn += &format!("<polyline class=\"{class}\" points=\"{}\"/>\n", path.join(" "));
        for (x, y) in &line.points {
            let (at_x, at_y) = (x_of(*x), y_of(*y));
            drawn += &format!(
                "<circle class=\"{class}\" cx=\"{at_x:.1}\" cy=\"{at_y:.1}\" r=\"4\"/>\
                 <text x=\"{at_x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{} {}</text>\n",
                at_y - 10.0,
                number(*y),
                escape(unit),
            );
        }
    }
    let mut ticks: Vec<f64> = points().map(|(x, _)| *x).collect();
    ticks.sort_by(f64::total_cmp);
    ticks.dedup();
    for tick in ticks {
        drawn += &format!(
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
            x_of(tick),
            bottom + 20.0,
            number(tick),
        );
    }
    let middle = (left + right) / 2.0;
    drawn += &format!(
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
        bottom + 42.0,
        escape(axis)
    );
    page(title, &names, false, bottom + 58.0, &drawn)
}

fn page(title: &str, names: &[&str], has_goals: bool, height: f64, drawn: &str) -> String {
    let mut legend = String::new();
    let mut x = 20.0;
    for name in names {
        let class = class_of(names, name);
        legend += &format!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"36\" width=\"12\" height=\"12\"/>\
             <text x=\"{}\" y=\"47\">{}</text>\n",
            x + 18.0,
            escape(name),
        );
        x += 40.0 + 8.0 * count(name.len());
    }
    if has_goals {
        legend += &format!(
            "<line class=\"goal\" x1=\"{0}\" x2=\"{0}\" y1=\"34\" y2=\"50\"/><text x=\"{1}\" y=\"47\">goal</text>\n",
            x + 6.0,
            x + 18.0,
        );
    }
    let (title, frame) = (escape(title), format!("width=\"{WIDTH}\" height=\"{height:.0}\""));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" {frame} role=\"img\">\n\
         <title>{title}</title>\n{STYLE}\n<rect class=\"page\" {frame}/>\n\
         <text class=\"title\" x=\"20\" y=\"24\">{title}</text>\n{legend}{drawn}</svg>\n"
    )
}

/// Each name once, in the order in which they come.
fn series<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut each = Vec::new();
    for name in names {
        if !each.contains(&name) {
            each.push(name);
        }
    }
    each
}

fn class_of(names: &[&str], name: &str) -> &'static str {
    match names.iter().position(|other| *other == name) {
        Some(0) => "a",
        Some(1) => "b",
        _ => "c",
    }
}

/// Thousands apart; decimals only where they say something.
fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        let text = format!("{value:.1}");
        return text.strip_suffix(".0").map(str::to_owned).unwrap_or(text);
    }
    let digits = format!("{value:.0}");
    let mut told = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if 0 < place && (digits.len() - place).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            letter => safe.push(letter),
        }
    }
    safe
}

fn count(items: usize) -> f64 {
    f64::from(u32::try_from(items).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        let cases = [
            (0.0, "0"),
            (7.25, "7.2"),
            (99.0, "99"),
            (1_234.5, "1,234"),
            (10_000_000.0, "10,000,000"),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn the_longest_bar_takes_the_room_and_the_goal_stands_in_proportion() {
        let bar = |value, goal| Bar {
            label: "p99 <all>".into(),
            series: "sqlite".into(),
            value,
            unit: "ms".into(),
            goal,
        };
        let room = WIDTH - LABELS - VALUES;
        let picture = bars("Answers", &[bar(200.0, Some(100.0)), bar(50.0, None)]);
        assert!(picture.contains(&format!("width=\"{room:.1}\"")), "{picture}");
        assert!(picture.contains(&format!("width=\"{:.1}\"", room / 4.0)), "{picture}");
        assert!(picture.contains(&format!("x1=\"{:.1}\"", LABELS + room / 2.0)), "{picture}");
        assert!(picture.contains("p99 &lt;all&gt;") && !picture.contains("NaN"));
    }

    #[test]
    fn a_line_of_one_point_is_drawn_in_the_middle() {
        let line = Line { series: "sqlite".into(), points: vec![(1_000.0, 250.0)] };
        let picture = lines("Admission", "past sends", "us", &[line]);
        assert!(picture.contains("250 us") && !picture.contains("NaN"), "{picture}");
    }
}
