//! Both sides over sockets on this machine: HTTP/1.1 and HTTP/2, two clients, two ways to serve.

mod applications;
mod fetching;
mod net;
mod requests;
mod tampering;
mod wire;
