//! Makes a new or removed file of `stdlib/` rebuild the crate that embeds it.

fn main() {
    println!("cargo:rerun-if-changed=stdlib");
    println!("cargo:rerun-if-changed=build.rs");
}
