//! Whatever is pushed into a detector, and whatever its clock does: it never panics, and it
//! never has an opinion of somebody whom it cannot see.
#![no_main]

mod script;
mod watch;

use std::sync::{Arc, LazyLock};

use detector::{Config, Detector, Model, default_model};
use libfuzzer_sys::fuzz_target;
use script::{Player, Script};

static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| Arc::new(default_model()));

/// A detector that has known its wearer for a quarter of an hour: it has opinions.
static KNOWN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut player = Player::new(Detector::new(Config::default(), Arc::clone(&MODEL)), false);
    player.warm_up();
    player.snapshot()
});

fuzz_target!(|script: Script| {
    let detector = if script.known {
        let model = Arc::clone(&MODEL);
        Detector::restore(Config::default(), model, &KNOWN).expect("a snapshot of its own")
    } else {
        let config = Config { hop_s: script.hop_s(), ..Config::default() };
        Detector::new(config, Arc::clone(&MODEL))
    };
    let mut player = Player::new(detector, script.known);
    for step in script.steps {
        player.play(step, &MODEL);
    }
    player.end();
});
