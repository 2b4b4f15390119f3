//! When a process that serves is told to stop: by a signal, or by the end of its stdin where it was started so.

use tokio::signal::unix::{SignalKind, signal};

/// What ends a process that serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// SIGTERM or SIGINT.
    Signals,
    /// These, or the end of stdin: whoever holds its other side is gone.
    SignalsOrStdin,
}

impl Ending {
    /// As the command line says.
    pub(super) const fn of(stop_with_stdin: bool) -> Self {
        if stop_with_stdin { Self::SignalsOrStdin } else { Self::Signals }
    }
}

/// Returns when it is time to stop.
pub(super) async fn told_to_stop(ending: Ending) {
    tokio::select! {
        () = signalled() => {}
        () = stdin_ends(), if ending == Ending::SignalsOrStdin => {}
    }
}

async fn signalled() {
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "no signals can be received: only a kill ends this process");
            std::future::pending().await
        }
    }
}

/// On a thread of its own, since a read of stdin cannot be given up; the process ends with it.
async fn stdin_ends() {
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
}
