//! Locate (KMIP 2.1 §6.1.28, 1.4 §4.9).

use kmip_codec::spec::{ObjectGroupMember, StorageStatusMask, Tag};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{AttributeList, Attributes};

use super::Handler;
use crate::failure::{Failure, Outcome};
use crate::view::{Filter, Found, View};

structure! {
    /// The request.
    pub struct Request {
        /// How many identifiers to answer at the most.
        pub maximum_items: Option<i32> = MaximumItems,
        /// How many matches to skip.
        pub offset_items: Option<i32> = OffsetItems since V1_3,
        /// On-line, archived, destroyed objects.
        pub storage_status_mask: Option<StorageStatusMask> = StorageStatusMask,
        /// Which member of the group.
        pub object_group_member: Option<ObjectGroupMember> = ObjectGroupMember since V1_1,
        /// What a match has, in a Template-Attribute: Locate has none, but some clients of 1.x send one.
        pub template_attribute: Option<Attributes> = Attributes until V1_4,
        /// What a match has.
        pub attributes: AttributeList = Attributes,
    }

    /// The answer.
    pub struct Response {
        /// How many match in all; where matches are skipped.
        pub located_items: Option<i32> = LocatedItems since V1_3,
        /// The matches, the newest first.
        pub unique_identifiers: Vec<Text> = UniqueIdentifier,
    }
}

/// Locate.
pub struct Locate;

impl Handler for Locate {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let mut wanted = request.attributes.0;
        if let Some(template) = request.template_attribute {
            if !view.shared().settings.locate_by_template_attribute || !template.templates.is_empty() {
                return Err(Failure::invalid_field(
                    "Locate has no Template-Attribute: the attributes stand by themselves",
                ));
            }
            wanted.extend(template.list);
        }
        let mut filter = Filter::new(wanted)?.stored(request.storage_status_mask);
        let limit = view.shared().settings.maximum_located;
        let maximum = count(request.maximum_items, Tag::MaximumItems)?.map_or(limit, |asked| asked.min(limit));
        let offset = count(request.offset_items, Tag::OffsetItems)?;
        if request.object_group_member.is_some() && !filter.names(Tag::ObjectGroup) {
            return Err(Failure::invalid_field("an Object Group Member goes with an Object Group"));
        }
        let found = match request.object_group_member {
            None => view.locate(&filter, offset.unwrap_or(0), maximum, offset.is_some())?,
            Some(ObjectGroupMember::GroupMemberFresh) => {
                filter = filter.fresh();
                fresh(view, &filter, offset, maximum)?
            }
            // Which one is the default is the server's to say (KMIP 2.1 §6.1.28).
            Some(ObjectGroupMember::GroupMemberDefault) if maximum == 0 => Found::default(),
            Some(ObjectGroupMember::GroupMemberDefault) if view.shared().settings.default_in_turn => {
                view.take_turn(&filter)?
            }
            Some(ObjectGroupMember::GroupMemberDefault) => {
                view.locate(&filter, offset.unwrap_or(0), 1, offset.is_some())?
            }
            Some(other) => return Err(Failure::invalid_field(format!("there is no Object Group Member {other}"))),
        };
        Ok(Response {
            located_items: found.located.map(|count| i32::try_from(count).unwrap_or(i32::MAX)),
            unique_identifiers: found.identifiers,
        })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        response.unique_identifiers.clone()
    }
}

/// Fresh members of a group are given out in the order in which they were made: the oldest that nobody got. As every
/// answer, this one has the newest of them first.
fn fresh(view: &mut View, filter: &Filter, offset: Option<usize>, maximum: usize) -> Outcome<Found> {
    let mut identifiers = view.locate(filter, 0, usize::MAX, false)?.identifiers;
    let located = offset.is_some().then_some(identifiers.len());
    identifiers.reverse();
    let mut identifiers: Vec<Text> = identifiers.into_iter().skip(offset.unwrap_or(0)).take(maximum).collect();
    identifiers.reverse();
    Ok(Found { identifiers, located })
}

fn count(asked: Option<i32>, tag: Tag) -> Outcome<Option<usize>> {
    let wrong = |_| Failure::invalid_field(format!("{tag} is negative"));
    asked.map(|count| usize::try_from(count).map_err(wrong)).transpose()
}

#[cfg(test)]
mod tests;
