//! The one integration test binary: a module for each topic.

mod store_conformance;
