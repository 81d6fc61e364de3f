//! The store as its users see it. Every case runs on SQLite, and with `--ignored` on PostgreSQL as well.

#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(dead_code, reason = "no database, few tests")
)]

/// Makes a test of each case for each database.
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        #[cfg(feature = "sqlite")]
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(crate::place::Place::sqlite()).await;
            })*
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs PostgreSQL"]
            async fn $case() {
                super::$case(crate::place::Place::postgres().await).await;
            })*
        }
    };
}

// `cfg(test)` tells clippy that these are tests.
#[cfg(test)]
mod audit;
#[cfg(test)]
mod broken;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod pending;
#[cfg(test)]
mod place;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod sealing;
#[cfg(test)]
mod set_back;
#[cfg(test)]
mod together;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod trust;
