//! Keys that do not leave, on SoftHSM2 through a shim that writes down every call: `apt-get install softhsm2`. What SoftHSM2
//! lacks is tried on kryoptic.

#[cfg(test)]
#[path = "hsm/answers.rs"]
mod answers;
#[cfg(test)]
#[path = "hsm/attack.rs"]
mod attack;
#[cfg(test)]
#[path = "hsm/chacha.rs"]
mod chacha;
#[cfg(test)]
#[path = "hsm/derive.rs"]
mod derive;
#[cfg(test)]
#[path = "hsm/exported.rs"]
mod exported;
#[cfg(test)]
#[path = "hsm/guarded.rs"]
mod guarded;
#[cfg(test)]
#[path = "hsm/handles.rs"]
mod handles;
#[cfg(test)]
mod harness;
#[cfg(test)]
#[path = "hsm/house.rs"]
mod house;
#[cfg(test)]
#[path = "hsm/kinds.rs"]
mod kinds;
#[cfg(test)]
#[path = "hsm/modes.rs"]
mod modes;
#[cfg(test)]
#[path = "hsm/parents.rs"]
mod parents;
#[cfg(test)]
#[path = "hsm/parts.rs"]
mod parts;
#[cfg(test)]
#[path = "hsm/protection.rs"]
mod protection;
#[cfg(test)]
#[path = "harness/shim.rs"]
mod shim;
#[cfg(test)]
#[path = "hsm/speaker.rs"]
mod speaker;
#[cfg(test)]
#[path = "hsm/start.rs"]
mod start;
#[cfg(test)]
#[path = "hsm/streams.rs"]
mod streams;
#[cfg(test)]
#[path = "hsm/token.rs"]
mod token;
#[cfg(test)]
#[path = "hsm/triple.rs"]
mod triple;
#[cfg(test)]
#[path = "hsm/warm.rs"]
mod warm;
#[cfg(test)]
#[path = "hsm/wrapping.rs"]
mod wrapping;
#[cfg(test)]
#[path = "hsm/xml.rs"]
mod xml;
