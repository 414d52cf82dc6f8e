//! The operations that the dispatcher does itself: they are about requests, connections or the server, not about objects.

use kmip_codec::Element;
use kmip_codec::schema::{Decode, Encode, decode};
use kmip_codec::spec::EndpointRole;

use super::asynchronous;
use super::run::{Done, Run};
use crate::failure::{Failure, Outcome};
use crate::ops::{Answered, Own, set_endpoint_role};

/// Does one of them. The message's view is in `run`; what is changed there is taken back if this fails.
pub(super) async fn run(run: &mut Run<'_>, own: Own, payload: Element) -> Outcome<Done> {
    match own {
        Own::Cancel => {
            let request = read(run, payload)?;
            asynchronous::cancel(run, request).map(|response| answered(run, response))
        }
        Own::Poll => {
            let request = read(run, payload)?;
            asynchronous::poll(run, request).await.map(Done::Earlier)
        }
        Own::Process => {
            let request = read(run, payload)?;
            asynchronous::process(run, request).await.map(|response| answered(run, response))
        }
        Own::SetEndpointRole => {
            let role: set_endpoint_role::Role = read(run, payload)?;
            if role.endpoint_role == EndpointRole::Client && !run.asker.is_askable {
                return Err(Failure::unsupported("a client of HTTP is not asked on its connection: the roles stay"));
            }
            // The roles are changed by who has the connection, when this answer has left.
            Ok(answered(run, role))
        }
        Own::QueryAsynchronousRequests => {
            let request = read(run, payload)?;
            asynchronous::query(run, &request).map(|response| answered(run, response))
        }
    }
}

fn read<T: Decode>(run: &Run<'_>, payload: Element) -> Outcome<T> {
    Ok(decode(payload, run.version)?)
}

fn answered(run: &Run<'_>, response: impl Encode) -> Done {
    Done::Answered(Answered::of(&response, run.version, 0))
}
