use super::*;
use crate::session::NameKey;

fn name(number: u64) -> SessionName {
    SessionName::of(&NameKey::from_random([4; 16]), "any", &number.to_be_bytes())
}

fn app(name: &str) -> AppId {
    AppId::parse(name).unwrap()
}

fn table(total: usize, per_application: usize) -> SessionTable<One> {
    SessionTable::new(SessionLimits { total, per_application })
}

/// In the place of a session.
#[derive(Debug)]
struct One {
    app: AppId,
    number: u64,
    /// How often it is there.
    alive: Arc<()>,
}

impl Tabled for One {
    fn application(&self) -> &AppId {
        &self.app
    }
}

fn one(application: &str, number: u64) -> One {
    One { app: app(application), number, alive: Arc::default() }
}

fn open(table: &SessionTable<One>, application: &str, number: u64) {
    assert_eq!(table.insert(name(number), one(application, number), END, NOW).number, number);
}

fn known(table: &SessionTable<One>, numbers: std::ops::Range<u64>) -> Vec<u64> {
    // By peeking, which is no use.
    numbers.filter(|number| table.peek(name(*number)).is_some()).collect()
}

const NOW: UnixMillis = UnixMillis(1_000);
const END: UnixMillis = UnixMillis(2_000);

#[test]
fn found_until_it_is_over() {
    let table = table(10, 10);
    assert!(table.is_empty());
    assert!(table.find(name(1), NOW).is_none());
    open(&table, "wiki", 1);
    assert_eq!(table.find(name(1), UnixMillis(1_999)).unwrap().number, 1);
    assert!(table.find(name(1), END).is_none());
    assert!(table.find(name(2), NOW).is_none());
    assert_eq!((table.len(), table.len_of(&app("wiki")), table.len_of(&app("other"))), (1, 1, 0));
    assert_eq!(table.remove_expired(UnixMillis(1_999)), 0);
    assert_eq!(table.remove_expired(END), 1);
    assert_eq!((table.len(), table.len_of(&app("wiki"))), (0, 0));
}

#[test]
fn opening_drops_what_is_over_before_anything_that_is_not() {
    let table = table(2, 2);
    open(&table, "wiki", 1);
    let _ = table.insert(name(2), one("wiki", 2), UnixMillis(9_000), NOW);
    assert!(table.find(name(1), NOW).is_some());
    let _ = table.insert(name(3), one("wiki", 3), UnixMillis(9_000), END);
    assert_eq!(known(&table, 0..10), [2, 3]);
}

#[test]
fn one_that_is_over_is_not_kept() {
    let table = table(2, 2);
    assert_eq!(table.insert(name(1), one("wiki", 1), NOW, NOW).number, 1);
    assert!(table.is_empty());
}

#[test]
fn the_first_of_two_that_open_the_same_stays() {
    let table = table(10, 10);
    open(&table, "wiki", 1);
    assert_eq!(table.insert(name(1), one("wiki", 99), END, NOW).number, 1);
    assert_eq!(table.len(), 1);
    // When that is over, the new one takes its place.
    assert_eq!(table.insert(name(1), one("wiki", 99), UnixMillis(9_000), END).number, 99);
    assert_eq!(table.find(name(1), END).unwrap().number, 99);
}

/// Looks a session up, and ends the time that counts as this one's: another application opens one.
fn look_up(table: &SessionTable<One>, number: u64, moment: u64) -> u64 {
    let found = table.find(name(number), NOW).unwrap().number;
    open(table, "clock", 1_000_000 + moment);
    found
}

#[test]
fn the_least_recently_used_goes() {
    let table = table(100, 3);
    for number in 1..=3 {
        open(&table, "wiki", number);
    }
    open(&table, "other", 50);
    for (moment, number) in (0..).zip([1, 2, 1, 3, 2, 1]) {
        look_up(&table, number, moment);
    }
    open(&table, "wiki", 4);
    assert_eq!(known(&table, 0..10), [1, 2, 4]);
    open(&table, "wiki", 5);
    assert_eq!(known(&table, 0..10), [1, 4, 5]);
    assert!(table.find(name(4), NOW).is_some());
    open(&table, "wiki", 6);
    assert_eq!(known(&table, 0..10), [4, 5, 6]);
    open(&table, "wiki", 7);
    assert_eq!(known(&table, 0..10), [4, 6, 7]);
    assert_eq!(known(&table, 50..51), [50], "another application loses nothing");
}

