//! Colours, where there is a terminal that shows them and nobody asked for none (`NO_COLOR`).

use std::io;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

/// What a word tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Doubtful,
    Bad,
    Faint,
    Strong,
}

impl Tone {
    fn style(self) -> Style {
        let style = Style::new();
        match self {
            Self::Good => style.fg_color(Some(AnsiColor::Green.into())),
            Self::Doubtful => style.fg_color(Some(AnsiColor::Yellow.into())),
            Self::Bad => style.fg_color(Some(AnsiColor::Red.into())).bold(),
            Self::Faint => style.dimmed(),
            Self::Strong => style.bold(),
        }
    }

    /// The text in this tone.
    pub(crate) fn paint(self, text: &str, coloured: bool) -> String {
        if !coloured {
            return text.to_owned();
        }
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}

pub(crate) fn stdout_is_coloured() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

pub(crate) fn stderr_is_coloured() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}
