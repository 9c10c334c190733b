//! Tables and promises of variables, fields and filling.
