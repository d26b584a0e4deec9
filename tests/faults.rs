//! The fault matrix.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that finds something else must fail")]

use privatelink_tests::faults::matrix::Matrix;

#[test]
fn dump() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _within = runtime.enter();
    let t = std::time::Instant::now();
    let matrix = Matrix::play();
    for c in &matrix.cells { println!("{:?} {} {:?} {:?}: {} | {}", c.scene, c.of, c.fault, c.often, c.word, c.answer.chars().take(200).collect::<String>()); }
    println!("{} cells in {:?}", matrix.cells.len(), t.elapsed());
    println!("{:#?}", matrix.broken);
}

