//! Documents that are broken, each in one way, and what is said of them.
