/// What a route has chosen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Route {
    pub(crate) anonymous: bool,
    pub(crate) verifying_stream: bool,
}
