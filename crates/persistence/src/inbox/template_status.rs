//! What the platform says of a template between two syncs.

use diesel::prelude::*;

use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    schema::message_templates,
};

/// Takes over what the platform says of a template; words this program does not know make it unusable.
pub(super) fn apply(
    db: &mut Db,
    account: &str,
    name: &str,
    language: &str,
    status: &str,
) -> Result<(), PersistenceError> {
    let Some(word) = stored_word(status) else { return Ok(()) };
    diesel::update(
        message_templates::table
            .filter(message_templates::account_id.eq(account))
            .filter(message_templates::name.eq(name))
            .filter(message_templates::language.eq(language)),
    )
    .set((message_templates::status.eq(word), message_templates::paused_until.eq(None::<Instant>)))
    .execute(db)?;
    live::note(db, LiveEvent { kind: LiveKind::Template, chatbot: None, user: None, id: 0 });
    Ok(())
}

/// The word the platform's is stored by; `None` when it leaves the template as it is.
fn stored_word(status: &str) -> Option<&'static str> {
    match status.to_ascii_uppercase().as_str() {
        "APPROVED" | "REINSTATED" => Some("approved"),
        "PENDING" | "IN_APPEAL" => Some("pending"),
        "REJECTED" => Some("rejected"),
        "PAUSED" => Some("paused"),
        "DISABLED" => Some("disabled"),
        // The first only announces; after the second it is as it was, which the next sync tells.
        "FLAGGED" | "UNARCHIVED" => None,
        _ => Some("gone"),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use domain::{
        channel::{ChannelEvent, WebhookElement},
        clock::Clock,
        template::TemplateStatus,
    };

    use crate::{message_template, test_desk::TestDesk, test_support::on_both};

    /// The same words for the same status, whenever it came about.
    fn event(status: &str, at: DateTime<Utc>) -> WebhookElement {
        let event = ChannelEvent::TemplateStatus {
            name: "hello".into(),
            language: "en".into(),
            status: status.into(),
            at: Some(at),
        };
        WebhookElement { external_id: None, raw: status.into(), event: Ok(event) }
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
            ("ARCHIVED", TemplateStatus::Gone),
            ("UNARCHIVED", TemplateStatus::Gone),
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
}
