//! What the platform says of a number (protocol, 6.5).

use domain::channel::{ChannelAccess, ChannelError, NumberReading};
use serde::Deserialize;

use super::{
    graph,
    wire::{Loose, lenient},
};
use crate::http::OutgoingHttp;

const FIELDS: &str = "id,display_phone_number,quality_rating,status,throughput,\
                      whatsapp_business_manager_messaging_limit";

/// Messages a second of a number that was not raised.
const STANDARD_THROUGHPUT: u32 = 80;
/// Messages a second of a raised number.
const HIGH_THROUGHPUT: u32 = 1_000;

#[derive(Debug, Deserialize)]
struct NumberWire {
    #[serde(default)]
    display_phone_number: Loose,
    #[serde(default)]
    quality_rating: Loose,
    #[serde(default)]
    status: Loose,
    #[serde(default)]
    whatsapp_business_manager_messaging_limit: Loose,
    #[serde(default, deserialize_with = "lenient")]
    throughput: Option<ThroughputWire>,
}

#[derive(Debug, Deserialize)]
struct ThroughputWire {
    #[serde(default)]
    level: Loose,
}

pub(super) async fn read_number(
    http: &OutgoingHttp,
    access: &ChannelAccess,
) -> Result<NumberReading, ChannelError> {
    let path = &[access.external_id.as_str()];
    let wire: NumberWire = graph::get(http, access, path, &[("fields", FIELDS)]).await?.answer;
    Ok(NumberReading::from(wire))
}

impl From<NumberWire> for NumberReading {
    fn from(wire: NumberWire) -> Self {
        let level = wire.throughput.map(|throughput| throughput.level.upper());
        Self {
            display_phone: wire.display_phone_number.0.unwrap_or_default(),
            quality_rating: wire.quality_rating.0.unwrap_or_else(|| "UNKNOWN".to_owned()),
            status: wire.status.0.unwrap_or_else(|| "UNKNOWN".to_owned()),
            limit: limit_of(&wire.whatsapp_business_manager_messaging_limit.upper()),
            throughput: match level.as_deref() {
                Some("HIGH") => HIGH_THROUGHPUT,
                _ => STANDARD_THROUGHPUT,
            },
        }
    }
}

/// Unique contacts in 24 h at a level such as `TIER_2K`; `None` for no limit and for a level that names none.
pub(super) fn limit_of(tier: &str) -> Option<u32> {
    let count = tier.strip_prefix("TIER_")?;
    match count.strip_suffix('K') {
        Some(thousands) => thousands.parse::<u32>().ok()?.checked_mul(1_000),
        None => count.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_level_names_its_limit() {
        let cases = [
            ("TIER_50", Some(50)),
            ("TIER_250", Some(250)),
            ("TIER_1K", Some(1_000)),
            ("TIER_2K", Some(2_000)),
            ("TIER_10K", Some(10_000)),
            ("TIER_100K", Some(100_000)),
            ("TIER_UNLIMITED", None),
            ("TIER_NOT_SET", None),
            ("TIER_99999999K", None),
            ("", None),
        ];
        for (tier, expected) in cases {
            assert_eq!(limit_of(tier), expected, "{tier}");
        }
    }

    #[test]
    fn the_example_of_the_protocol_reads_whole() {
        let wire: NumberWire = serde_json::from_value(json!({
            "id": "730055819924406", "display_phone_number": "+44 7700 900101",
            "verified_name": "Harbour Lane Ceramics", "quality_rating": "GREEN",
            "whatsapp_business_manager_messaging_limit": "TIER_2K", "throughput": {"level": "STANDARD"},
            "status": "CONNECTED", "is_official_business_account": false
        }))
        .unwrap();
        let expected = NumberReading {
            display_phone: "+44 7700 900101".into(),
            quality_rating: "GREEN".into(),
            status: "CONNECTED".into(),
            limit: Some(2_000),
            throughput: 80,
        };
        assert_eq!(NumberReading::from(wire), expected);
    }

    #[test]
    fn a_raised_number_sends_a_thousand_a_second() {
        let cases = [
            (json!({"throughput": {"level": "HIGH"}}), 1_000),
            (json!({"throughput": {"level": "NOT_APPLICABLE"}}), 80),
            (json!({"throughput": null}), 80),
            (json!({"throughput": "HIGH"}), 80),
            (json!({}), 80),
        ];
        for (wire, expected) in cases {
            let reading = NumberReading::from(serde_json::from_value::<NumberWire>(wire).unwrap());
            assert_eq!((reading.throughput, reading.limit), (expected, None));
            assert_eq!(
                (reading.quality_rating.as_str(), reading.status.as_str()),
                ("UNKNOWN", "UNKNOWN")
            );
        }
    }
}
