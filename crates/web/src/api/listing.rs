//! What there is to send from, with and to: contacts, templates, channels, numbers.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use domain::{
    ids::{ChannelId, ContactId, NumberId, TemplateId},
    number::capacity::capacity,
    template::{
        MediaKind, MessageTemplate, TemplateButton, TemplateCategory, TemplateHeader,
        TemplateStatus, Variable, VariableKind, VariableRole,
    },
};
use persistence::{
    api::{self, ListedTemplate, NumberState},
    channel::Channel,
    contact::{self, Contact},
    db::Db,
    error::PersistenceError,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    client::{ChannelReader, ContactReader, TemplateReader},
    instant,
    page::{ListPage, PageQuery},
    problem::{ApiError, Problem},
    request::read_id,
};
use crate::{desk::Desk, error::WebError, visit::Visit};

/// A contact.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactAnswer {
    #[schema(example = "57")]
    id: String,
    /// Empty when unknown.
    name: String,
    /// In E.164 form; null for people known by another identity only.
    #[schema(required = true, example = "+5511987654321")]
    phone: Option<String>,
    /// The language written in; null when unknown.
    #[schema(required = true)]
    language: Option<String>,
    /// The IANA zone lived in; null when it is read from the number.
    #[schema(required = true)]
    time_zone: Option<String>,
    /// The id of the agent whose portfolio it belongs to.
    #[schema(required = true)]
    responsible_agent: Option<String>,
    tags: Vec<String>,
}

/// A message template.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateAnswer {
    #[schema(example = "12")]
    id: String,
    #[schema(example = "order_ready")]
    name: String,
    #[schema(example = "pt_BR")]
    language: String,
    /// `marketing`, `utility` or `authentication`.
    category: &'static str,
    /// `approved`, `pending`, `rejected`, `paused`, `disabled`, `archived`, `unfillable` or `gone`; only an approved
    /// one is sent.
    status: &'static str,
    /// When a pause ends; null when it is not paused, or the end is not known.
    #[schema(required = true, format = DateTime)]
    paused_until: Option<String>,
    /// The ids of the channels it may be sent from.
    channels: Vec<String>,
    /// What a send must fill.
    variables: Vec<VariableAnswer>,
    #[schema(required = true)]
    header: Option<HeaderAnswer>,
    /// With `{{1}}` or `{{name}}` for variables.
    body: String,
    #[schema(required = true)]
    footer: Option<String>,
    buttons: Vec<ButtonAnswer>,
}

/// A variable of a template.
#[derive(Debug, Serialize, ToSchema)]
pub struct VariableAnswer {
    /// Names it in `variables` of a send.
    #[schema(example = "header")]
    name: String,
    /// `header`, `body` or `button`.
    place: &'static str,
    /// `text`, `image`, `video`, `document`, `url_suffix`, `coupon_code`, `latitude` or `longitude`.
    kind: &'static str,
    /// The most characters of its value.
    max_length: usize,
}

/// What stands above a template's body.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeaderAnswer {
    /// `text`, `image`, `video`, `document` or `location`.
    kind: &'static str,
    /// Null unless it is a text.
    #[schema(required = true)]
    text: Option<String>,
}

/// A button under a template.
#[derive(Debug, Serialize, ToSchema)]
pub struct ButtonAnswer {
    /// `quick_reply`, `url`, `phone`, `copy_code` or `other`.
    kind: &'static str,
    text: String,
}

/// A connection of a chatbot to a platform.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelAnswer {
    #[schema(example = "1")]
    id: String,
    /// `whatsapp`, `wechat`, `wecom` or `sms`.
    kind: &'static str,
    name: String,
    /// The chatbot's id.
    chatbot: String,
    /// Whether it may be sent through.
    connected: bool,
    /// Its number; null for channels without one.
    #[schema(required = true)]
    number: Option<ChannelNumber>,
}

/// The number of a channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelNumber {
    id: String,
    phone: String,
}

/// A number as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct NumberAnswer {
    #[schema(example = "1")]
    id: String,
    /// The channel's id.
    channel: String,
    phone: String,
    /// 1 to 3.
    level: u8,
    /// `high`, `medium` or `low`.
    rating: &'static str,
    /// `connected`, `flagged` or `restricted`.
    standing: &'static str,
    /// `open`, or `limit_reached`: every notification is refused for now.
    capacity: &'static str,
    /// How many contacts it may notify in 24 h.
    limit: u32,
    /// Distinct contacts notified in the last 24 h.
    recipients_24h: u32,
    /// Distinct contacts notified in the last 7 days.
    recipients_7d: u32,
}

