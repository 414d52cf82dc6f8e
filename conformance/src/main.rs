//! `kmip-conformance`: plays test cases against a KMIP server.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use kmip_conformance::case::{Case, Encoding, files, name_below};
use kmip_conformance::connect::{ConnectError, Server};
use kmip_conformance::play::{Verdict, play, reset};
use kmip_conformance::prove::{Proof, prove};
use kmip_conformance::report::{Entry, Report, Side, side_by_side};
use kmip_conformance::subject::Facts;

/// Plays KMIP test cases against a server and compares the answers strictly.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, arg_required_else_help = true)]
struct Options {
    /// Lays two reports of `play --json` side by side: two servers, or one before and after
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    compare: Vec<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Plays cases against a server
    Play(Box<Play>),
    /// Shows how strict the comparison is: wrong answers must fail
    Prove {
        /// A folder of cases, or one file
        #[arg(long, value_name = "DIR")]
        cases: PathBuf,
        /// How many wrong answers to try
        #[arg(long, default_value_t = 10_000)]
        mutations: usize,
        /// Which ones
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

#[derive(Args)]
struct Play {
    /// A folder of cases, or one file
    #[arg(long, value_name = "DIR")]
    cases: PathBuf,
    /// The server
    #[arg(long, value_name = "HOST:PORT")]
    server: String,
    /// The authority that issued the server's certificate, PEM
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// The client's certificate, PEM
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// The client's private key, PEM
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The second client's certificate, for cases with several
    #[arg(long, value_name = "FILE", requires = "client2_key")]
    client2_cert: Option<PathBuf>,
    /// The second client's private key
    #[arg(long, value_name = "FILE", requires = "client2_cert")]
    client2_key: Option<PathBuf>,
    /// The third client's certificate
    #[arg(long, value_name = "FILE", requires = "client3_key", requires = "client2_cert")]
    client3_cert: Option<PathBuf>,
    /// The third client's private key
    #[arg(long, value_name = "FILE", requires = "client3_cert")]
    client3_key: Option<PathBuf>,
    /// The server over HTTPS, https://HOST:PORT/kmip: for the cases about HTTPS, XML and JSON
    #[arg(long, value_name = "URL")]
    https: Option<String>,
    /// Play every case over HTTPS in this encoding
    #[arg(long, requires = "https")]
    transport: Option<Transport>,
    /// Where the server sends Put and Notify to
    #[arg(long, value_name = "HOST:PORT", requires = "listen_cert", requires = "listen_key")]
    listen: Option<String>,
    /// The certificate under which the server is heard there, PEM
    #[arg(long, value_name = "FILE", requires = "listen")]
    listen_cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "listen")]
    listen_key: Option<PathBuf>,
    /// Cases that are known to fail: a file with one a line and the reason, or with a table of them in Markdown
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// The report as JSON, before the last line
    #[arg(long)]
    json: bool,
    /// Have the server reset itself before each case (Interop, KMIP 2.1): test servers only
    #[arg(long)]
    reset: bool,
    /// Do not wait where a case lets time pass
    #[arg(long)]
    no_wait: bool,
    /// How long to wait for an answer, in seconds
    #[arg(long, default_value_t = 30)]
    timeout: u64,
}

/// How messages are written over HTTPS.
#[derive(Clone, Copy, ValueEnum)]
enum Transport {
    Binary,
    Xml,
    Json,
}

impl From<Transport> for Encoding {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Binary => Self::Binary,
            Transport::Xml => Self::Xml,
            Transport::Json => Self::Json,
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match options.command {
        Some(Command::Play(options)) => run(&options),
        Some(Command::Prove { cases, mutations, seed }) => {
            load(&cases).map(|(loaded, _)| show(&prove(&loaded, mutations, seed)))
        }
        None => compare(&options.compare),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(text) => {
            // Nobody is left to be told if this fails too.
            let _ = writeln!(io::stderr(), "kmip-conformance: {text}");
            ExitCode::from(2)
        }
    }
}

