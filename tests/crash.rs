//! kmipd is killed under load and starts again: what was acknowledged is there, and what was not is there whole or not at
//! all. (What a power cut does, tests/powercut.rs shows.)

#[cfg(test)]
mod harness;

#[cfg(test)]
#[path = "crash/kill.rs"]
mod kill;
#[cfg(test)]
#[path = "crash/load.rs"]
mod load;
#[cfg(test)]
#[path = "crash/world.rs"]
mod world;
