//! What it takes to make a report again.

use std::ffi::OsString;
use std::path::Path;

use crate::evaluate::outcome::Protocol;

/// The command that is running, as a shell takes it.
pub(crate) fn command(mut words: impl Iterator<Item = OsString>) -> String {
    let program = words.next().unwrap_or_default();
    let program = Path::new(&program).file_name().unwrap_or(&program).to_os_string();
    let all = std::iter::once(program).chain(words);
    all.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |it: char| it.is_alphanumeric() || "-_./=,:+@%".contains(it);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// What was drawn, and how, in sentences.
pub(super) fn drawn(protocol: &Protocol) -> Vec<String> {
    let cropped = match protocol.crop_seed {
        Some(seed) => format!(
            "Cut off the start of each recording: the SHA-256 of \u{201c}{seed}:RECORDING\u{201d} as a \
             number, modulo 601, in seconds; in Python int(hashlib.sha256(b\"{seed}:S02\").hexdigest(), \
             16) % 601."
        ),
        None => "Recordings were scored from their start: nothing was cut off.".to_owned(),
    };
    let drawn = format!(
        "Drawn: {} copies turned in time for chance, {} sets of people for intervals, {} orders of \
         blocks. The same command on the same recordings gives the same figures.",
        protocol.surrogates, protocol.bootstrap_draws, protocol.shuffled_orders
    );
    vec![cropped, drawn]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_given_to_a_shell_again() {
        let words = ["/usr/bin/tidewatch", "study", "--html", "my report.html", "it's", ""];
        assert_eq!(
            command(words.into_iter().map(OsString::from)),
            "tidewatch study --html 'my report.html' 'it'\\''s' ''"
        );
    }
}
