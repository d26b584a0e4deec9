//! As many things in one call as it takes.

/// How many things one call tags: the maximum of CreateTags.
pub(crate) const TAGGED: usize = 1000;

/// All of them, so many at a time.
pub(crate) fn chunks<T>(mut all: Vec<T>, size: usize) -> Vec<Vec<T>> {
    let mut chunks = Vec::with_capacity(all.len().div_ceil(size));
    while !all.is_empty() {
        let rest = all.split_off(size.min(all.len()));
        chunks.push(std::mem::replace(&mut all, rest));
    }
    chunks
}
