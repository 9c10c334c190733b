//! Why a message failed or has not left yet, in an agent's words: what happened, what to do, and from when.

use chrono::{DateTime, TimeDelta, Utc};
use domain::admission::{Refusal, RefusalCode};
use persistence::conversation::{Held, MessageFailure};

use crate::{
    locale::{Words, isolated},
    moment::Viewer,
    refusal::{RefusalView, Surroundings},
};

/// How long a contact is spared whom the platform held a marketing message back from (131049).
const SPARED: TimeDelta = TimeDelta::hours(24);

/// What is known of a failure.
#[derive(Debug, Clone, Copy, Default)]
pub struct Failed<'a> {
    /// The platform's code, or ours.
    pub code: Option<&'a str>,
    /// The platform's own words, for codes that nobody has words for.
    pub title: Option<&'a str>,
    /// When it was told.
    pub at: Option<DateTime<Utc>>,
    /// Until when its template is, or was, paused.
    pub template_paused_until: Option<DateTime<Utc>>,
}

impl<'a> From<Option<&'a str>> for Failed<'a> {
    fn from(code: Option<&'a str>) -> Self {
        Self { code, ..Self::default() }
    }
}

impl<'a> From<&'a MessageFailure> for Failed<'a> {
    fn from(failure: &'a MessageFailure) -> Self {
        Self {
            code: Some(&failure.code),
            title: failure.title.as_deref(),
            at: failure.at,
            template_paused_until: failure.template_paused_until,
        }
    }
}

/// Why a message failed and what to do, as a sentence: by our own codes, those of admission, those of the
/// platform's table of errors, and else in the platform's own words.
pub fn failure_words<'a>(failed: impl Into<Failed<'a>>, chatbot: &str, viewer: &Viewer) -> String {
    let failed = failed.into();
    let t = viewer.words();
    let code = failed.code.filter(|code| !code.is_empty()).unwrap_or("-");
    if let Some(known) = RefusalCode::parse(code) {
        let refusal = Refusal { code: known, until: None };
        let surroundings = Surroundings { chatbot, cap_sends: 0 };
        return RefusalView::new(refusal, surroundings, viewer).why;
    }
    if code == "131049" {
        return held_back(failed.at, viewer);
    }
    if let ("132015", Some(until)) = (code, failed.template_paused_until) {
        return template_paused(until, viewer);
    }
    own_failure(code, t).or_else(|| platform_failure(code, t)).unwrap_or_else(|| {
        match failed.title.filter(|title| !title.trim().is_empty()) {
            Some(title) => t.desk_failure_other_told(isolated(title.trim()), code),
            None => t.desk_failure_other(code),
        }
    })
}

/// Why a message has not left yet, and from when it is tried again, as a sentence.
pub fn held_words(held: Held, viewer: &Viewer) -> String {
    let t = viewer.words();
    let when = |at| viewer.from_when(at).text;
    match held {
        Held::NumberPaused(until) => t.desk_held_number(when(until)),
        Held::TemplatesPaused(until) => t.desk_held_templates(when(until)),
        Held::CredentialsFailing => t.desk_held_credentials(),
        Held::TriedAgain(at) => t.desk_held_again(when(at)),
        Held::OutcomeUnknown => t.desk_held_unknown(),
    }
}

/// The platform spares the contact; the same person may be written to a day later at the earliest.
fn held_back(at: Option<DateTime<Utc>>, viewer: &Viewer) -> String {
    let t = viewer.words();
    match at.map(|at| at + SPARED) {
        Some(again) if viewer.now < again => {
            t.desk_failure_held_back_until(viewer.from_when(again).text)
        }
        Some(_) => t.desk_failure_held_back_over(),
        None => t.desk_failure_held_back(),
    }
}

/// A pause ends by itself, and then the template may be sent again.
fn template_paused(until: DateTime<Utc>, viewer: &Viewer) -> String {
    let t = viewer.words();
    if viewer.now < until {
        t.desk_failure_template_paused_until(viewer.from_when(until).text)
    } else {
        t.desk_failure_template_paused_over()
    }
}

fn own_failure(code: &str, t: Words) -> Option<String> {
    match code {
        "outcome_unknown" => Some(t.desk_failure_unknown_outcome()),
        "not_sent_in_time" => Some(t.desk_failure_not_in_time()),
        "session_expired" => Some(t.desk_failure_session_expired()),
        "unreadable" => Some(t.desk_failure_request("-")),
        _ => None,
    }
}

/// The sentences of the protocol's table of errors, 8.5. A code that pauses the number reaches an agent only by
/// a receipt: a refused send of it waits instead.
fn platform_failure(code: &str, t: Words) -> Option<String> {
    let words = match code {
        "0" | "102" | "190" | "http_401" => t.desk_failure_credentials(),
        "3" | "10" | "131005" | "http_403" => t.desk_failure_permission(),
        "131026" => t.desk_failure_not_on_platform(),
        "192" => t.desk_failure_wrong_number(),
        "131047" => t.desk_failure_session_expired(),
        "130472" => t.desk_failure_experiment(),
        "131048" => t.desk_failure_spam(),
        "131064" => t.desk_failure_misfiled(),
        "131050" => t.refusal_contact_opted_out_why(),
        "130403" => t.desk_failure_blocked(),
        "130497" => t.desk_failure_country(),
        "131021" => t.desk_failure_own_number(),
        "131030" => t.desk_failure_test_number(),
        "131062" => t.desk_failure_needs_number(),
        "137000" => t.desk_failure_identity(),
        "131051" | "131052" | "131053" => t.desk_failure_media(),
        "132000" | "132008" | "132012" | "132018" => t.desk_failure_variables(),
        "132005" => t.desk_failure_too_long(),
        "132007" => t.desk_failure_content(),
        "132001" => t.desk_failure_template(),
        "132015" => t.desk_failure_template_paused(),
        "132016" | "132068" => t.desk_failure_template_off(),
        "131063" | "134100" | "134102" => t.desk_failure_marketing_off(),
        "368" | "131031" => t.desk_failure_account(),
        "131042" | "131044" | "134011" => t.desk_failure_billing(),
        "33" | "131037" | "131045" | "133000" | "133005" | "133006" | "133008" | "133009"
        | "133010" => t.desk_failure_registration(),
        "131056" => t.desk_failure_pair(),
        "1" | "2" | "4" | "613" | "80007" | "80008" | "130429" | "131000" | "131016" | "131057"
        | "132069" | "133004" | "133015" | "133016" | "134101" => t.desk_failure_busy(),
        "100" | "104" | "131008" | "131009" | "131055" | "131059" | "131060" | "132021"
        | "135000" | "139100" | "139101" | "139102" | "139103" => t.desk_failure_request(code),
        _ if is_permission(code) => t.desk_failure_permission(),
        _ => return None,
    };
    Some(words)
}