/// The cases of a folder, and the verdicts on files that are none that can be played.
fn load(folder: &Path) -> Result<(Vec<Case>, Vec<Entry>), String> {
    let found = files(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let (mut cases, mut others) = (Vec::new(), Vec::new());
    for file in found {
        match Case::load(folder, &file) {
            Ok(case) => cases.push(case),
            Err(error) => {
                let part = |path: Option<&Path>| {
                    path.and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned()
                };
                let why = error.to_string();
                let verdict = if error.is_out_of_scope() { Verdict::Skipped(why) } else { Verdict::Failed(why) };
                others.push(Entry {
                    name: name_below(folder, &file),
                    version: part(file.parent().and_then(Path::parent)),
                    group: part(file.parent()),
                    verdict,
                });
            }
        }
    }
    if cases.is_empty() && others.is_empty() {
        return Err(format!("{} has no cases", folder.display()));
    }
    Ok((cases, others))
}

fn run(options: &Play) -> Result<bool, String> {
    let mut clients = vec![(options.cert.as_path(), options.key.as_path())];
    for (cert, key) in [(&options.client2_cert, &options.client2_key), (&options.client3_cert, &options.client3_key)] {
        if let (Some(cert), Some(key)) = (cert, key) {
            clients.push((cert, key));
        }
    }
    let mut server = connect(options, &clients).map_err(|error| error.to_string())?;
    let (cases, entries) = load(&options.cases)?;
    let mut report = Report { entries, ..Report::default() };
    if let Some(file) = &options.expect {
        let list = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let wrong = |line| format!("{}: line {line} has no reason", file.display());
        if file.extension().is_some_and(|extension| extension == "md") {
            report.expect_table(&list).map_err(wrong)?;
        } else {
            report.expect(&list).map_err(wrong)?;
        }
    }
    let mut facts = Facts::default();
    // The family of the case before, if that was played.
    let mut family = None;
    for case in &cases {
        let continues = case.continues();
        let verdict = if continues && family != Some(case.family()) {
            Verdict::Skipped("it works on what an earlier case has left, which is not here".to_owned())
        } else {
            if options.reset && !continues {
                server.speak(None);
                reset(&mut server, &case.name)?;
            }
            let own = case.encoding();
            server.speak(options.transport.map(Encoding::from).or(own));
            if own.is_some() && !server.has_https() {
                Verdict::Skipped("it is about HTTPS, and --https is not given".to_owned())
            } else {
                play(case, &mut server, &mut facts, !options.no_wait)
            }
        };
        server.close();
        family = (!matches!(verdict, Verdict::Skipped(_))).then(|| case.family());
        let (name, group) = (case.name.clone(), case.group.clone());
        report.entries.push(Entry { name, version: case.version.to_string(), group, verdict });
    }
    let text = if options.json { format!("{:#}\n{}\n", report.json(), report.summary()) } else { report.text() };
    io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(report.surprises().is_empty())
}

fn connect(options: &Play, clients: &[(&Path, &Path)]) -> Result<Server, ConnectError> {
    let mut server = Server::new(&options.server, &options.ca, clients, Duration::from_secs(options.timeout))?;
    if let Some(url) = &options.https {
        server = server.with_https(url)?;
    }
    if let (Some(address), Some(cert), Some(key)) = (&options.listen, &options.listen_cert, &options.listen_key) {
        server = server.listening(address, cert, key)?;
    }
    Ok(server)
}

/// Lays two reports side by side; says whether every case has the same verdict in both.
fn compare(files: &[PathBuf]) -> Result<bool, String> {
    let mut sides = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let side = Side::read(&text).ok_or_else(|| format!("{} is no report of play --json", file.display()))?;
        sides.push((file.display().to_string(), side));
    }
    let [(left, a), (right, b)] = sides.as_slice() else { return Err("two reports are needed".to_owned()) };
    let (text, same) = side_by_side((left, a), (right, b));
    io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(same)
}

/// Writes what came of a proof; says whether it is one.
fn show(proof: &Proof) -> bool {
    for (name, why) in &proof.unplayable {
        println!("SKIPPED {name}: {why}");
    }
    for (name, why) in &proof.rejected {
        println!("REJECTED {name}: {why}");
    }
    for (name, step, tag, kind) in &proof.unexplained {
        println!("UNEXPLAINED {name}: step {step}, {tag} ({kind})");
    }
    for ((variation, tag, kind), count) in &proof.survivors {
        println!("{count:>6} survived by {variation}: {tag} ({kind})");
    }
    let (tried, killed) = (proof.mutations, proof.killed_per_mille());
    println!("\n{tried} wrong answers, {} passed, {}.{} % failed", proof.survived(), killed / 10, killed % 10);
    println!("{} passed, {} failed, {} skipped", proof.replayed, proof.rejected.len(), proof.unplayable.len());
    proof.is_sound()
}
