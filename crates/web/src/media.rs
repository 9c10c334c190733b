//! `/media/{id}`: the files of messages, from our own address and under a policy of their own (C25, C26).

mod range;
mod words;

use actix_web::{
    HttpRequest, HttpResponse,
    body::SizedStream,
    http::{
        StatusCode,
        header::{
            ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE,
            CONTENT_SECURITY_POLICY, CONTENT_TYPE, Charset, ContentDisposition, DispositionParam,
            DispositionType, ExtendedValue, RANGE,
        },
    },
    web::{self, Bytes, Data, Path, ServiceConfig},
};
use domain::media::{FileFormat, MediaId};
use futures_util::stream;
use persistence::{
    error::PersistenceError,
    media::{self, KeptFile, PART},
    store::Store,
};

use self::range::{Asked, asked};
pub use self::words::{refusal_words, size_words};
use crate::{
    compose, desk::Desk, error::WebError, form::see_other, session::SignedIn, visit::Visit,
};

/// It can run nothing and load nothing.
const POLICY: &str = "default-src 'none'; sandbox";
/// A file never changes under its id.
const KEEP: &str = "private, max-age=3600, immutable";

/// Files of messages, under `/media`, and what is done about one.
pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/media/{id}", web::get().to(show))
        .route("/media/{id}/small", web::get().to(show_small))
        .route("/desk/files/{id}/fetch", web::post().to(submit_fetch));
}

/// The file, for whoever may see the conversation it stands in; or what someone had looked at, for them alone.
async fn show(
    desk: Data<Desk>,
    user: SignedIn,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, WebError> {
    let id = MediaId::parse(&id).ok_or(WebError::NotFound)?;
    let (actor, wanted) = (user.actor.clone(), id.clone());
    match desk.store.read(move |db| media::find_file(db, &actor, &wanted)).await {
        Ok(file) => Ok(hand_out(desk.store.clone(), file, &request)),
        Err(PersistenceError::NotFound) => compose::show_media(&desk, &user, id.as_str()).await,
        Err(error) => Err(error.into()),
    }
}

/// The picture, small, as it stands in the thread.
async fn show_small(
    desk: Data<Desk>,
    user: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, WebError> {
    let id = MediaId::parse(&id).ok_or(WebError::NotFound)?;
    let actor = user.actor.clone();
    let small = desk.store.read(move |db| media::find_small(db, &actor, &id)).await?;
    let content_type = FileFormat::of(&small).filter(|format| format.is_picture());
    Ok(HttpResponse::Ok()
        .insert_header((
            CONTENT_TYPE,
            content_type.map_or("application/octet-stream", FileFormat::content_type),
        ))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((CONTENT_DISPOSITION, "inline"))
        .insert_header((CACHE_CONTROL, KEEP))
        .body(small))
}

/// Fetches a file at once that waits for its next attempt, and goes back to the conversation.
async fn submit_fetch(
    desk: Data<Desk>,
    visit: Visit,
    user: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, WebError> {
    let id = MediaId::parse(&id).ok_or(WebError::NotFound)?;
    let (actor, now) = (user.actor.clone(), visit.now);
    let conversation = desk.store.write(move |db| media::try_again(db, &actor, &id, now)).await?;
    desk.nudges.media.notify_one();
    Ok(see_other(&format!("/desk/conversations/{conversation}")))
}

/// Answers with the part of the file that `request` asks for, read as it is sent. Only a picture, which was written
/// anew, may be opened by itself; all else is kept by the browser, though a page may play it.
fn hand_out(store: Store, file: KeptFile, request: &HttpRequest) -> HttpResponse {
    let range = request.headers().get(RANGE).and_then(|range| range.to_str().ok());
    let (status, first, last) = match asked(range, file.size) {
        Asked::Whole => (StatusCode::OK, 0, file.size.saturating_sub(1)),
        Asked::Part { first, last } => (StatusCode::PARTIAL_CONTENT, first, last),
        Asked::Outside => {
            return HttpResponse::RangeNotSatisfiable()
                .insert_header((CONTENT_RANGE, format!("bytes */{}", file.size)))
                .insert_header((CONTENT_SECURITY_POLICY, POLICY))
                .finish();
        }
    };
    let mut response = HttpResponse::build(status);
    response
        .insert_header((CONTENT_TYPE, file.content_type.clone()))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header(disposition(&file))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CACHE_CONTROL, KEEP));
    if status == StatusCode::PARTIAL_CONTENT {
        response.insert_header((CONTENT_RANGE, format!("bytes {first}-{last}/{}", file.size)));
    }
    let length = (last + 1 - first).min(file.size);
    response.body(SizedStream::new(length, read_from(store, file, first, first + length)))
}

/// The bytes from `first` to `end` (exclusive), part by part.
fn read_from(
    store: Store,
    file: KeptFile,
    first: u64,
    end: u64,
) -> impl futures_util::Stream<Item = Result<Bytes, PersistenceError>> {
    stream::try_unfold((store, file, first), move |(store, file, at)| async move {
        if end <= at {
            return Ok(None);
        }
        let (part, read) = (at / PART as u64, file.clone());
        let bytes = store.read(move |db| media::read_part(db, &read, part)).await?;
        let from = usize::try_from(at % PART as u64).unwrap_or(usize::MAX).min(bytes.len());
        let wanted = usize::try_from(end - at).unwrap_or(usize::MAX);
        let to = from.saturating_add(wanted).min(bytes.len());
        if from == to {
            return Err(PersistenceError::NotFound);
        }
        let piece = Bytes::from(bytes).slice(from..to);
        let next = at + piece.len() as u64;
        Ok(Some((piece, (store, file, next))))
    })
}

fn disposition(file: &KeptFile) -> ContentDisposition {
    let is_picture = file.kind.is_picture();
    let named = file.name.as_deref().map(safe_name).filter(|name| !name.is_empty());
    let name = named.unwrap_or_else(|| file.kind.as_str().to_owned());
    let name = ExtendedValue {
        charset: Charset::Ext("UTF-8".to_owned()),
        language_tag: None,
        value: name.into_bytes(),
    };
    ContentDisposition {
        disposition: match is_picture {
            true => DispositionType::Inline,
            false => DispositionType::Attachment,
        },
        parameters: vec![DispositionParam::FilenameExt(name)],
    }
}

/// A file's name as it is shown and handed out: on one line, without folders, and without what turns letters around,
/// which lets `exe.fdp` read as `pdf.exe` (C22).
#[must_use]
pub fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_plain = |sign: &char| {
        let turns = matches!(sign, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
            || matches!(sign, '\u{2060}'..='\u{2069}' | '\u{feff}');
        !sign.is_control() && !turns
    };
    last.chars().filter(is_plain).take(200).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::safe_name;

    #[test]
    fn c_22_a_name_stays_on_its_line_and_reads_as_it_is() {
        let cases = [
            ("quote 8812.pdf", "quote 8812.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\ana\\tile.jpg", "tile.jpg"),
            ("a\r\nSet-Cookie: x\0.pdf", "aSet-Cookie: x.pdf"),
            ("gpj.\u{202e}exe", "gpj.exe"),
            ("Angebot für Zoë.pdf", "Angebot für Zoë.pdf"),
            ("/", ""),
        ];
        for (name, expected) in cases {
            assert_eq!(safe_name(name), expected, "{name}");
        }
        assert_eq!(safe_name(&"x".repeat(1_000)).len(), 200);
    }
}
