//! The payloads as they travel, made from `proto/tidewatch.proto`.

include!(concat!(env!("OUT_DIR"), "/tidewatch.v1.rs"));
