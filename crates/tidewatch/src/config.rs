//! The configuration: one TOML file for every role, checked whole before anything opens.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use biosignal::SiteId;
use serde::Deserialize;

use crate::record::RecordConfig;

/// What `tidewatch.toml` says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The house; part of every topic.
    pub(crate) site: SiteId,
    /// Where everything that must survive is kept.
    pub(crate) data_dir: PathBuf,
    /// An external broker. Without it the hub runs its own.
    pub(crate) mqtt: Option<bus::Endpoint>,
    /// The embedded broker.
    #[serde(default)]
    pub(crate) broker: bus::broker::Config,
    /// Bluetooth.
    #[serde(default)]
    pub(crate) gateway: gateway::Config,
    /// The detector.
    #[serde(default)]
    pub(crate) detector: DetectorConfig,
    /// The recorder.
    #[serde(default)]
    pub(crate) record: RecordConfig,
    /// The tablets' door.
    #[serde(default)]
    pub(crate) console: console::Config,
    /// Logs and metrics.
    #[serde(default)]
    pub(crate) telemetry: TelemetryConfig,
}

/// `[detector]`: which model judges, and how.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DetectorConfig {
    /// A model file; without it the one that the binary carries.
    pub(crate) model_file: Option<PathBuf>,
    /// The detector's own settings.
    pub(crate) rules: detector::Config,
}

/// `[telemetry]`: what IT sees.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TelemetryConfig {
    /// Where `/healthz` and `/metrics` are served.
    pub(crate) listen: SocketAddr,
    /// Log filter, as in `info,gateway=debug`.
    pub(crate) log: String,
    /// Log lines for people or for machines.
    pub(crate) format: LogFormat,
}

/// The shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9464)),
            log: "info".to_owned(),
            format: LogFormat::Text,
        }
    }
}

impl Config {
    /// Reads and checks a file.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| {
            format!("cannot read the configuration {} (name another with --config)", file.display())
        })?;
        Self::parse(&text).with_context(|| format!("configuration {}", file.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let config: Self = toml::from_str(text)?;
        config.model().context("[detector] model_file")?;
        config.detector.rules.check().context("[detector.rules]")?;
        config.gateway.validate()?;
        telemetry_filter(&config.telemetry.log)?;
        Ok(config)
    }

    /// The detector's model: the configured file, else the one in the binary.
    pub(crate) fn model(&self) -> anyhow::Result<detector::Model> {
        let Some(file) = &self.detector.model_file else {
            return Ok(detector::default_model());
        };
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        detector::Model::from_json(&text).with_context(|| format!("model {}", file.display()))
    }

    /// The broker that every role but the hub's own needs to be told of.
    pub(crate) fn external_broker(&self) -> anyhow::Result<bus::Endpoint> {
        self.mqtt.clone().context(
            "this role needs a broker: add [mqtt] with host and port, or run `tidewatch hub`, which has its own",
        )
    }
}

/// Checks a log filter before anything is logged through it.
fn telemetry_filter(filter: &str) -> anyhow::Result<()> {
    tracing_subscriber::EnvFilter::try_new(filter)
        .map(drop)
        .with_context(|| format!("[telemetry] log: {filter:?} is not a log filter"))
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "site       {}", self.site)?;
        writeln!(f, "data       {}", self.data_dir.display())?;
        match &self.mqtt {
            Some(endpoint) => writeln!(f, "broker     {}:{}", endpoint.host, endpoint.port)?,
            None => writeln!(f, "broker     embedded, {}", self.broker.listen)?,
        }
        match &self.detector.model_file {
            Some(file) => writeln!(f, "model      {}", file.display())?,
            None => writeln!(f, "model      {} (built in)", detector::default_model().id())?,
        }
        writeln!(f, "console    http://{}", self.console.listen)?;
        write!(f, "telemetry  http://{}", self.telemetry.listen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> String {
        Config::parse(text).map_or_else(|error| format!("{error:#}"), |_| String::new())
    }

    #[test]
    fn the_least_configuration_is_a_site_and_a_folder() {
        assert_eq!(says("site = \"house-1\"\ndata_dir = \"/tmp/x\"\n"), "");
    }

    #[test]
    fn the_configuration_that_is_shown_is_sound() {
        assert_eq!(says(include_str!("../../../deploy/tidewatch.toml")), "");
    }

    #[test]
    fn a_wrong_configuration_is_named() {
        let least = "site = \"house-1\"\ndata_dir = \"/tmp/x\"\n";
        assert!(says("data_dir = \"/tmp/x\"").contains("missing field `site`"));
        assert!(says("site = \"House 1\"\ndata_dir = \"/tmp/x\"").contains("1 to 32 of a-z"));
        assert!(says(&format!("{least}[consol]\n")).contains("unknown field `consol`"));
        assert!(says(&format!("{least}[telemetry]\nlog = \"=,=\"\n")).contains("not a log filter"));
        let missing = says(&format!("{least}[detector]\nmodel_file = \"/none.json\"\n"));
        assert!(missing.contains("/none.json"), "{missing}");
        let calm = says(&format!("{least}[detector.rules]\noff_ratio = nan\n"));
        assert_eq!(calm, "[detector.rules]: off_ratio must be above 0, and 1 at most");
    }
}
