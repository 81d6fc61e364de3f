//! The manual, made of the command line itself.

use std::fmt::Write;

use clap::{Command, CommandFactory};

use crate::args::Cli;

const HEAD: &str = "# The command `taa`

<!-- Made by `taa help-markdown`. A test compares it: change the command line, not this file. -->

Every command takes the options of the first section. Results go to standard output, remarks and questions to standard
error; with `--json` the result is one JSON document, and a failure is `{\"error\": …, \"exit\": …}` on standard error.
Times are UTC. Secrets are read from files and written to new files that only their owner can read.
";

/// The help of every command, in Markdown.
pub(super) fn markdown() -> String {
    let mut text = HEAD.to_owned();
    let mut root = Cli::command().term_width(100);
    root.build();
    section(&mut text, &root, "taa");
    text
}

fn section(text: &mut String, command: &Command, path: &str) {
    let mut shown = command.clone().term_width(100).bin_name(path);
    if path != "taa" {
        // Told once, in the first section.
        shown = shown.mut_args(|arg| {
            let everywhere = arg.is_global_set() || arg.get_id() == "help";
            arg.hide(everywhere)
        });
    }
    let help = shown.render_long_help().to_string();
    // Writing to a String cannot fail.
    let _never = write!(text, "\n## {path}\n\n```text\n{}\n```\n", trimmed(&help));
    let inner = command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help");
    for inner in inner {
        section(text, inner, &format!("{path} {}", inner.get_name()));
    }
}

fn trimmed(help: &str) -> String {
    help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}
