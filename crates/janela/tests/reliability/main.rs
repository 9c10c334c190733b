//! The reliability tests R1 to R9 and R11 to R15: a desk at a sandbox, served by real processes that are killed,
//! stopped, frozen and starved, while the sandbox's ledger judges what was lost and what came twice.
//!
//! Each prints `R1 sqlite ok=.. lost=.. duplicated=.. recovered=..`. The short forms run in `tests/run`, the full ones
//! (`JANELA_TEST_LONG=1`, with the release binary in `JANELA_TEST_BINARY`) in `tests/run --long`. What each promises
//! and where its figures come from: `docs/reliability.md`.

#![expect(clippy::expect_used, reason = "a test that cannot have its world fails where it stands")]

mod acts;
mod caps;
mod clock;
mod crashes;
mod database;
mod disk;
mod jobs;
mod judge;
mod kill;
mod load;
mod nodes;
mod platform;
mod points;
mod poison;
mod postgres;
mod provider;
mod receipts;
mod relay;
mod repeat;
mod slow;
mod stop;
mod webhooks;
mod world;
