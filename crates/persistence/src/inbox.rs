//! Webhooks: durable before they are answered, then applied in batches: receipts together, the rest with a
//! savepoint per element.

mod account;
mod apply;
mod element;
mod kept;
mod known;
mod lock;
mod quarantine;
mod template_news;
mod template_status;
mod together;
mod waiting;
mod writer;

pub use self::{
    apply::{ApplyReport, ParsedWebhook, apply, apply_part, apply_unkept},
    kept::{KeptKind, delete_kept, list_kept},
    quarantine::put_aside,
    waiting::{RawWebhook, list_waiting},
    writer::{AppendError, Appended, WebhookInbox},
};
