//! Webhooks: durable before they are answered, then applied in batches, one savepoint per element.

mod apply;
mod template_status;
mod writer;

pub use self::{
    apply::{ApplyReport, ParsedWebhook, RawWebhook, apply, apply_unkept, list_waiting, put_aside},
    writer::{AppendError, Appended, WebhookInbox},
};
