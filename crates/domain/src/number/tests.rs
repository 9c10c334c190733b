//! Tables P, Q and R, the rating, and the promises about standing, limits and levels.

mod capacity;
mod promotion;
mod quality;
mod standing;
