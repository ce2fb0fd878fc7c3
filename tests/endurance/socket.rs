//! A client of the SkypeProxy socket (transports 1.1).

use std::io;
use std::io::BufReader;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpStream;
use std::thread;

use crossbeam_channel::Sender;

use crate::frames;

/// What comes to a person.
#[derive(Debug)]
pub(crate) enum Input {
    /// A line, with the number of the connection that it came by.
    Line(usize, String),
    /// This connection has ended.
    Gone(usize),
    /// Something of interest has changed elsewhere.
    Wake,
}

/// A connection. What it brings is read at once, so that neither side ever waits for the other to read.
pub(crate) struct Socket(TcpStream);

impl Socket {
    pub(crate) fn connect(address: &str, number: usize, inputs: Sender<Input>) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        thread::spawn(move || {
            while let Ok(line) = frames::read(&mut reader) {
                let _ = inputs.send(Input::Line(number, line));
            }
            let _ = inputs.send(Input::Gone(number));
        });
        Ok(Self(stream))
    }

    /// Whether it arrives will be seen by the reply.
    pub(crate) fn send(&mut self, command: &str) {
        let _ = self.0.write_all(&frames::frame(command));
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}
