//! The least client that measures honestly: one connection that is kept, one request at a time, answers with a
//! `Content-Length`. It costs the two cores, which it shares with the server, as little as can be.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::failure::Failure;

/// The largest head and body: the whole book of a peer.
const ANSWER_MAX_BYTES: usize = 1 << 29;

/// An answer, in the connection's buffer.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    /// It says when to come again.
    pub(crate) says_when: bool,
    pub(crate) body: &'a [u8],
}

/// A connection that is kept.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4_096) })
    }

    /// Sends a request, head and body, and waits for its answer.
    ///
    /// # Errors
    /// A connection that breaks, an answer that this client does not understand.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>, Failure> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(head) = Head::parse(&self.buffer)? {
                break head;
            }
            self.read().await?;
        };
        while self.buffer.len() < head.bytes + head.body_bytes {
            self.read().await?;
        }
        let Head { status, says_when, bytes, body_bytes } = head;
        Ok(Answer { status, says_when, body: &self.buffer[bytes..bytes + body_bytes] })
    }

    async fn read(&mut self) -> Result<(), Failure> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(Failure::words("the server closed a connection in the middle of an exchange"));
        }
        if self.buffer.len() > ANSWER_MAX_BYTES {
            return Err(Failure::words(format!("an answer is longer than {ANSWER_MAX_BYTES} bytes")));
        }
        Ok(())
    }
}

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    says_when: bool,
    /// Its own length, with the empty line.
    bytes: usize,
    body_bytes: usize,
}

impl Head {
    /// `None` while it is not all there.
    fn parse(bytes: &[u8]) -> Result<Option<Self>, Failure> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
        let wrong = || {
            Failure::words(format!(
                "an answer without status or length: {}",
                String::from_utf8_lossy(&bytes[..end])
            ))
        };
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| wrong())?;
        let status = head.get(9..12).and_then(|digits| digits.parse().ok()).ok_or_else(wrong)?;
        let (mut length, mut says_when) = (None, false);
        for (name, value) in head.split("\r\n").skip(1).filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok();
            }
            says_when |= name.eq_ignore_ascii_case("retry-after");
        }
        Ok(Some(Self { status, says_when, bytes: end + 4, body_bytes: length.ok_or_else(wrong)? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_all_there() {
        let answer = b"HTTP/1.1 422 Unprocessable\r\ncontent-type: text/plain\r\nContent-Length: 2\r\n\r\nno";
        for cut in 0..answer.len() - 2 {
            assert_eq!(Head::parse(&answer[..cut]).unwrap(), None, "{cut}");
        }
        let head = Head::parse(answer).unwrap().unwrap();
        assert_eq!(head, Head { status: 422, says_when: false, bytes: answer.len() - 2, body_bytes: 2 });
        let busy = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nretry-after: 1\r\n\r\n";
        assert!(Head::parse(busy).unwrap().unwrap().says_when);
    }

    #[test]
    fn an_answer_of_unknown_length_is_refused() {
        assert!(Head::parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(Head::parse(b"nonsense\r\n\r\n").is_err());
    }
}
