//! What is asked of a send, as it is written and as it is meant.

use std::collections::BTreeMap;

use domain::{
    ids::{ChannelId, ContactId},
    phone::PhoneNumber,
    template::{VariableName, VariableValues},
};
use persistence::{
    admission::Recipient,
    api::Named,
    idempotency::{IdempotencyKey, KeyOwner, hash_body},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    client::ApiClient,
    json::{Faults, Fields, Json},
    problem::{ApiError, Fault},
};

/// An active message to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendRequest {
    /// The id of the channel to send from.
    #[schema(example = "1")]
    channel: String,
    template: TemplateName,
    to: SendTo,
    /// A value for each variable of the template, by its name: as in the template for the body, `header`
    /// for a header (the address of a file for a media header), `button_0` for a button.
    #[schema(required = false, example = json!({"name": "Luísa", "header": "https://example.com/offer.png"}))]
    variables: BTreeMap<String, String>,
    /// The agent it is sent for, by id or email: the cap, the referral and the tab *Sent* are theirs.
    /// Without one the token counts as an agent, and a reply goes by the normal rules.
    #[schema(example = "ana@example.com")]
    agent: Option<String>,
}

/// A message template in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TemplateName {
    #[schema(example = "order_ready")]
    name: String,
    /// As the platform writes it.
    #[schema(example = "pt_BR")]
    language: String,
}

/// Who it goes to: a number or a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
enum SendTo {
    Phone(PhoneRecipient),
    Contact(ContactRecipient),
}

/// Someone by number, who becomes a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PhoneRecipient {
    /// In international form; spaces, dashes, dots and brackets do not matter. A send to what is no number
    /// is refused as `contact_unreachable`.
    #[schema(example = "+5511987654321")]
    phone: String,
}

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ContactRecipient {
    /// The contact's id.
    #[schema(example = "57")]
    contact: String,
}

impl SendRequest {
    /// Reads a request, or says everything that is wrong with it.
    ///
    /// # Errors
    /// `Fields`.
    pub fn parse(json: Json) -> Result<Self, ApiError> {
        let mut faults = Faults::new();
        let request = Self::read(json, &mut faults);
        match request {
            Some(request) if faults.is_empty() => Ok(request),
            Some(_) | None => Err(ApiError::Fields(faults)),
        }
    }

    fn read(json: Json, faults: &mut Faults) -> Option<Self> {
        let mut fields = Fields::open("", json, faults)?;
        let channel = fields.text("channel", faults);
        let template = fields.object("template", faults).and_then(|mut fields| {
            let name = fields.text("name", faults);
            let language = fields.text("language", faults);
            fields.finish(faults);
            Some(TemplateName { name: name?, language: language? })
        });
        let to = fields.object("to", faults).and_then(|fields| read_to(fields, faults));
        let variables = fields.optional_object("variables", faults);
        let variables = variables.map(|fields| fields.texts(faults)).unwrap_or_default();
        let agent = fields.optional_text("agent", faults);
        // Known by the contract, and not to be taken for a send that goes at once.
        if fields.has("send_at") {
            faults.insert("send_at".to_owned(), Fault::Unscheduled);
        }
        fields.skip::<()>("send_at");
        fields.finish(faults);
        Some(Self { channel: channel?, template: template?, to: to?, variables, agent })
    }

    /// The idempotency key of this request, told from others by what it asks, however it was written.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which it always can.
    pub fn key(&self, client: &ApiClient, key: String) -> Result<IdempotencyKey, ApiError> {
        let body = serde_json::to_vec(self).map_err(|_| ApiError::BrokenJson)?;
        let owner = KeyOwner::Token(client.token);
        Ok(IdempotencyKey { owner, key, body_hash: hash_body(&body) })
    }

    /// What it names, to be looked up.
    pub fn named(&self) -> Named {
        let to = match &self.to {
            SendTo::Phone(to) => Some(
                PhoneNumber::parse(&to.phone).map_or_else(Recipient::NoNumber, Recipient::Phone),
            ),
            SendTo::Contact(to) => read_id(&to.contact).map(ContactId).map(Recipient::Contact),
        };
        Named {
            channel: read_id(&self.channel).map(ChannelId),
            template: self.template.name.clone(),
            language: self.template.language.clone(),
            to,
            agent: self.agent.clone(),
        }
    }

    /// The values of the variables.
    pub fn values(&self) -> VariableValues {
        let values = self.variables.iter();
        values.map(|(name, value)| (VariableName(name.clone()), value.clone())).collect()
    }
}

fn read_to(mut fields: Fields, faults: &mut Faults) -> Option<SendTo> {
    if fields.has("phone") == fields.has("contact") {
        faults.insert("to".to_owned(), Fault::NotOneRecipient);
        fields.skip::<()>("phone");
        fields.skip::<()>("contact");
        fields.finish(faults);
        return None;
    }
    let phone = fields.optional_text("phone", faults);
    let contact = fields.optional_text("contact", faults);
    fields.finish(faults);
    match (phone, contact) {
        (Some(phone), _) => Some(SendTo::Phone(PhoneRecipient { phone })),
        (None, contact) => Some(SendTo::Contact(ContactRecipient { contact: contact? })),
    }
}

/// An id as the API writes it; `None` for anything else, which nothing has as id.
pub fn read_id(text: &str) -> Option<i64> {
    let id: i64 = text.parse().ok()?;
    (id.to_string() == text && 0 < id).then_some(id)
}
