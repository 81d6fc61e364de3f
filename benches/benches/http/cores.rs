use core_affinity::CoreId;

/// How many cores a server gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cores {
    One,
    Two,
}

impl Cores {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::One => "one core",
            Self::Two => "two cores",
        }
    }

    pub(crate) fn count(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// Whether the machine has them. One core is not enough to be one: the loader would share it.
    pub(crate) fn are_here(self) -> bool {
        all().len() >= 2
    }

    /// The server's cores.
    pub(crate) fn server(self) -> Vec<CoreId> {
        all().into_iter().take(self.count()).collect()
    }

    /// The core that the loader has for itself, if there is one.
    pub(crate) fn loader(self) -> Option<CoreId> {
        all().get(self.count()).copied()
    }
}

fn all() -> Vec<CoreId> {
    core_affinity::get_core_ids().unwrap_or_default()
}

/// The processor time of a process in seconds, as Linux counts it; zero where it does not.
pub(crate) fn processor_seconds(process: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in parentheses may hold blanks. After it comes field 3; user and system time are 14 and 15 (proc(5)).
    let fields = text.rsplit_once(") ").map(|(_, fields)| fields).unwrap_or_default();
    let ticks: Vec<f64> = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    ticks.iter().sum::<f64>() / TICKS_PER_SECOND
}

/// `sysconf(_SC_CLK_TCK)`, which is 100 on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;
