//! Message templates as the platform approved them: rows, their content as JSON, and the sync that
//! replaces a whole account's list at once.

mod content;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    ids::TemplateId,
    template::{
        MessageTemplate, PlatformTemplate, StatusNews, TemplateCategory, TemplateContent,
        TemplateStatus, UnfillablePart,
    },
};

use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    schema::message_templates,
};

/// What a sync changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SyncReport {
    /// Templates the platform listed.
    pub listed: usize,
    /// Templates that are no longer in the account.
    pub gone: usize,
}

#[derive(Queryable)]
pub(crate) struct MessageTemplateRow {
    id: i64,
    account_id: String,
    name: String,
    language: String,
    category: String,
    status: String,
    paused_until: Option<Instant>,
    parameter_format: String,
    components: String,
    gone_at: Option<Instant>,
}

impl TryFrom<MessageTemplateRow> for MessageTemplate {
    type Error = PersistenceError;

    fn try_from(row: MessageTemplateRow) -> Result<Self, PersistenceError> {
        let status = match row.gone_at {
            Some(_) => TemplateStatus::Gone,
            None => read_status(&row.status, row.paused_until.map(DateTime::from)),
        };
        let (content, unfillable) = content::read(&row.components)?;
        Ok(Self {
            id: TemplateId(row.id),
            account_id: row.account_id,
            name: row.name,
            language: row.language,
            category: read_category(&row.category).ok_or_else(|| {
                PersistenceError::unreadable("message_templates", "category", row.category)
            })?,
            status: status.without(unfillable),
            named_parameters: row.parameter_format == NAMED,
            content,
        })
    }
}

const NAMED: &str = "named";
const POSITIONAL: &str = "positional";

/// The template `id`.
///
/// # Errors
/// `NotFound`, or `Unreadable` when its content is not ours.
pub fn get(db: &mut Db, id: TemplateId) -> Result<MessageTemplate, PersistenceError> {
    let row: MessageTemplateRow =
        on_either!(db => message_templates::table.find(id.0).select(row_columns()).first(db))?;
    row.try_into()
}

/// The templates of `account`, gone ones included, by name and language.
pub fn list_of_account(
    db: &mut Db,
    account: &str,
) -> Result<Vec<MessageTemplate>, PersistenceError> {
    let rows: Vec<MessageTemplateRow> = message_templates::table
        .filter(message_templates::account_id.eq(account))
        .order((message_templates::name.asc(), message_templates::language.asc()))
        .select(row_columns())
        .load(db)?;
    rows.into_iter().map(MessageTemplate::try_from).collect()
}

pub(crate) type RowColumns = (
    message_templates::id,
    message_templates::account_id,
    message_templates::name,
    message_templates::language,
    message_templates::category,
    message_templates::status,
    message_templates::paused_until,
    message_templates::parameter_format,
    message_templates::components,
    message_templates::gone_at,
);

pub(crate) fn row_columns() -> RowColumns {
    (
        message_templates::id,
        message_templates::account_id,
        message_templates::name,
        message_templates::language,
        message_templates::category,
        message_templates::status,
        message_templates::paused_until,
        message_templates::parameter_format,
        message_templates::components,
        message_templates::gone_at,
    )
}

/// Replaces the list of `account` by what its platform says, whole: what is no longer listed is gone, and
/// comes back when it is listed again. Ids stay. `now` is when the reading of the list began; what is known to be
/// newer, be it the status, the quality, the category or the content, stays.
pub fn save_all(
    db: &mut Db,
    account: &str,
    templates: &[PlatformTemplate],
    now: DateTime<Utc>,
) -> Result<SyncReport, PersistenceError> {
    db.write(|db| {
        let at = Instant::from(now);
        for template in templates {
            save(db, account, template, now)?;
        }
        let gone = diesel::update(
            message_templates::table
                .filter(message_templates::account_id.eq(account))
                .filter(message_templates::synced_at.lt(at))
                .filter(message_templates::gone_at.is_null()),
        )
        .set(message_templates::gone_at.eq(Some(at)))
        .execute(db)?;
        live::note(db, LiveEvent::of_all(LiveKind::Template, 0));
        Ok(SyncReport { listed: templates.len(), gone })
    })
}

