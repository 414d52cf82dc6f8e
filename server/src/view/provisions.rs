//! What the server gives to new objects, and asks of them: the defaults and constraints that an administrator has set.

use kmip_codec::Value;
use kmip_codec::schema::{Decode, Encode, decode};
use kmip_codec::spec::{ObjectType, ResultReason, Tag, Version};
use kmip_codec::ttlv::{Limits, Text, Writer, frame, parse};
use kmip_codec::types::{Attribute, AttributeReference, Constraint, Constraints, DefaultsInformation, ObjectGroups};

use super::View;
use crate::failure::{Failure, Outcome};
use crate::object::{Managed, rules};
use crate::secret::Secret;

/// The rows. They are emptied, never removed.
const DEFAULTS: &str = "defaults";
const CONSTRAINTS: &str = "constraints";

impl View {
    /// The defaults for new objects.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn defaults(&mut self) -> Outcome<DefaultsInformation> {
        Ok(self.read(DEFAULTS)?.unwrap_or(DefaultsInformation { object_defaults: Vec::new() }))
    }

    /// The constraints on new objects.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn constraints(&mut self) -> Outcome<Constraints> {
        Ok(self.read(CONSTRAINTS)?.unwrap_or(Constraints { constraints: Vec::new() }))
    }

    /// Sets the defaults.
    ///
    /// # Errors
    /// Permission Denied for whoever is no administrator; Server Limit Exceeded.
    pub fn set_defaults(&mut self, defaults: &DefaultsInformation) -> Outcome<()> {
        self.write_provision(DEFAULTS, Tag::DefaultsInformation, defaults)
    }

    /// Sets the constraints.
    ///
    /// # Errors
    /// Permission Denied for whoever is no administrator; Server Limit Exceeded.
    pub fn set_constraints(&mut self, constraints: &Constraints) -> Outcome<()> {
        self.write_provision(CONSTRAINTS, Tag::Constraints, constraints)
    }

    /// Gives a new object to be what its client did not say, from the defaults for its type and groups. Defaults for one of
    /// its groups go before those for all objects of its type.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn default_attributes(
        &mut self,
        given: &mut Vec<Attribute>,
        object_type: ObjectType,
        otherwise: &[Tag],
    ) -> Outcome<()> {
        let defaults = self.defaults()?;
        if defaults.object_defaults.is_empty() {
            return Ok(());
        }
        let groups: Vec<Text> = groups_of(given.iter().map(|attribute| (attribute.tag, &attribute.value))).collect();
        let said: Vec<AttributeReference> = given.iter().map(Attribute::reference).collect();
        let applicable =
            defaults.object_defaults.iter().filter(|defaults| defaults.types().any(|kind| kind == object_type));
        let (own, general): (Vec<_>, Vec<_>) = applicable.partition(|defaults| defaults.object_groups.is_some());
        for defaults in
            own.into_iter().filter(|defaults| is_of(defaults.object_groups.as_ref(), &groups)).chain(general)
        {
            let before = given.len();
            for attribute in &defaults.attributes.list {
                let reference = attribute.reference();
                let is_set = given.iter().take(before).any(|other| other.reference() == reference);
                let is_known = rules::applicable(&reference, object_type, self.version).is_ok();
                let is_said = said.contains(&reference) || otherwise.contains(&attribute.tag);
                if is_known && !is_said && !is_set {
                    given.push(attribute.clone());
                }
            }
        }
        Ok(())
    }

    /// Holds a new object against the constraints. Those for one of its groups go before those for all objects.
    ///
    /// # Errors
    /// Constraint Violation.
    pub(super) fn check_constraints(&mut self, object: &Managed) -> Outcome<()> {
        let constraints = self.constraints()?;
        if constraints.constraints.is_empty() {
            return Ok(());
        }
        let values = || object.attributes.iter().map(|attribute| (attribute.tag, &attribute.value));
        let groups: Vec<Text> = groups_of(values()).collect();
        let kind = object.object_type();
        let is_for = |constraint: &&Constraint| {
            constraint.object_types.as_ref().is_none_or(|types| types.object_types.contains(&kind))
        };
        let (own, general): (Vec<_>, Vec<_>) = constraints
            .constraints
            .iter()
            .filter(is_for)
            .filter(|constraint| {
                constraint.object_groups.is_none() || is_of(constraint.object_groups.as_ref(), &groups)
            })
            .partition(|constraint| constraint.object_groups.is_some());
        for constraint in if own.is_empty() { general } else { own } {
            for wanted in constraint.attributes.iter().flat_map(|attributes| &attributes.list) {
                // Several values of an attribute are alternatives.
                let alternatives = constraint.attributes.iter().flat_map(|attributes| &attributes.list);
                let mut alternatives = alternatives.filter(|other| other.reference() == wanted.reference());
                let has = |wanted: &Attribute| {
                    let reference = wanted.reference();
                    object.attributes.all(&reference).any(|attribute| attribute.value == wanted.value)
                };
                if !alternatives.any(has) {
                    return Err(Failure::new(
                        ResultReason::ConstraintViolation,
                        format!("the {} of a new {kind} is not what a constraint of this server asks for", wanted.tag),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Whether the groups are known, where the configuration says which there are.
    ///
    /// # Errors
    /// Unknown Object Group.
    pub fn check_groups<'a>(&self, groups: impl IntoIterator<Item = &'a Text>) -> Outcome<()> {
        let known = &self.shared.settings.object_groups;
        match groups.into_iter().find(|group| !known.is_empty() && !known.iter().any(|name| **name == ***group)) {
            Some(_) => Err(Failure::new(ResultReason::UnknownObjectGroup, "there is no such Object Group")),
            None => Ok(()),
        }
    }

    fn read<T: Decode>(&mut self, row: &str) -> Outcome<Option<T>> {
        let Some(bytes) = self.meta(row)?.filter(|bytes| !bytes.is_empty()) else { return Ok(None) };
        let broken =
            |error: Box<kmip_codec::Error>| Failure::internal(format!("the row {row} cannot be read: {error}"));
        let element = parse(&frame::protect(bytes.expose().to_vec()), &Limits::default()).map_err(broken)?;
        decode(element, Version::V2_1).map(Some).map_err(broken)
    }

    fn write_provision(&mut self, row: &str, tag: Tag, provision: &impl Encode) -> Outcome<()> {
        if !self.requester().administrator {
            return Err(Failure::new(ResultReason::PermissionDenied, "only an administrator may set this"));
        }
        let mut writer = Writer::new(Version::V2_1);
        provision.encode(tag, &mut writer);
        self.set_meta(row, Some(Secret::new(writer.finish())))
    }
}

fn groups_of<'a>(attributes: impl Iterator<Item = (Tag, &'a Value)>) -> impl Iterator<Item = Text> {
    attributes.filter_map(|(tag, value)| match value {
        Value::TextString(group) if tag == Tag::ObjectGroup => Some(group.clone()),
        _ => None,
    })
}

fn is_of(groups: Option<&ObjectGroups>, own: &[Text]) -> bool {
    groups.is_some_and(|groups| groups.groups.iter().any(|group| own.contains(group)))
}
