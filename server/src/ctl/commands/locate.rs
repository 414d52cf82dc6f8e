//! Locate (KMIP 2.1 §6.1.32), and what people want to know of what was found.

use kmip_codec::Value;
use kmip_codec::spec::{Operation, StorageStatusMask, Tag, Version};
use kmip_codec::types::{Attribute, AttributeList, AttributeReference, AttributeReferences, UniqueIdentifier};
use serde_json::{Map, Value as Json, json};

use super::{Described, needs, now};
use crate::ctl::client::{Client, Item};
use crate::ctl::show::{self, Report};
use crate::ctl::{Outcome, values};
use crate::ops::{get_attributes, locate};

/// Find objects by their attributes.
#[derive(Debug, clap::Args)]
pub struct Locate {
    #[command(flatten)]
    described: Described,
    /// The Object Type, such as symmetric-key
    #[arg(long = "type", value_name = "TYPE")]
    object_type: Option<String>,
    /// The State, such as active
    #[arg(long)]
    state: Option<String>,
    /// The algorithm
    #[arg(long)]
    algorithm: Option<String>,
    /// The length of the key, in bits
    #[arg(long, value_name = "BITS")]
    length: Option<i32>,
    /// At the most so many
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(1..))]
    max: Option<i32>,
    /// Leave out the first so many
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(0..))]
    offset: Option<i32>,
    /// Where to look: on-line-storage, archival-storage, destroyed-storage
    #[arg(long, value_name = "PLACES")]
    storage: Option<String>,
}

/// What is shown of each object that was found.
const SHOWN: [Tag; 5] = [Tag::ObjectType, Tag::State, Tag::CryptographicAlgorithm, Tag::CryptographicLength, Tag::Name];

/// The same as titles of columns.
const TITLES: [&str; 6] = ["Id", "Type", "State", "Algorithm", "Length", "Name"];

/// How many objects' attributes are asked for in one message.
const AT_ONCE: usize = 50;

impl Locate {
    /// `brief`: the identifiers are enough.
    pub(super) fn run(self, client: &mut Client, brief: bool) -> Outcome<Report> {
        let attributes = self.filters()?;
        let storage = self.storage.as_deref().map(|text| values::mask(Tag::StorageStatusMask, text)).transpose()?;
        let found: locate::Response = client.call(Operation::Locate, |version| {
            values::check(&attributes, version)?;
            if self.offset.is_some() {
                needs(version, Version::V1_3, "--offset")?;
            }
            Ok(locate::Request {
                maximum_items: self.max,
                offset_items: self.offset,
                storage_status_mask: storage.map(StorageStatusMask::from),
                object_group_member: None,
                template_attribute: None,
                attributes: AttributeList(attributes.clone()),
            })
        })?;
        let ids: Vec<String> = found.unique_identifiers.iter().map(ToString::to_string).collect();
        let mut objects = Vec::new();
        for some in ids.chunks(if brief { usize::MAX } else { AT_ONCE }) {
            objects.extend(if brief { some.iter().map(|_| Vec::new()).collect() } else { describe(client, some)? });
        }
        let rows: Vec<Vec<String>> = ids.iter().zip(&objects).map(|(id, attributes)| row(id, attributes)).collect();
        let mut json = json!({ "Objects": ids.iter().zip(&objects).map(|(id, attributes)| object(id, attributes))
            .collect::<Vec<Json>>() });
        if let (Some(located), Some(fields)) = (found.located_items, json.as_object_mut()) {
            fields.insert("LocatedItems".to_owned(), located.into());
        }
        let mut report = if rows.is_empty() {
            Report { text: "no object was found\n".to_owned(), json, identifiers: Vec::new() }
        } else {
            Report::table(&TITLES, &rows, json)
        };
        report.identifiers = ids;
        Ok(report)
    }

    fn filters(&self) -> Outcome<Vec<Attribute>> {
        let now = now();
        let mut list = self.described.attributes(now)?;
        let named = [
            (Tag::ObjectType, &self.object_type),
            (Tag::State, &self.state),
            (Tag::CryptographicAlgorithm, &self.algorithm),
        ];
        for (tag, text) in named {
            list.extend(text.as_deref().map(|text| values::attribute(tag, text, now)).transpose()?);
        }
        list.extend(self.length.map(|bits| Attribute::new(Tag::CryptographicLength, Value::Integer(bits))));
        Ok(list)
    }
}

/// The shown attributes of each object. One that may not be read, or is gone by now, has none.
fn describe(client: &mut Client, ids: &[String]) -> Outcome<Vec<Vec<Attribute>>> {
    let mut described: Vec<Vec<Attribute>> = Vec::new();
    // The first that fails ends its message: the rest goes into another.
    while let Some(rest) = ids.get(described.len()..).filter(|rest| !rest.is_empty()) {
        let answers = client.batch(|_| {
            let item = |id: &String| {
                let attributes = AttributeReferences(SHOWN.map(AttributeReference::Tag).to_vec());
                let unique_identifier = Some(UniqueIdentifier::from(id.as_str()));
                Item::new(Operation::GetAttributes, get_attributes::Request { unique_identifier, attributes })
            };
            Ok(rest.iter().map(item).collect())
        })?;
        let before = described.len();
        for answer in answers {
            let read: Outcome<get_attributes::Response> = match answer {
                Ok(payload) => client.read(Operation::GetAttributes, Ok(payload)),
                Err(refused) => Err(refused),
            };
            described.push(read.map(|read| read.attributes.0).unwrap_or_default());
        }
        if described.len() == before {
            described.push(Vec::new());
        }
    }
    Ok(described)
}

fn row(id: &str, attributes: &[Attribute]) -> Vec<String> {
    let shown = SHOWN.iter().map(|&tag| {
        let all = attributes.iter().filter(|attribute| attribute.tag == tag);
        let texts: Vec<String> = all.map(|attribute| plain(tag, &attribute.value)).collect();
        if texts.is_empty() { "-".to_owned() } else { texts.join(", ") }
    });
    std::iter::once(id.to_owned()).chain(shown).collect()
}

/// Of a Name the text alone.
fn plain(tag: Tag, value: &Value) -> String {
    match value.find(Tag::NameValue).and_then(Value::text) {
        Some(text) => text.to_owned(),
        None => show::value(tag, value),
    }
}

fn object(id: &str, attributes: &[Attribute]) -> Json {
    let mut object = Map::new();
    object.insert("UniqueIdentifier".to_owned(), id.into());
    for tag in SHOWN {
        let mut all = attributes.iter().filter(|attribute| attribute.tag == tag).map(|attribute| &attribute.value);
        let name = kmip_codec::spec::xml_name(&tag.to_string());
        if tag == Tag::Name {
            object.insert(name, all.map(|value| Json::String(plain(tag, value))).collect());
        } else if let Some(value) = all.next() {
            object.insert(name, show::json(tag, value));
        }
    }
    Json::Object(object)
}
