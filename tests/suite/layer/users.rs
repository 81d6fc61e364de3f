//! The user base, asked and failing.

use std::sync::{Arc, Mutex};

use taa_core::answer::Code;
use taa_core::id::UserName;
use taa_core::policy::NeverAs;
use taa_server::resolver::NameTransform;
use taa_server::{Resolution, ResolveError};

use super::world::{Setup, Users, World, any, everybody};

pub(super) fn failing() -> Users {
    Users::new(|_| Err(ResolveError::new("the directory is down")))
}

pub(super) fn panicking() -> Users {
    Users::new(|name| panic!("a user base that panics at {name}"))
}

#[tokio::test]
async fn a_user_base_that_fails_lets_nobody_in() {
    let world = Setup::default().users(failing()).build();
    let answer = world.refused(&world.get("/"), Code::System).await;
    assert!(!format!("{answer:?}").contains("the directory is down"), "what failed is not told");
}

/// The proof is there although the check panicked: step 5 had passed, and without it the client would have to take
/// the answer for a forged one.
#[tokio::test]
async fn a_user_base_that_panics_lets_nobody_in() {
    let world = Setup::default().users(panicking()).build();
    world.refused(&world.get("/"), Code::System).await;
    let answer = world.send_request(http::Request::get("/").body(super::world::full("")).unwrap()).await;
    assert_eq!(answer.status(), 200, "the service is alive");
}

#[tokio::test]
async fn unknown_and_blocked_users() {
    let world = World::new();
    world.refused(&world.get("/").user("nobody"), Code::UserUnknown).await;
    world.refused(&world.get("/").user("blocked"), Code::PermissionDenied).await;
    let seen = world.accepted(&world.get("/").user("fred")).await;
    assert_eq!(seen.principal().unwrap().user().as_str(), "fred");
}

#[tokio::test]
async fn names_are_lower_case_for_the_user_base_and_as_sent_beside_it() {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&asked);
    let users = Users::new(move |name| {
        log.lock().unwrap().push(name.to_string());
        Ok(Resolution::Known(name.clone()))
    });
    let world = Setup::default().users(users.clone()).build();
    for (sent, found) in [("Fred", "fred"), ("ÉMILE", "émile"), ("fred 2", "fred 2"), ("ΣΊΣΥΦΟΣ", "σίσυφος")]
    {
        let seen = world.accepted(&world.get("/").user(sent)).await;
        let principal = seen.principal().unwrap();
        assert_eq!((principal.user().as_str(), principal.presented_user().as_str()), (found, sent));
        assert_eq!(asked.lock().unwrap().pop().as_deref(), Some(found));
    }
    let world = Setup::default().users(users).build_with(|b| b.name_transform(NameTransform::Unchanged));
    world.accepted(&world.get("/").user("Fred")).await;
    assert_eq!(asked.lock().unwrap().pop().as_deref(), Some("Fred"));
}

#[tokio::test]
async fn never_as_holds_for_every_way_to_write_the_name() {
    let never = any().never_as(NeverAs::parse_list("admin, sys*").unwrap());
    let world = Setup::default().policy(never.clone()).users(everybody()).build();
    for user in ["admin", "ADMIN", "Admin", "aDmIn", "system", "SYSTEM"] {
        world.refused(&world.get("/").user(user), Code::PermissionDenied).await;
    }
    world.accepted(&world.get("/").user("administrator")).await;
    // The name under which the user base knows somebody counts too.
    let aliases = Users::new(|name| {
        let known = if name.as_str() == "root" { UserName::parse("Admin").unwrap() } else { name.clone() };
        Ok(Resolution::Known(known))
    });
    let world = Setup::default().policy(never).users(aliases).build();
    world.refused(&world.get("/").user("root"), Code::PermissionDenied).await;
    world.accepted(&world.get("/").user("fred")).await;
}

/// Who is forbidden is not asked for: the answer would tell who exists.
#[tokio::test]
async fn a_forbidden_name_is_not_looked_up() {
    let never = any().never_as(NeverAs::parse_list("admin").unwrap());
    let world = Setup::default().policy(never).users(panicking()).build();
    world.refused(&world.get("/").user("admin"), Code::PermissionDenied).await;
}
