//! kmip-bench: loads a KMIP server, verifies what comes back, and measures.

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use clap::Parser;
use kmip_bench::options::Options;
use kmip_bench::run;

fn main() -> ExitCode {
    let options = Options::parse();
    match run::run(&options) {
        Ok(report) => {
            let text = if options.json { format!("{}\n", report.json()) } else { report.to_string() };
            match stdout().write_all(text.as_bytes()) {
                Ok(()) if report.errors == 0 => ExitCode::SUCCESS,
                _ => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            // Nobody to tell if this fails.
            let _ = writeln!(stderr(), "kmip-bench: {error}");
            ExitCode::from(2)
        }
    }
}
