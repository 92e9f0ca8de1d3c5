//! A whole house under test: real processes, a real broker, a private D-Bus with
//! virtual wristbands, and a tablet that speaks HTTP.
//!
//! Each part is a process of its own, so that it can be killed as a power cut would.

mod bands;
mod figures;
mod house;
mod process;
mod tablet;

pub use bands::{Band, Bands};
pub use figures::{Usage, percentiles};
pub use house::{House, Roles};
pub use process::{Process, program};
pub use tablet::{Card, Tablet};

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};

/// The recordings that stand beside the checkout.
#[must_use]
pub fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/recordings/stress-predict")
        .join(name)
}

/// Waits for a condition, and says what was waited for when it does not come.
///
/// # Errors
/// After `limit`, or when the condition itself fails for good.
pub async fn until<F, Fut>(what: &str, limit: Duration, mut condition: F) -> Result<()>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<bool>>,
{
    let deadline = tokio::time::Instant::now() + limit;
    loop {
        let outcome = condition().await;
        if matches!(outcome, Ok(true)) {
            return Ok(());
        }
        if tokio::time::Instant::now() >= deadline {
            match outcome {
                Err(error) => return Err(error.context(format!("waited for: {what}"))),
                Ok(_) => bail!("waited {limit:?} for: {what}"),
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
