//! What the platform says of a template between two syncs.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{PauseStage, TemplateChange, TemplateStatusEvent, TemplateStatusNews},
    ids::TemplateId,
    template::{StatusNews, TemplateStatus},
};

use crate::{db::Db, error::PersistenceError, message_template, schema::message_templates};

/// Takes over what the platform says of the status of a template since `at`, unless newer news are known; words this
/// program does not know make it unusable.
pub(super) fn apply(
    db: &mut Db,
    account: &str,
    change: &TemplateChange,
    news: &TemplateStatusNews,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let Some(status) = status_of(news, at) else { return Ok(()) };
    let template: Option<i64> = message_templates::table
        .filter(message_templates::account_id.eq(account))
        .filter(message_templates::name.eq(&change.name))
        .filter(message_templates::language.eq(&change.language))
        .select(message_templates::id)
        .first(db)
        .optional()?;
    // The next sync brings one that is not known here yet.
    let Some(template) = template else { return Ok(()) };
    let news = StatusNews::of_change(status, at);
    message_template::apply_news(db, TemplateId(template), &news)?;
    Ok(())
}

/// What the platform's word says; `None` when it leaves the template as it is.
fn status_of(news: &TemplateStatusNews, at: DateTime<Utc>) -> Option<TemplateStatus> {
    use TemplateStatusEvent as Event;
    match &news.event {
        Event::Approved | Event::Reinstated => Some(TemplateStatus::Approved),
        Event::Pending | Event::InAppeal => Some(TemplateStatus::Pending),
        Event::Rejected => Some(TemplateStatus::Rejected),
        Event::Paused => {
            let stage = news.pause.as_ref().and_then(|pause| pause.stage.as_ref());
            let length = stage.and_then(PauseStage::length);
            Some(TemplateStatus::Paused { until: length.map(|length| at + length) })
        }
        Event::Disabled => Some(TemplateStatus::Disabled),
        // The first only announces; after the second it is as it was, which the next sync tells.
        Event::Flagged | Event::Unarchived => None,
        Event::Archived => Some(TemplateStatus::Archived),
        Event::PendingDeletion
        | Event::Deleted
        | Event::Locked
        | Event::LimitExceeded
        | Event::Other(_) => Some(TemplateStatus::Gone),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::{
        channel::{ChannelEvent, TemplateNews, TemplatePause, WebhookElement},
        clock::Clock,
        template::PlatformTemplate,
    };

    use super::*;
    use crate::{
        pipeline_tests::permutations,
        test_desk::{ACCOUNT, TestDesk, platform_template},
        test_support::on_both,
    };

    /// The same words for the same status, whenever it came about.
    fn event(status: &str, at: DateTime<Utc>) -> WebhookElement {
        let event = ChannelEvent::Template(TemplateChange {
            external_id: None,
            name: "hello".into(),
            language: "en".into(),
            at: Some(at),
            news: TemplateNews::Status(TemplateStatusNews::of(TemplateStatusEvent::parse(status))),
        });
        WebhookElement {
            account_id: None,
            told_at: Some(at),
            external_id: None,
            raw: status.into(),
            event: Ok(event),
        }
    }

    fn status(desk: &TestDesk) -> TemplateStatus {
        let template = desk.store.blocking_read(|db| message_template::get(db, desk.template));
        template.unwrap().status
    }

    #[test]
    fn a_template_status_that_comes_about_again_is_no_copy() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let start = desk.clock.now();
            let paused = TemplateStatus::Paused { until: None };
            let told = [("APPROVED", TemplateStatus::Approved), ("PAUSED", paused)];
            for (hour, (word, expected)) in (0..).zip(told.into_iter().cycle().take(4)) {
                let element = event(word, start + TimeDelta::hours(hour));
                assert_eq!(desk.apply(vec![element.clone()]).applied, 1, "{word}, hour {hour}");
                assert_eq!(status(&desk), expected, "{word}, hour {hour}");
                assert_eq!(desk.apply(vec![element]).copies, 1, "{word}, hour {hour}");
            }
        });
    }

    #[test]
    fn each_template_status_makes_it_sendable_or_not_as_the_protocol_says() {
        let paused = TemplateStatus::Paused { until: None };
        let told = [
            ("FLAGGED", TemplateStatus::Approved),
            ("PAUSED", paused),
            ("FLAGGED", paused),
            ("DISABLED", TemplateStatus::Disabled),
            ("REINSTATED", TemplateStatus::Approved),
            ("ARCHIVED", TemplateStatus::Archived),
            ("UNARCHIVED", TemplateStatus::Archived),
            ("APPROVED", TemplateStatus::Approved),
            ("SOMETHING_NEW", TemplateStatus::Gone),
        ];
        on_both(|store| {
            let desk = TestDesk::new(store);
            let start = desk.clock.now();
            for (hour, (word, expected)) in (0..).zip(told) {
                desk.apply(vec![event(word, start + TimeDelta::hours(hour))]);
                assert_eq!(status(&desk), expected, "{word}, hour {hour}");
            }
        });
    }

    #[test]
    fn a_pause_of_the_platform_ends_when_it_says_and_a_list_leaves_the_end() {
        let stages = [
            ("FIRST_PAUSE", Some(3)),
            ("SECOND_PAUSE", Some(6)),
            ("RATE_LIMITING_PAUSE", None),
            ("SOMETHING_NEW", None),
        ];
        on_both(|store| {
            let desk = TestDesk::new(store);
            let start = desk.clock.now();
            for (day, (stage, hours)) in (0..).zip(stages) {
                let at = start + TimeDelta::days(day);
                let mut news = TemplateStatusNews::of(TemplateStatusEvent::Paused);
                let stage = Some(PauseStage::parse(stage));
                news.pause = Some(TemplatePause { stage, description: None });
                let mut told = event("PAUSED", at);
                if let Ok(ChannelEvent::Template(change)) = &mut told.event {
                    change.news = TemplateNews::Status(news);
                }
                told.raw = format!("paused on day {day}");
                desk.apply(vec![told]);
                let until = hours.map(|hours| at + TimeDelta::hours(hours));
                let expected = TemplateStatus::Paused { until };
                assert_eq!(status(&desk), expected, "day {day}");
                let listed = PlatformTemplate {
                    status: TemplateStatus::Paused { until: None },
                    ..platform_template()
                };
                let read_at = at + TimeDelta::hours(1);
                store
                    .blocking_write(|db| {
                        message_template::save_all(db, ACCOUNT, &[listed], read_at)
                    })
                    .unwrap();
                assert_eq!(status(&desk), expected, "listed on day {day}");
            }
        });
    }

    #[test]
    fn the_order_in_which_template_events_arrive_decides_nothing() {
        // Of the last second the stricter holds; what only announces tells no status.
        let told =
            [("PAUSED", 0), ("APPROVED", 5), ("DISABLED", 6), ("REINSTATED", 9), ("PAUSED", 9)];
        on_both(|store| {
            let desk = TestDesk::new(store);
            for order in permutations(told.len()) {
                desk.clock.advance(TimeDelta::hours(1));
                let start = desk.clock.now();
                desk.apply(vec![event("APPROVED", start - TimeDelta::minutes(1))]);
                for index in &order {
                    let (word, second) = told[*index];
                    desk.apply(vec![event(word, start + TimeDelta::seconds(second))]);
                }
                let expected = TemplateStatus::Paused { until: None };
                assert_eq!(status(&desk), expected, "in the order {order:?}");
            }
        });
    }

    #[test]
    fn a_late_event_does_not_undo_a_sync_nor_a_slow_sync_an_event() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let start = desk.clock.now() + TimeDelta::hours(1);
            let sync = |status, read_at| {
                let template = PlatformTemplate { status, ..platform_template() };
                desk.store
                    .blocking_write(|db| {
                        message_template::save_all(db, ACCOUNT, &[template], read_at)
                    })
                    .unwrap()
            };
            sync(TemplateStatus::Disabled, start);
            desk.apply(vec![event("APPROVED", start - TimeDelta::seconds(1))]);
            assert_eq!(status(&desk), TemplateStatus::Disabled, "older than the list");
            desk.apply(vec![event("APPROVED", start + TimeDelta::minutes(1))]);
            assert_eq!(status(&desk), TemplateStatus::Approved);
            sync(TemplateStatus::Disabled, start + TimeDelta::seconds(30));
            assert_eq!(status(&desk), TemplateStatus::Approved, "read before the change");
            sync(TemplateStatus::Disabled, start + TimeDelta::minutes(2));
            assert_eq!(status(&desk), TemplateStatus::Disabled, "read after it");
        });
    }
}
