//! Private keys at rest.

use taa_store::model::{AuditFilter, ImportedKey, KeyPurpose};
use taa_store::seal::{SealError, SealKey};
use taa_store::{Store, StoreError};
use zeroize::Zeroizing;

use crate::place::{Place, admin, own_identity};

on_both!(
    only_with_the_right_secret,
    sealed_from_the_first_key,
    sealed_when_a_secret_is_given_first,
    sealed_anew,
    put_in_the_clear,
    another_process_sealed_it_anew,
    rows_that_were_exchanged,
    two_at_once,
);

fn passphrase(text: &str) -> SealKey {
    SealKey::Passphrase(Zeroizing::new(text.to_owned()))
}

fn file(byte: u8) -> SealKey {
    SealKey::File(Zeroizing::new([byte; 32]))
}

fn refused(opened: Result<Store, StoreError>) -> SealError {
    match opened {
        Err(StoreError::Seal(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opened"),
    }
}

/// The base64 text of every private key, without the frame that all have.
async fn secrets(store: &Store) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for key in store.snapshot().own.clone().unwrap().keys {
        let text = store.export_key(key.id, &admin()).await.unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('-')).collect();
        // A few lines from the middle: the first ones are the public part.
        all.extend(lines[lines.len() / 2..].iter().take(3).map(|line| line.as_bytes().to_vec()));
        all.extend(lines[lines.len() / 2..].iter().take(3).map(|line| decoded(line)));
    }
    all
}

/// Base64 to bytes, by hand: a line of 64 characters is 48 bytes of DER.
fn decoded(line: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let place =
        |byte: u8| ALPHABET.iter().position(|known| *known == byte).map(|at| u32::try_from(at).unwrap());
    let sixes: Vec<u32> = line.bytes().map_while(place).collect();
    let bytes = sixes.chunks_exact(4).flat_map(|four| {
        let number = four.iter().fold(0, |number, six| (number << 6) | six);
        number.to_be_bytes()[1..].to_vec()
    });
    bytes.collect()
}

/// What can be found of them where the database keeps its rows.
async fn found(place: &Place, secrets: &[Vec<u8>]) -> usize {
    let bytes = everything(place).await;
    secrets
        .iter()
        .filter(|secret| bytes.windows(secret.len()).any(|window| window == secret.as_slice()))
        .count()
}

#[cfg(feature = "sqlite")]
fn files(place: &Place) -> Option<Vec<u8>> {
    let folder = std::fs::read_dir(place.folder()?).unwrap();
    Some(folder.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect())
}

#[cfg(not(feature = "sqlite"))]
fn files(_: &Place) -> Option<Vec<u8>> {
    None
}

/// The bytes of SQLite's files; of PostgreSQL the rows as they are read.
async fn everything(place: &Place) -> Vec<u8> {
    use sqlx::Row;
    if let Some(bytes) = files(place) {
        return bytes;
    }
    let rows = place.rows("SELECT private FROM taa_own_keys").await;
    rows.iter().flat_map(|row| row.get::<Vec<u8>, _>("private")).collect()
}

async fn only_with_the_right_secret(place: Place) {
    let store = place.open_sealed(passphrase("right")).await.unwrap();
    assert!(store.is_sealed());
    assert_eq!(
        refused(place.open_sealed(passphrase("wrong")).await),
        SealError::Wrong,
        "even before there is a key"
    );
    store.init(own_identity(), &admin()).await.unwrap();
    for wrong in [passphrase("wrong"), passphrase("right "), passphrase(""), file(0)] {
        assert_eq!(refused(place.open_sealed(wrong).await), SealError::Wrong);
    }
    assert_eq!(refused(place.open_sealed(SealKey::InsecureNone).await), SealError::PassphraseNeeded);
    let again = place.open_sealed(passphrase("right")).await.unwrap();
    assert!(again.snapshot().secrets.is_some());
}

async fn sealed_from_the_first_key(place: Place) {
    let store = place.open_sealed(file(9)).await.unwrap();
    store.init(own_identity(), &admin()).await.unwrap();
    store.publish_next_key(KeyPurpose::Legacy, &admin()).await.unwrap();
    let next = store.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap();
    let private = store.export_key(next, &admin()).await.unwrap();
    assert!(private.contains("PRIVATE KEY"));
    let secrets = secrets(&store).await;
    assert_eq!(secrets.len(), 24);
    assert_eq!(found(&place, &secrets).await, 0);
    assert_eq!(found(&place, &[b"PRIVATE KEY".to_vec()]).await, 0);
    // The search finds what is there.
    assert_eq!(refused(place.open_sealed(file(8)).await), SealError::Wrong);
    let key = store.snapshot().own.as_ref().unwrap().keys[0].id.to_string();
    if place.is_sqlite() {
        assert_eq!(found(&place, &[key.into_bytes()]).await, 1);
    }
}

async fn sealed_when_a_secret_is_given_first(place: Place) {
    let store = place.initialised().await;
    assert!(!store.is_sealed());
    let secrets = secrets(&store).await;
    assert!(found(&place, &secrets).await > 0, "in the clear, as was asked for");
    store.close().await;
    let before = place.count("taa_audit").await;
    let store = place.open_sealed(passphrase("now")).await.unwrap();
    assert!(store.is_sealed() && store.snapshot().secrets.is_some());
    assert_eq!(found(&place, &secrets).await, 0, "nothing is left of it");
    assert_eq!(place.count("taa_audit").await, before + 1);
    let trail = store.audit(&AuditFilter { limit: 1, ..AuditFilter::default() }).await.unwrap();
    assert_eq!((trail[0].action.as_str(), trail[0].actor.as_str()), ("store.resealed", "system"));
    assert_eq!(trail[0].detail, serde_json::json!({ "keys": 2, "old": "none", "new": "passphrase" }));
    assert_eq!(refused(place.open_sealed(SealKey::InsecureNone).await), SealError::PassphraseNeeded);
}

