use std::process::Command;

use serde::Serialize;

/// What the figures were found on.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    /// Those of the processor's features that change which code runs.
    pub(crate) features: Vec<String>,
    pub(crate) compiler: String,
    pub(crate) commit: String,
    pub(crate) date: String,
}

impl Machine {
    pub(crate) fn this() -> Result<Self, String> {
        let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            let line = text.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name));
            line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
        };
        let flags = field("flags").unwrap_or_default();
        let features = ["aes", "avx2", "avx512f", "sha_ni"];
        let has = |feature: &&str| flags.split(' ').any(|flag| flag == *feature);
        Ok(Self {
            processor: field("model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism().map_err(|error| error.to_string())?.get(),
            features: features.into_iter().filter(has).map(str::to_owned).collect(),
            compiler: said("rustc", &["--version"])?,
            commit: said("git", &["describe", "--always", "--dirty"])?,
            date: said("date", &["-u", "+%Y-%m-%d"])?,
        })
    }
}

fn said(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
