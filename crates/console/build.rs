//! The tablet app is built by Node; this crate also builds where it has not been yet.

use std::path::Path;

fn main() {
    let app = Path::new("web/dist");
    println!("cargo::rerun-if-changed=web/dist");
    if let Err(error) = std::fs::create_dir_all(app) {
        println!("cargo::error=cannot make {}: {error}", app.display());
    }
}
