//! What a message holds besides its text, as the column `payload` keeps it: JSON, of which absent parts are left out.

mod content;

use domain::channel::{
    Forwarded, InboundContent, MessageContext, PlatformRefusal, Referral, ReferralSource,
    ReferredProduct,
};
use serde_json::{Map, Value, json};

use crate::error::PersistenceError;

/// The form written; what another version wrote is read as far as it is known.
const VERSION: u8 = 1;

/// What a message holds besides its text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Payload {
    /// What was said; `None` when it is no more than the text, and for what was written here.
    pub content: Option<InboundContent>,
    /// `None` when it was written by its sender.
    pub forwarded: Option<Forwarded>,
    /// The product it asks about; `None` when it asks about none.
    pub product: Option<ReferredProduct>,
    /// The ad or post it was written from; `None` for most messages.
    pub referral: Option<Box<Referral>>,
    /// What the platform could not do with it, in its order.
    pub errors: Vec<PlatformRefusal>,
    /// Whether someone of the business wrote it on the phone app.
    pub is_from_app: bool,
}

impl Payload {
    /// Of a message that said `content`, referred to `context` and came from `referral`.
    pub(super) fn of_inbound(
        content: &InboundContent,
        context: &MessageContext,
        referral: Option<&Referral>,
        errors: &[PlatformRefusal],
    ) -> Self {
        Self {
            content: beyond_text(content),
            forwarded: context.forwarded,
            product: context.product.clone(),
            referral: referral.map(|referral| Box::new(referral.clone())),
            errors: errors.to_vec(),
            is_from_app: false,
        }
    }

    /// Of a message that someone of the business wrote on the phone app.
    pub(super) fn of_echo(content: &InboundContent) -> Self {
        Self { content: beyond_text(content), is_from_app: true, ..Self::default() }
    }

    /// As it is stored. No NUL is in it: JSON writes one as an escape.
    pub(super) fn to_column(&self) -> String {
        if *self == Self::default() {
            return "{}".to_owned();
        }
        let mut column = Map::new();
        column.insert("v".to_owned(), json!(VERSION));
        let forwarded = self.forwarded.map(|forwarded| match forwarded {
            Forwarded::Once => "once",
            Forwarded::Often => "often",
        });
        let errors = self.errors.iter().map(write_refusal).collect::<Vec<_>>();
        let parts = [
            ("content", self.content.as_ref().map(content::write)),
            ("forwarded", forwarded.map(Value::from)),
            ("product", self.product.as_ref().map(write_product)),
            ("referral", self.referral.as_deref().map(write_referral)),
            ("errors", (!errors.is_empty()).then_some(Value::Array(errors))),
            ("from_app", self.is_from_app.then_some(Value::Bool(true))),
        ];
        for (name, part) in parts {
            column.extend(part.map(|part| (name.to_owned(), part)));
        }
        Value::Object(column).to_string()
    }

    /// As it was stored.
    ///
    /// # Errors
    /// `Unreadable` when it is no JSON object.
    pub(crate) fn from_column(column: &str) -> Result<Self, PersistenceError> {
        if column == "{}" {
            return Ok(Self::default());
        }
        let parts: Map<String, Value> = serde_json::from_str(column).map_err(|error| {
            PersistenceError::unreadable("messages", "payload", error.to_string())
        })?;
        let parts = Value::Object(parts);
        let parts = Part(&parts);
        Ok(Self {
            content: parts.part("content").map(content::read),
            forwarded: match parts.word("forwarded") {
                Some("once") => Some(Forwarded::Once),
                Some("often") => Some(Forwarded::Often),
                Some(_) | None => None,
            },
            product: parts.part("product").map(read_product),
            referral: parts.part("referral").map(|referral| Box::new(read_referral(referral))),
            errors: parts.list("errors").map(read_refusal).collect(),
            is_from_app: parts.flag("from_app"),
        })
    }
}

/// What `content` is besides its text; `None` for a plain text.
fn beyond_text(content: &InboundContent) -> Option<InboundContent> {
    match content {
        InboundContent::Text(_) => None,
        InboundContent::Button { .. }
        | InboundContent::Reaction { .. }
        | InboundContent::Media(_)
        | InboundContent::Location(_)
        | InboundContent::Contacts(_)
        | InboundContent::Form(_)
        | InboundContent::CallPermission(_)
        | InboundContent::Order(_)
        | InboundContent::Unsupported(_)
        | InboundContent::Other { .. } => Some(content.clone()),
    }
}

fn write_product(product: &ReferredProduct) -> Value {
    object([
        ("catalog_id", product.catalog_id.clone().into()),
        ("product_id", product.product_id.clone().into()),
    ])
}

fn read_product(part: Part<'_>) -> ReferredProduct {
    ReferredProduct { catalog_id: part.text("catalog_id"), product_id: part.text("product_id") }
}

fn write_referral(referral: &Referral) -> Value {
    let source = referral.source_kind.as_ref().map(|kind| kind.as_str().to_owned());
    object([
        ("source_url", referral.source_url.clone().into()),
        ("source_id", referral.source_id.clone().into()),
        ("source_kind", source.into()),
        ("headline", referral.headline.clone().into()),
        ("body", referral.body.clone().into()),
        ("media_type", referral.media_type.clone().into()),
        ("image_url", referral.image_url.clone().into()),
        ("video_url", referral.video_url.clone().into()),
        ("thumbnail_url", referral.thumbnail_url.clone().into()),
        ("click_id", referral.click_id.clone().into()),
        ("welcome_text", referral.welcome_text.clone().into()),
    ])
}

fn read_referral(part: Part<'_>) -> Referral {
    Referral {
        source_url: part.text("source_url"),
        source_id: part.text("source_id"),
        source_kind: part.word("source_kind").map(ReferralSource::parse),
        headline: part.text("headline"),
        body: part.text("body"),
        media_type: part.text("media_type"),
        image_url: part.text("image_url"),
        video_url: part.text("video_url"),
        thumbnail_url: part.text("thumbnail_url"),
        click_id: part.text("click_id"),
        welcome_text: part.text("welcome_text"),
    }
}

fn write_refusal(refusal: &PlatformRefusal) -> Value {
    json!({ "code": refusal.code, "title": refusal.title })
}

fn read_refusal(part: Part<'_>) -> PlatformRefusal {
    PlatformRefusal {
        code: part.text("code").unwrap_or_default(),
        title: part.text("title").unwrap_or_default(),
    }
}

/// An object of the parts that are there: neither null, nor `false`, nor an empty list.
fn object<const N: usize>(parts: [(&str, Value); N]) -> Value {
    let is_there = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Object(_) => true,
    };
    let parts = parts.into_iter().filter(|(_, value)| is_there(value));
    Value::Object(parts.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// An object that is read; what is not there, or of another kind, is absent.
#[derive(Clone, Copy)]
struct Part<'a>(&'a Value);

impl<'a> Part<'a> {
    fn part(self, name: &str) -> Option<Self> {
        self.0.get(name).filter(|value| value.is_object()).map(Part)
    }

    fn word(self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.as_str()
    }

    fn text(self, name: &str) -> Option<String> {
        self.word(name).map(str::to_owned)
    }

    fn number(self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }

    fn flag(self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    fn list(self, name: &str) -> impl Iterator<Item = Self> + use<'a> {
        self.0.get(name).and_then(Value::as_array).into_iter().flatten().map(Part)
    }
}

#[cfg(test)]
mod tests;
