//! Which services make up a role.

use std::sync::Arc;

use anyhow::Context;
use biosignal::SiteId;
use bus::broker::Broker;
use store::Store;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::supervisor::{Supervisor, stop_on_signal};
use crate::telemetry::{self, Health};
use crate::{detect, record};

/// What a process is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Hub,
    Broker,
    Gateway,
    Detect,
    Record,
    Console,
}

/// Runs a role until it is asked to stop or one of its services fails.
pub(crate) async fn run(role: Role, config: Config) -> anyhow::Result<()> {
    telemetry::start_logs(&config.telemetry)?;
    let shutdown = CancellationToken::new();
    stop_on_signal(shutdown.clone())?;
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("data_dir: cannot make {}", config.data_dir.display()))?;

    let health = Health::default();
    let mut house = Supervisor::new(shutdown, health.clone());
    let metrics = telemetry::start_metrics()?;
    let door = telemetry::bind(config.telemetry.listen).await?;
    house.start("telemetry", telemetry::serve(door, metrics, health, house.shutdown()));
    match role {
        Role::Hub => start_hub(&mut house, config).await?,
        Role::Broker => start_broker(&mut house, &config).await.map(drop)?,
        Role::Gateway => start_gateway(&mut house, &config, config.external_broker()?),
        Role::Detect => start_detect(&mut house, &config, config.external_broker()?)?,
        Role::Record => start_record(&mut house, &config, config.external_broker()?)?,
        Role::Console => start_console(&mut house, &config, config.external_broker()?)?,
    }
    house.run().await
}

async fn start_hub(house: &mut Supervisor, config: Config) -> anyhow::Result<()> {
    let endpoint = match &config.mqtt {
        Some(endpoint) => endpoint.clone(),
        None => start_broker(house, &config).await?,
    };
    start_record(house, &config, endpoint.clone())?;
    start_detect(house, &config, endpoint.clone())?;
    start_console(house, &config, endpoint.clone())?;
    start_gateway(house, &config, endpoint);
    Ok(())
}

/// Starts the embedded broker and says where it is reached from here.
async fn start_broker(house: &mut Supervisor, config: &Config) -> anyhow::Result<bus::Endpoint> {
    let mut broker = Broker::start(config.broker.clone()).await.context("embedded broker")?;
    let endpoint = broker.endpoint();
    house.start_beneath("broker", |shutdown| async move {
        tokio::select! {
            () = shutdown.cancelled() => broker.stop().await,
            ended = broker.ended() => ended,
        }
    });
    Ok(endpoint)
}

fn start_gateway(house: &mut Supervisor, config: &Config, endpoint: bus::Endpoint) {
    let Config { site, gateway, data_dir, .. } = config.clone();
    house.start("gateway", gateway::run(site, gateway, endpoint, data_dir, house.shutdown()));
}

fn start_record(
    house: &mut Supervisor,
    config: &Config,
    endpoint: bus::Endpoint,
) -> anyhow::Result<()> {
    let (site, store) = site_and_store(config)?;
    let service = record::run(site, config.record.clone(), endpoint, store, house.shutdown());
    house.start("recorder", service);
    Ok(())
}

fn start_detect(
    house: &mut Supervisor,
    config: &Config,
    endpoint: bus::Endpoint,
) -> anyhow::Result<()> {
    let (site, store) = site_and_store(config)?;
    let judge = detect::Judge::new(config.detector.rules.clone(), Arc::new(config.model()?));
    house.start("detector", detect::run(site, judge, endpoint, store, house.shutdown()));
    Ok(())
}

fn start_console(
    house: &mut Supervisor,
    config: &Config,
    endpoint: bus::Endpoint,
) -> anyhow::Result<()> {
    let (site, store) = site_and_store(config)?;
    let service = console::run(config.console.clone(), site, store, endpoint, house.shutdown());
    house.start("console", service);
    Ok(())
}

fn site_and_store(config: &Config) -> anyhow::Result<(SiteId, Store)> {
    let store = Store::open(&config.data_dir)
        .with_context(|| format!("cannot open the store in {}", config.data_dir.display()))?;
    Ok((config.site.clone(), store))
}
