//! Says what `cargo test` alone leaves to `tests/run`. It is no test: there is nothing in it that could fail.
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

fn main() {
    if std::env::var_os("PRIVATELINK_TESTS_RUN").is_none() {
        println!(
            "\nleft to `tests/run`: formatting, lints, documentation, the shipped policy under `check --strict`, \
             the tour as a user starts it, and boto3, the `aws` command line and `cargo lambda` against the Region\n"
        );
    }
}
