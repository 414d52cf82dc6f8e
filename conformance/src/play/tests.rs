use kmip_codec::text::xml;
use kmip_codec::ttlv::Limits;

use super::*;

const HEAD: &str = r#"<ProtocolVersion><ProtocolVersionMajor type="Integer" value="2"/>
    <ProtocolVersionMinor type="Integer" value="1"/></ProtocolVersion>"#;

/// A peer that says what it is told to, with a clock of its own.
#[derive(Default)]
struct Scripted {
    /// What it answers, from that second on.
    answers: Vec<(i64, String)>,
    /// What it asks.
    requests: Vec<String>,
    second: i64,
    asked: Vec<Element>,
    replies: Vec<Element>,
}

impl Peer for Scripted {
    fn ask(&mut self, _client: usize, request: &Element) -> Result<Element, String> {
        self.asked.push(request.clone());
        let now = self.answers.iter().rev().find(|(from, _)| *from <= self.second);
        Ok(xml::read(&now.unwrap().1, &Limits::default()).unwrap())
    }

    fn clients(&self) -> usize {
        1
    }

    fn deaf(&self, _same: bool) -> Option<String> {
        self.requests.is_empty().then(|| "nothing is heard".to_owned())
    }

    fn hear(&mut self, _client: usize, _same: bool) -> Result<Element, String> {
        Ok(xml::read(&self.requests.remove(0), &Limits::default()).unwrap())
    }

    fn reply(&mut self, _client: usize, _same: bool, answer: &Element) -> Result<(), String> {
        self.replies.push(answer.clone());
        Ok(())
    }

    fn time(&self) -> (i64, u32) {
        (1_000_000 + self.second, 0)
    }

    fn pause(&mut self) {
        self.second += 1;
    }
}

fn request(operation: &str, payload: &str) -> String {
    format!(
        "<RequestMessage><RequestHeader>{HEAD}</RequestHeader><BatchItem><Operation type=\"Enumeration\" \
         value=\"{operation}\"/><RequestPayload>{payload}</RequestPayload></BatchItem></RequestMessage>"
    )
}

fn answer(operation: &str, payload: &str) -> String {
    format!(
        "<ResponseMessage><ResponseHeader>{HEAD}<TimeStamp type=\"DateTime\" value=\"1970-01-12T13:46:40Z\"/>\
         </ResponseHeader><BatchItem><Operation type=\"Enumeration\" value=\"{operation}\"/>\
         <ResultStatus type=\"Enumeration\" value=\"Success\"/>\
         <ResponsePayload>{payload}</ResponsePayload></BatchItem></ResponseMessage>"
    )
}

fn state(state: &str) -> String {
    format!("<Attributes><State type=\"Enumeration\" value=\"{state}\"/></Attributes>")
}

fn case(text: &str) -> Case {
    Case::read(&format!("<KMIP>{text}</KMIP>"), "name".into(), "group".into()).unwrap()
}

fn verdict(case: &Case, peer: &mut Scripted, waits: bool) -> Verdict {
    play(case, peer, &mut Facts::default(), waits)
}

#[test]
fn the_player_waits_for_a_date_that_the_case_has_set_and_no_longer() {
    let date = r#"<DeactivationDate type="DateTime" value="$NOW+20"/>"#;
    let set = request("GetAttributes", date) + &answer("GetAttributes", &state("Active"));
    let look = |mark: &str, operation: &str| {
        case(&format!("{set}{mark}{}{}", request(operation, ""), answer(operation, &state("Deactivated"))))
    };
    let peer = |at: i64| Scripted {
        answers: vec![(0, answer("Query", &state("Active"))), (at, answer("Query", &state("Deactivated")))],
        ..Scripted::default()
    };
    // A request that only looks sets no date, and what is no look is not repeated by itself.
    for case in [look("", "GetAttributes"), look("", "Query")] {
        let mut peer = peer(5);
        assert!(matches!(verdict(&case, &mut peer, true), Verdict::Failed(_)));
        assert_eq!(peer.second, 0);
    }
    let set = |operation: &str| request(operation, date) + &answer("Query", &state("Active"));
    let text = |mark: &str, operation: &str| {
        let looked = request(operation, "") + &answer("Query", &state("Deactivated"));
        case(&format!("{}{mark}{looked}", set("ModifyAttribute")))
    };
    let mut late = peer(20);
    assert_eq!(verdict(&text("", "GetAttributes"), &mut late, true), Verdict::Passed);
    assert_eq!(late.second, 20);
    let mut never = peer(30);
    assert!(matches!(verdict(&text("", "GetAttributes"), &mut never, true), Verdict::Failed(_)));
    assert_eq!(never.second, 23);
    let mut hasty = peer(20);
    assert!(matches!(verdict(&text("", "GetAttributes"), &mut hasty, false), Verdict::Failed(_)));
    assert_eq!(hasty.second, 0);
    let mut repeated = peer(12);
    assert_eq!(verdict(&text("# [REPEAT] until it is so", "Query"), &mut repeated, true), Verdict::Passed);
    assert_eq!(repeated.second, 12);
}

