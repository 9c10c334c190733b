//! Small files for media variables, and some that are not what their name says.

use actix_web::HttpResponse;
use actix_web::web::{self, Path, ServiceConfig};
use rust_embed::RustEmbed;
use url::Url;

use crate::message::MediaKind;

#[derive(RustEmbed)]
#[folder = "../../static/sandbox/samples"]
struct Files;

/// One file under `/samples/`: its name there, the embedded file, the type it is served as, what it really is.
struct Sample {
    name: &'static str,
    file: &'static str,
    served_as: &'static str,
    really: Option<MediaKind>,
}

const SAMPLES: [Sample; 7] = [
    Sample {
        name: "studio.jpg",
        file: "studio.jpg",
        served_as: "image/jpeg",
        really: Some(MediaKind::Image),
    },
    Sample {
        name: "tile.png",
        file: "tile.png",
        served_as: "image/png",
        really: Some(MediaKind::Image),
    },
    Sample {
        name: "kiln.mp4",
        file: "kiln.mp4",
        served_as: "video/mp4",
        really: Some(MediaKind::Video),
    },
    Sample {
        name: "voice.ogg",
        file: "voice.ogg",
        served_as: "audio/ogg",
        really: Some(MediaKind::Audio),
    },
    Sample {
        name: "quote.pdf",
        file: "quote.pdf",
        served_as: "application/pdf",
        really: Some(MediaKind::Document),
    },
    // Named and served as an image, but a PDF inside.
    Sample {
        name: "not-an-image.jpg",
        file: "quote.pdf",
        served_as: "image/jpeg",
        really: Some(MediaKind::Document),
    },
    // Named as a video, served as the text it is.
    Sample {
        name: "not-a-video.mp4",
        file: "note.txt",
        served_as: "text/plain; charset=utf-8",
        really: None,
    },
];

/// Serves `/samples` and `/samples/{name}`.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/samples", web::get().to(list_samples)).service(
        web::resource("/samples/{name}")
            .route(web::get().to(show_sample))
            .route(web::head().to(show_sample)),
    );
}

/// What is really behind a link to a sample; `None` for any other link.
pub(crate) fn kind_behind(link: &str) -> Option<Option<MediaKind>> {
    let name = name_of(link)?;
    SAMPLES.iter().find(|sample| sample.name == name).map(|sample| sample.really)
}

/// The bytes of the sample `name` and the type it is served as.
pub(crate) fn file(name: &str) -> Option<(Vec<u8>, &'static str)> {
    let sample = SAMPLES.iter().find(|sample| sample.name == name)?;
    Some((Files::get(sample.file)?.data.into_owned(), sample.served_as))
}

/// The path of a sample behind `link`, for the sandbox's own pages.
pub(crate) fn path_behind(link: &str) -> Option<String> {
    // An uploaded file has an address on the sandbox's own pages from the start.
    if link.starts_with("/files/") {
        return Some(link.to_owned());
    }
    let name = name_of(link)?;
    SAMPLES.iter().any(|sample| sample.name == name).then(|| format!("/samples/{name}"))
}

/// The last part of a link to `/samples/`, whatever its host: the sandbox may be reached by several names.
fn name_of(link: &str) -> Option<String> {
    let url = Url::parse(link).ok()?;
    url.path().strip_prefix("/samples/").map(str::to_owned)
}

async fn list_samples() -> HttpResponse {
    let names: Vec<String> =
        SAMPLES.iter().map(|sample| format!("/samples/{}", sample.name)).collect();
    HttpResponse::Ok().json(names)
}

async fn show_sample(name: Path<String>) -> HttpResponse {
    let sample = SAMPLES.iter().find(|sample| sample.name == name.as_str());
    let file = sample.and_then(|sample| Some((sample, Files::get(sample.file)?)));
    let Some((sample, file)) = file else {
        return HttpResponse::NotFound().finish();
    };
    HttpResponse::Ok()
        .content_type(sample.served_as)
        .insert_header(("Content-Security-Policy", "default-src 'none'; sandbox"))
        .insert_header(("Cache-Control", "public, max-age=600"))
        .body(file.data.into_owned())
}