async fn sealed_anew(place: Place) {
    let store = place.open_sealed(passphrase("old")).await.unwrap();
    store.init(own_identity(), &admin()).await.unwrap();
    let identity = store.snapshot().own.as_ref().unwrap().certificate.document().to_owned();
    store.reseal(file(3), &admin()).await.unwrap();
    assert!(store.is_sealed());
    assert_eq!(refused(place.open_sealed(passphrase("old")).await), SealError::Wrong);
    let again = place.open_sealed(file(3)).await.unwrap();
    assert_eq!(again.snapshot().own.as_ref().unwrap().certificate.document(), identity);
    // The process that did it goes on, with new keys too.
    store.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap();
    assert_eq!(again.poll().await.unwrap().own.as_ref().unwrap().keys.len(), 3);
    let empty = store.reseal(passphrase(""), &admin()).await;
    assert!(matches!(empty, Err(StoreError::Seal(SealError::Empty))));
    assert!(place.open_sealed(file(3)).await.is_ok());
}

async fn put_in_the_clear(place: Place) {
    let store = place.open_sealed(passphrase("old")).await.unwrap();
    store.init(own_identity(), &admin()).await.unwrap();
    store.reseal(SealKey::InsecureNone, &admin()).await.unwrap();
    assert!(!store.is_sealed());
    let open = place.open().await;
    assert!(open.snapshot().secrets.is_some() && !open.is_sealed());
}

async fn another_process_sealed_it_anew(place: Place) {
    let behind = place.open_sealed(passphrase("old")).await.unwrap();
    behind.init(own_identity(), &admin()).await.unwrap();
    let ahead = place.open_sealed(passphrase("old")).await.unwrap();
    ahead.reseal(passphrase("new"), &admin()).await.unwrap();
    // It has the keys that it knows, and writes none that nobody could open.
    assert!(behind.poll().await.unwrap().secrets.is_some());
    let error = behind.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap_err();
    assert!(matches!(error, StoreError::Seal(SealError::Wrong)), "{error}");
    let pem = ahead.export_key(ahead.snapshot().own.as_ref().unwrap().keys[0].id, &admin()).await.unwrap();
    let key = ImportedKey { purpose: KeyPurpose::Signing, pkcs8_pem: pem };
    assert!(behind.import_key(key, &admin()).await.is_err());
    assert!(matches!(behind.reseal(file(1), &admin()).await, Err(StoreError::Seal(SealError::Wrong))));
    // A key that it cannot open keeps it at what it knows.
    ahead.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap();
    assert!(matches!(behind.poll().await, Err(StoreError::Seal(SealError::Wrong))));
    assert_eq!(behind.snapshot().own.as_ref().unwrap().keys.len(), 2);
    assert!(place.open_sealed(passphrase("new")).await.is_ok());
}

async fn rows_that_were_exchanged(place: Place) {
    let store = place.open_sealed(passphrase("x")).await.unwrap();
    store.init(own_identity(), &admin()).await.unwrap();
    store.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap();
    // The private part of one key under the name of another.
    place
        .sql(
            "UPDATE taa_own_keys SET private = (SELECT private FROM taa_own_keys WHERE status = 'next') \
             WHERE purpose = 'signing' AND status = 'current'",
        )
        .await;
    assert_eq!(refused(place.open_sealed(passphrase("x")).await), SealError::Wrong);
}

async fn two_at_once(place: Place) {
    place.initialised().await;
    let (first, second) =
        tokio::join!(place.open_sealed(passphrase("one")), place.open_sealed(passphrase("two")));
    let sealed = [first.is_ok(), second.is_ok()];
    assert!(sealed == [true, false] || sealed == [false, true], "{sealed:?}");
    let winner = if sealed[0] { "one" } else { "two" };
    assert!(place.open_sealed(passphrase(winner)).await.is_ok());
}

/// Where and how loud something was said.
#[cfg(feature = "sqlite")]
#[derive(Clone, Default)]
struct Said(std::sync::Arc<std::sync::Mutex<Vec<(String, tracing::Level)>>>);

#[cfg(feature = "sqlite")]
impl tracing::Subscriber for Said {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let metadata = event.metadata();
        self.0.lock().unwrap().push((metadata.target().to_owned(), *metadata.level()));
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn keys_in_the_clear_are_warned_of_each_time() {
    let said = Said::default();
    // While there is but one dispatcher, tracing asks that of the thread which first meets an event whether it is
    // wanted: another test, without a subscriber, would answer for this one.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let _heard = tracing::subscriber::set_default(said.clone());
    let warnings = || {
        let warned = ("taa".to_owned(), tracing::Level::WARN);
        said.0.lock().unwrap().drain(..).filter(|said| *said == warned).count()
    };
    let place = Place::sqlite();
    for _ in 0..2 {
        drop(place.open().await);
        assert_eq!(warnings(), 1);
    }
    let store = place.open_sealed(file(1)).await.unwrap();
    assert_eq!(warnings(), 0);
    store.reseal(SealKey::InsecureNone, &admin()).await.unwrap();
    assert_eq!(warnings(), 1);
}
