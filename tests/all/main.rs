//! The one integration test binary: a module for each topic.

mod functions;
mod hostile;
mod mistakes;
mod corpus;
mod edit;
mod sweep;
