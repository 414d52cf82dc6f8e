//! kmipd: a key management server for KMIP 1.0 to 2.1.

use std::error::Error;
use std::io::{self, BufRead, Write, stderr, stdin, stdout};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kmipd::check::{Grade, check};
use kmipd::config::{Config, Log};
use kmipd::dev::{Folder, Options};
use kmipd::trust::{hashed, password};
use kmipd::{logging, net, wiring};
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// A key management server for KMIP 1.0 to 2.1.
#[derive(Parser)]
#[command(name = "kmipd", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make certificates, configuration and store in a folder, unless they are there, and serve them. For development.
    Dev {
        /// The folder.
        #[arg(long, default_value = "kmipd-dev")]
        dir: PathBuf,
        /// The address and port to listen on, 127.0.0.1:5696 by default; port 0 lets the system choose.
        #[arg(long)]
        listen: Option<SocketAddr>,
        /// Keep keys in a SoftHSM token, made in the folder.
        #[arg(long)]
        hsm: bool,
        /// Be ready for a conformance suite: the operation Interop, which empties the store, HTTPS on the next port, and
        /// further clients.
        #[arg(long)]
        conformance: bool,
    },
    /// Serve.
    Serve {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Say whether a configuration can be used, without starting or writing anything.
    Check {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Open a check blob from standard input with the wrapping key: what a start asks a fresh process to do.
    #[command(hide = true, name = wiring::module::CHECK_COMMAND)]
    CheckWrappingKey {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Make what `[[users]]` and `[[devices]]` keep of a password, which is the first line of standard input.
    HashPassword {
        /// Make what Hashed Password credentials are checked against, and not an Argon2id hash.
        #[arg(long, requires = "user")]
        hashed: bool,
        /// The user, whose name is part of a Hashed Password.
        #[arg(long)]
        user: Option<String>,
        /// The hash function of a Hashed Password, by the name that the standard gives it.
        #[arg(long, default_value = "SHA-256")]
        algorithm: String,
    },
    /// Print the version.
    Version,
}

type Outcome = Result<ExitCode, Box<dyn Error>>;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Dev { dir, listen, hsm, conformance } => dev(&dir, &Options { listen, hsm, conformance }),
        Command::Serve { config } => serve(&config),
        Command::Check { config } => check_config(&config),
        Command::CheckWrappingKey { config } => check_wrapping_key(&config),
        Command::HashPassword { hashed, user, algorithm } => {
            hash_password(user.filter(|_| hashed).as_deref(), &algorithm)
        }
        Command::Version => version(),
    };
    outcome.unwrap_or_else(|error| {
        // Nobody to tell if this fails.
        let _ = writeln!(stderr(), "kmipd: {error}");
        ExitCode::FAILURE
    })
}

fn dev(dir: &Path, options: &Options) -> Outcome {
    logging::start(&Log::default())?;
    let folder = Folder::prepare(dir, options)?;
    wiring::enter_softhsm(&folder.config)?;
    Runtime::new()?.block_on(async {
        let server = wiring::build(&folder.config).await?;
        if let Some(address) = server.addresses().first() {
            print(&folder.guide(*address, server.https_addresses().first().copied())?)?;
        }
        net::run(server).await?;
        Ok(ExitCode::SUCCESS)
    })
}

fn serve(path: &Path) -> Outcome {
    let config = Config::load(path)?;
    wiring::enter_softhsm(&config)?;
    logging::start(&config.log)?;
    wiring::refuse_dev(&config)?;
    Runtime::new()?.block_on(async {
        let server = wiring::build(&config).await?;
        net::run(server).await?;
        Ok(ExitCode::SUCCESS)
    })
}

fn check_config(path: &Path) -> Outcome {
    let config = Config::load(path)?;
    wiring::enter_softhsm(&config)?;
    let mut worst = Grade::Good;
    for finding in check(&config) {
        print(&finding)?;
        print(&'\n')?;
        worst = worst.max(finding.grade);
    }
    Ok(if worst == Grade::Error { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn check_wrapping_key(path: &Path) -> Outcome {
    wiring::module::check(path)?;
    Ok(ExitCode::SUCCESS)
}

fn hash_password(hashed_for: Option<&str>, algorithm: &str) -> Outcome {
    let mut line = Zeroizing::new(String::new());
    stdin().lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        return Err("there is no password on standard input".into());
    }
    let made = match hashed_for {
        Some(user) => {
            let function = hashed::algorithm(algorithm).ok_or("there is no such hash function")?;
            hashed::Stored::new(user, password, function)?.text()
        }
        None => password::hash(password.as_bytes())?,
    };
    print(&format_args!("{made}\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn version() -> Outcome {
    print(&concat!("kmipd ", env!("CARGO_PKG_VERSION"), "\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// A reader that has gone (`kmipd dev | head -1`) is no reason to stop.
fn print(text: &dyn std::fmt::Display) -> io::Result<()> {
    let mut out = stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}
