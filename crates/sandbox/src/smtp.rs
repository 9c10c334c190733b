//! A small mail receiver: it takes what a mail client hands over and keeps it for the *Mailbox* page.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tracing::{debug, warn};

use crate::core::{Change, Core};

/// The largest mail.
const MAIL_MAX: usize = 10 * 1024 * 1024;
const LINE_MAX: u64 = 4_096;
const RECIPIENTS_MAX: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(60);

/// Receives mails until the sandbox stops.
pub(crate) async fn run(core: Arc<Core>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            () = core.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                warn!(%error, "the mail receiver could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let core = Arc::clone(&core);
        tokio::spawn(async move {
            let stop = core.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                done = Session::new(core, stream).run() => {
                    if let Err(error) = done {
                        debug!(%error, "a mail connection ended early");
                    }
                }
            }
        });
    }
}

/// One connection of a mail client.
struct Session {
    core: Arc<Core>,
    stream: BufReader<TcpStream>,
    sender: Option<String>,
    recipients: Vec<String>,
}

impl Session {
    fn new(core: Arc<Core>, stream: TcpStream) -> Self {
        let stream = BufReader::new(stream);
        Self { core, stream, sender: None, recipients: Vec::new() }
    }

    async fn run(mut self) -> io::Result<()> {
        self.say("220 sandbox ESMTP").await?;
        while let Some(line) = self.line().await? {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    let size = format!("250-SIZE {MAIL_MAX}");
                    self.say("250-sandbox").await?;
                    self.say(&size).await?;
                    self.say("250-8BITMIME").await?;
                    self.say("250 SMTPUTF8").await?;
                }
                "HELO" => self.say("250 sandbox").await?,
                "MAIL" => self.mail(rest).await?,
                "RCPT" => self.recipient(rest).await?,
                "DATA" => self.data().await?,
                "RSET" => {
                    self.reset();
                    self.say("250 OK").await?;
                }
                "NOOP" => self.say("250 OK").await?,
                "VRFY" => self.say("252 send it and see").await?,
                "QUIT" => return self.say("221 bye").await,
                _ => self.say("502 command not known").await?,
            }
        }
        Ok(())
    }

    async fn mail(&mut self, rest: &str) -> io::Result<()> {
        let Some((address, parameters)) = path(rest, "FROM:") else {
            return self.say("501 MAIL FROM:<address>").await;
        };
        let size = parameters.split_whitespace().find_map(|part| {
            part.to_ascii_uppercase().strip_prefix("SIZE=")?.parse::<usize>().ok()
        });
        if size.is_some_and(|size| MAIL_MAX < size) {
            return self.say("552 too large").await;
        }
        self.reset();
        self.sender = Some(address.to_owned());
        self.say("250 OK").await
    }

    async fn recipient(&mut self, rest: &str) -> io::Result<()> {
        let address = match path(rest, "TO:") {
            Some((address, _)) if !address.is_empty() => address.to_owned(),
            _ => return self.say("501 RCPT TO:<address>").await,
        };
        if self.sender.is_none() {
            return self.say("503 MAIL first").await;
        }
        if RECIPIENTS_MAX <= self.recipients.len() {
            return self.say("452 too many recipients").await;
        }
        self.recipients.push(address);
        self.say("250 OK").await
    }

    async fn data(&mut self) -> io::Result<()> {
        if self.recipients.is_empty() {
            return self.say("503 RCPT first").await;
        }
        self.say("354 end with a dot").await?;
        let mut raw = Vec::new();
        let mut is_too_large = false;
        loop {
            let Some(line) = self.line().await? else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            if line == b".\r\n" || line == b".\n" {
                break;
            }
            // A dot in front of a line was doubled by the sender.
            let line = line.strip_prefix(b".").unwrap_or(&line);
            is_too_large |= MAIL_MAX < raw.len() + line.len();
            if !is_too_large {
                raw.extend_from_slice(line);
            }
        }
        if is_too_large {
            self.reset();
            return self.say("552 too large").await;
        }
        let sender = self.sender.take().unwrap_or_default();
        let recipients = std::mem::take(&mut self.recipients);
        self.core.act(|state, now_ms| state.mailbox.receive(&sender, &recipients, &raw, now_ms));
        self.core.announce(Change::Mail);
        self.say("250 kept").await
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    /// The next line with its end, or a part of it when it is long; `None` at the end of the connection.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut limited = (&mut self.stream).take(LINE_MAX);
        tokio::time::timeout(PATIENCE, limited.read_until(b'\n', &mut line)).await??;
        Ok((!line.is_empty()).then_some(line))
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await
    }
}

/// The address in `FROM:<a@b> SIZE=1`, and what follows it.
fn path<'a>(rest: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let head = rest.get(..word.len())?;
    if !head.eq_ignore_ascii_case(word) {
        return None;
    }
    let (address, parameters) =
        rest.get(word.len()..)?.trim().strip_prefix('<')?.split_once('>')?;
    Some((address.trim(), parameters))
}
