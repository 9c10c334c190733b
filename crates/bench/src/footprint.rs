//! `footprint`: how fast the program starts, how much memory it rests on, how large it is.

use std::time::Duration;

use crate::{
    BenchError, DatabaseChoice,
    database::Place,
    report::{Report, Row, machine},
    serving::{release_binary, start},
};

const STARTS: usize = 5;

/// Measures on each database asked for.
///
/// # Errors
/// When the release binary is missing or older than the sources, or the program does not serve.
pub fn run(databases: DatabaseChoice) -> Result<Report, BenchError> {
    let binary = release_binary()?;
    #[expect(clippy::cast_precision_loss, reason = "bytes of a binary fit well")]
    let mebibytes = std::fs::metadata(&binary)?.len() as f64 / 1_048_576.0;
    let mut rows = vec![Row::at_most("binary, stripped", "-", mebibytes, "MiB", 30.0)];
    for database in databases.each() {
        let folder = tempfile::tempdir()?;
        let place = Place::named(database, "footprint")?;
        place.make_empty()?;
        let url = place.url();
        drop(start(&binary, folder.path(), &url, None)?);
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            starts.push(
                start(&binary, folder.path(), &url, None)?.first_page.as_secs_f64() * 1_000.0,
            );
        }
        starts.sort_by(f64::total_cmp);
        let name = database.name();
        rows.push(Row::at_most(
            "start to first page, median of 5",
            name,
            starts[STARTS / 2],
            "ms",
            300.0,
        ));
        let running = start(&binary, folder.path(), &url, None)?;
        std::thread::sleep(Duration::from_secs(5));
        rows.push(Row::at_most(
            "memory at rest (RSS)",
            name,
            running.resident_mebibytes()?,
            "MiB",
            60.0,
        ));
        drop(running);
        place.remove()?;
    }
    Ok(Report { name: "footprint", machine: machine(), rows })
}
