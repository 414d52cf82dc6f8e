//! A kmipd process of its own, and clients for it.
#![allow(dead_code, unused_imports, reason = "each test program uses a part of it")]

mod folder;
pub(crate) mod kmip;
pub(crate) mod token;
pub(crate) mod web;
mod wire;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use kmip_codec::spec::Version;
use kmipd_certs::{Authority, Issued};
use rustix::process::{Pid, kill_process};
use tempfile::TempDir;

pub(crate) use folder::{openssl, served};
pub(crate) use kmip::Kmip;
pub(crate) use rustix::process::Signal;
pub(crate) use wire::{Client, Wire, message};

/// How long a process may take for anything. Reached only when the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. It is killed when it is dropped.
pub(crate) struct Kmipd {
    arguments: Vec<String>,
    child: Child,
    environment: Vec<(String, PathBuf)>,
    log: Arc<Log>,
    printed: Arc<Log>,
    /// The folder that `dev` made, or that holds the configuration of `serve`.
    pub(crate) dir: PathBuf,
    /// Where it listens; another port after a restart, unless the configuration names one.
    pub(crate) address: SocketAddr,
    _own: Option<TempDir>,
}

impl Kmipd {
    /// `kmipd dev` in a new folder.
    pub(crate) fn dev() -> Self {
        Self::dev_with(&[])
    }

    /// `kmipd dev` in a new folder, with further arguments.
    pub(crate) fn dev_with(more: &[&str]) -> Self {
        let own = tempfile::tempdir().unwrap();
        let dir = own.path().join("dev");
        let mut this = Self::dev_in(&dir, more);
        this._own = Some(own);
        this
    }

    /// `kmipd dev` in this folder, with further arguments.
    pub(crate) fn dev_in(dir: &Path, more: &[&str]) -> Self {
        let mut arguments = vec!["dev", "--dir", dir.to_str().unwrap()];
        if !more.contains(&"--listen") {
            arguments.extend(["--listen", "127.0.0.1:0"]);
        }
        arguments.extend(more);
        Self::start(&arguments, dir)
    }

    /// `kmipd dev` in this folder, with further arguments and variables in its environment.
    pub(crate) fn dev_among(dir: &Path, more: &[&str], environment: &[(String, PathBuf)]) -> Self {
        let arguments = [&["dev", "--dir", dir.to_str().unwrap(), "--listen", "127.0.0.1:0"], more].concat();
        Self::start_among(&arguments, dir, environment)
    }

    /// `kmipd serve` with this configuration.
    pub(crate) fn serve(config: &Path) -> Self {
        Self::serve_among(config, &[])
    }

    /// The same with variables in its environment.
    pub(crate) fn serve_among(config: &Path, environment: &[(String, PathBuf)]) -> Self {
        Self::start_among(&["serve", "--config", config.to_str().unwrap()], config.parent().unwrap(), environment)
    }

    fn start(arguments: &[&str], dir: &Path) -> Self {
        Self::start_among(arguments, dir, &[])
    }

    fn start_among(arguments: &[&str], dir: &Path, environment: &[(String, PathBuf)]) -> Self {
        let mut command = command(arguments);
        command.envs(environment.iter().cloned()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = Log::of(child.stderr.take().unwrap());
        let printed = Log::of(child.stdout.take().unwrap());
        let line = log.wait("\"listening\"");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        Self {
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            child,
            environment: environment.to_vec(),
            log,
            printed,
            dir: dir.to_owned(),
            address: line["address"].as_str().unwrap().parse().unwrap(),
            _own: None,
        }
    }

    /// Starts it again, with the same arguments, after it was stopped or killed.
    pub(crate) fn restart(&mut self) {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let dir = self.dir.clone();
        let mut new = Self::start_among(&arguments, &dir, &self.environment);
        // What was there is killed if it still runs.
        std::mem::swap(&mut self.child, &mut new.child);
        std::mem::swap(&mut self.log, &mut new.log);
        std::mem::swap(&mut self.printed, &mut new.printed);
        self.address = new.address;
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Stops it as the service manager does, and waits.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.child.wait().unwrap()
    }

    /// Kills it as a crash does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for a line of the log with this text, and answers the line.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        self.log.wait(text)
    }

    /// Waits for a line of standard output with this text, and answers everything up to now.
    pub(crate) fn wait_for_print(&self, text: &str) -> String {
        self.printed.wait(text);
        self.printed.lines.lock().unwrap().0.join("\n")
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait_for_end(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Everything that the log holds so far.
    pub(crate) fn log(&self) -> String {
        self.log.lines.lock().unwrap().0.join("\n")
    }

    /// The client that `dev` made.
    pub(crate) fn client(&self) -> Client {
        let read = |name: &str| fs::read_to_string(self.dir.join(name)).unwrap();
        Client::new(self.address, &read("ca.pem"), Some((&read("client.pem"), &read("client.key"))))
    }

    /// A client of the folder's authority with this Common Name.
    pub(crate) fn client_named(&self, name: &str) -> Client {
        self.client_with(&self.authority().issue_client(name).unwrap())
    }

    /// A client with this certificate.
    pub(crate) fn client_with(&self, issued: &Issued) -> Client {
        let ca = fs::read_to_string(self.dir.join("ca.pem")).unwrap();
        Client::new(self.address, &ca, Some((&issued.cert_pem, &issued.key_pem)))
    }

    /// The folder's authority.
    pub(crate) fn authority(&self) -> Authority {
        let read = |name: &str| fs::read_to_string(self.dir.join(name)).unwrap();
        Authority::from_pem(&read("ca.pem"), &read("ca.key")).unwrap()
    }

    /// A connection of the client that `dev` made, for messages of this version.
    pub(crate) fn kmip(&self, version: Version) -> Kmip {
        Kmip::new(self.connect(), version)
    }

    /// Connects as the client that `dev` made.
    pub(crate) fn connect(&self) -> Wire {
        self.client().connect().unwrap()
    }
}

impl Drop for Kmipd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program with a clean environment for its log.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kmipd"));
    command.args(arguments).env_remove("KMIPD_LOG").env_remove("SOFTHSM2_CONF").stdin(Stdio::null());
    command
}

/// Runs the program to its end: whether it succeeded, standard output, standard error.
pub(crate) fn run(arguments: &[&str]) -> (bool, String, String) {
    let output = command(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

/// What a process writes to standard error or output.
struct Log {
    /// The lines, and whether more can come.
    lines: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

impl Log {
    fn of(stream: impl Read + Send + 'static) -> Arc<Self> {
        let log = Arc::new(Self { lines: Mutex::new((Vec::new(), true)), changed: Condvar::new() });
        let writer = Arc::clone(&log);
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = String::new();
            while reader.by_ref().read_line(&mut line).is_ok_and(|length| length > 0) {
                writer.lines.lock().unwrap().0.push(std::mem::take(&mut line).trim_end().to_owned());
                writer.changed.notify_all();
            }
            writer.lines.lock().unwrap().1 = false;
            writer.changed.notify_all();
        });
        log
    }

    fn wait(&self, text: &str) -> String {
        let found = |lines: &[String]| lines.iter().find(|line| line.contains(text)).cloned();
        let lines = self.lines.lock().unwrap();
        let (lines, _) =
            self.changed.wait_timeout_while(lines, PATIENCE, |(lines, more)| *more && found(lines).is_none()).unwrap();
        found(&lines.0).unwrap_or_else(|| panic!("no line with {text:?} in:\n{}", lines.0.join("\n")))
    }
}
