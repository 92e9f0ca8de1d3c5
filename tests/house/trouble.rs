//! One band's trouble: its card says that it cannot see, and why, within ten seconds;
//! it never looks calm; nobody else notices.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use tests::{Bands, Card, House, Roles, Tablet, recording, until};

/// From the last valid sample to a card that says so: ten seconds, and one for looking.
const SAID_WITHIN: Duration = Duration::from_secs(11);

#[tokio::test]
async fn a_band_in_trouble_is_said_to_be_and_the_others_go_on() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut bands = Bands::start(folder.path(), &scenario()).await?;
    let house = House::start(folder.path(), &bands.bus, Roles::Hub).await?;
    let tablet = Tablet::set_up(&house.address()).await?;
    for band in &bands.bands {
        tablet.put_on(&format!("Person {}", band.band), &band.device).await?;
    }
    let troubled = bands.bands[0].device.clone();
    let others: Vec<_> = bands.bands[1..].iter().map(|band| band.device.clone()).collect();
    until("every band to be seen", Duration::from_secs(120), || async {
        Ok(tablet.cards().await?.iter().all(sees))
    })
    .await?;

    for (trouble, remedy, causes) in [
        ("vanish", "return", &["out_of_range"][..]),
        ("freeze", "thaw", &["frozen"]),
        ("garbage", "sane", &["band", "garbage"]),
        ("off_wrist", "on_wrist", &["off_wrist"]),
    ] {
        bands.befall(1, trouble).await?;
        let began = Instant::now();
        let limit = if trouble == "off_wrist" { Duration::from_secs(150) } else { SAID_WITHIN };
        until(&format!("the card to say that it cannot see after {trouble}"), limit, || async {
            everybody_else_is_seen(&tablet, &others).await?;
            let card = tablet.card(&troubled).await?;
            let cause = card.cause.as_deref().unwrap_or_default();
            Ok(card.level == "no_reading" && causes.contains(&cause))
        })
        .await
        .with_context(|| house.log("hub"))?;
        println!("{trouble}: said after {:.1} s", began.elapsed().as_secs_f64());
        bands.befall(1, remedy).await?;
        until(
            &format!("the band to be seen again after {remedy}"),
            Duration::from_secs(90),
            || async {
                everybody_else_is_seen(&tablet, &others).await?;
                Ok(sees(&tablet.card(&troubled).await?))
            },
        )
        .await
        .with_context(|| house.log("hub"))?;
    }

    bands.befall(1, "reboot").await?;
    let rebooted = now_ms()?;
    until("samples from after the reboot", Duration::from_secs(60), || async {
        everybody_else_is_seen(&tablet, &others).await?;
        let card = tablet.card(&troubled).await?;
        Ok(sees(&card) && card.last_sample_at.is_some_and(|at| at > rebooted + 2_000.0))
    })
    .await
    .with_context(|| house.log("hub"))?;
    house.stop().await
}

fn scenario() -> String {
    let bands = ["S01", "S02", "S04"].iter().enumerate().map(|(index, name)| {
        format!(
            "[[band]]\naddress = \"C0:FF:EE:00:00:2{index}\"\nname = \"TW-002{index}\"\n\
             body = {{ recording = {:?}, start = \"20min\" }}\nworn_before = \"18min\"\n",
            recording(&format!("{name}.zip"))
        )
    });
    format!("seed = 3\n{}", bands.collect::<String>())
}

fn sees(card: &Card) -> bool {
    card.level != "no_reading" && card.last_sample_at.is_some()
}

async fn everybody_else_is_seen(tablet: &Tablet, others: &[String]) -> Result<()> {
    let now = now_ms()?;
    for device in others {
        let card = tablet.card(device).await?;
        let age = now - card.last_sample_at.context("a card without a sample")?;
        assert!(
            sees(&card) && age < 5_000.0,
            "{device} was troubled too: {} {:?}, newest sample {age} ms old",
            card.level,
            card.cause
        );
    }
    Ok(())
}

fn now_ms() -> Result<f64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() * 1e3)
}