/// List contacts
#[utoipa::path(
    get,
    path = "/api/v1/contacts",
    operation_id = "listContacts",
    tag = "contacts",
    params(
        ("limit" = Option<u32>, Query, description = "Rows of a page, 50 unless said", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next` of the page before", pattern = "^([0-9a-f]{2})+$"),
    ),
    responses((status = 200, description = "The contacts of the token's chatbots, by id", body = ListPage<ContactAnswer>)),
    security(("token" = ["contacts:read"])),
)]
pub async fn list_contacts(
    desk: Data<Desk>,
    client: ContactReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let actor = client.actor.clone();
    let read = move |db: &mut Db, after: Option<i64>, most| {
        contact::list_after(db, &actor, after.map(ContactId), most)
    };
    let id = |contact: &Contact| contact.id.0;
    show_page::<_, ContactAnswer>(&desk, &request, "contacts", read, id).await
}

/// List message templates
#[utoipa::path(
    get,
    path = "/api/v1/templates",
    operation_id = "listTemplates",
    tag = "templates",
    params(
        ("limit" = Option<u32>, Query, description = "Rows of a page, 50 unless said", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next` of the page before", pattern = "^([0-9a-f]{2})+$"),
    ),
    responses((status = 200, description = "The templates of the token's channels, by id", body = ListPage<TemplateAnswer>)),
    security(("token" = ["templates:read"])),
)]
pub async fn list_templates(
    desk: Data<Desk>,
    client: TemplateReader,
    visit: Visit,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let (actor, now) = (client.actor.clone(), visit.now);
    let read = move |db: &mut Db, after: Option<i64>, most| {
        api::list_templates(db, &actor, after.map(TemplateId), most, now)
    };
    let id = |listed: &ListedTemplate| listed.template.id.0;
    show_page::<_, TemplateAnswer>(&desk, &request, "templates", read, id).await
}

