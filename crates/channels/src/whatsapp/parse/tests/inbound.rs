//! Who wrote, and what a message refers to.

use domain::channel::{
    Forwarded, InboundContent, InboundMessage, MessageContext, Referral, ReferralSource,
    ReferredProduct,
};

use super::*;

#[test]
fn a_text_is_read_with_its_sender() {
    let body = envelope(json!({
        "contacts": [
            {"profile": {"name": "Noor Castell"}, "wa_id": "447700900333"},
            {"profile": {"name": "Imani Okoro", "username": "imani.clay"}, "wa_id": "447700900777",
             "user_id": "GB.5530871129046618", "parent_user_id": "GB.ENT.9031"}],
        "messages": [{"from": "447700900777", "from_user_id": "GB.5530871129046618",
            "from_parent_user_id": "GB.ENT.9031",
            "id": "wamid.RVhBTVBMRS1NU0ctMDAwNQ==", "timestamp": "1789000000", "type": "text",
            "text": {"body": "Is Friday still free?"}, "context": {"from": "447700900101", "id": "wamid.2"}}]
    }));
    let elements = parsed(&body);
    assert_eq!(elements.len(), 1);
    assert_eq!(elements[0].external_id.as_deref(), Some(NUMBER));
    let raw: Value = serde_json::from_str(&elements[0].raw).unwrap();
    assert_eq!(raw, body["entry"][0]["changes"][0]["value"]["messages"][0]);
    let sender = SenderIdentity {
        phone_digits: some("447700900777"),
        scoped_id: some("GB.5530871129046618"),
        parent_scoped_id: some("GB.ENT.9031"),
        name: some("Imani Okoro"),
        username: some("imani.clay"),
    };
    let content = InboundContent::Text("Is Friday still free?".into());
    let expected = InboundMessage {
        context: MessageContext { in_reply_to: some("wamid.2"), ..MessageContext::default() },
        ..InboundMessage::new("wamid.RVhBTVBMRS1NU0ctMDAwNQ==", sender, at(1_789_000_000), content)
    };
    assert_eq!(elements[0].event, Ok(ChannelEvent::Inbound(expected)));
}

#[test]
fn each_context_is_read() {
    let product =
        ReferredProduct { catalog_id: some("615500248890013"), product_id: some("BOWL-BLUE") };
    let nothing = MessageContext::default;
    let reply = || MessageContext { in_reply_to: some("wamid.2"), ..nothing() };
    let forwarded = |how| MessageContext { forwarded: Some(how), ..nothing() };
    let cases = [
        (json!({"from": "447700900101", "id": "wamid.2"}), reply()),
        (json!({"id": "wamid.2"}), reply()),
        (json!({"forwarded": true}), forwarded(Forwarded::Once)),
        (json!({"frequently_forwarded": true}), forwarded(Forwarded::Often)),
        (json!({"forwarded": true, "frequently_forwarded": "true"}), forwarded(Forwarded::Often)),
        (json!({"forwarded": false}), nothing()),
        (
            json!({"from": "447700900101", "id": "wamid.2", "referred_product":
                   {"catalog_id": "615500248890013", "product_retailer_id": "BOWL-BLUE"}}),
            MessageContext { product: Some(product), ..reply() },
        ),
        (json!(["wamid.2"]), nothing()),
        (json!(null), nothing()),
    ];
    for (context, expected) in cases {
        let text = json!({"type": "text", "text": {"body": "Hi"}, "context": context});
        assert_eq!(inbound_message(message(text)).context, expected, "{context}");
    }
}

#[test]
fn a_referral_is_read_with_every_key() {
    let of = |referral: Value| {
        let text =
            json!({"type": "text", "text": {"body": "I saw your workshop"}, "referral": referral});
        inbound_message(message(text)).referral.map(|referral| *referral)
    };
    let image = json!({"source_url": "https://fb.example/ad/771", "source_id": 120_200_771,
        "source_type": "ad", "headline": "Throw your first bowl", "body": "Two hours by the sea",
        "media_type": "image", "image_url": "https://cdn.harbourlane.example/ad.jpg",
        "ctwa_clid": "CLICK-1", "welcome_message": {"text": "Ask us anything"}});
    let expected = Referral {
        source_url: some("https://fb.example/ad/771"),
        source_id: some("120200771"),
        source_kind: Some(ReferralSource::Ad),
        headline: some("Throw your first bowl"),
        body: some("Two hours by the sea"),
        media_type: some("image"),
        image_url: some("https://cdn.harbourlane.example/ad.jpg"),
        click_id: some("CLICK-1"),
        welcome_text: some("Ask us anything"),
        ..Referral::default()
    };
    assert_eq!(of(image), Some(expected));
    let video = json!({"source_type": "post", "media_type": "video",
        "video_url": "https://cdn.harbourlane.example/a.mp4",
        "thumbnail_url": "https://cdn.harbourlane.example/a.jpg"});
    let expected = Referral {
        source_kind: Some(ReferralSource::Post),
        media_type: some("video"),
        video_url: some("https://cdn.harbourlane.example/a.mp4"),
        thumbnail_url: some("https://cdn.harbourlane.example/a.jpg"),
        ..Referral::default()
    };
    assert_eq!(of(video), Some(expected));
    assert_eq!(of(json!("ad")), None);
}

#[test]
fn a_sender_may_have_no_number() {
    let text = json!({"type": "text", "text": {"body": "Hi"}, "from_user_id": "GB.55"});
    let absent = with(json!({"id": "wamid.1", "timestamp": 1_789_000_000}), text.clone());
    let empty = with(absent.clone(), json!({"from": ""}));
    for message in [absent, empty] {
        let contacts = json!([
            {"profile": {"name": "Noor"}, "wa_id": "", "user_id": ""},
            {"profile": {"name": "Imani"}, "wa_id": "", "user_id": "GB.55"}]);
        let event = only(&envelope(json!({"contacts": contacts, "messages": [message]})));
        let ChannelEvent::Inbound(inbound) = event else { panic!("{message}") };
        let expected = SenderIdentity {
            scoped_id: some("GB.55"),
            name: some("Imani"),
            ..SenderIdentity::default()
        };
        assert!(inbound.sender == expected, "{message}");
        assert_eq!(inbound.at, at(1_789_000_000), "{message}");
    }
}

#[test]
fn a_sender_may_have_no_name() {
    let message = message(json!({"type": "text", "text": {"body": "Hi"}}));
    let profiles = [
        json!({"profile": {}, "wa_id": "447700900777"}),
        json!({"profile": {"name": null}, "wa_id": "447700900777"}),
        json!({"wa_id": "447700900777"}),
        json!({"profile": {"name": "Noor"}, "wa_id": "447700900333"}),
        json!("447700900777"),
    ];
    for contact in profiles {
        let event = only(&envelope(json!({"contacts": [contact], "messages": [message]})));
        let ChannelEvent::Inbound(inbound) = event else { panic!("{contact}") };
        assert!(inbound.sender == SenderIdentity { name: None, ..imani() }, "{contact}");
    }
}
