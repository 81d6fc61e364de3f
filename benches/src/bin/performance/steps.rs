use std::process::Command;
use std::time::Duration;

use taa_benches::{Report, results};
use taa_core::time::{Clock, SystemClock};

use crate::collect;

/// Something that is measured by one command.
pub(crate) struct Step {
    /// The name of its result, and of what cargo runs.
    pub(crate) name: &'static str,
    /// How its result is found.
    from: From,
    /// How long it takes about, built, in seconds.
    seconds: u64,
}

/// Where a result comes from.
#[derive(Clone, Copy, PartialEq)]
enum From {
    /// The bench writes it.
    Bench,
    /// Criterion wrote it for this bench.
    Criterion,
    /// The tests print it.
    Allocations,
    /// The file of counts, which the program compares with.
    Counts,
}

/// All steps, in order.
pub(crate) const ALL: [Step; 9] = [
    Step { name: "peers", from: From::Criterion, seconds: 110 },
    Step { name: "header", from: From::Criterion, seconds: 190 },
    Step { name: "middleware", from: From::Criterion, seconds: 40 },
    Step { name: "scale", from: From::Bench, seconds: 15 },
    Step { name: "threads", from: From::Bench, seconds: 25 },
    Step { name: "memory", from: From::Bench, seconds: 15 },
    Step { name: "http", from: From::Bench, seconds: 150 },
    Step { name: "allocations", from: From::Allocations, seconds: 5 },
    Step { name: "counts", from: From::Counts, seconds: 60 },
];

/// Removes the results of these steps; without names, of all.
pub(crate) fn forget(names: &[String]) -> Result<(), String> {
    if let Some(unknown) = names.iter().find(|name| !ALL.iter().any(|step| step.name == **name)) {
        let known: Vec<_> = ALL.iter().map(|step| step.name).collect();
        return Err(format!("{unknown} is no step; these are: {}", known.join(", ")));
    }
    for step in ALL.iter().filter(|step| names.is_empty() || names.iter().any(|name| name == step.name)) {
        match std::fs::remove_file(Report::path(step.name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.to_string()),
            _ => {}
        }
    }
    Ok(())
}

/// Runs the steps that have no result.
pub(crate) fn run() -> Result<(), String> {
    let open: Vec<_> = ALL.iter().filter(|step| Report::read(step.name).is_none()).collect();
    let mut left: u64 = open.iter().map(|step| step.seconds).sum();
    for (number, step) in open.iter().enumerate() {
        println!(
            "\n== {} ({} of {}): about {}, in all {} to go, without building",
            step.name,
            number + 1,
            open.len(),
            minutes(step.seconds),
            minutes(left)
        );
        let clock = SystemClock::new();
        step.run()?;
        left -= step.seconds;
        println!("-- {}: {}", step.name, minutes(clock.monotonic().as_secs()));
    }
    Ok(())
}

impl Step {
    fn run(&self) -> Result<(), String> {
        let report = match self.from {
            From::Bench => {
                succeed(&mut self.cargo(&["bench", "--profile", "release"], "--bench"), self.name)?;
                return Report::read(self.name)
                    .map(|_| ())
                    .ok_or_else(|| format!("{} wrote nothing", self.name));
            }
            From::Criterion => {
                let since = SystemClock::new().wall().map_err(|error| error.to_string())?;
                succeed(&mut self.cargo(&["bench", "--profile", "release"], "--bench"), self.name)?;
                collect::criterion(self.name, since)?
            }
            From::Allocations => {
                let mut command = self.cargo(&["test", "--release"], "--test");
                let output = command.args(["--", "--nocapture"]).output();
                let output = output.map_err(|error| error.to_string())?;
                let text = String::from_utf8_lossy(&output.stdout);
                if !output.status.success() {
                    return Err(format!("{text}{}", String::from_utf8_lossy(&output.stderr)));
                }
                collect::allocations(&text)
            }
            From::Counts => {
                succeed(&mut self.cargo(&["run", "--release"], "--bin"), self.name)?;
                collect::counts()?
            }
        };
        std::fs::create_dir_all(results()).map_err(|error| error.to_string())?;
        report.write();
        Ok(())
    }

    /// All are built in the same way, so that each library is built once.
    fn cargo(&self, arguments: &[&str], kind: &str) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(arguments).args(["-p", "taa-benches", kind, self.name]);
        command
    }
}

fn succeed(command: &mut Command, name: &str) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{name}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name}: {status}")) }
}

fn minutes(seconds: u64) -> String {
    let span = Duration::from_secs(seconds).as_secs();
    format!("{}:{:02} min", span / 60, span % 60)
}
