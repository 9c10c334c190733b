//! Tables and promises of admission.

mod given;
mod promises;
mod tables;
