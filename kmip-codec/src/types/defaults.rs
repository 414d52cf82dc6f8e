//! Defaults and constraints for new objects (KMIP 2.1 §7.6, §7.7, §7.11, §7.22).

use crate::spec::ObjectType;
use crate::types::{Attributes, ObjectGroups, ObjectTypes};

crate::structure! {
    /// Object Defaults (KMIP 2.1 §7.22): Object Type or Object Types.
    pub struct ObjectDefaults {
        /// The type of objects that they are for.
        pub object_type: Option<ObjectType> = ObjectType,
        /// Several types.
        pub object_types: Option<ObjectTypes> = ObjectTypes since V2_1,
        /// What an object gets that the client did not say.
        pub attributes: Attributes = Attributes,
        /// The groups of objects that they are for; all if absent.
        pub object_groups: Option<ObjectGroups> = ObjectGroups since V2_1,
    }

    /// Defaults Information (KMIP 2.1 §7.11).
    pub struct DefaultsInformation {
        /// The defaults.
        pub object_defaults: Vec<ObjectDefaults> = ObjectDefaults,
    }

    /// Constraint (KMIP 2.1 §7.6).
    pub struct Constraint {
        /// The types of objects that it is for; all if absent.
        pub object_types: Option<ObjectTypes> = ObjectTypes,
        /// The groups of objects that it is for; all if absent.
        pub object_groups: Option<ObjectGroups> = ObjectGroups,
        /// What an object must have.
        pub attributes: Option<Attributes> = Attributes,
    }

    /// Constraints (KMIP 2.1 §7.7).
    pub struct Constraints {
        /// The constraints.
        pub constraints: Vec<Constraint> = Constraint,
    }
}

impl ObjectDefaults {
    /// The types of objects that they are for.
    pub fn types(&self) -> impl Iterator<Item = ObjectType> {
        let several = self.object_types.iter().flat_map(|types| types.object_types.iter().copied());
        self.object_type.into_iter().chain(several)
    }
}
