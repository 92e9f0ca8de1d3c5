//! Real brokers, each with a process, a port and a folder of its own.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bus::{Endpoint, Tls};
use serde_json::json;
use tempfile::TempDir;

/// The variable that gives a child process its broker's configuration.
pub(crate) const CONFIG: &str = "TIDEWATCH_TEST_BROKER";

/// What the child says before its address.
pub(crate) const LISTENING: &str = "listening on ";

/// Which broker a check runs against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Make {
    Embedded,
    Mosquitto,
}

/// Somebody who may come in, with the password `<name>'s secret`.
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) publish: &'static [&'static str],
    pub(crate) subscribe: &'static [&'static str],
}

/// A broker's process. It ends with this value.
pub(crate) struct Server {
    make: Make,
    child: Child,
    port: u16,
    dir: TempDir,
    people: Vec<Person>,
}

impl Server {
    pub(crate) fn start(make: Make) -> Self {
        Self::with_people(make, Vec::new())
    }

    pub(crate) fn with_people(make: Make, people: Vec<Person>) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        for person in &people {
            fs::write(secret(dir.path(), person.name), format!("{}'s secret\n", person.name))
                .expect("a password file");
        }
        let (child, port) = launch(make, dir.path(), &people, 0);
        Self { make, child, port, dir, people }
    }

    /// Mosquitto with TLS, where a certificate's name is the user's.
    pub(crate) fn with_certificates() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let path = |name: &str| certificate(name).display().to_string();
        let rules = dir.path().join("rules");
        fs::write(&rules, "pattern write tidewatch/v1/+/gateway/%u/status\n").expect("a file");
        let config = format!(
            "listener {port} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\n\
             require_certificate true\nuse_identity_as_username true\nacl_file {}\n",
            path("authority.pem"),
            path("broker.pem"),
            path("broker.key"),
            rules.display(),
        );
        let child = run_mosquitto(dir.path(), &config, port);
        Self { make: Make::Mosquitto, child, port, dir, people: Vec::new() }
    }

    pub(crate) fn endpoint_by_certificate(&self, name: &str) -> Endpoint {
        let tls = Tls {
            ca_file: certificate("authority.pem"),
            cert_file: Some(certificate(&format!("{name}.pem"))),
            key_file: Some(certificate(&format!("{name}.key"))),
        };
        Endpoint { tls: Some(tls), ..self.endpoint() }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint { port: self.port, ..Endpoint::default() }
    }

    pub(crate) fn endpoint_of(&self, name: &str) -> Endpoint {
        Endpoint {
            username: Some(name.to_owned()),
            password_file: Some(secret(self.dir.path(), name)),
            ..self.endpoint()
        }
    }

    /// As a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("its own child");
        self.child.wait().expect("its own child");
    }

    /// Ends as it is meant to.
    pub(crate) fn stop(&mut self) {
        match self.make {
            Make::Embedded => drop(self.child.stdin.take()),
            Make::Mosquitto => terminate(&self.child),
        }
        let status = self.child.wait().expect("its own child");
        assert!(status.success(), "{:?} ended with {status}", self.make);
    }

    /// Comes back on the same port with the same folder.
    pub(crate) fn restart(&mut self) {
        let (child, port) = launch(self.make, self.dir.path(), &self.people, self.port);
        assert_eq!(port, self.port);
        self.child = child;
    }

    /// Memory of the process that is in use now, MiB.
    pub(crate) fn resident_mib(&self) -> f64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(path).expect("a running process");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
        let kib = line.split_whitespace().nth(1).expect("a number");
        kib.parse::<f64>().expect("a number") / 1024.0
    }

    /// Seconds of processor time that the process has used.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = fs::read_to_string(path).expect("a running process");
        let after_name = stat.rsplit(") ").next().expect("fields");
        let fields: Vec<&str> = after_name.split(' ').collect();
        let ticks = |index: usize| fields[index].parse::<f64>().expect("a number");
        (ticks(11) + ticks(12)) / 100.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// A file that `certificates/make.sh` has made.
pub(crate) fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broker/certificates").join(name)
}

fn secret(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.secret"))
}

fn launch(make: Make, dir: &Path, people: &[Person], port: u16) -> (Child, u16) {
    match make {
        Make::Embedded => embedded(dir, people, port),
        Make::Mosquitto => mosquitto(dir, people, port),
    }
}

/// This test program again, told to run nothing but the broker.
fn embedded(dir: &Path, people: &[Person], port: u16) -> (Child, u16) {
    let users: Vec<_> = people
        .iter()
        .map(|person| {
            json!({
                "name": person.name,
                "password_file": secret(dir, person.name),
                "publish": person.publish,
                "subscribe": person.subscribe,
            })
        })
        .collect();
    let config = json!({
        "listen": format!("127.0.0.1:{port}"),
        "users": users,
        "data_dir": dir.join("broker"),
    });
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "a_broker_runs_until_its_input_ends", "--nocapture"])
        .env(CONFIG, config.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program again");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let address = lines
        .find_map(|line| line.ok()?.split_once(LISTENING).map(|(_, address)| address.to_owned()))
        .expect("the broker says where it listens");
    // Whatever else it says is read, so that it never waits for us.
    std::thread::spawn(move || lines.for_each(drop));
    let port = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    (child, port)
}

fn mosquitto(dir: &Path, people: &[Person], port: u16) -> (Child, u16) {
    let port = if port == 0 { free_port() } else { port };
    let mut config = format!(
        "listener {port} 127.0.0.1\npersistence true\npersistence_location {}/\n\
         max_queued_messages 0\nmax_inflight_messages 1000\nallow_anonymous {}\n",
        dir.display(),
        people.is_empty(),
    );
    if !people.is_empty() {
        let mut rules = String::new();
        for person in people {
            writeln!(rules, "user {}", person.name).expect("a string");
            for topic in person.publish {
                writeln!(rules, "topic write {}", topic.replace("%u", person.name))
                    .expect("a string");
            }
            for topic in person.subscribe {
                writeln!(rules, "topic read {}", topic.replace("%u", person.name))
                    .expect("a string");
            }
            add_password(&dir.join("passwords"), person.name);
        }
        fs::write(dir.join("rules"), rules).expect("a file");
        let dir = dir.display();
        write!(config, "acl_file {dir}/rules\npassword_file {dir}/passwords\n").expect("a string");
    }
    (run_mosquitto(dir, &config, port), port)
}

/// Runs the installed Mosquitto with a configuration until it listens.
fn run_mosquitto(dir: &Path, config: &str, port: u16) -> Child {
    let path = dir.join("mosquitto.conf");
    fs::write(&path, format!("{config}user root\nlog_dest none\n")).expect("a file");
    let program = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .expect("mosquitto is installed (Debian package `mosquitto`)");
    let mut child = Command::new(program)
        .arg("-c")
        .arg(path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("mosquitto");
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = child.try_wait().expect("its own child");
        assert!(ended.is_none(), "mosquitto ended with {ended:?}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child
}

fn add_password(file: &Path, name: &str) {
    if !file.exists() {
        fs::write(file, "").expect("a file");
    }
    let status = Command::new("mosquitto_passwd")
        .arg("-b")
        .arg(file)
        .args([name, &format!("{name}'s secret")])
        .status()
        .expect("mosquitto_passwd comes with mosquitto");
    assert!(status.success());
}

/// Mosquitto cannot choose a port itself.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn terminate(child: &Child) {
    let status = Command::new("kill").arg(child.id().to_string()).status().expect("kill");
    assert!(status.success());
}
