//! kmipd.
fn main() {}
