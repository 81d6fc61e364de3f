/// The sentence for what the page before has just done; its word stands in the query, so only fixed sentences are shown.
pub(crate) fn text(word: &str) -> Option<&'static str> {
    TEXTS.iter().find(|(known, _)| *known == word).map(|(_, text)| *text)
}

const TEXTS: &[(&str, &str)] = &[
    ("added", "Saved. It is in force for the next request."),
    ("disabled", "Switched off. The next request is refused."),
    ("enabled", "Switched on."),
    ("given-up", "Given up. Nothing was saved."),
    ("key-imported", "The key was made."),
    ("key-promoted", "The next key is now the current one."),
    ("key-published", "A next key was made and is published in the certificate."),
    ("key-revoked", "The key was revoked. It is never used again."),
    ("keys-removed", "Ended keys were deleted."),
    ("keys-taken", "Its keys were taken over. They are in force for the next request."),
    ("no-ended-keys", "No key has ended yet, so none was deleted."),
    ("profile", "Saved. The certificate has a new number."),
    ("refresh-kept", "The certificate was fetched and not taken over: see below."),
    ("refresh-same", "The certificate was fetched. It is the one held."),
    ("refresh-taken", "A newer certificate was taken over."),
    ("removed", "Deleted. The next request is refused."),
    ("saved", "Saved. It is in force for the next request."),
    ("server-added", "Saved. Requests can be signed for it now."),
    ("server-removed", "Deleted. Nothing is signed for it any more."),
    ("server-saved", "Saved. It is in force for the next request."),
    ("user-restored", "Taken off the list."),
    ("user-revoked", "No application may name this user any more."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known() {
        assert!(text("saved").is_some());
        assert_eq!(text("Your account is locked, call 555"), None);
    }
}
