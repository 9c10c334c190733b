//! Media URLs as agents give them, against a server that may be anything (AM-07, C21).

use std::time::Duration;

use super::*;
use crate::test_server::{Reply, TestServer, client};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF";
const MP4: &[u8] = b"\0\0\0\x18ftypisom\0\0\x02\0isommp41";
const THREE_GP: &[u8] = b"\0\0\0\x18ftyp3gp5\0\0\x02\x003gp5";
const MOV: &[u8] = b"\0\0\0\x14ftypqt  \0\0\x02\0qt  ";
const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3";
const ZIP: &[u8] = b"PK\x03\x04\x14\0\x06\0";
const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
const HTML: &[u8] = b"\n<!DOCTYPE html><title>Sign in</title>";
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

async fn look(kind: MediaKind, content_type: &str, body: &[u8]) -> Result<MediaFile, MediaProblem> {
    let reply = Reply::with(200, &format!("Content-Type: {content_type}"), body);
    let server = TestServer::start(vec![reply]).await;
    inspect(&server.client(), &server.url("/files/blue%20tile.bin?v=2"), kind).await
}

#[tokio::test]
async fn a_file_of_the_kind_asked_for_is_taken() {
    use MediaKind::{Document, Image, Video};
    let cases: [(MediaKind, &str, &str, &[u8]); 9] = [
        (Image, "image/jpeg", "image/jpeg", JPEG),
        (Image, "IMAGE/PNG; q=1", "image/png", PNG),
        (Video, "video/mp4", "video/mp4", MP4),
        (Video, "video/3gpp", "video/3gpp", THREE_GP),
        (Document, "application/pdf", "application/pdf", PDF),
        (Document, DOCX, DOCX, ZIP),
        (Document, "application/msword", "application/msword", OLE),
        (Document, "text/plain; charset=utf-8", "text/plain", "Fünf Schüsseln".as_bytes()),
        (Document, "application/vnd.ms-excel", "application/vnd.ms-excel", OLE),
    ];
    for (kind, sent_type, content_type, body) in cases {
        let expected = MediaFile {
            content_type: content_type.into(),
            size: body.len() as u64,
            name: "blue tile.bin".into(),
            preview: (kind == Image).then(|| body.to_vec()),
        };
        assert_eq!(look(kind, sent_type, body).await, Ok(expected), "{sent_type}");
    }
}

#[tokio::test]
async fn a_file_of_another_kind_is_refused_and_named() {
    use MediaKind::{Document, Image, Video};
    let cases: [(MediaKind, &str, &[u8], &str); 14] = [
        (Video, "image/png", PNG, "image/png"),
        (Video, "video/mp4", JPEG, "image/jpeg"),
        (Video, "video/quicktime", MOV, "video/quicktime"),
        (Video, "video/mp4", MOV, "video/quicktime"),
        (Image, "video/mp4", MP4, "video/mp4"),
        (Image, "image/png", HTML, "text/html"),
        (Image, "image/gif", b"GIF89a", "image/gif"),
        (Image, "image/webp", b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (Image, "image/png", b"", "image/png"),
        (Document, "text/plain", b"\0\x01\x02", "text/plain"),
        (Document, "text/plain", PDF, "application/pdf"),
        (Document, "application/zip", ZIP, "application/zip"),
        (Document, "text/html", HTML, "text/html"),
        (Document, "", b"words", "application/octet-stream"),
    ];
    for (kind, content_type, body, found) in cases {
        let expected = Err(MediaProblem::WrongKind { found: found.into() });
        assert_eq!(look(kind, content_type, body).await, expected, "{kind:?} {content_type}");
    }
}

#[tokio::test]
async fn a_file_too_large_is_not_read_to_its_end() {
    const CASES: [(MediaKind, &str, u64); 3] = [
        (MediaKind::Image, "image/png", 5 * 1024 * 1024),
        (MediaKind::Video, "video/mp4", 16 * 1024 * 1024),
        (MediaKind::Document, "application/pdf", 100 * 1024 * 1024),
    ];
    for (kind, content_type, limit) in CASES {
        let stated = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            limit + 1
        );
        let server = TestServer::start(vec![Reply::Flood(stated.into(), 0)]).await;
        let looked = inspect(&server.client(), &server.url("/f"), kind).await;
        assert_eq!(looked, Err(MediaProblem::TooLarge { limit }), "{kind:?} stated");
    }
    // Without a stated length the bytes are counted.
    let (kind, content_type, limit) = CASES[0];
    let unstated = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n");
    let server = TestServer::start(vec![Reply::Flood(unstated.into(), 50)]).await;
    let looked = inspect(&server.client(), &server.url("/f"), kind).await;
    assert_eq!(looked, Err(MediaProblem::TooLarge { limit }), "counted");
}

#[tokio::test]
async fn a_stated_size_is_taken_without_reading_a_whole_video() {
    let size: usize = 12 * 1024 * 1024;
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {size}\r\n\r\n");
    let first = [head.as_bytes(), MP4].concat();
    let server = TestServer::start(vec![Reply::Flood(first, 1)]).await;
    let file = inspect(&server.client(), &server.url("/kiln.mp4"), MediaKind::Video).await.unwrap();
    assert_eq!((file.size, file.name.as_str()), (size as u64, "kiln.mp4"));
    assert_eq!(file.preview, None);
}

