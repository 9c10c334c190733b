//! The posts: what the platform sends for each message, signed as it signs.

use std::{net::SocketAddr, ops::Range};

use chrono::{DateTime, Utc};
use domain::ids::ChannelId;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::past::{APP_SECRET, Past};
use crate::load::Post;

/// Sent, delivered, read, and an answer.
pub const POSTS_OF_A_SEND: u64 = 4;

/// How many messages later than the first receipt of a message its others come, and the answer: half a second,
/// two and five at 1,000 messages a second.
const LATER: [u64; 4] = [0, 500, 2_000, 5_000];

/// All posts about the messages `sends`, in the order in which they come.
pub fn posts_of(
    past: &Past,
    address: SocketAddr,
    sends: Range<u64>,
    now: DateTime<Utc>,
) -> Vec<Post> {
    let many = sends.end - sends.start;
    let turns = (0..many).flat_map(|turn| (0..POSTS_OF_A_SEND).map(move |kind| (turn, kind)));
    turns
        .map(|(turn, kind)| {
            let later = LATER[usize::try_from(kind).unwrap_or_default()];
            let send = sends.start + (turn + many - later % many) % many;
            post(address, past, send, kind, now)
        })
        .collect()
}

fn post(address: SocketAddr, past: &Past, send: u64, kind: u64, now: DateTime<Utc>) -> Post {
    let phone = past.phone_of(send);
    let timestamp = now.timestamp().to_string();
    let status = |word: &str| {
        json!({"statuses": [{"id": format!("wamid.out-{send}"), "status": word, "timestamp": timestamp,
            "recipient_id": phone, "biz_opaque_callback_data": format!("callback-{send}"),
            "pricing": {"billable": true, "pricing_model": "PMP", "type": "regular", "category": "utility"}}]})
    };
    let value = match kind {
        0 => status("sent"),
        1 => status("delivered"),
        2 => status("read"),
        _ => json!({
            "contacts": [{"profile": {"name": "Imani Okoro"}, "wa_id": phone}],
            "messages": [{"from": phone, "id": format!("wamid.in-{send}"), "timestamp": timestamp,
                "type": "text", "text": {"body": "Is Friday still free?"}}]
        }),
    };
    sign(address, past.channel, &envelope(value))
}

fn envelope(mut value: Value) -> Vec<u8> {
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] =
        json!({"display_phone_number": "351210000001", "phone_number_id": "730055819924406"});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "884120037765421",
        "changes": [{"field": "messages", "value": value}]}]})
    .to_string()
    .into_bytes()
}

/// `body` posted to `channel` as the platform signs it with [`APP_SECRET`].
pub fn sign(address: SocketAddr, channel: ChannelId, body: &[u8]) -> Post {
    sign_with(APP_SECRET, address, channel, body)
}

/// `body` posted to `channel` as the platform signs it with `secret`.
pub fn sign_with(secret: &str, address: SocketAddr, channel: ChannelId, body: &[u8]) -> Post {
    let signature = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map(|mac| hex::encode(mac.chain_update(body).finalize().into_bytes()))
        .unwrap_or_default();
    let path = format!("/webhooks/whatsapp/{channel}");
    Post::new(address, &path, &[("x-hub-signature-256", &format!("sha256={signature}"))], body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_gets_its_receipts_and_an_answer_spread_over_time() {
        let past = Past { channel: ChannelId(1) };
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let posts = posts_of(&past, address, 100..6_100, DateTime::UNIX_EPOCH);
        assert_eq!(posts.len(), 24_000);
        let place = |word: &str| {
            let tells = |post: &Post| {
                let body = String::from_utf8_lossy(post.body()).into_owned();
                body.contains(word) && (body.contains("out-100\"") || body.contains("in-100\""))
            };
            posts.iter().position(tells).unwrap()
        };
        let places = ["\"sent\"", "\"delivered\"", "\"read\"", "Friday"].map(place);
        assert_eq!(places, [0, 4 * 500 + 1, 4 * 2_000 + 2, 4 * 5_000 + 3]);
    }
}
