//! Get and Get Attributes (KMIP 2.1 §6.1.19, §6.1.20).

use kmip_codec::spec::{KeyFormatType, ObjectType, Operation, Tag};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{Attribute, AttributeReference, AttributeReferences, KeyMaterial, KeyValue, Object};
use serde_json::{Value as Json, json};

use super::identifier;
use crate::ctl::client::Client;
use crate::ctl::data::Output;
use crate::ctl::show::{self, Report};
use crate::ctl::{Error, Outcome, encoding, values};
use crate::ops::{get, get_attributes};

/// Show what an object is; its bytes only with --out, --raw, --hex or --pem.
#[derive(Debug, clap::Args)]
pub struct Get {
    /// The object's Unique Identifier
    id: String,
    /// The format that a key should have, such as pkcs_8
    #[arg(long)]
    format: Option<String>,
    /// Write a key or certificate as PEM
    #[arg(long, conflicts_with_all = ["raw", "hex"])]
    pem: bool,
    #[command(flatten)]
    output: Output,
}

/// Show an object's attributes.
#[derive(Debug, clap::Args)]
pub struct Attributes {
    /// The object's Unique Identifier
    id: String,
    /// Only these attributes; may be repeated
    #[arg(long, value_name = "NAME")]
    attribute: Vec<String>,
}

impl Get {
    pub(super) fn run(self, client: &mut Client) -> Outcome<Report> {
        let format: Option<KeyFormatType> = self.format.as_deref().map(values::enumeration).transpose()?;
        let mut get = |format| -> Outcome<get::Response> {
            client.call(Operation::Get, |_| {
                Ok(get::Request {
                    unique_identifier: identifier(&self.id),
                    key_format_type: format,
                    key_wrap_type: None,
                    key_compression_type: None,
                    key_wrapping_specification: None,
                })
            })
        };
        let mut found = get(format)?;
        if self.pem || self.output.is_named() {
            // A key in parts has a format of bytes, too.
            let bytes = match found.object.object_type() {
                ObjectType::PrivateKey => Some(KeyFormatType::Pkcs8),
                ObjectType::PublicKey => Some(KeyFormatType::X509),
                _ => None,
            };
            if format.is_none() && bytes.is_some() && material(&found.object).is_none() {
                found = get(bytes)?;
            }
            self.write(&found.object)?;
            // What standard output holds is the bytes alone.
            return Ok(if self.output.out.is_some() { described(&found) } else { Report::default() });
        }
        Ok(described(&found))
    }

    fn write(&self, object: &Object) -> Outcome<()> {
        let bytes = material(object)
            .ok_or_else(|| Error::failed("the key came in parts, not as bytes: ask for another --format"))?;
        if !self.pem {
            return self.output.write(bytes);
        }
        let format = object.key_block().map_or(KeyFormatType::X509, |block| block.key_format_type);
        let pem = encoding::to_pem(object.object_type(), format, bytes);
        let pem = pem.ok_or_else(|| {
            Error::failed(format!("there is no PEM of a {} in the format {format}", object.object_type()))
        })?;
        let stdout = self.output.out.is_none();
        Output { raw: stdout, ..self.output.clone() }.write(pem.expose())
    }
}

/// The bytes of an object, as they came.
fn material(object: &Object) -> Option<&Blob> {
    match object {
        Object::Certificate(certificate) => Some(&certificate.certificate_value),
        Object::OpaqueObject(opaque) => Some(&opaque.opaque_data_value),
        Object::CertificateRequest(request) => Some(&request.certificate_request_value),
        _ => match object.key_block()?.key_value.as_ref()? {
            KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. } | KeyValue::Wrapped(bytes) => Some(bytes),
            KeyValue::Plain { material: KeyMaterial::Structure(_), .. } => None,
        },
    }
}

/// Everything but the bytes.
fn described(found: &get::Response) -> Report {
    let mut rows = vec![
        ("Unique Identifier", found.unique_identifier.to_string()),
        ("Object Type", found.object_type.to_string()),
    ];
    match &found.object {
        Object::Certificate(certificate) => rows.push(("Certificate Type", certificate.certificate_type.to_string())),
        Object::OpaqueObject(opaque) => rows.push(("Opaque Data Type", opaque.opaque_data_type.to_string())),
        Object::SecretData(secret) => rows.push(("Secret Data Type", secret.secret_data_type.to_string())),
        _ => {}
    }
    if let Some(block) = found.object.key_block() {
        rows.push(("Key Format Type", block.key_format_type.to_string()));
        rows.extend(block.cryptographic_algorithm.map(|algorithm| ("Cryptographic Algorithm", algorithm.to_string())));
        rows.extend(block.cryptographic_length.map(|bits| ("Cryptographic Length", bits.to_string())));
        rows.extend(block.key_wrapping_data.as_ref().map(|how| ("Wrapping Method", how.wrapping_method.to_string())));
    }
    rows.push((
        "Material",
        match material(&found.object) {
            Some(bytes) => format!("{} bytes", bytes.len()),
            None => "in parts".to_owned(),
        },
    ));
    Report::record(&rows)
}

impl Attributes {
    pub(super) fn run(self, client: &mut Client) -> Outcome<Report> {
        let wanted: Vec<AttributeReference> =
            self.attribute.iter().map(|name| values::reference(name)).collect::<Outcome<_>>()?;
        let found: get_attributes::Response = client.call(Operation::GetAttributes, |_| {
            let attributes = AttributeReferences(wanted.clone());
            Ok(get_attributes::Request { unique_identifier: identifier(&self.id), attributes })
        })?;
        let mut list = found.attributes.0;
        list.sort_by_key(|attribute| (show::name(attribute), attribute.index));
        let rows: Vec<Vec<String>> =
            list.iter().map(|attribute| vec![show::name(attribute), show::attribute(attribute)]).collect();
        let json = json!({
            "UniqueIdentifier": found.unique_identifier.to_string(),
            "Attributes": list.iter().map(json_of).collect::<Vec<Json>>(),
        });
        Ok(Report::table(&["Attribute", "Value"], &rows, json))
    }
}

fn json_of(attribute: &Attribute) -> Json {
    let value = match attribute.value.find(Tag::AttributeValue) {
        Some(inner) if attribute.tag == Tag::Attribute => show::json(Tag::AttributeValue, inner),
        _ => show::json(attribute.tag, &attribute.value),
    };
    json!({ "Name": show::name(attribute), "Value": value })
}