/// List channels
#[utoipa::path(
    get,
    path = "/api/v1/channels",
    operation_id = "listChannels",
    tag = "channels",
    params(
        ("limit" = Option<u32>, Query, description = "Rows of a page, 50 unless said", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next` of the page before", pattern = "^([0-9a-f]{2})+$"),
    ),
    responses((status = 200, description = "The channels of the token's chatbots, by id", body = ListPage<ChannelAnswer>)),
    security(("token" = ["channels:read"])),
)]
pub async fn list_channels(
    desk: Data<Desk>,
    client: ChannelReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let actor = client.actor.clone();
    let read = move |db: &mut Db, after: Option<i64>, most| {
        api::list_channels(db, &actor, after.map(ChannelId), most)
    };
    let id = |channel: &Channel| channel.id.0;
    show_page::<_, ChannelAnswer>(&desk, &request, "channels", read, id).await
}

/// The page that is asked of the list called `list`. `read` gives the rows with an id beyond one, by `id`,
/// so many at most.
async fn show_page<Row, Answer>(
    desk: &Desk,
    request: &HttpRequest,
    list: &str,
    read: impl FnOnce(&mut Db, Option<i64>, i64) -> Result<Vec<Row>, PersistenceError> + Send + 'static,
    id: impl Fn(&Row) -> i64,
) -> Result<HttpResponse, ApiError>
where
    Row: Send + 'static,
    Answer: From<Row> + Serialize,
{
    let query = PageQuery::parse(request, list)?;
    let (after, most) = (query.after, query.most());
    let mut rows = desk.store.read(move |db| read(db, after, most)).await?;
    let next = query.cut(list, &mut rows, id);
    let data: Vec<Answer> = rows.into_iter().map(Answer::from).collect();
    Ok(HttpResponse::Ok().json(ListPage { data, next }))
}

/// Show a number
#[utoipa::path(
    get,
    path = "/api/v1/numbers/{id}",
    operation_id = "getNumber",
    tag = "channels",
    params(("id" = String, Path, description = "The number's id")),
    responses(
        (status = 200, description = "Rating, standing, limit and use", body = NumberAnswer),
        (status = 404, description = "Unknown", body = Problem,
            content_type = "application/problem+json"),
    ),
    security(("token" = ["channels:read"])),
)]
pub async fn show_number(
    desk: Data<Desk>,
    client: ChannelReader,
    visit: Visit,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = read_id(&id).map(NumberId).ok_or(WebError::NotFound)?;
    let (actor, now) = (client.actor.clone(), visit.now);
    let read = move |db: &mut Db| db.snapshot(|db| api::get_number(db, &actor, id, now));
    let state = desk.store.read(read).await?;
    Ok(HttpResponse::Ok().json(NumberAnswer::from(state)))
}

impl From<Contact> for ContactAnswer {
    fn from(contact: Contact) -> Self {
        Self {
            id: contact.id.to_string(),
            name: contact.name,
            phone: contact.phone.map(|phone| phone.as_e164().to_owned()),
            language: contact.language,
            time_zone: contact.time_zone,
            responsible_agent: contact.responsible_agent.map(|agent| agent.to_string()),
            tags: contact.tags,
        }
    }
}

impl From<ListedTemplate> for TemplateAnswer {
    fn from(ListedTemplate { template, channels }: ListedTemplate) -> Self {
        let MessageTemplate { id, name, language, category, status, content, .. } = template;
        let variables = content.variables();
        Self {
            id: id.to_string(),
            name,
            language,
            category: category_word(category),
            status: status_word(status),
            paused_until: match status {
                TemplateStatus::Paused { until } => until.map(instant),
                _ => None,
            },
            channels: channels.iter().map(ToString::to_string).collect(),
            variables: variables.into_iter().map(VariableAnswer::from).collect(),
            header: content.header.map(HeaderAnswer::from),
            body: content.body,
            footer: content.footer,
            buttons: content.buttons.into_iter().map(ButtonAnswer::from).collect(),
        }
    }
}

impl From<Variable> for VariableAnswer {
    fn from(variable: Variable) -> Self {
        Self {
            name: variable.name.0,
            place: match variable.role {
                VariableRole::Header => "header",
                VariableRole::Body => "body",
                VariableRole::Button(_) => "button",
            },
            kind: match variable.kind {
                VariableKind::Text => "text",
                VariableKind::Media(kind) => media_word(kind),
                VariableKind::UrlSuffix => "url_suffix",
                VariableKind::CouponCode => "coupon_code",
                VariableKind::Latitude => "latitude",
                VariableKind::Longitude => "longitude",
            },
            max_length: variable.max_length,
        }
    }
}

impl From<TemplateHeader> for HeaderAnswer {
    fn from(header: TemplateHeader) -> Self {
        match header {
            TemplateHeader::Text(text) => Self { kind: "text", text: Some(text) },
            TemplateHeader::Media(kind) => Self { kind: media_word(kind), text: None },
            TemplateHeader::Location => Self { kind: "location", text: None },
        }
    }
}

impl From<TemplateButton> for ButtonAnswer {
    fn from(button: TemplateButton) -> Self {
        let (kind, text) = match button {
            TemplateButton::QuickReply { text } => ("quick_reply", text),
            TemplateButton::Url { text, .. } => ("url", text),
            TemplateButton::Phone { text, .. } => ("phone", text),
            TemplateButton::CopyCode { text } => ("copy_code", text),
            TemplateButton::Other { text } => ("other", text),
        };
        Self { kind, text }
    }
}

impl From<Channel> for ChannelAnswer {
    fn from(channel: Channel) -> Self {
        let number = |(id, phone): (NumberId, String)| ChannelNumber { id: id.to_string(), phone };
        Self {
            id: channel.id.to_string(),
            kind: channel.kind.as_str(),
            name: channel.name,
            chatbot: channel.chatbot.to_string(),
            connected: channel.connected,
            number: channel.number.map(number),
        }
    }
}

impl From<NumberState> for NumberAnswer {
    fn from(state: NumberState) -> Self {
        Self {
            id: state.number.id.to_string(),
            channel: state.number.channel.to_string(),
            level: state.number.level.number(),
            rating: state.number.rating.as_str(),
            standing: state.standing.as_str(),
            capacity: capacity(state.counted_day, state.limit).as_str(),
            limit: state.limit,
            recipients_24h: state.counted_day,
            recipients_7d: state.counted_week,
            phone: state.number.phone,
        }
    }
}

fn category_word(category: TemplateCategory) -> &'static str {
    match category {
        TemplateCategory::Marketing => "marketing",
        TemplateCategory::Utility => "utility",
        TemplateCategory::Authentication => "authentication",
    }
}

fn status_word(status: TemplateStatus) -> &'static str {
    match status {
        TemplateStatus::Approved => "approved",
        TemplateStatus::Pending => "pending",
        TemplateStatus::Rejected => "rejected",
        TemplateStatus::Paused { .. } => "paused",
        TemplateStatus::Disabled => "disabled",
        TemplateStatus::Archived => "archived",
        TemplateStatus::Unfillable(_) => "unfillable",
        TemplateStatus::Gone => "gone",
    }
}

fn media_word(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Document => "document",
    }
}