#[tokio::test]
async fn am_07_a_server_that_has_no_file_is_told_from_one_that_refuses() {
    use MediaProblem::{Missing, Refused};
    let cases = [
        (404, Missing),
        (410, Missing),
        (401, Refused { status: 401 }),
        (403, Refused { status: 403 }),
        (206, Refused { status: 206 }),
        (500, Refused { status: 500 }),
    ];
    for (status, expected) in cases {
        let reply = Reply::with(status, "Content-Type: image/png", PNG);
        let server = TestServer::start(vec![reply]).await;
        let looked = inspect(&server.client(), &server.url("/f.png"), MediaKind::Image).await;
        assert_eq!(looked, Err(expected), "{status}");
    }
}

#[tokio::test]
async fn what_does_not_answer_well_is_unreachable() {
    let slow = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n".to_vec();
    let cut =
        b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 90\r\n\r\nabc".to_vec();
    let replies = [
        ("silence", Reply::Silence),
        ("one byte at a time", Reply::Trickle(slow, Duration::from_millis(50))),
        ("cut short", Reply::Raw(cut)),
        ("not HTTP", Reply::Raw(b"220 mail.example ESMTP\r\n".to_vec())),
        ("closed", Reply::CloseUnread),
    ];
    for (case, reply) in replies {
        let server = TestServer::start(vec![reply]).await;
        let looked = inspect(&server.client(), &server.url("/f.png"), MediaKind::Image).await;
        assert_eq!(looked, Err(MediaProblem::Unreachable), "{case}");
    }
    let closed = TestServer::start(vec![]).await.address.port();
    let allowed = client(vec!["127.0.0.1:1".parse().unwrap()]);
    let looked = inspect(&allowed, "http://127.0.0.1:1/", MediaKind::Image).await;
    assert_eq!(looked, Err(MediaProblem::Unreachable), "nothing listens, {closed}");
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let target = TestServer::start(vec![Reply::with(200, "Content-Type: image/png", PNG)]).await;
    let location = format!("Location: {}", target.url("/inside.png"));
    for status in [301, 302, 303, 307, 308] {
        let server = TestServer::start(vec![Reply::with(status, &location, b"")]).await;
        let allow =
            [server.address, target.address].map(|address| address.to_string().parse().unwrap());
        let looked = inspect(&client(allow.into()), &server.url("/"), MediaKind::Image).await;
        assert_eq!(looked, Err(MediaProblem::Refused { status }), "{status}");
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn no_address_of_an_inner_network_is_contacted() {
    let server = TestServer::start(vec![Reply::with(200, "Content-Type: image/png", PNG)]).await;
    let port = server.address.port();
    let guarded = client(Vec::new());
    let inner_hosts = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "１２７.0.0.1",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fc00::1]",
        "[fe80::1]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "localhost",
        "LOCALHOST",
    ];
    for host in inner_hosts {
        for authority in [host.to_owned(), format!("{host}:{port}")] {
            let url = format!("http://{authority}/latest/meta-data");
            let looked = inspect(&guarded, &url, MediaKind::Image).await;
            assert_eq!(looked, Err(MediaProblem::Forbidden), "{url}");
        }
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn only_web_addresses_on_usual_ports_are_called() {
    let guarded = client(Vec::new());
    let no_urls = [
        "",
        "tiles.jpg",
        "//a.example/x.jpg",
        "file:///etc/passwd",
        "gopher://127.0.0.1:25/",
        "ftp://a.example/x.jpg",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "http://",
        "http://user:secret@8.8.8.8/x.jpg",
        "http://user@8.8.8.8/x.jpg",
        "http://[::1/x.jpg",
    ];
    for url in no_urls {
        let looked = inspect(&guarded, url, MediaKind::Image).await;
        assert_eq!(looked, Err(MediaProblem::NotAUrl), "{url}");
    }
    for url in ["http://8.8.8.8:22/", "https://a.example:8443/", "http://a.example:25/x.jpg"] {
        let looked = inspect(&guarded, url, MediaKind::Image).await;
        assert_eq!(looked, Err(MediaProblem::Forbidden), "{url}");
    }
}

#[tokio::test]
async fn an_allowed_host_is_allowed_at_its_port_only() {
    let server = TestServer::start(vec![Reply::with(200, "Content-Type: image/png", PNG)]).await;
    let port = server.address.port();
    let by_name = client(vec![format!("localhost:{port}").parse().unwrap()]);
    let url = format!("http://localhost:{port}/tile.png");
    assert!(inspect(&by_name, &url, MediaKind::Image).await.is_ok());
    for url in [
        "http://localhost/tile.png".to_owned(),
        format!("http://127.0.0.1:{port}/tile.png"),
        format!("http://localhost:{}/tile.png", port ^ 1),
    ] {
        let looked = inspect(&by_name, &url, MediaKind::Image).await;
        assert_eq!(looked, Err(MediaProblem::Forbidden), "{url}");
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_file_is_called_as_its_address_ends() {
    let cases = [
        ("https://a.example/q/quote-8812.pdf", "quote-8812.pdf"),
        ("https://a.example/q/Angebot%20f%C3%BCr%20Noor.pdf?v=2#p", "Angebot für Noor.pdf"),
        ("https://a.example/..%2f..%2fetc%2fpasswd", "....etcpasswd"),
        ("https://a.example/a%0d%0ab.pdf", "ab.pdf"),
        ("https://a.example/", "file"),
        ("https://a.example", "file"),
        ("no address", "file"),
    ];
    for (url, expected) in cases {
        assert_eq!(file_name(url), expected, "{url}");
    }
}
