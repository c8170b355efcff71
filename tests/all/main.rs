//! The one integration test binary: a module for each topic.

mod corpus;
mod edit;
mod refuse;
mod sweep;
