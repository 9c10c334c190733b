//! Journeys through the running desk.
