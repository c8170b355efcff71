//! The one integration test binary: a module for each topic.

mod corpus;
mod edit;
mod read;
mod refuse;
mod sweep;
