//! What the platform says of a template between two syncs, besides its status: how it is liked, what it is filed
//! under, what it says. Each holds from the platform's own instant.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{CategoryNews, ChangedButton, TemplateChange, TemplateComponents},
    ids::TemplateId,
    template::{TemplateButton, TemplateContent, TemplateHeader},
};

use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    message_template,
    schema::message_templates,
};

/// How its recipients like it.
pub(super) fn apply_quality(
    db: &mut Db,
    account: &str,
    change: &TemplateChange,
    current: &str,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let Some(template) = find(db, account, change)? else { return Ok(()) };
    let at = Instant::from(at);
    let changed_at = message_templates::quality_changed_at;
    let row = message_templates::table.find(template);
    diesel::update(row.filter(changed_at.is_null().or(changed_at.le(at))))
        .set((message_templates::quality.eq(Some(current)), changed_at.eq(Some(at))))
        .execute(db)?;
    told(db, template);
    Ok(())
}

/// What it is filed under, or will be. A category that nobody here knows leaves it as it is.
pub(super) fn apply_category(
    db: &mut Db,
    account: &str,
    change: &TemplateChange,
    news: &CategoryNews,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let Some(template) = find(db, account, change)? else { return Ok(()) };
    let at = Instant::from(at);
    let changed_at = message_templates::category_changed_at;
    let row = message_templates::table.find(template);
    let newest = row.filter(changed_at.is_null().or(changed_at.le(at)));
    match news {
        CategoryNews::Changed { current, .. } => {
            let word = current.to_ascii_lowercase();
            if message_template::read_category(&word).is_none() {
                return Ok(());
            }
            diesel::update(newest)
                .set((
                    message_templates::category.eq(word),
                    message_templates::upcoming_category.eq(None::<String>),
                    message_templates::upcoming_category_from.eq(None::<Instant>),
                    changed_at.eq(Some(at)),
                ))
                .execute(db)?;
        }
        CategoryNews::Announced { upcoming, from, .. } => {
            diesel::update(newest)
                .set((
                    message_templates::upcoming_category.eq(Some(upcoming.to_ascii_lowercase())),
                    message_templates::upcoming_category_from.eq(from.map(Instant::from)),
                ))
                .execute(db)?;
        }
    }
    told(db, template);
    Ok(())
}

/// What it says.
pub(super) fn apply_components(
    db: &mut Db,
    account: &str,
    change: &TemplateChange,
    components: &TemplateComponents,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let Some(template) = find(db, account, change)? else { return Ok(()) };
    let at = Instant::from(at);
    let changed_at = message_templates::components_changed_at;
    let row = message_templates::table.find(template);
    let known = message_template::get(db, TemplateId(template))?;
    let status = known.status;
    let content = rewritten(known.content, components);
    diesel::update(row.filter(changed_at.is_null().or(changed_at.le(at))))
        .set((
            message_templates::components.eq(message_template::write_content(&content, status)?),
            changed_at.eq(Some(at)),
        ))
        .execute(db)?;
    told(db, template);
    Ok(())
}

/// The content as told: a header that is no text is told by lists only, and stays.
fn rewritten(known: TemplateContent, told: &TemplateComponents) -> TemplateContent {
    let header = match (&told.header, known.header) {
        (Some(text), _) => Some(TemplateHeader::Text(text.clone())),
        (None, Some(TemplateHeader::Text(_))) => None,
        (None, other) => other,
    };
    let buttons = match told.buttons.is_empty() {
        true => known.buttons,
        false => told.buttons.iter().map(button).collect(),
    };
    TemplateContent {
        header,
        body: told.body.clone().unwrap_or(known.body),
        footer: told.footer.clone(),
        buttons,
    }
}

fn button(told: &ChangedButton) -> TemplateButton {
    let text = told.text.clone().unwrap_or_default();
    match (told.kind.as_deref(), &told.url, &told.phone) {
        (Some("QUICK_REPLY"), ..) => TemplateButton::QuickReply { text },
        (Some("URL"), Some(url), _) => TemplateButton::Url { text, url: url.clone() },
        (Some("PHONE_NUMBER"), _, Some(phone)) => {
            TemplateButton::Phone { text, phone: phone.clone() }
        }
        (Some("COPY_CODE"), ..) => TemplateButton::CopyCode { text },
        _ => TemplateButton::Other { text },
    }
}

/// The template a change is about; `None` when the next sync brings it first.
fn find(
    db: &mut Db,
    account: &str,
    change: &TemplateChange,
) -> Result<Option<i64>, PersistenceError> {
    Ok(message_templates::table
        .filter(message_templates::account_id.eq(account))
        .filter(message_templates::name.eq(&change.name))
        .filter(message_templates::language.eq(&change.language))
        .select(message_templates::id)
        .first(db)
        .optional()?)
}

fn told(db: &mut Db, template: i64) {
    live::note(db, LiveEvent::of_all(LiveKind::Template, template));
}
