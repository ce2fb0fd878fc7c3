//! Something that `poll(2)` can wait for.

#[cfg(unix)]
pub(super) use unix::Signal;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::fd::AsRawFd;
    use std::os::fd::OwnedFd;
    use std::os::fd::RawFd;

    /// A pipe with a byte in it while the signal is raised.
    ///
    /// (A pipe, not an eventfd: one code path for every Unix. Whoever raises keeps a flag, so that
    /// the pipe never holds more than a few bytes.)
    pub(in crate::session) struct Signal {
        reader: OwnedFd,
        writer: OwnedFd,
    }

    /// Both ends close themselves in a program that this one starts: from the beginning where the system
    /// can do that, as another thread may be starting one right now.
    #[cfg(not(target_vendor = "apple"))]
    fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
        use rustix::pipe::PipeFlags;

        Ok(rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?)
    }

    #[cfg(target_vendor = "apple")]
    fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
        let (reader, writer) = rustix::pipe::pipe()?;
        for end in [&reader, &writer] {
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
            rustix::io::ioctl_fionbio(end, true)?;
        }
        Ok((reader, writer))
    }

    impl Signal {
        pub(in crate::session) fn new() -> io::Result<Self> {
            let (reader, writer) = pipe()?;
            Ok(Self { reader, writer })
        }

        pub(in crate::session) fn raise(&self) {
            // A full pipe is readable, which is all that is wanted.
            let _ = rustix::io::write(&self.writer, &[1]);
        }

        pub(in crate::session) fn clear(&self) {
            let mut bytes = [0; 64];
            while rustix::io::read(&self.reader, &mut bytes[..]).is_ok_and(|read| read == bytes.len()) {}
        }

        #[cfg(test)]
        pub(in crate::session) fn is_raised(&self) -> bool {
            rustix::io::ioctl_fionread(&self.reader).is_ok_and(|waiting| waiting > 0)
        }

        pub(in crate::session) fn descriptor(&self) -> RawFd {
            self.reader.as_raw_fd()
        }
    }
}

#[cfg(not(unix))]
pub(super) struct Signal;

#[cfg(not(unix))]
impl Signal {
    pub(super) fn raise(&self) {}
    pub(super) fn clear(&self) {}
}
