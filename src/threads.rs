//! Threads of the library, which leave the signals of the process to the program's own threads.
//!
//! A handler of the program has nothing to do on a thread that the program does not know, and a signal that the
//! program blocks, to wait for it, must not find one of ours instead. Nor may a peer that hangs up end the program:
//! where SIGPIPE is blocked, writing to it is an error like any other.
//!
//! The thread on which the caller's callbacks run is not among them: what a callback starts inherits its mask.

/// Runs `start`. Threads that begin meanwhile take no signals, nor do those that these begin.
#[cfg(unix)]
pub(crate) fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    use nix::sys::signal::SigSet;
    use nix::sys::signal::SigmaskHow;
    use nix::sys::signal::Signal;

    /// Faults belong to the thread that made them, whoever reports them; SIGPROF asks every thread where it is.
    const KEPT: [Signal; 8] = [
        Signal::SIGSEGV,
        Signal::SIGBUS,
        Signal::SIGFPE,
        Signal::SIGILL,
        Signal::SIGTRAP,
        Signal::SIGABRT,
        Signal::SIGSYS,
        Signal::SIGPROF,
    ];

    /// Gives the mask back, also when `start` panics.
    struct Before(Option<SigSet>);

    impl Drop for Before {
        fn drop(&mut self) {
            if let Some(mask) = self.0 {
                // Cannot fail: the mask was this thread's own.
                let _ = mask.thread_swap_mask(SigmaskHow::SIG_SETMASK);
            }
        }
    }

    let mut mask = SigSet::all();
    for signal in KEPT {
        mask.remove(signal);
    }
    let _before = Before(mask.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok());
    start()
}

/// Runs `start`: this system has no signals.
#[cfg(not(unix))]
pub(crate) fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    start()
}

#[cfg(all(test, unix))]
mod tests {
    use nix::sys::signal::SigSet;
    use nix::sys::signal::Signal;

    use super::*;

    fn blocked() -> SigSet {
        SigSet::thread_get_mask().expect("a mask")
    }

    #[test]
    fn threads_that_begin_meanwhile_take_no_signals() {
        let before = blocked();
        let (theirs, their_own) = without_signals(|| {
            let thread = std::thread::spawn(|| (blocked(), std::thread::spawn(blocked).join().expect("no panic")));
            thread.join().expect("no panic")
        });
        for signal in [Signal::SIGPIPE, Signal::SIGTERM, Signal::SIGALRM, Signal::SIGCHLD, Signal::SIGUSR1] {
            assert!(theirs.contains(signal) && their_own.contains(signal), "{signal}");
        }
        assert!(!theirs.contains(Signal::SIGSEGV) && !theirs.contains(Signal::SIGPROF));
        assert_eq!(blocked(), before);
    }

    #[test]
    fn the_mask_comes_back_after_a_panic() {
        let before = blocked();
        assert!(std::panic::catch_unwind(|| without_signals(|| panic!("on purpose"))).is_err());
        assert_eq!(blocked(), before);
    }
}
