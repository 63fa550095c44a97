//! The adapters that are held to the promises.

use skstore_workers::view::View;
use skstore_workers::view::embedded::EmbeddedView;

/// Makes views of one kind.
pub(crate) trait Adapter {
    /// A view that nobody else uses, as it is after its contents were lost: no rebuild has begun.
    async fn lost(keep_orders: usize) -> View;

    /// One that takes writes.
    async fn ready(keep_orders: usize) -> View {
        let view = Self::lost(keep_orders).await;
        view.begin_rebuild().await.unwrap();
        view.finish_rebuild().await.unwrap();
        view
    }
}

/// In memory.
pub(crate) struct Embedded;

impl Adapter for Embedded {
    async fn lost(keep_orders: usize) -> View {
        View::Embedded(EmbeddedView::new(keep_orders))
    }
}
