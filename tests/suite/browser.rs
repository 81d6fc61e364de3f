//! The console as a person sees it: headless Chromium, driven by chromedriver, against real services on loopback.
//!
//! Each page is also looked at for what keeps people out: labels, headings, contrast in both colour schemes, reach by
//! keyboard, and width on a phone. `TAA_SCREENSHOTS=DIR` keeps a picture of each.

mod accessibility;
mod console;
mod driver;
mod world;
