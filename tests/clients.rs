//! What known clients send and depend on, played from descriptions of their exchanges: messages are put together element
//! by element as the client does, not by this server's own requests, and answers are looked at where the client looks.

#[cfg(test)]
mod harness;

#[cfg(test)]
#[path = "clients/appliances.rs"]
mod appliances;
#[cfg(test)]
#[path = "clients/databases.rs"]
mod databases;
#[cfg(test)]
#[path = "clients/platforms.rs"]
mod platforms;
#[cfg(test)]
#[path = "clients/session.rs"]
mod session;
