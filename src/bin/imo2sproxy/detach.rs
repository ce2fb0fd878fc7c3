//! Leaving the console: the parent stays until it is known whether the daemon works.

#[cfg(unix)]
pub(crate) use unix::Readiness;
#[cfg(unix)]
pub(crate) use unix::detach;

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::Read;
    use std::io::Write;
    use std::os::fd::OwnedFd;

    use nix::fcntl::OFlag;
    use nix::unistd::ForkResult;
    use nix::unistd::pipe2;
    use nix::unistd::setsid;

    use crate::failure::Failure;
    use crate::notify;

    /// The daemon's end of the pipe to the parent, which waits for the exit status, one byte, and behind a good one the
    /// number of the daemon.
    pub(crate) struct Readiness(OwnedFd);

    impl Readiness {
        /// Lets go of the console, and lets the parent end with status 0.
        pub(crate) fn ready(self) -> std::io::Result<()> {
            let null = File::options().read(true).write(true).open("/dev/null")?;
            nix::unistd::dup2_stdin(&null)?;
            nix::unistd::dup2_stdout(&null)?;
            nix::unistd::dup2_stderr(&null)?;
            let number = std::process::id().to_ne_bytes();
            File::from(self.0).write_all(&[&[0], &number[..]].concat())
        }

        /// Lets the parent end with this status.
        pub(crate) fn tell(self, status: u8) -> std::io::Result<()> {
            File::from(self.0).write_all(&[status])
        }
    }

    /// Goes on in a process of its own session, whose parent has ended (so it gets no terminal any
    /// more). The calling process waits for [`Readiness`] and ends.
    ///
    /// Must be called before there is a second thread.
    pub(crate) fn detach() -> Result<Readiness, Failure> {
        let failed = |error: nix::Error| Failure::service(format!("cannot detach from the console: {error}"));
        let (told, tell) = pipe2(OFlag::O_CLOEXEC).map_err(failed)?;
        if fork().map_err(failed)?.is_parent() {
            drop(tell);
            let mut status = [1];
            // Nothing comes if the daemon dies before it says anything; it has told why, then.
            let mut told = File::from(told);
            let _ = told.read_exact(&mut status);
            let mut number = [0; 4];
            if status == [0] && told.read_exact(&mut number).is_ok() {
                // Here, because a service manager may listen to the process that it has started only.
                notify::detached(u32::from_ne_bytes(number));
            }
            std::process::exit(status[0].into());
        }
        drop(told);
        setsid().map_err(failed)?;
        if fork().map_err(failed)?.is_parent() {
            std::process::exit(0);
        }
        // Not in the way of a file system that is to be unmounted.
        std::env::set_current_dir("/").map_err(|error| Failure::service(format!("cannot enter /: {error}")))?;
        Ok(Readiness(tell))
    }

    #[expect(unsafe_code, reason = "there is no safe fork")]
    fn fork() -> nix::Result<ForkResult> {
        // SAFETY: called before any thread was started, so that the child may go on as if nothing had been.
        unsafe { nix::unistd::fork() }
    }
}

#[cfg(not(unix))]
pub(crate) enum Readiness {}

#[cfg(not(unix))]
impl Readiness {
    pub(crate) fn ready(self) -> std::io::Result<()> {
        match self {}
    }

    pub(crate) fn tell(self, _status: u8) -> std::io::Result<()> {
        match self {}
    }
}

#[cfg(not(unix))]
pub(crate) fn detach() -> Result<Readiness, crate::failure::Failure> {
    Err(crate::failure::Failure::usage("-d is not in this build"))
}
