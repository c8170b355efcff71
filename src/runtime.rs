//! The one place where async meets sync.
//!
//! Everything above is synchronous, as Rhai and redb are. What is asynchronous by nature (signals,
//! cluster clients) runs on the one background thread of a [`Runtime`].

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A background thread that drives asynchronous work.
#[derive(Debug)]
pub struct Runtime {
    inner: tokio::runtime::Runtime,
}

impl Runtime {
    /// Starts the background thread.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start() -> io::Result<Self> {
        let inner = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("windlass-async")
            .enable_all()
            .build()?;
        Ok(Self { inner })
    }

    /// Waits for `future` on the calling thread.
    ///
    /// ```
    /// use windlass::runtime::Runtime;
    ///
    /// let runtime = Runtime::start().unwrap();
    /// assert_eq!(runtime.wait_for(async { 6 * 7 }), 42);
    /// ```
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where async meets sync"
    )]
    pub fn wait_for<F: Future>(&self, future: F) -> F::Output {
        self.inner.block_on(future)
    }

    /// Listens for Ctrl-C from now on: the first one sets the flag that is returned, so that a
    /// script stops between two of its steps and an open transaction is dropped whole; the second
    /// one ends the process as usual.
    pub fn interrupt_on_ctrl_c(&self) -> Interrupt {
        let interrupt = Interrupt::default();
        let flag = interrupt.clone();
        self.on_ctrl_c(move || !flag.set());
        interrupt
    }

    /// Calls `answer` for every Ctrl-C from now on, on the background thread; where it says false,
    /// the process ends as usual.
    pub fn on_ctrl_c(&self, answer: impl Fn() -> bool + Send + 'static) {
        let _listener = self.inner.spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if !answer() {
                    std::process::exit(130);
                }
            }
        });
    }
}

impl Runtime {
    /// As [`Self::interrupt_on_ctrl_c`], for a process that others start and stop: what asks it to
    /// terminate counts as well.
    pub fn interrupt_on_stop(&self) -> Interrupt {
        let interrupt = self.interrupt_on_ctrl_c();
        #[cfg(unix)]
        {
            let flag = interrupt.clone();
            let _listener = self.inner.spawn(async move {
                use tokio::signal::unix::{SignalKind, signal};
                let Ok(mut terminate) = signal(SignalKind::terminate()) else {
                    return;
                };
                while terminate.recv().await.is_some() {
                    if flag.set() {
                        std::process::exit(143);
                    }
                }
            });
        }
        interrupt
    }
}

/// Whether somebody asked for what is running to stop.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks for a stop; true when that had been asked for already.
    pub fn set(&self) -> bool {
        self.0.swap(true, Ordering::Relaxed)
    }

    /// Takes it back: what runs next is not meant.
    pub fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether a stop was asked for.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
