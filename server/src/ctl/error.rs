//! Why a command failed, in words, and the exit code that says which kind of failure it was.

use kmip_codec::spec::{Operation, ResultReason};
use serde_json::{Value as Json, json};

use super::show::clean;

/// Why a command failed. No variant holds key material or plaintext.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line cannot be what was meant. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The server refused. Exit code 1.
    #[error("{}", refusal(*.operation, *.reason, .message))]
    Refused {
        /// What was asked; none where the server refused the message as a whole.
        operation: Option<Operation>,
        /// The server's reason; none where it gave none.
        reason: Option<ResultReason>,
        /// The server's words, as they arrived.
        message: String,
    },
    /// A file, the connection, or an answer that makes no sense. Exit code 1.
    #[error("{0}")]
    Failed(String),
}

/// The result of what a command does.
pub type Outcome<T> = Result<T, Error>;

impl Error {
    /// A usage error.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// Anything that is neither the user's nor the server's word.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// The exit code: 2 for usage errors, 1 for all else.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Refused { .. } | Self::Failed(_) => 1,
        }
    }

    /// The same for programs.
    pub fn json(&self) -> Json {
        let mut error = json!({ "Error": self.to_string() });
        if let (Self::Refused { operation, reason, message }, Some(fields)) = (self, error.as_object_mut()) {
            let mut put = |name: &str, text: String| fields.insert(name.to_owned(), Json::String(text));
            operation.map(|operation| put("Operation", operation.to_string()));
            reason.map(|reason| put("ResultReason", reason.to_string()));
            put("ResultMessage", message.clone());
        }
        error
    }
}

fn refusal(operation: Option<Operation>, reason: Option<ResultReason>, message: &str) -> String {
    let what = match (reason, operation) {
        (Some(reason), _) => reason.to_string(),
        (None, Some(operation)) => format!("the server refused {operation} without a reason"),
        (None, None) => "the server refused the message without a reason".to_owned(),
    };
    if message.is_empty() { what } else { format!("{what}: {}", clean(message)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_the_reason_and_the_words() {
        let error = Error::Refused {
            operation: Some(Operation::Get),
            reason: Some(ResultReason::ObjectNotFound),
            message: "there is no such object".to_owned(),
        };
        assert_eq!(error.to_string(), "Object Not Found: there is no such object");
        assert_eq!(error.exit_code(), 1);
        assert_eq!(error.json()["ResultReason"], "Object Not Found");
        assert_eq!(error.json()["Operation"], "Get");
    }

    #[test]
    fn what_the_server_says_cannot_command_the_terminal() {
        let error = Error::Refused { operation: None, reason: None, message: "\u{1b}[2Jgone\n".to_owned() };
        assert_eq!(error.to_string(), "the server refused the message without a reason: \\u{1b}[2Jgone\\n");
    }

    #[test]
    fn usage_has_a_code_of_its_own() {
        assert_eq!(Error::usage("no").exit_code(), 2);
        assert_eq!(Error::failed("no").exit_code(), 1);
    }
}
