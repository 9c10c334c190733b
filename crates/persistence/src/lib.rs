//! The tables and rows behind the desk.

mod schema;
