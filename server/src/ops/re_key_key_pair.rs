//! Re-key Key Pair (KMIP 2.1 §6.1.47, 1.4 §4.5).

use kmip_codec::schema::Interval;
use kmip_codec::spec::{LinkType, ObjectType, ResultReason, Tag};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{Attribute, Attributes, Link, ProtectionStorageMasks, UniqueIdentifier};

use super::Handler;
use super::create_key_pair::{Response, kind_of, make, merge, unavailable};
use super::new_object::{Given, link};
use super::re_key::{as_strict, link_both, replaceable, retire};
use crate::failure::{Failure, Outcome};
use crate::object::replacement;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The private key of the pair that is replaced, or the ID Placeholder.
        pub private_key: Option<UniqueIdentifier> = PrivateKeyUniqueIdentifier,
        /// From now to the Activation Date of the replacements, in seconds.
        pub offset: Option<Interval> = Offset,
        /// Attributes of both replacements.
        pub common: Attributes = CommonAttributes,
        /// Attributes of the private key, before the common ones.
        pub private: Attributes = PrivateKeyAttributes,
        /// Attributes of the public key, before the common ones.
        pub public: Attributes = PublicKeyAttributes,
        /// Where either key may live.
        pub common_protection: Option<ProtectionStorageMasks> = CommonProtectionStorageMasks since V2_0,
        /// Where the private key may live.
        pub private_protection: Option<ProtectionStorageMasks> = PrivateProtectionStorageMasks since V2_0,
        /// Where the public key may live.
        pub public_protection: Option<ProtectionStorageMasks> = PublicProtectionStorageMasks since V2_0,
    }
}

/// Re-key Key Pair. The answer is that of Create Key Pair, and names the replacements.
pub struct ReKeyKeyPair;

impl Handler for ReKeyKeyPair {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let private = view.open(request.private_key.as_ref(), Use::Replace)?;
        let wanted = |view: &mut View, own, kind| Ok::<_, Failure>(Given::admit(view, own, kind)?.attributes);
        replaceable(view, &private, ObjectType::PrivateKey)?;
        let of_private = merge(view, &request.common, request.private, ObjectType::PrivateKey)?;
        let of_private = wanted(view, of_private, ObjectType::PrivateKey)?;
        let of_public = merge(view, &request.common, request.public, ObjectType::PublicKey)?;
        let of_public = wanted(view, of_public, ObjectType::PublicKey)?;
        let either = request.common_protection;
        let pair = Pair {
            private: (of_private, request.private_protection.or_else(|| either.clone())),
            public: (of_public, request.public_protection.or(either)),
            offset: request.offset.map(|Interval(seconds)| seconds),
        };
        replace(view, &private, pair)
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.private_key.clone(), response.public_key.clone()]
    }
}

/// What is wanted of a replacing pair: attributes and places of either key.
#[derive(Default)]
pub struct Pair {
    /// The private key's.
    pub private: (Vec<Attribute>, Option<ProtectionStorageMasks>),
    /// The public key's.
    pub public: (Vec<Attribute>, Option<ProtectionStorageMasks>),
    /// From now to the Activation Date, in seconds.
    pub offset: Option<u32>,
}

/// Replaces a private key and its public key, for a client or because it is time.
///
/// # Errors
/// Object Not Found for a private key without its public one; what [`replacement::inherit`] and the making of keys say.
pub fn replace(view: &mut View, private: &Permitted, wanted: Pair) -> Outcome<Response> {
    let public = public_of(view, private)?;
    let now = view.now();
    let attributes = replacement::inherit(private, wanted.private.0, wanted.offset, now)?;
    let new_private = Given::inherited(view, attributes, ObjectType::PrivateKey);
    let attributes = replacement::inherit(&public, wanted.public.0, wanted.offset, now)?;
    let new_public = Given::inherited(view, attributes, ObjectType::PublicKey);
    let (algorithm, kind) = kind_of(&new_private)?;
    if (algorithm, kind) != kind_of(&new_public)? {
        return Err(Failure::invalid_field(
            "both keys of a pair have the same algorithm, length and domain parameters",
        ));
    }
    let extractable = new_private.extractable();
    let home = as_strict(private, |masks| view.home(Some(kind), extractable, masks), wanted.private.1.as_ref())
        .map_err(|failure| unavailable(failure, ResultReason::PrivateProtectionStorageUnavailable))?;
    let public_home = as_strict(&public, |masks| view.home(None, Some(true), masks), wanted.public.1.as_ref())
        .map_err(|failure| unavailable(failure, ResultReason::PublicProtectionStorageUnavailable))?;
    let (secret, open) = make(view, algorithm, kind, [home, public_home], [new_private, new_public])?;
    retire(view, private)?;
    retire(view, &public)?;
    let private_key = view.insert(secret)?;
    let public_key = view.insert(open)?;
    link(view, &private_key, LinkType::PublicKeyLink, &public_key)?;
    link(view, &public_key, LinkType::PrivateKeyLink, &private_key)?;
    link_both(view, private, &private_key)?;
    link_both(view, &public, &public_key)?;
    Ok(Response { private_key, public_key })
}

/// The public key that the private key is linked with.
fn public_of(view: &mut View, private: &Permitted) -> Outcome<Permitted> {
    let mut links = private.attributes.structures::<Link>(Tag::Link);
    let Some(link) = links.find(|link| link.kind == LinkType::PublicKeyLink) else {
        return Err(Failure::new(ResultReason::ObjectNotFound, "the private key has no link to its public key"));
    };
    let public = view.open(Some(&link.linked), Use::Replace)?;
    replaceable(view, &public, ObjectType::PublicKey)?;
    Ok(public)
}