/// 200 to 299: a permission for the account is missing.
fn is_permission(code: &str) -> bool {
    code.parse().is_ok_and(|code: u32| (200..300).contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Locale;

    fn viewer(locale: Locale) -> Viewer {
        let now = "2026-11-22T19:00:00Z".parse().unwrap();
        Viewer { locale, zone: chrono_tz::America::Sao_Paulo, now }
    }

    /// Every code of the protocol's table that may end a message.
    const TABLE: [&str; 87] = [
        "0",
        "1",
        "2",
        "3",
        "4",
        "10",
        "33",
        "100",
        "102",
        "104",
        "190",
        "192",
        "200",
        "210",
        "299",
        "368",
        "613",
        "80007",
        "80008",
        "130403",
        "130429",
        "130472",
        "130497",
        "131000",
        "131005",
        "131008",
        "131009",
        "131016",
        "131021",
        "131026",
        "131030",
        "131031",
        "131037",
        "131042",
        "131044",
        "131045",
        "131047",
        "131048",
        "131049",
        "131050",
        "131051",
        "131052",
        "131053",
        "131055",
        "131056",
        "131057",
        "131059",
        "131060",
        "131062",
        "131063",
        "131064",
        "132000",
        "132001",
        "132005",
        "132007",
        "132008",
        "132012",
        "132015",
        "132016",
        "132018",
        "132021",
        "132068",
        "132069",
        "133000",
        "133004",
        "133005",
        "133006",
        "133008",
        "133009",
        "133010",
        "133015",
        "133016",
        "134011",
        "134100",
        "134101",
        "134102",
        "135000",
        "137000",
        "139100",
        "139101",
        "139102",
        "139103",
        "http_401",
        "http_403",
        "outcome_unknown",
        "not_sent_in_time",
        "session_expired",
    ];

    #[test]
    fn li_01_every_code_that_ends_a_message_has_a_sentence_in_every_language() {
        for code in TABLE {
            let mut said: Vec<String> = Locale::iter()
                .map(|locale| {
                    let viewer = viewer(*locale);
                    let sentence = failure_words(Some(code), "Sales", &viewer);
                    let fallback = viewer.words().desk_failure_other(code);
                    assert_ne!(sentence, fallback, "{code} has no words of its own");
                    sentence
                })
                .collect();
            said.sort();
            said.dedup();
            assert_eq!(said.len(), 3, "{code} says the same in two languages");
        }
    }

    #[test]
    fn a_code_that_nobody_knows_is_told_in_the_platforms_own_words() {
        let viewer = viewer(Locale::En);
        let told = Failed { code: Some("424242"), title: Some(" Odd thing "), ..Failed::default() };
        assert_eq!(
            failure_words(told, "Sales", &viewer),
            "The platform refused it: \u{2068}Odd thing\u{2069} (code 424242). Try again, or tell an admin the code."
        );
        let untold = Failed { title: Some(" "), ..told };
        assert_eq!(
            failure_words(untold, "Sales", &viewer),
            "The platform refused it (code 424242). Try again, or tell an admin the code."
        );
    }

    #[test]
    fn a_paused_template_says_until_when_and_that_the_pause_is_over() {
        let viewer = viewer(Locale::En);
        let failed = |until: Option<&str>| Failed {
            template_paused_until: until.map(|until| until.parse().unwrap()),
            ..Failed::from(Some("132015"))
        };
        let cases = [
            (
                Some("2026-11-22T19:00:01Z"),
                "WhatsApp has paused this template for low quality until 16:01. Choose another one, or send it again then.",
            ),
            (
                Some("2026-11-22T19:00:00Z"),
                "WhatsApp had paused this template for low quality. You may send it again now.",
            ),
            (
                None,
                "WhatsApp has paused this template for low quality. Choose another one, or wait until it is approved again.",
            ),
        ];
        for (until, expected) in cases {
            assert_eq!(failure_words(failed(until), "Sales", &viewer), expected);
        }
    }

    #[test]
    fn whom_the_platform_spares_may_be_written_to_a_day_later_and_not_before() {
        let viewer = viewer(Locale::En);
        let failed =
            |at: &str| Failed { at: Some(at.parse().unwrap()), ..Failed::from(Some("131049")) };
        assert_eq!(
            failure_words(failed("2026-11-22T18:58:30Z"), "Sales", &viewer),
            "WhatsApp held it back to spare the customer. Send it again on 23 Nov at 15:59, not before."
        );
        assert_eq!(
            failure_words(failed("2026-11-21T19:00:00Z"), "Sales", &viewer),
            "WhatsApp held it back to spare the customer. You may send it again now."
        );
    }
}
