//! Query (KMIP 2.1 §6.1.40).

use kmip_codec::spec::{Operation, QueryFunction, Tag, xml_name};
use kmip_codec::{Element, Value};
use serde_json::{Map, Value as Json};

use crate::ctl::client::Client;
use crate::ctl::show::{self, Report};
use crate::ctl::{Error, Outcome};
use crate::ops::query;

/// Ask what the server is and can do.
#[derive(Debug, clap::Args)]
pub struct Query {}

/// What is asked, as far as the version has it.
const FUNCTIONS: [QueryFunction; 6] = [
    QueryFunction::QueryServerInformation,
    QueryFunction::QueryOperations,
    QueryFunction::QueryObjects,
    QueryFunction::QueryProfiles,
    QueryFunction::QueryCapabilities,
    QueryFunction::QueryStorageProtectionMasks,
];

impl Query {
    pub(super) fn run(self, client: &mut Client) -> Outcome<Report> {
        // Servers add fields of their own to this answer: it is shown as it comes.
        let answer: Element = client.call(Operation::Query, |version| {
            let functions = FUNCTIONS.into_iter().filter(|function| function.known_in(version)).collect();
            Ok(query::Request { functions, object_groups: None })
        })?;
        let Value::Structure(elements) = answer.value else {
            return Err(Error::failed("the server's answer to Query is no structure"));
        };
        let mut groups: Vec<(Tag, Vec<Value>)> = Vec::new();
        for Element { tag, value, .. } in elements {
            match groups.iter_mut().find(|(known, _)| *known == tag) {
                Some((_, values)) => values.push(value),
                None => groups.push((tag, vec![value])),
            }
        }
        let version = client.version().to_string();
        let mut rows = vec![("KMIP version".to_owned(), version.clone())];
        let mut json = Map::new();
        json.insert("KMIPVersion".to_owned(), version.into());
        for (tag, values) in &groups {
            let texts: Vec<String> = values.iter().map(|value| show::value(*tag, value)).collect();
            rows.push((tag.to_string(), texts.join(", ")));
            json.insert(xml_name(&tag.to_string()), values.iter().map(|value| show::json(*tag, value)).collect());
        }
        let rows: Vec<(&str, String)> = rows.iter().map(|(title, text)| (title.as_str(), text.clone())).collect();
        Ok(Report { json: Json::Object(json), identifiers: Vec::new(), ..Report::record(&rows) })
    }
}
