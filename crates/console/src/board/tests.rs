use super::*;

/// A board with one person, Ali, on a clock of seconds that the test turns.
struct Scene {
    board: Board,
    now_s: i64,
}

fn device() -> DeviceId {
    DeviceId::from_address([0xC0, 0xFF, 0xEE, 0, 0, 1])
}

fn person() -> PersonId {
    PersonId::new("p-ali").unwrap()
}

fn gateway() -> GatewayId {
    GatewayId::new("hall").unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

impl Scene {
    fn new() -> Self {
        let fresh = Freshness::new(Duration::from_secs(10), Duration::from_secs(30));
        let mut board = Board::new(fresh);
        board.set_broker_reached(true);
        board.set_people(vec![(person(), "Ali".to_owned())]);
        board.set_assignments(&[(device(), person(), at(1_000))], at(1_000));
        Self { board, now_s: 1_000 }
    }

    /// Time passes while the band sends each second and the detector judges each ten.
    fn worn(&mut self, seconds: i64, level: Level) -> &mut Self {
        self.samples(seconds, Some(level), |second| 700_000 + i32::try_from(second % 7).unwrap())
    }

    fn samples(
        &mut self,
        seconds: i64,
        level: Option<Level>,
        eda: impl Fn(i64) -> i32,
    ) -> &mut Self {
        for _ in 0..seconds {
            self.now_s += 1;
            self.reading(Channel::Eda, self.now_s - 1, eda(self.now_s));
            if let Some(level) = level.filter(|_| self.now_s % 10 == 0) {
                self.judged(level, None);
            }
        }
        self
    }

    fn reading(&mut self, channel: Channel, measured_s: i64, sample: i32) -> &mut Self {
        let reading = Reading {
            device: device(),
            channel,
            epoch: 1,
            sequence: 1,
            measured_at: at(measured_s),
            received_at: at(self.now_s),
            period_us: 1_000_000,
            samples: vec![sample],
        };
        self.board.take_reading(&reading, at(self.now_s));
        self
    }

    fn judged(&mut self, level: Level, cause: Option<&str>) -> &mut Self {
        let verdict = Verdict {
            at: at(self.now_s - 2),
            level,
            score: Some(0.25),
            cause: cause.map(str::to_owned),
            personal: true,
        };
        self.board.take_verdict(&person(), verdict, at(self.now_s));
        self
    }

    fn status(&mut self, link: Link, cause: Option<&str>, contact: Option<bool>) -> &mut Self {
        let status = Status {
            gateway: gateway(),
            at: at(self.now_s),
            link,
            cause: cause.map(str::to_owned),
            battery_percent: Some(80),
            rssi_dbm: Some(-60),
            profile: "tidewatch".to_owned(),
            contact,
        };
        self.board.take_status(device(), status);
        self
    }

    fn silent(&mut self, seconds: i64) -> &mut Self {
        self.now_s += seconds;
        self
    }

    fn card(&mut self) -> Card {
        self.board.cards(at(self.now_s)).remove(0)
    }

    #[track_caller]
    fn check(&mut self, level: Level, cause: Option<&str>, since_s: i64) {
        let card = self.card();
        assert_eq!(
            (card.level, card.cause.as_deref(), card.since),
            (level, cause, Millis(since_s * 1_000)),
            "at {}",
            self.now_s
        );
        assert_eq!(card.cause_text.is_some(), level == Level::NoReading);
    }
}

#[test]
fn a_worn_band_shows_what_the_detector_says_since_it_says_so() {
    let mut scene = Scene::new();
    scene.worn(60, Level::Settled).check(Level::Settled, None, 1_008);
    scene.worn(10, Level::Rising).check(Level::Rising, None, 1_068);
    scene.worn(20, Level::Rising).check(Level::Rising, None, 1_068);
    let card = scene.card();
    assert_eq!(card.last_sample_at, Some(Millis(1_089_000)));
    assert_eq!(card.measured_at, Some(Millis(1_089_000)));
    assert_eq!((card.completeness, card.personal), (1.0, true));
    assert!(card.eda.is_some_and(|eda| (0.7..0.71).contains(&eda)));
    assert_eq!(card.trend.len(), 9);
}

#[test]
fn ten_seconds_of_silence_are_no_reading_since_the_last_sample() {
    let mut scene = Scene::new();
    scene.worn(60, Level::Settled).status(Link::Connected, None, None);
    scene.silent(8).check(Level::Settled, None, 1_008);
    scene.silent(1).check(Level::NoReading, Some("band"), 1_059);
    scene.status(Link::OutOfRange, Some("out_of_range"), None);
    scene.silent(100).check(Level::NoReading, Some("out_of_range"), 1_059);
    let card = scene.card();
    assert_eq!((card.heart_rate, card.eda, card.measured_at), (None, None, None));
    assert_eq!(card.battery, Some(80));
}

#[test]
fn a_high_that_falls_silent_is_not_seen_either() {
    let mut scene = Scene::new();
    scene.worn(60, Level::High).check(Level::High, None, 1_008);
    scene.silent(9).check(Level::NoReading, Some("out_of_range"), 1_059);
    scene.worn(1, Level::High);
    assert_eq!(scene.card().level, Level::High, "a finding of 12 s ago still holds");
}

#[test]
fn a_silent_detector_is_not_calm() {
    let mut scene = Scene::new();
    scene.worn(60, Level::Settled);
    scene.samples(27, None, |second| 700_000 + i32::try_from(second % 5).unwrap());
    scene.check(Level::Settled, None, 1_008);
    scene.samples(1, None, |_| 700_000).check(Level::NoReading, Some("detector"), 1_058);
}

#[test]
fn samples_without_a_finding_yet_are_starting() {
    let mut scene = Scene::new();
    scene.samples(5, None, |_| 700_000).check(Level::NoReading, Some("starting"), 1_000);
}

#[test]
fn the_broken_link_nearest_to_the_tablet_is_the_cause() {
    let mut scene = Scene::new();
    scene.worn(60, Level::Settled).status(Link::OutOfRange, Some("out_of_range"), None);
    scene.silent(20).check(Level::NoReading, Some("out_of_range"), 1_059);
    scene.board.take_gateway(gateway(), false);
    scene.check(Level::NoReading, Some("gateway"), 1_059);
    scene.board.set_broker_reached(false);
    scene.check(Level::NoReading, Some("broker"), 1_059);
    scene.board.set_broker_reached(true);
    scene.board.take_gateway(gateway(), true);
    scene.check(Level::NoReading, Some("out_of_range"), 1_059);
}

#[test]
fn every_link_without_samples_names_a_cause() {
    let causes = [
        (Link::Connecting, "connecting"),
        (Link::OutOfRange, "out_of_range"),
        (Link::AdapterDown, "adapter"),
        (Link::NoSlot, "no_slot"),
        (Link::Silent, "band"),
        (Link::Garbage, "garbage"),
        (Link::Released, "released"),
    ];
    for (link, cause) in causes {
        let mut scene = Scene::new();
        scene.status(link, None, None).silent(20).check(Level::NoReading, Some(cause), 1_000);
    }
}

#[test]
fn a_band_that_says_it_is_off_the_wrist_is_believed_at_once() {
    let mut scene = Scene::new();
    scene.worn(60, Level::Settled).status(Link::Connected, None, Some(false));
    scene.check(Level::NoReading, Some("off_wrist"), 1_060);
    scene.worn(1, Level::Settled).status(Link::Connected, None, Some(true));
    assert_eq!(scene.card().level, Level::Settled);
}

#[test]
fn what_the_detector_cannot_see_is_told_with_its_cause() {
    let mut scene = Scene::new();
    scene.worn(60, Level::Settled).judged(Level::NoReading, Some("frozen"));
    scene.worn(5, Level::Settled).judged(Level::NoReading, Some("frozen"));
    scene.check(Level::NoReading, Some("frozen"), 1_063);
    assert_eq!(scene.card().trend.last().unwrap().1, None);
}

#[test]
fn a_frozen_value_is_not_shown() {
    let mut scene = Scene::new();
    scene.samples(90, Some(Level::Settled), |_| 700_000);
    assert_eq!(scene.card().eda, None);
}

#[test]
fn without_a_band_nothing_is_seen() {
    let mut scene = Scene::new();
    scene.worn(60, Level::Settled).board.set_assignments(&[], at(1_060));
    scene.check(Level::NoReading, Some("no_band"), 1_060);
    assert_eq!(scene.card().device, None);
}

#[test]
fn a_finding_on_the_band_worn_before_says_nothing_of_the_new_one() {
    let mut scene = Scene::new();
    scene.worn(60, Level::Settled);
    let other = DeviceId::from_address([9; 6]);
    scene.board.set_assignments(&[(other, person(), at(1_060))], at(1_060));
    scene.check(Level::NoReading, Some("out_of_range"), 1_060);
    scene.board.set_assignments(&[(device(), person(), at(1_061))], at(1_061));
    scene.samples(2, None, |_| 700_000).check(Level::NoReading, Some("starting"), 1_060);
}

#[test]
fn a_finding_from_the_future_holds_no_longer_than_others() {
    let mut scene = Scene::new();
    scene.worn(5, Level::Learning);
    let (level, score) = (Level::Settled, Some(0.1));
    let verdict = Verdict { at: at(999_999), level, score, cause: None, personal: false };
    scene.board.take_verdict(&person(), verdict, at(scene.now_s));
    assert_eq!(scene.card().level, Level::Settled);
    scene.samples(30, None, |_| 700_000);
    assert_eq!(scene.card().level, Level::NoReading);
}

#[test]
fn only_cards_that_changed_are_told() {
    let mut scene = Scene::new();
    assert_eq!(scene.board.changes(at(1_000)).len(), 1);
    assert_eq!(scene.board.changes(at(1_000)).len(), 0);
    scene.worn(1, Level::Settled);
    assert_eq!(scene.board.changes(at(1_001)).len(), 1);
}

#[test]
fn who_needs_somebody_comes_first() {
    let mut scene = Scene::new();
    let other = PersonId::new("p-bea").unwrap();
    let people = vec![(person(), "Ali".to_owned()), (other.clone(), "Bea".to_owned())];
    assert!(!scene.board.set_people(people));
    scene.worn(60, Level::Settled);
    let names: Vec<_> = scene.board.cards(at(1_060)).into_iter().map(|card| card.name).collect();
    assert_eq!(names, ["Bea", "Ali"], "not to be seen comes before calm");
    assert!(scene.board.set_people(vec![(other, "Bea".to_owned())]), "Ali left");
}