fn save(
    db: &mut Db,
    account: &str,
    template: &PlatformTemplate,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let category = message_templates::category.eq(category_word(template.category));
    let components = content::write(&template.content, template.unfillable)?;
    let components = message_templates::components.eq(components);
    let quality = message_templates::quality.eq(template.quality.as_deref());
    let content = (
        message_templates::external_id.eq(&template.external_id),
        message_templates::parameter_format.eq(if template.named_parameters {
            NAMED
        } else {
            POSITIONAL
        }),
        message_templates::synced_at.eq(Instant::from(now)),
        message_templates::gone_at.eq(None::<Instant>),
    );
    let news = StatusNews::of_list(template.status, now);
    let status = news_columns(&news);
    let row = (
        message_templates::account_id.eq(account),
        message_templates::name.eq(&template.name),
        message_templates::language.eq(&template.language),
    );
    on_either!(db => diesel::insert_into(message_templates::table)
        .values((row, content, status, category, components.clone(), quality))
        .on_conflict((
            message_templates::account_id,
            message_templates::name,
            message_templates::language,
        ))
        .do_update()
        .set(content)
        .execute(db))?;
    let it = || {
        message_templates::table
            .filter(message_templates::account_id.eq(account))
            .filter(message_templates::name.eq(&template.name))
            .filter(message_templates::language.eq(&template.language))
    };
    let read_at = Instant::from(news.at);
    let status_at = message_templates::status_changed_at;
    let is_older = || status_at.is_null().or(status_at.le(read_at));
    // A list tells that a template is paused, and never until when.
    let keeps_its_end = message_templates::status
        .eq("paused")
        .and(message_templates::paused_until.is_not_null())
        .and(message_templates::paused_until.gt(read_at));
    let kept = match template.status {
        TemplateStatus::Paused { until: None } => {
            diesel::update(it().filter(is_older()).filter(keeps_its_end))
                .set(status_at.eq(Some(read_at)))
                .execute(db)?
        }
        _ => 0,
    };
    if kept == 0 {
        diesel::update(it().filter(is_older())).set(status).execute(db)?;
    }
    let category_at = message_templates::category_changed_at;
    diesel::update(it().filter(category_at.is_null().or(category_at.le(read_at))))
        .set(category)
        .execute(db)?;
    let components_at = message_templates::components_changed_at;
    diesel::update(it().filter(components_at.is_null().or(components_at.le(read_at))))
        .set(components)
        .execute(db)?;
    let quality_at = message_templates::quality_changed_at;
    diesel::update(it().filter(quality_at.is_null().or(quality_at.le(read_at))))
        .set(quality)
        .execute(db)?;
    Ok(())
}

type StatusColumns = (
    diesel::dsl::Eq<message_templates::status, &'static str>,
    diesel::dsl::Eq<message_templates::paused_until, Option<Instant>>,
    diesel::dsl::Eq<message_templates::status_changed_at, Option<Instant>>,
);

fn news_columns(news: &StatusNews) -> StatusColumns {
    let (status, paused_until) = status_columns(news.status);
    (
        message_templates::status.eq(status),
        message_templates::paused_until.eq(paused_until),
        message_templates::status_changed_at.eq(Some(Instant::from(news.at))),
    )
}

/// Takes over what the platform told of `template`, unless newer news are known; says whether it did.
///
/// Locks the template's row, then looks.
pub(crate) fn apply_news(
    db: &mut Db,
    template: TemplateId,
    news: &StatusNews,
) -> Result<bool, PersistenceError> {
    let row = message_templates::table.find(template.0);
    diesel::update(row).set(message_templates::status.eq(message_templates::status)).execute(db)?;
    let (status, paused_until, changed_at): (String, Option<Instant>, Option<Instant>) = row
        .select((
            message_templates::status,
            message_templates::paused_until,
            message_templates::status_changed_at,
        ))
        .first(db)?;
    let known = changed_at.map(|at| StatusNews {
        status: read_status(&status, paused_until.map(DateTime::from)),
        at: at.into(),
    });
    let holds = known.is_none_or(|known| news.replaces(&known));
    if holds {
        let news = known.map_or(*news, |known| news.after(&known));
        diesel::update(row).set(news_columns(&news)).execute(db)?;
        live::note(db, LiveEvent::of_all(LiveKind::Template, template.0));
    }
    Ok(holds)
}

