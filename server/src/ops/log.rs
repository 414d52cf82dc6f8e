//! Log (KMIP 2.1 §6.1.29, 2.0 §6.1.28).

use kmip_codec::structure;
use kmip_codec::ttlv::Text;

use super::Handler;
use crate::failure::{Failure, Outcome};
use crate::view::View;

/// The longest message, in bytes.
const LONGEST: usize = 4096;

structure! {
    /// The request.
    pub struct Request {
        /// What is to stand in the log.
        pub log_message: Text = LogMessage,
    }

    /// The answer.
    pub struct Response {
    }
}

/// Log.
pub struct Log;

impl Handler for Log {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let message = request.log_message;
        if message.len() > LONGEST {
            return Err(Failure::invalid_field(format!("a Log Message has at most {LONGEST} bytes here")));
        }
        view.note(plain(&message));
        Ok(Response {})
    }
}

/// The message without what would begin a line, or move a cursor: control characters and separators are written as the
/// numbers they are, and so is what turns the direction of writing.
fn plain(message: &str) -> String {
    let is_plain = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    let mut text = String::with_capacity(message.len());
    for c in message.chars() {
        if is_plain(c) { text.push(c) } else { text.extend(c.escape_unicode()) }
    }
    text
}

#[cfg(test)]
mod tests {
    use kmip_codec::spec::{ResultReason, Version};

    use super::*;
    use crate::view::testing::Bench;

    #[test]
    fn a_message_is_one_line_and_only_so_long() {
        assert_eq!(plain("backup of Tuesday: Größe 7"), "backup of Tuesday: Größe 7");
        assert_eq!(plain("a\nb\u{1b}[2J\u{202e}\0"), "a\\u{a}b\\u{1b}[2J\\u{202e}\\u{0}");
        let bench = Bench::new();
        let ask = |length: usize| bench.run::<Log>(Version::V2_1, Request { log_message: "x".repeat(length).into() });
        ask(LONGEST).unwrap();
        assert_eq!(ask(LONGEST + 1).unwrap_err().reason, ResultReason::InvalidField);
    }

    #[test]
    fn a_message_that_is_taken_back_is_not_logged() {
        let bench = Bench::new();
        let mut view = bench.view(Version::V2_1);
        view.begin_item();
        Log::run(&mut view, Request { log_message: "first".into() }).unwrap();
        view.begin_item();
        Log::run(&mut view, Request { log_message: "second".into() }).unwrap();
        view.fail_item();
        assert_eq!(view.notes(), ["first"]);
        view.undo();
        assert!(view.notes().is_empty());
    }
}
