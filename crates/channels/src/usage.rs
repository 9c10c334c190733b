//! How much of an account's hourly calls are used up, as the platform tells in the heads of its answers
//! (protocol, 8.3).

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

/// By account: `{"884120037765421": [{"call_count": 41, "estimated_time_to_regain_access": 0, …}]}`.
const BY_ACCOUNT: &str = "x-business-use-case-usage";
/// Of the app: `{"call_count": 41, "total_time": 9, "total_cputime": 6}`.
const OF_APP: &str = "x-app-usage";
/// The counts are per cent of what is allowed.
const COUNTS: [&str; 3] = ["call_count", "total_cputime", "total_time"];
/// How long to rest where all is used up and the platform names no time.
const UNTOLD_REST: Duration = Duration::from_secs(5 * 60);
/// The counters are of an hour: no rest is longer than that, whatever is told.
const LONGEST_REST: Duration = Duration::from_secs(60 * 60);

/// How long to ask for nothing more; `None` while something is left, or nothing is told.
pub(crate) fn rest(headers: &HeaderMap) -> Option<Duration> {
    let told = |name: &str| -> Option<Value> {
        serde_json::from_str(headers.get(name)?.to_str().ok()?).ok()
    };
    let app = told(OF_APP).and_then(|usage| rest_of(&usage));
    let accounts = told(BY_ACCOUNT).and_then(|usage| {
        let accounts = usage.as_object()?.values();
        accounts.filter_map(Value::as_array).flatten().filter_map(rest_of).max()
    });
    app.max(accounts)
}

fn rest_of(usage: &Value) -> Option<Duration> {
    let number = |name: &str| usage.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    let minutes = number("estimated_time_to_regain_access");
    if 0.0 < minutes {
        return Some(Duration::from_secs_f64((minutes * 60.0).min(LONGEST_REST.as_secs_f64())));
    }
    COUNTS.into_iter().any(|count| 100.0 <= number(count)).then_some(UNTOLD_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_rests_when_all_of_its_calls_are_used_up_and_not_before() {
        let minutes = |minutes: u64| Some(Duration::from_secs(minutes * 60));
        let by_account = |usage: &str| (BY_ACCOUNT, format!(r#"{{"884120037765421": [{usage}]}}"#));
        let cases = [
            (by_account(r#"{"type": "whatsapp", "call_count": 99, "total_time": 9}"#), None),
            (by_account(r#"{"call_count": 100}"#), minutes(5)),
            (by_account(r#"{"call_count": 3}, {"total_cputime": 120}"#), minutes(5)),
            (
                by_account(r#"{"call_count": 120, "estimated_time_to_regain_access": 17}"#),
                minutes(17),
            ),
            (by_account(r#"{"estimated_time_to_regain_access": 1e12}"#), minutes(60)),
            (by_account(r#"{"estimated_time_to_regain_access": -4}"#), None),
            (by_account(r#""plain""#), None),
            ((OF_APP, r#"{"call_count": 100}"#.to_owned()), minutes(5)),
            ((OF_APP, r#"{"call_count": 28, "total_time": 25}"#.to_owned()), None),
            ((OF_APP, "[".to_owned()), None),
        ];
        for ((name, told), expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(name, told.parse().unwrap());
            assert_eq!(rest(&headers), expected, "{told}");
        }
        assert_eq!(rest(&HeaderMap::new()), None);
    }
}
