//! The adapters that are held to the promises.

use skstore_workers::view::embedded::EmbeddedView;
#[cfg(feature = "servers")]
use skstore_workers::view::redis::RedisView;
use skstore_workers::view::{Swept, View};

/// Makes views of one kind.
pub(crate) trait Adapter {
    /// A view that nobody else uses, as it is after its contents were lost: no rebuild has begun.
    async fn lost(keep_orders: usize) -> View;

    /// The same view, as another process has it that has just begun.
    async fn another(view: &View) -> View;

    /// One that takes writes.
    async fn ready(keep_orders: usize) -> View {
        let view = Self::lost(keep_orders).await;
        let rebuild = view.begin_rebuild().await.unwrap();
        assert_eq!(view.finish_rebuild(rebuild).await.unwrap(), Swept::Whole);
        view
    }
}

/// In memory.
pub(crate) struct Embedded;

impl Adapter for Embedded {
    async fn lost(keep_orders: usize) -> View {
        View::Embedded(EmbeddedView::new(keep_orders))
    }

    async fn another(view: &View) -> View {
        view.clone()
    }
}

/// In the Redis that `SKSTORE_TEST_REDIS_URL` names, each under a prefix of its own.
#[cfg(feature = "servers")]
pub(crate) struct Redis;

#[cfg(feature = "servers")]
impl Adapter for Redis {
    async fn lost(keep_orders: usize) -> View {
        let url = std::env::var("SKSTORE_TEST_REDIS_URL").expect(
            "SKSTORE_TEST_REDIS_URL must name a Redis for tests, such as redis://127.0.0.1:6399; \
             `cargo xtask test` starts one",
        );
        let prefix = format!("test:{}:", uuid::Uuid::now_v7());
        View::Redis(RedisView::with_prefix(&url, &prefix, keep_orders).unwrap())
    }

    async fn another(view: &View) -> View {
        let View::Redis(view) = view else { panic!("it was made here") };
        View::Redis(view.as_another_process().unwrap())
    }
}