#[test]
fn a_request_of_the_server_is_compared_and_answered() {
    let id = |id: &str| format!("<UniqueIdentifier type=\"TextString\" value=\"{id}\"/>");
    let notified = request("Notify", &id("$UNIQUE_IDENTIFIER_0")) + &answer("Notify", "");
    assert!(matches!(verdict(&case(&notified), &mut Scripted::default(), true), Verdict::Skipped(_)));
    let case = case(&(request("Activate", "") + &answer("Activate", "") + &notified));
    let answers = vec![(0, answer("Activate", ""))];
    let peer = |heard: &str| {
        let requests = vec![request(heard, &id("a"))];
        Scripted { answers: answers.clone(), requests, ..Scripted::default() }
    };
    let mut heard = peer("Notify");
    assert_eq!(verdict(&case, &mut heard, true), Verdict::Passed);
    let time = heard.replies[0].value.find(Tag::ResponseHeader).unwrap().find(Tag::TimeStamp);
    assert_eq!(time, Some(&Value::DateTime(1_000_000)));
    let mut heard = peer("Put");
    let Verdict::Failed(why) = verdict(&case, &mut heard, true) else { panic!("another operation passed") };
    assert!(why.contains("Operation: expected Notify, got Put"), "{why}");
    // It is answered nevertheless.
    assert_eq!(heard.replies.len(), 1);
    assert!(matches!(verdict(&case, &mut Scripted::default(), true), Verdict::Skipped(_)));
}

#[test]
fn a_variable_that_no_answer_has_is_named_after_a_tag() {
    let data = |value: &str| format!("<Data type=\"ByteString\" value=\"{value}\"/>");
    let text = request("Encrypt", &data("01"))
        + &answer("Encrypt", &data("0A"))
        + &request("Decrypt", &data("$DATA_0"))
        + &answer("Encrypt", &data("0A"));
    let mut peer = Scripted { answers: vec![(0, answer("Encrypt", &data("0A")))], ..Scripted::default() };
    assert_eq!(verdict(&case(&text), &mut peer, true), Verdict::Passed);
    let sent = peer.asked[1].value.find(Tag::BatchItem).unwrap().find(Tag::RequestPayload).unwrap().clone();
    assert_eq!(
        sent,
        peer.asked[0]
            .value
            .find(Tag::BatchItem)
            .unwrap()
            .find(Tag::RequestPayload)
            .map(|_| {
                Value::Structure(vec![Element::new(
                    Tag::Data,
                    Value::ByteString(kmip_codec::ttlv::Blob::new(vec![0x0A])),
                )])
            })
            .unwrap()
    );
}

#[test]
fn a_server_that_does_not_reset_itself_is_an_error() {
    let mut peer = Scripted { answers: vec![(0, answer("Interop", ""))], ..Scripted::default() };
    reset(&mut peer, "case").unwrap();
    let said = xml::write(&peer.asked[0]).unwrap();
    assert!(said.contains("InteropFunction") && said.contains("Reset"), "{said}");
    peer.answers[0].1 = answer("Interop", "").replace("\"Success\"", "\"OperationFailed\"");
    reset(&mut peer, "case").unwrap_err();
}
