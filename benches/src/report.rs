//! What was measured, for people and for programs.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::load::Measured;
use crate::process::Memory;

/// A run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What was asked for, as the command line calls it.
    pub operation: String,
    /// What was measured.
    pub measured: Measured,
    /// Answers that were wrong.
    pub errors: u64,
    /// The first of them, in words.
    pub told: Vec<String>,
    /// Answers that were verified after the run.
    pub verified: u64,
    /// Idle connections that were held.
    pub idle: usize,
    /// The server's memory at the end, with the idle connections.
    pub memory: Option<Memory>,
    /// Operations in the background.
    pub background: Option<u64>,
}

impl Report {
    /// Operations in a second.
    pub fn rate(&self) -> f64 {
        self.measured.operations as f64 / self.measured.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Microseconds of the server's processor for each operation.
    pub fn cpu(&self) -> Option<f64> {
        self.measured.server.map(|time| micros(time) / (self.measured.operations.max(1) as f64))
    }

    /// One object with everything.
    pub fn json(&self) -> Value {
        let Measured { times, .. } = &self.measured;
        json!({
            "operation": self.operation,
            "seconds": self.measured.elapsed.as_secs_f64(),
            "operations": self.measured.operations,
            "rate": round(self.rate()),
            "p50_us": round(micros(times.per_mille(500))),
            "p99_us": round(micros(times.per_mille(990))),
            "p999_us": round(micros(times.per_mille(999))),
            "max_us": round(micros(times.longest())),
            "cpu_us": self.cpu().map(round),
            "own_cpu_us": round(micros(self.measured.own) / (self.measured.operations.max(1) as f64)),
            "request_bytes": self.measured.request_bytes,
            "answer_bytes": self.measured.answer_bytes,
            "errors": self.errors,
            "told": self.told,
            "verified": self.verified,
            "idle": self.idle,
            "rss": self.memory.map(|memory| memory.resident),
            "peak": self.memory.map(|memory| memory.peak),
            "background": self.background,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measured { times, operations, elapsed, .. } = &self.measured;
        writeln!(f, "{}: {:.0}/s ({operations} in {:.1} s)", self.operation, self.rate(), elapsed.as_secs_f64())?;
        let [p50, p99, p999] = [500, 990, 999].map(|mille| micros(times.per_mille(mille)));
        let longest = micros(times.longest());
        writeln!(f, "  time    p50 {p50:.0} µs   p99 {p99:.0} µs   p999 {p999:.0} µs   longest {longest:.0} µs")?;
        if let Some(cpu) = self.cpu() {
            writeln!(f, "  server  {cpu:.2} µs of processor for each")?;
        }
        if let Some(Memory { resident, peak }) = self.memory {
            let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
            writeln!(
                f,
                "  memory  {:.1} MiB resident, {:.1} MiB at the most, {} idle",
                mib(resident),
                mib(peak),
                self.idle
            )?;
        }
        let (request, answer) = (self.measured.request_bytes, self.measured.answer_bytes);
        writeln!(f, "  bytes   {request} asked, {answer} answered in a message")?;
        if let Some(background) = self.background {
            writeln!(f, "  behind  {background} operations in the background")?;
        }
        writeln!(f, "  errors  {} ({} answers verified after the run)", self.errors, self.verified)?;
        self.told.iter().try_for_each(|words| writeln!(f, "          {words}"))
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
