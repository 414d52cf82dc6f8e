//! Connections that ask as fast as they are answered.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::connection::{Connection, Target};
use crate::histogram::Histogram;
use crate::options::Options;
use crate::process::{Process, Used};
use crate::task::{Faults, Line, Talk};
use crate::{Error, Outcome};

/// Where the run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before the measurement.
    Before,
    /// What ends now is counted.
    Measured,
    /// Nothing more is asked.
    Over,
}

/// What was counted so far, by all connections together.
#[derive(Default)]
pub struct Count {
    /// Operations, measured or not.
    pub all: Cell<u64>,
    /// Operations.
    pub operations: Cell<u64>,
    /// Messages.
    pub messages: Cell<u64>,
    /// Bytes of answers.
    pub heard: Cell<u64>,
    /// Times from a request to its answer.
    pub times: RefCell<Histogram>,
}

/// What connections share.
pub struct Shared {
    /// Where the run is.
    pub phase: Cell<Phase>,
    /// What was counted.
    pub count: Count,
    /// What was wrong.
    pub faults: Faults,
}

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// How long was measured.
    pub elapsed: Duration,
    /// Operations that ended in that time.
    pub operations: u64,
    /// Messages that were answered in that time.
    pub messages: u64,
    /// Bytes of a request.
    pub request_bytes: u64,
    /// Bytes of an answer, on average.
    pub answer_bytes: u64,
    /// Times from a request to its answer.
    pub times: Histogram,
    /// Processor time of the server.
    pub server: Option<Duration>,
    /// Processor time of this program.
    pub own: Duration,
}

impl Shared {
    /// Before the measurement.
    pub fn new() -> Rc<Self> {
        Rc::new(Self { phase: Cell::new(Phase::Before), count: Count::default(), faults: Faults::default() })
    }

    /// Counts an answer, if it is time.
    pub fn count(&self, operations: u64, time: Duration, bytes: usize) {
        self.count.all.set(self.count.all.get() + operations);
        if self.phase.get() != Phase::Measured {
            return;
        }
        let add = |cell: &Cell<u64>, more: u64| cell.set(cell.get() + more);
        add(&self.count.operations, operations);
        add(&self.count.messages, 1);
        add(&self.count.heard, bytes as u64);
        self.count.times.borrow_mut().record(time);
    }

    /// Answers that were heard, measured or not.
    pub const fn heard(&self) -> u64 {
        self.count.all.get()
    }

    /// Lets the connections work for the time of the options, and reads the clocks.
    ///
    /// # Errors
    /// The server's process is gone.
    pub async fn measure(&self, options: &Options) -> Outcome<Measured> {
        let clocks = || {
            let own = Process(std::process::id()).used()?;
            let server = options.pid.map(|pid| Process(pid).used()).transpose()?;
            Ok::<(Instant, Used, Option<Used>), Error>((Instant::now(), own, server))
        };
        sleep(seconds(options.warmup)).await;
        let begin = clocks()?;
        self.phase.set(Phase::Measured);
        sleep(seconds(options.seconds)).await;
        // However slow the server is, there is something to tell in the end.
        while self.count.operations.get() == 0 && self.faults.count.get() == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        self.phase.set(Phase::Over);
        let end = clocks()?;
        let messages = self.count.messages.get();
        Ok(Measured {
            elapsed: end.0 - begin.0,
            operations: self.count.operations.get(),
            messages,
            request_bytes: 0,
            answer_bytes: self.count.heard.get().checked_div(messages).unwrap_or_default(),
            times: self.count.times.borrow().clone(),
            server: end.2.zip(begin.2).map(|(end, begin)| end.since(&begin)),
            own: end.1.since(&begin.1),
        })
    }
}

/// Connections under load.
pub struct Load {
    shared: Rc<Shared>,
    lines: JoinSet<()>,
}

impl Load {
    /// Connects, and begins to ask.
    ///
    /// # Errors
    /// There is no connection.
    pub async fn begin(target: &Target, talk: &Rc<dyn Talk>, options: &Options) -> Outcome<Self> {
        let shared = Shared::new();
        let mut lines = JoinSet::new();
        let mut connections = Vec::new();
        for _ in 0..options.connections.max(1) {
            connections.push(target.connect().await?);
        }
        for connection in connections {
            let (talk, shared, depth) = (Rc::clone(talk), Rc::clone(&shared), options.pipeline.max(1));
            lines.spawn_local(async move {
                if let Err(error) = drive(connection, &*talk, &shared, depth).await {
                    shared.faults.add(format!("a connection ended: {error}"));
                }
            });
        }
        Ok(Self { shared, lines })
    }

    /// Measures, waits for what is under way, and answers what was wrong too.
    ///
    /// # Errors
    /// The server's process is gone.
    pub async fn measure(mut self, options: &Options) -> Outcome<(Measured, Rc<Shared>)> {
        let measured = self.shared.measure(options).await?;
        while self.lines.join_next().await.is_some() {}
        Ok((measured, self.shared))
    }

    /// Ends without a measurement, whatever is under way, and answers what was wrong.
    pub async fn abandon(mut self) -> Rc<Shared> {
        self.lines.shutdown().await;
        self.shared
    }
}

async fn drive(mut connection: Connection, talk: &dyn Talk, shared: &Shared, depth: usize) -> io::Result<()> {
    let mut line = Line::new();
    let mut sent: VecDeque<Instant> = VecDeque::new();
    let mut outbox = Vec::new();
    loop {
        outbox.clear();
        if shared.phase.get() != Phase::Over {
            let now = Instant::now();
            while sent.len() < depth {
                talk.ask(&mut line, &mut outbox);
                sent.push_back(now);
            }
        }
        if sent.is_empty() {
            connection.close().await;
            return Ok(());
        }
        if !outbox.is_empty() {
            connection.send(&outbox).await?;
        }
        connection.receive().await?;
        let now = Instant::now();
        while let Some(message) = connection.take()? {
            let since = sent.pop_front().ok_or_else(|| io::Error::other("more answers than requests"))?;
            let operations = talk.hear(&mut line, message, &shared.faults);
            shared.count(operations, now - since, message.len());
        }
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
