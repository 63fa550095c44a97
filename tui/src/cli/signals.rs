//! Waits until somebody wants this process to end in good order.

/// Returns at Ctrl-C, and where there is such a thing when the process is told to terminate or its terminal goes
/// away. From the first call on, these no longer end the process by themselves.
///
/// # Errors
/// When the system does not let us listen.
pub(crate) async fn asked_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        tokio::select! {
            biased;
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
            _ = hang_up.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