/// The word a status is stored by, and the end of a pause.
pub(crate) fn status_columns(status: TemplateStatus) -> (&'static str, Option<Instant>) {
    match status {
        TemplateStatus::Approved => ("approved", None),
        TemplateStatus::Pending => ("pending", None),
        TemplateStatus::Rejected => ("rejected", None),
        TemplateStatus::Paused { until } => ("paused", until.map(Instant::from)),
        TemplateStatus::Disabled => ("disabled", None),
        TemplateStatus::Archived => ("archived", None),
        TemplateStatus::Unfillable(_) => ("unfillable", None),
        TemplateStatus::Gone => ("gone", None),
    }
}

/// A word this program does not know makes the template unusable, never sendable.
pub(crate) fn read_status(word: &str, paused_until: Option<DateTime<Utc>>) -> TemplateStatus {
    match word {
        "approved" => TemplateStatus::Approved,
        "pending" => TemplateStatus::Pending,
        "rejected" => TemplateStatus::Rejected,
        "paused" => TemplateStatus::Paused { until: paused_until },
        "disabled" => TemplateStatus::Disabled,
        "archived" => TemplateStatus::Archived,
        "unfillable" => TemplateStatus::Unfillable(UnfillablePart::Other),
        _ => TemplateStatus::Gone,
    }
}

/// The word a category is stored by.
pub(crate) fn category_word(category: TemplateCategory) -> &'static str {
    match category {
        TemplateCategory::Marketing => "marketing",
        TemplateCategory::Utility => "utility",
        TemplateCategory::Authentication => "authentication",
    }
}

/// The category stored as `word`.
pub(crate) fn read_category(word: &str) -> Option<TemplateCategory> {
    match word {
        "marketing" => Some(TemplateCategory::Marketing),
        "utility" => Some(TemplateCategory::Utility),
        "authentication" => Some(TemplateCategory::Authentication),
        _ => None,
    }
}

/// Writes `content` of a template in `status` as its row holds it: what of it cannot be filled stays so until a list
/// tells it anew.
pub(crate) fn write_content(
    content: &TemplateContent,
    status: TemplateStatus,
) -> Result<String, PersistenceError> {
    let unfillable = match status {
        TemplateStatus::Unfillable(part) => Some(part),
        TemplateStatus::Approved
        | TemplateStatus::Pending
        | TemplateStatus::Rejected
        | TemplateStatus::Paused { .. }
        | TemplateStatus::Disabled
        | TemplateStatus::Archived
        | TemplateStatus::Gone => None,
    };
    content::write(content, unfillable)
}

/// Reads a template's content as its row holds it.
pub(crate) fn read_content(components: &str) -> Result<TemplateContent, PersistenceError> {
    Ok(content::read(components)?.0)
}

#[cfg(test)]
mod tests {
    use domain::clock::Clock;

    use super::*;
    use crate::{
        test_desk::{ACCOUNT, TestDesk, platform_template},
        test_support::on_both,
    };

    #[test]
    fn am_02_what_cannot_be_filled_is_not_sendable_whatever_is_told_of_its_status() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let now = desk.clock.now();
            let status = || store.blocking_read(|db| get(db, desk.template)).unwrap().status;
            for part in UnfillablePart::ALL {
                let listed = PlatformTemplate { unfillable: Some(part), ..platform_template() };
                store
                    .blocking_write(|db| save_all(db, ACCOUNT, std::slice::from_ref(&listed), now))
                    .unwrap();
                assert_eq!(status(), TemplateStatus::Unfillable(part));
            }
            for told in [TemplateStatus::Approved, TemplateStatus::Pending] {
                let news = StatusNews::of_change(told, now + chrono::TimeDelta::seconds(5));
                store.blocking_write(|db| apply_news(db, desk.template, &news)).unwrap();
                assert!(matches!(status(), TemplateStatus::Unfillable(_)), "{told:?}");
            }
            let later = now + chrono::TimeDelta::seconds(60);
            store
                .blocking_write(|db| save_all(db, ACCOUNT, &[platform_template()], later))
                .unwrap();
            assert_eq!(status(), TemplateStatus::Approved, "all of it can be filled by now");
        });
    }
}
