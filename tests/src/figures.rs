//! Figures that a test prints: what a process costs, and how long things take.

use anyhow::{Context, Result};

/// What a process has used.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// CPU time so far, seconds.
    pub cpu_s: f64,
    /// Resident memory, MiB.
    pub memory_mib: f64,
}

impl Usage {
    /// Reads `/proc` for a process id.
    ///
    /// # Errors
    /// Where the process is gone.
    pub fn of(id: u32) -> Result<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
        let after_name = stat.rsplit_once(')').context("/proc/stat without a name")?.1;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks = |index: usize| -> Result<f64> {
            Ok(fields.get(index).context("/proc/stat is short")?.parse::<f64>()?)
        };
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next())
            .context("/proc/status without VmRSS")?;
        // Linux counts CPU time in 1/100 s on every machine that Rust runs on.
        Ok(Self {
            cpu_s: (ticks(11)? + ticks(12)?) / 100.0,
            memory_mib: resident.parse::<f64>()? / 1024.0,
        })
    }
}

/// The 50th, 95th and 99th percentile.
///
/// # Panics
/// Where there is no value.
#[must_use]
pub fn percentiles(values: &[f64]) -> [f64; 3] {
    assert!(!values.is_empty(), "percentiles of nothing");
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a small list"
    )]
    let at = |p: f64| sorted[((sorted.len() - 1) as f64 * p).round() as usize];
    [at(0.5), at(0.95), at(0.99)]
}
