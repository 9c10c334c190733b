//! WhatsApp Business Platform, Cloud API: the adapter, with one file per concern beneath it.

mod account;
mod contact_change;
mod content;
mod errors;
mod graph;
mod inbound;
mod media;
mod number;
mod parse;
mod person;
mod receipt;
mod send;
mod signal;
mod template_change;
mod template_list;
mod template_parameters;
mod webhook;
mod wire;

use domain::{
    channel::{
        BoxFuture, Channel, ChannelAccess, ChannelError, MediaDownload, MediaFailure, MediaFile,
        MediaProblem, MediaUpload, NumberReading, OutgoingMessage, SendOutcome, Signal,
        WebhookElement, WebhookRejection,
    },
    template::{MediaKind, PlatformTemplate},
};

use crate::{http::OutgoingHttp, media as looked_at};

/// Speaks the WhatsApp Cloud API.
#[derive(Debug, Clone)]
pub struct WhatsApp {
    http: OutgoingHttp,
}

impl WhatsApp {
    /// An adapter that sends through `http`.
    #[must_use]
    pub fn new(http: OutgoingHttp) -> Self {
        Self { http }
    }
}

impl Channel for WhatsApp {
    fn verify(
        &self,
        access: &ChannelAccess,
        signature: Option<&str>,
        body: &[u8],
    ) -> Result<(), WebhookRejection> {
        webhook::verify(access.app_secret.as_bytes(), signature, body)
    }

    fn parse(&self, body: &[u8]) -> Result<Vec<WebhookElement>, WebhookRejection> {
        parse::parse(body)
    }

    fn send<'a>(
        &'a self,
        access: &'a ChannelAccess,
        message: &'a OutgoingMessage,
    ) -> BoxFuture<'a, SendOutcome> {
        Box::pin(send::send(&self.http, access, message))
    }

    fn signal<'a>(
        &'a self,
        access: &'a ChannelAccess,
        signal: &'a Signal,
    ) -> BoxFuture<'a, Result<(), ChannelError>> {
        Box::pin(signal::signal(&self.http, access, signal))
    }

    fn list_templates<'a>(
        &'a self,
        access: &'a ChannelAccess,
    ) -> BoxFuture<'a, Result<Vec<PlatformTemplate>, ChannelError>> {
        Box::pin(template_list::list_templates(&self.http, access))
    }

    fn read_number<'a>(
        &'a self,
        access: &'a ChannelAccess,
    ) -> BoxFuture<'a, Result<NumberReading, ChannelError>> {
        Box::pin(number::read_number(&self.http, access))
    }

    fn inspect_media<'a>(
        &'a self,
        url: &'a str,
        kind: MediaKind,
    ) -> BoxFuture<'a, Result<MediaFile, MediaProblem>> {
        Box::pin(looked_at::inspect(&self.http, url, kind))
    }

    fn open_media<'a>(
        &'a self,
        access: &'a ChannelAccess,
        media: &'a str,
        limit: u64,
    ) -> BoxFuture<'a, Result<MediaDownload, MediaFailure>> {
        Box::pin(media::open(&self.http, access, media, limit))
    }

    fn upload_media<'a>(
        &'a self,
        access: &'a ChannelAccess,
        upload: MediaUpload,
    ) -> BoxFuture<'a, Result<String, MediaFailure>> {
        Box::pin(media::upload(&self.http, access, upload))
    }
}

#[cfg(test)]
mod tests;
