//! The real program as a child: on a free port, with a data folder of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long the program may take to begin or to end: far more than it needs, even when it
/// counts its lines for the coverage and the machine is busy.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A command line of the program, with nothing of this process' own settings.
pub fn zoco(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zoco"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ZOCO_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(folder)
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    zoco(folder).args(arguments).output().unwrap()
}

/// Runs a command to its end with something on its standard input.
pub fn run_with_input(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = zoco(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// A program that serves a shop. Dropped, it is killed.
pub struct Program {
    child: Child,
    stdout: Receiver<String>,
    log: PathBuf,
    /// What it printed up to the line that tells its address, and just after.
    pub printed: Vec<String>,
    /// `http://127.0.0.1:PORT`
    pub url: String,
}

impl Program {
    /// Starts it in `folder` on a free port and waits until it serves.
    pub fn start(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let log = folder.join("log");
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let mut child = zoco(folder)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .unwrap();
        let (line_out, stdout) = channel();
        let pipe = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in pipe.lines().map_while(Result::ok) {
                let _ = line_out.send(line);
            }
        });
        let mut program = Self {
            child,
            stdout,
            log,
            printed: Vec::new(),
            url: String::new(),
        };
        program.wait_for_address();
        program
    }

    fn wait_for_address(&mut self) {
        while self.url.is_empty() {
            let Ok(line) = self.stdout.recv_timeout(PATIENCE) else {
                panic!("the program did not start: {}", self.log());
            };
            if let Some(address) = line.strip_prefix("listening on ") {
                self.url = format!("http://{address}");
            }
            self.printed.push(line);
        }
        // It prints everything before it answers, so the rest is here once it has.
        ask(&self.url, "GET /health/ready HTTP/1.1", "");
        self.printed.extend(self.stdout.try_iter());
    }

    /// What it wrote to the log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What it printed after a label, such as `admin password: `.
    pub fn told(&self, label: &str) -> Option<&str> {
        self.printed
            .iter()
            .find_map(|line| line.strip_prefix(label))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as `docker stop` does.
    pub fn terminate(&self) {
        let done = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", self.id())])
            .status();
        assert!(done.unwrap().success());
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "it does not end: {}",
                self.log()
            );
            // Another process ends when it ends: nothing here can be waited for.
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it as an operator does; fails unless it ends well.
    pub fn stop(mut self) {
        self.terminate();
        let status = self.wait();
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// Kills it in the middle of whatever it does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// One request over a connection of its own; gives the whole answer as text.
pub fn ask(url: &str, request_line: &str, headers: &str) -> String {
    let address = url.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request =
        format!("{request_line}\r\nhost: {address}\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
