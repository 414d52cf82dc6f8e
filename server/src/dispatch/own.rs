//! The operations that the dispatcher does itself: they are about requests, connections or the server, not about objects.

use kmip_codec::Element;
use kmip_codec::spec::{ResultReason, Version};
use kmip_codec::ttlv::Text;
use zeroize::Zeroizing;

use super::Run;
use crate::failure::{Failure, Outcome};
use crate::ops::Own;

/// Does one of them: the Response Payload as it is written, and its Unique Identifiers. The message's view is in `run`;
/// what is changed there is taken back if this fails.
#[expect(clippy::unused_async, reason = "the operations that come here wait for commits")]
pub(super) async fn run(
    _run: &mut Run<'_>,
    own: Own,
    _payload: Element,
    _version: Version,
) -> Outcome<(Zeroizing<Vec<u8>>, Vec<Text>)> {
    // No line of the table leads here yet.
    Err(Failure::new(ResultReason::OperationNotSupported, format!("{own:?} is not supported")))
}
