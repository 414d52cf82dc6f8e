//! kmipd.
