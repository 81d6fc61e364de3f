//! The administration of trust, as an axum router that a service mounts: pages for people, REST for programs.
//!
//! * **Incoming trust**: which applications may call this one as their users, with which rules.
//! * **Outgoing servers**: whom this application calls as its own users.
//! * **Set-up in two steps**: the other side's certificate is fetched and kept here, a person compares its fingerprint,
//!   and only what was shown is saved.
//! * **Own certificate and keys**, with their rotation; **users** no application may name; the **audit trail**; **would
//!   this be allowed?**; the **system**.
//!
//! Everything stands behind the service's own [`AdminCheck`], which is asked before anything else for every request.
//!
//! ```no_run
//! use std::net::SocketAddr;
//!
//! use axum::Router;
//! use taa_console::{AdminCheck, Console};
//! # use taa_service::{Setup, refresh::Refresher};
//! # use taa_store::Store;
//!
//! # fn mount(store: Store, setup: Setup, refresher: Refresher, check: impl AdminCheck)
//! #     -> Result<(), Box<dyn std::error::Error>> {
//! let console = Console::builder(store, setup, refresher, check).service("Tracker", "/").build()?;
//! let app: Router = Router::new().nest("/admin/trust", console.router());
//! // The system page shows who asks from where: serve it with the socket's address.
//! let service = app.into_make_service_with_connect_info::<SocketAddr>();
//! # let _ = service;
//! # Ok(())
//! # }
//! ```
//!
//! # What happens to a request
//!
//! 1. [`AdminCheck`]: who is not an administrator gets no further, on no path. A check that fails or panics lets nobody
//!    in.
//! 2. A change (every method but the safe ones) must not come from another site (`Sec-Fetch-Site`, or `Origin`), and the
//!    administrator must not have to confirm who they are first. A page's form brings the token of its session; a program
//!    brings the field `X-TAA-Console: 1`, which no form of another site can send. Safe methods change nothing.
//! 3. The handler. What it shows is what the database holds now: when that cannot be reached, the answer is 503.
//! 4. Every answer, errors too, is stored nowhere (`no-store`) and says to browsers that it may load nothing but its own
//!    stylesheet and icon, and be framed by nobody. There is no script.
//!
//! # Deploying
//!
//! * A service that answers preflight requests of other origins for every path lets their pages send the field
//!   `X-TAA-Console`: leave the console out of it. Such requests are refused by browsers' `Sec-Fetch-Site` all the same.
//! * Nodes behind one address share a [`FormKey`].
//! * When a proxy removes a part of the path, name the whole one: [`ConsoleBuilder::base_path`].

mod admin;
mod api;
mod audit_text;
mod change;
mod console;
mod extract;
mod failure;
mod guard;
mod headers;
mod links;
mod moment;
mod own_key;
mod page;
mod server_text;
mod token;
mod user_pattern;
mod users;
mod view;
mod visit;
mod waiting;

pub use admin::{Access, AdminCheck, AdminCheckError, Administrator};
pub use console::{Console, ConsoleBuilder, ConsoleError};
pub use token::FormKey;
