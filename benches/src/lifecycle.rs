//! The life of a key: Create, Activate, Revoke, Destroy, each asked when the one before is answered.

use std::cell::Cell;

use kmip_codec::spec::{Operation, Tag};

use crate::answer::{self, Walk};
use crate::keys::{self, Making};
use crate::options::Options;
use crate::request::{Form, Head};
use crate::task::{Faults, Line, Talk};
use crate::{Error, Outcome};

/// The operations in their order.
const STEPS: [Operation; 4] = [Operation::Create, Operation::Activate, Operation::Revoke, Operation::Destroy];

/// Lives, one after the other on each connection.
pub struct Lifecycle {
    making: Making,
    form: Form,
    head: Head,
    prefix: String,
    next: Cell<usize>,
}

impl Lifecycle {
    /// Lives of keys under names with this prefix.
    ///
    /// # Errors
    /// Several requests or items at a time: each needs the answer of the one before.
    pub fn new(options: &Options, prefix: &str) -> Outcome<Self> {
        if options.pipeline > 1 || options.batch > 1 {
            return Err(Error::new("a lifecycle has one request under way, with one item"));
        }
        Ok(Self {
            making: Making::new(options),
            form: Form { version: options.version, several: false },
            head: Head::new(options.version, 1),
            prefix: prefix.to_owned(),
            next: Cell::new(0),
        })
    }
}

impl Talk for Lifecycle {
    fn ask(&self, line: &mut Line, out: &mut Vec<u8>) {
        // The step of the last request is what is left in `asked`; a new life begins with none.
        let step = line.asked.front().copied().unwrap_or_default();
        let item = match usize::try_from(step).ok().and_then(|step| STEPS.get(step)) {
            Some(&Operation::Activate) => self.form.about(Operation::Activate, &line.object, |_| ()),
            Some(&Operation::Revoke) => self.form.revoke(&line.object),
            Some(&Operation::Destroy) => self.form.about(Operation::Destroy, &line.object, |_| ()),
            _ => {
                let name = keys::name(&self.prefix, self.next.replace(self.next.get() + 1));
                self.making.dormant(self.form, &name)
            }
        };
        self.head.message(out, |_, out| out.extend_from_slice(&item));
    }

    fn hear(&self, line: &mut Line, message: &[u8], faults: &Faults) -> u64 {
        let step = line.asked.pop_front().unwrap_or_default();
        let operation = usize::try_from(step).ok().and_then(|step| STEPS.get(step)).copied();
        let operation = operation.unwrap_or(Operation::Create);
        let id = answer::replies(message, 1).and_then(|mut replies| {
            let payload = replies.next().ok_or("there is no item in an answer")?.payload(operation, None)?;
            let id = Walk(payload.get(8..).unwrap_or_default()).value_of(Tag::UniqueIdentifier).unwrap_or_default();
            let right = if operation == Operation::Create { !id.is_empty() } else { id == line.object.as_bytes() };
            if right { Ok(id) } else { Err(format!("{operation}: the answer is about another object")) }
        });
        match id {
            Err(words) => {
                // The object stays as it is, and another life begins.
                faults.add(words);
                0
            }
            Ok(_) if operation == Operation::Destroy => 1,
            Ok(id) => {
                line.object = String::from_utf8_lossy(id).into_owned();
                line.asked.push_back(step + 1);
                0
            }
        }
    }
}