#[test]
fn the_order_of_uses_at_different_times_is_exact() {
    // Against a plain list, for a long mixed sequence.
    let table = table(1_000, 20);
    let mut list: Vec<u64> = Vec::new();
    let mut random = 12_345_u64;
    for step in 0..5_000_u64 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if (random >> 33).is_multiple_of(4) || list.is_empty() {
            open(&table, "wiki", step);
            if list.len() == 20 {
                list.remove(0);
            }
            list.push(step);
        } else {
            let at = usize::try_from(random >> 40).unwrap() % list.len();
            let number = list.remove(at);
            assert_eq!(look_up(&table, number, step), number);
            list.push(number);
        }
        assert_eq!(table.len_of(&app("wiki")), list.len());
    }
    let mut left = list.clone();
    left.sort_unstable();
    assert_eq!(known(&table, 0..5_000), left);
}

#[test]
fn of_uses_between_two_openings_all_are_later_than_what_was_not_used() {
    let table = table(100, 20);
    for number in 0..20 {
        open(&table, "wiki", number);
    }
    let used = [3, 0, 19, 7];
    for number in used {
        assert!(table.find(name(number), NOW).is_some());
    }
    for number in 20..36 {
        open(&table, "wiki", number);
    }
    assert!(used.iter().all(|number| known(&table, 0..20).contains(number)));
    assert_eq!(known(&table, 0..20).len(), 4);
    for number in 36..40 {
        open(&table, "wiki", number);
    }
    assert_eq!(known(&table, 0..40), (20..40).collect::<Vec<_>>(), "each went, and the ledger lost none");
    assert_eq!(table.len(), 20);
}

#[test]
fn a_full_table_takes_from_the_application_itself_or_from_the_largest() {
    let table = table(6, 5);
    for number in 0..4 {
        open(&table, "large", number);
    }
    open(&table, "small", 10);
    open(&table, "small", 11);
    open(&table, "small", 12);
    assert_eq!(known(&table, 10..20), [11, 12], "it had some: its own goes");
    assert!(table.find(name(0), NOW).is_some());
    open(&table, "new", 20);
    assert_eq!(known(&table, 0..10), [0, 2, 3], "it had none: the largest gives its least recently used");
    assert_eq!((table.len(), table.len_of(&app("large")), table.len_of(&app("new"))), (6, 3, 1));
}

#[test]
fn never_more_than_the_limits() {
    let table = table(500, 50);
    for number in 0..20_000 {
        open(&table, &format!("app:{}", number % 37), number);
        assert!(table.len() <= 500 && table.len_of(&app(&format!("app:{}", number % 37))) <= 50);
    }
    for number in 0..200 {
        open(&table, "one", 100_000 + number);
    }
    assert!(table.len_of(&app("one")) <= 50);
    let least = SessionTable::new(SessionLimits { total: 0, per_application: 0 });
    open(&least, "wiki", 1);
    open(&least, "wiki", 2);
    assert_eq!(least.len(), 1);
}

#[test]
fn revoked_ones_go() {
    let table = table(100, 100);
    for number in 0..10 {
        open(&table, "wiki", number);
        open(&table, "other", 10 + number);
    }
    assert_eq!(table.retain(|one| one.app.as_str() != "wiki" || one.number % 2 == 0), 5);
    assert_eq!(known(&table, 0..10), [0, 2, 4, 6, 8]);
    assert_eq!(table.remove_application(&app("other")), 10);
    assert_eq!(table.remove_application(&app("other")), 0);
    assert_eq!((table.len(), table.len_of(&app("other"))), (5, 0));
    assert!(table.find(name(12), NOW).is_none());
}

#[test]
fn what_goes_is_let_go_of() {
    let table = table(1, 1);
    let first = one("wiki", 1);
    let alive = Arc::clone(&first.alive);
    let _ = table.insert(name(1), first, END, NOW);
    assert!(Arc::strong_count(&alive) > 1);
    open(&table, "wiki", 2);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn threads_agree() {
    let table = table(200, 60);
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let table = &table;
            scope.spawn(move || {
                let application = format!("app:{}", thread % 4);
                for number in 0..2_000 {
                    let own = name(thread % 4 * 10_000 + number % 150);
                    let value = thread % 4 * 10_000 + number % 150;
                    if let Some(found) = table.find(own, NOW) {
                        assert_eq!(found.number, value);
                    } else {
                        assert_eq!(table.insert(own, one(&application, value), END, NOW).number, value);
                    }
                    if number % 500 == 499 {
                        table.remove_application(&app(&application));
                    }
                }
            });
        }
    });
    assert!(table.len() <= 200);
    let in_shards: usize = table.shards.iter().map(|shard| whole(shard.read()).sessions.len()).sum();
    assert_eq!(in_shards, table.len(), "the ledger and the parts hold the same");
    table.retain(|_| false);
    assert_eq!(table.shards.iter().map(|shard| whole(shard.read()).sessions.len()).sum::<usize>(), 0);
}

#[test]
fn debug_shows_no_session() {
    let table = table(2, 2);
    open(&table, "wiki", 1);
    assert!(!format!("{table:?}").contains("wiki"));
}
