//! The fault matrix: every operation that a function calls, against everything that can go wrong with a call, once and
//! for ever. What comes of each is found by playing it, and never written down by hand.
//!
//! - [`scene`]: worlds in which a function makes all its calls. [`ends`]: what must not be in them, and what must.
//! - [`fault`]: what goes wrong. [`way`]: how it does.
//! - [`play`]: one cell. [`word`]: what came of it. [`matrix`]: all of them. [`table`]: how they are kept.

pub mod ends;
pub mod fault;
pub mod matrix;
pub mod play;
pub mod scene;
pub mod table;
pub mod way;
pub mod word;
