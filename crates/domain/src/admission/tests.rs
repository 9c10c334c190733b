//! Tables and promises of admission.
