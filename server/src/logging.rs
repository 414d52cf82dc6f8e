//! The log: one line an event on standard error, for people on a terminal, as JSON elsewhere.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::{Log, LogFormat};

/// The environment variable that goes before the configured level.
pub const LEVEL_VARIABLE: &str = "KMIPD_LOG";

/// Starts the log. A second start in the same process changes nothing.
///
/// # Errors
/// The level cannot be understood; the text says where it stands.
pub fn start(log: &Log) -> Result<(), String> {
    let (source, level) = match std::env::var(LEVEL_VARIABLE) {
        Ok(level) if !level.is_empty() => (LEVEL_VARIABLE, level),
        _ => ("[log] level", log.level.clone()),
    };
    let filter = filter(&level).map_err(|error| format!("{source} = {level:?}: {error}"))?;
    let is_terminal = stderr().is_terminal();
    let as_text = match log.format {
        LogFormat::Auto => is_terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    // An error means that there is a log already.
    let _ = if as_text {
        builder.with_ansi(is_terminal).with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    Ok(())
}

/// Levels, with the libraries kept quiet unless they are named. `rustls` warns of every refused client by itself, without saying which.
fn filter(level: &str) -> Result<EnvFilter, ParseError> {
    let quiet = ["rustls=error", "sled=warn"];
    let mut directives: Vec<&str> =
        quiet.into_iter().filter(|quiet| !level.contains(quiet.split('=').next().unwrap_or(quiet))).collect();
    directives.insert(0, level);
    EnvFilter::builder().parse(directives.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_quiet_unless_named() {
        assert_eq!(filter("debug").unwrap().to_string().split(',').count(), 3);
        let named = filter("info,rustls=debug").unwrap().to_string();
        assert!(named.contains("rustls=debug") && !named.contains("rustls=error"), "{named}");
        assert!(filter("kmipd=loud").is_err());
    }
}
