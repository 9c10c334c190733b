//! What a bench prints: a table, or one line of JSON.

use serde::Serialize;

use crate::serving::OTHER_BINARY;

/// One figure of a bench.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// On which database; `-` when on none.
    pub database: &'static str,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What it should reach; `None` for figures that only inform.
    pub goal: Option<Goal>,
    /// Whether the goal is reached; informing figures always are.
    pub ok: bool,
}

/// What a figure should reach; the bound is inclusive.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

impl Row {
    /// A figure that should be at most `bound`.
    pub fn at_most(
        what: impl Into<String>,
        database: &'static str,
        value: f64,
        unit: &'static str,
        bound: f64,
    ) -> Self {
        let goal = Some(Goal::AtMost(bound));
        Self { what: what.into(), database, value, unit, goal, ok: value <= bound }
    }

    /// A figure that should be at least `bound`.
    pub fn at_least(
        what: impl Into<String>,
        database: &'static str,
        value: f64,
        unit: &'static str,
        bound: f64,
    ) -> Self {
        let goal = Some(Goal::AtLeast(bound));
        Self { what: what.into(), database, value, unit, goal, ok: bound <= value }
    }

    /// A figure that only informs.
    pub fn figure(
        what: impl Into<String>,
        database: &'static str,
        value: f64,
        unit: &'static str,
    ) -> Self {
        Self { what: what.into(), database, value, unit, goal: None, ok: true }
    }
}

/// What one bench found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The bench.
    pub name: &'static str,
    /// Processor, cores and memory.
    pub machine: String,
    /// The figures.
    pub rows: Vec<Row>,
}

impl Report {
    /// Prints it and tells whether every goal was reached.
    ///
    /// # Errors
    /// When the JSON cannot be written.
    pub fn print(&self, json: bool) -> Result<bool, serde_json::Error> {
        if json {
            println!("{}", serde_json::to_string(self)?);
        } else {
            println!("{} on {}", self.name, self.machine);
            for row in &self.rows {
                let goal = match row.goal {
                    Some(Goal::AtMost(bound)) => format!("<= {bound}"),
                    Some(Goal::AtLeast(bound)) => format!(">= {bound}"),
                    None => String::new(),
                };
                let mark = if row.ok { "" } else { "MISSED" };
                println!(
                    "{:58} {:9} {:>12.2} {:7} {goal:12} {mark}",
                    row.what, row.database, row.value, row.unit
                );
            }
        }
        Ok(self.rows.iter().all(|row| row.ok))
    }
}

/// What this machine is: processor, cores, memory, as far as it tells; and whether the figures are no good
/// because this bench was built without optimization.
pub fn machine() -> String {
    let processor = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let memory_kib = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor = processor.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let memory = memory_kib.map_or(String::new(), |kib| format!(", {} GiB", kib / 1_048_576));
    let build = if cfg!(debug_assertions) { ", DEBUG BUILD" } else { "" };
    let other = std::env::var_os(OTHER_BINARY).map_or("", |_| ", NOT THE RELEASE BINARY");
    format!("{processor}, {cores} cores{memory}{build}{other}")
}

/// The value below which `share` (0 to 1) of the sorted `values` lie; 0 when there are none.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index between 0 and the length"
    )]
    let index = (last as f64 * share).round() as usize;
    sorted.get(index).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=101).map(f64::from).collect();
        let cases = [(0.0, 1.0), (0.5, 51.0), (0.99, 100.0), (1.0, 101.0)];
        for (share, expected) in cases {
            assert_eq!(percentile(&values, share), expected, "{share}");
        }
        assert_eq!(percentile(&[], 0.5), 0.0);
    }
}
