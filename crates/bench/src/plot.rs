//! `plot`: the figures of kept reports as pictures in `docs/benchmarks`, to be shown beside the tables.

mod svg;

use std::path::{Path, PathBuf};

use serde::Deserialize;

use self::svg::{Bar, Line};
use crate::{BenchError, report::Report};

/// A report as it was kept.
#[derive(Debug, Deserialize)]
struct Kept {
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    what: String,
    database: String,
    value: f64,
    unit: String,
    goal: Option<Goal>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

/// A picture: the report it is drawn from, its file, what stands above it, and the rows that are in it.
struct Plot {
    report: &'static str,
    file: &'static str,
    title: &'static str,
    rows: fn(&Row) -> bool,
    kind: Kind,
}

enum Kind {
    /// A bar for each row, with its goal.
    Bars,
    /// A line for each database: over the number in each row's text, each step of which is so many times the last.
    Lines(&'static str),
}

const PLOTS: [Plot; 7] = [
    Plot {
        report: "admission",
        file: "admission",
        title: "Decide and enqueue one send: median time inside the transaction",
        rows: |row| row.what.starts_with("decide and enqueue, p50"),
        kind: Kind::Lines("past sends"),
    },
    Plot {
        report: "ingest",
        file: "ingest-latency",
        title: "Webhooks at 4,000/s: from due to answered",
        rows: |row| row.what.starts_with("open loop, answered in"),
        kind: Kind::Bars,
    },
    Plot {
        report: "ingest",
        file: "ingest-rate",
        title: "Webhooks, closed loop, beside the raw group commit",
        rows: |row| row.unit == "/s" && !row.what.starts_with("open loop"),
        kind: Kind::Bars,
    },
    Plot {
        report: "dispatch",
        file: "dispatch",
        title: "Sends, beside the sandbox and the transactions alone",
        rows: |row| row.unit == "/s",
        kind: Kind::Bars,
    },
    Plot {
        report: "live",
        file: "live",
        title: "From a webhook to the desks that must hear of it",
        rows: |row| row.what.starts_with("webhook to wire"),
        kind: Kind::Bars,
    },
    Plot {
        report: "scale",
        file: "scale",
        title: "Processes on one PostgreSQL",
        rows: |row| row.unit == "/s",
        kind: Kind::Bars,
    },
    Plot {
        report: "peers",
        file: "peers",
        title: "Janela over django-meta-whatsapp",
        rows: |row| row.what.ends_with("times better"),
        kind: Kind::Bars,
    },
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks")
}

/// Keeps `report` where [`run`] finds it, in place of the last one of its name.
///
/// # Errors
/// When the file cannot be written.
pub fn keep(report: &Report) -> Result<(), BenchError> {
    let folder = folder();
    std::fs::create_dir_all(&folder)?;
    let text = serde_json::to_string_pretty(report)? + "\n";
    Ok(std::fs::write(folder.join(format!("{}.json", report.name)), text)?)
}

/// Draws every picture whose report was kept.
///
/// # Errors
/// When a report cannot be read, or a picture not be written.
pub fn run() -> Result<(), BenchError> {
    for plot in &PLOTS {
        let report = folder().join(format!("{}.json", plot.report));
        if !report.try_exists()? {
            println!("{}: no {}", plot.file, report.display());
            continue;
        }
        let kept: Kept = serde_json::from_slice(&std::fs::read(&report)?)?;
        let rows: Vec<&Row> = kept.rows.iter().filter(|row| (plot.rows)(row)).collect();
        let picture = match plot.kind {
            Kind::Bars => draw_bars(plot.title, &rows),
            Kind::Lines(axis) => draw_lines(plot.title, axis, &rows),
        };
        std::fs::write(folder().join(format!("{}.svg", plot.file)), picture)?;
    }
    Ok(())
}

fn draw_bars(title: &str, rows: &[&Row]) -> String {
    let bars: Vec<Bar> = rows
        .iter()
        .map(|row| Bar {
            label: row.what.clone(),
            series: row.database.clone(),
            value: row.value,
            unit: row.unit.clone(),
            goal: row.goal.map(|goal| match goal {
                Goal::AtMost(bound) | Goal::AtLeast(bound) => bound,
            }),
        })
        .collect();
    svg::bars(title, &bars)
}

fn draw_lines(title: &str, axis: &str, rows: &[&Row]) -> String {
    let mut lines: Vec<Line> = Vec::new();
    for row in rows {
        let Some(x) = last_number(&row.what) else { continue };
        match lines.iter_mut().find(|line| line.series == row.database) {
            Some(line) => line.points.push((x, row.value)),
            None => {
                lines.push(Line { series: row.database.clone(), points: vec![(x, row.value)] });
            }
        }
    }
    let unit = rows.first().map_or("", |row| row.unit.as_str());
    svg::lines(title, axis, unit, &lines)
}

/// The last whole number in a text.
fn last_number(text: &str) -> Option<f64> {
    let mut words = text.split(|letter: char| !letter.is_ascii_digit());
    words.rfind(|word| !word.is_empty())?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_drawn_over_the_number_that_ends_the_text() {
        let cases = [
            ("decide and enqueue, p50, 100000 past sends", Some(100_000.0)),
            ("webhooks answered, 4 processes", Some(4.0)),
            ("memory at rest", None),
        ];
        for (text, expected) in cases {
            assert_eq!(last_number(text), expected, "{text}");
        }
    }

    #[test]
    fn a_kept_report_is_read_back() {
        let report = Report {
            name: "live",
            machine: "a machine".into(),
            rows: vec![crate::report::Row::at_most(
                "webhook to wire, p99",
                "sqlite",
                7.0,
                "ms",
                300.0,
            )],
        };
        let text = serde_json::to_string(&report).unwrap();
        let kept: Kept = serde_json::from_str(&text).unwrap();
        let rows: Vec<&Row> = kept.rows.iter().collect();
        let picture = draw_bars("Live", &rows);
        assert!(picture.contains("webhook to wire, p99") && picture.contains("7 ms"), "{picture}");
    }
}
