//! Tickets, and what they permit (KMIP 2.1 §7.21, §7.23, §7.34, §7.35, §7.39).

use crate::schema::{Decode, Encode, wrong_type};
use crate::spec::{ObjectType, Operation, Tag, TicketType, Version};
use crate::ttlv::{Blob, Element, Result, Value, Writer};
use crate::types::{ObjectGroups, UniqueIdentifier, UsageLimits};

crate::structure! {
    /// Ticket (KMIP 2.1 §7.39).
    #[derive(Eq)]
    pub struct Ticket {
        /// Its type.
        pub ticket_type: TicketType = TicketType,
        /// What proves it.
        pub ticket_value: Blob = TicketValue,
    }

    /// Right (KMIP 2.1 §7.34). What is absent is not restricted.
    #[derive(Eq)]
    pub struct Right {
        /// How many operations may be performed.
        pub usage_limits: Option<UsageLimits> = UsageLimits,
        /// Which.
        pub operations: Option<Operations> = Operations,
        /// On which objects.
        pub objects: Option<Objects> = Objects,
        /// On objects of which groups.
        pub object_groups: Option<ObjectGroups> = ObjectGroups since V2_1,
    }

    /// Rights (KMIP 2.1 §7.35).
    #[derive(Eq)]
    pub struct Rights {
        /// The rights, each for itself.
        pub rights: Vec<Right> = Right,
    }

    /// Operations (KMIP 2.1 §7.25).
    #[derive(Eq)]
    pub struct Operations {
        /// The operations.
        pub operations: Vec<Operation> = Operation,
    }

    /// Objects (KMIP 2.1 §7.21).
    #[derive(Eq)]
    pub struct Objects {
        /// Their identifiers.
        pub unique_identifiers: Vec<UniqueIdentifier> = UniqueIdentifier,
    }

    /// Object Types (KMIP 2.1 §7.24).
    #[derive(Eq)]
    pub struct ObjectTypes {
        /// The types.
        pub object_types: Vec<ObjectType> = ObjectType,
    }
}

/// The Lease Time of a ticket (KMIP 2.1 tables 199, 253): so long, or until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketTime {
    /// Seconds from now on.
    Interval(u32),
    /// Until this time, in seconds since 1970.
    Until(i64),
}

impl Encode for TicketTime {
    fn encode(&self, tag: Tag, writer: &mut Writer) {
        match self {
            Self::Interval(seconds) => writer.interval(tag, *seconds),
            Self::Until(time) => writer.date_time(tag, *time),
        }
    }
}

impl Decode for TicketTime {
    fn decode(element: Element, _: Version) -> Result<Self> {
        match element.value {
            Value::Interval(seconds) => Ok(Self::Interval(seconds)),
            Value::DateTime(time) => Ok(Self::Until(time)),
            other => Err(wrong_type("Interval or Date Time", &other)),
        }
    }
}
