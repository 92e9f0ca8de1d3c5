//! Compiles the payload definitions. protox does it in Rust: no `protoc` to install.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const PROTO: &str = "proto/tidewatch.proto";
    println!("cargo:rerun-if-changed={PROTO}");
    let descriptors = protox::compile([PROTO], ["proto"])?;
    prost_build::Config::new().compile_fds(descriptors)?;
    Ok(())
}
