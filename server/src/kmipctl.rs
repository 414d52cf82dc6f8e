//! kmipctl, the command-line client: arguments in, a table or JSON out.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use kmipd::ctl::client::Client;
use kmipd::ctl::commands::{Command, Style};
use kmipd::ctl::connection::Connection;
use kmipd::ctl::show::Report;
use kmipd::ctl::{Error, Outcome};
use serde_json::Value as Json;

/// The command-line client of kmipd and of any other KMIP server.
#[derive(Parser)]
#[command(name = "kmipctl", version, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    connection: Connection,
    /// Answer in JSON
    #[arg(long, global = true, help_heading = "Options")]
    json: bool,
    /// Answer with Unique Identifiers alone, one a line
    #[arg(long, short, global = true, conflicts_with = "json", help_heading = "Options")]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let Arguments { connection, json, quiet, command } = Arguments::parse();
    match run(&connection, command, Style { json, quiet }).and_then(|report| print(&report, json, quiet)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let words = if json { error.json().to_string() } else { format!("kmipctl: {error}") };
            // Nobody to tell if this fails.
            let _ = writeln!(io::stderr(), "{words}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(connection: &Connection, command: Command, style: Style) -> Outcome<Report> {
    command.run(&mut Client::new(connection.settings()?)?, style)
}

fn print(report: &Report, json: bool, quiet: bool) -> Outcome<()> {
    let text = if *report == Report::default() {
        // The bytes alone were wanted.
        String::new()
    } else if json {
        pretty(&report.json)
    } else if quiet {
        report.identifiers.iter().map(|id| format!("{}\n", kmipd::ctl::show::clean(id))).collect()
    } else {
        report.text.clone()
    };
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A reader that has seen enough (`kmipctl locate | head -1`) is no failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::failed(format!("cannot write standard output: {error}")))
        }
        _ => Ok(()),
    }
}

fn pretty(json: &Json) -> String {
    format!("{json:#}\n")
}
