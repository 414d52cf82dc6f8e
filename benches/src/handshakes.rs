//! Connections that begin, ask once, and end: full handshakes or resumed ones.

use std::io;
use std::rc::Rc;
use std::time::Instant;

use tokio::task::JoinSet;

use crate::Outcome;
use crate::connection::Target;
use crate::load::{Measured, Phase, Shared};
use crate::options::Options;
use crate::task::{Line, Talk};

/// Makes handshakes on as many connections at a time as the options say, and measures them. A handshake counts when the
/// first request after it is answered: before, the server may not have looked at the client's certificate.
///
/// # Errors
/// The server's process is gone.
pub async fn measure(
    target: &Target,
    talk: &Rc<dyn Talk>,
    options: &Options,
    resumed: bool,
) -> Outcome<(Measured, Rc<Shared>)> {
    let shared = Shared::new();
    let mut lines = JoinSet::new();
    for _ in 0..options.connections.max(1) {
        let target = if resumed { target.with_own_sessions() } else { target.clone() };
        let (talk, shared) = (Rc::clone(talk), Rc::clone(&shared));
        lines.spawn_local(async move {
            let mut begun = false;
            while shared.phase.get() != Phase::Over {
                // The first of a line has no session to resume.
                if let Err(error) = one(&target, &*talk, &shared, (begun || !resumed).then_some(resumed)).await {
                    shared.faults.add(format!("handshake: {error}"));
                    return;
                }
                begun = true;
            }
        });
    }
    let measured = shared.measure(options).await?;
    while lines.join_next().await.is_some() {}
    Ok((measured, shared))
}

async fn one(target: &Target, talk: &dyn Talk, shared: &Shared, wanted: Option<bool>) -> io::Result<()> {
    let begin = Instant::now();
    let mut connection = target.connect().await?;
    match wanted {
        Some(true) if !connection.is_resumed() => shared.faults.add("a handshake was not resumed".to_owned()),
        Some(false) if connection.is_resumed() => shared.faults.add("a handshake is not full".to_owned()),
        _ => {}
    }
    let mut line = Line::new();
    let mut message = Vec::new();
    talk.ask(&mut line, &mut message);
    let answer = connection.ask(&message).await?;
    let operations = talk.hear(&mut line, &answer, &shared.faults);
    shared.count(operations, begin.elapsed(), answer.len());
    connection.close().await;
    Ok(())
}
