//! Waiting that costs nothing where there is nothing to wait for.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;

/// What a future says when it is asked once.
pub(super) async fn at_once<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

/// The output, unless it takes longer than this. Only what is not ready at once gets a clock.
pub(super) async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    match at_once(future.as_mut()).await {
        Poll::Ready(output) => Some(output),
        Poll::Pending => timeout(time, future).await.ok(),
    }
}
