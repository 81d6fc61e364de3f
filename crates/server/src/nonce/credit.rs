use taa_core::id::AppId;

/// Entries that were counted for one application ahead of time, in one part of a table and one generation.
///
/// The counts are places in memory for which all cores queue. A part that counts several entries at once comes there that
/// much less often; what it has not used yet it keeps here, under its own lock.
#[derive(Default)]
pub(super) struct Credit(
    // Whose, and how many: never zero.
    Option<(AppId, u32)>,
);

impl Credit {
    /// Takes one, if there is one for this application.
    pub(super) fn spend(&mut self, app: &AppId) -> bool {
        let Some((_, left)) = self.0.as_mut().filter(|(whose, _)| whose == app) else { return false };
        *left -= 1;
        if *left == 0 {
            self.0 = None;
        }
        true
    }

    /// Whether none is left, so that there is room for another application's.
    pub(super) fn is_used_up(&self) -> bool {
        self.0.is_none()
    }

    /// Keeps these, where none is left.
    pub(super) fn fill(&mut self, app: &AppId, entries: u32) {
        self.0 = (entries > 0).then(|| (app.clone(), entries));
    }

    /// Whose it was, and what is left of it.
    pub(super) fn into_left(self) -> Option<(AppId, u32)> {
        self.0
    }

    /// What is left for this application, or for any.
    pub(super) fn left(&self, app: Option<&AppId>) -> u32 {
        match &self.0 {
            Some((whose, left)) if app.is_none_or(|app| app == whose) => *left,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_were_counted_and_for_nobody_else() {
        let [wiki, blog] = ["wiki", "blog"].map(|id| AppId::parse(id).unwrap());
        let mut credit = Credit::default();
        assert!(credit.is_used_up() && !credit.spend(&wiki));
        credit.fill(&wiki, 2);
        assert!(!credit.spend(&blog));
        assert_eq!((credit.left(None), credit.left(Some(&wiki)), credit.left(Some(&blog))), (2, 2, 0));
        assert!(credit.spend(&wiki) && !credit.is_used_up());
        assert!(credit.spend(&wiki) && credit.is_used_up() && !credit.spend(&wiki));
        credit.fill(&blog, 1);
        assert!(!credit.spend(&wiki) && credit.spend(&blog) && !credit.spend(&blog));
        assert_eq!(credit.into_left(), None);
    }
}
