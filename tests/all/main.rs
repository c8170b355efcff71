//! The one integration test binary: a module for each topic.

mod corpus;
mod edit;
mod functions;
mod hostile;
mod mistakes;
mod sweep;
