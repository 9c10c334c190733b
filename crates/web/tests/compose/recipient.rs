//! Step 2: whom to send it to.

use super::*;

#[actix_web::test]
async fn am_04_people_are_found_by_word_beginnings_without_accents() {
    let given = Given::desk().await;
    let (template, luiza) = (given.plain.to_string(), given.luiza);
    let given = given.with_cap_reached(3, luiza).await;
    let page = given
        .press(&[("step", "recipient"), ("template", &template), ("to", "lui"), ("go", "look")])
        .await;
    insta::assert_snapshot!(shown(page, 200).await);
}

#[actix_web::test]
async fn am_04_a_new_number_shows_its_country() {
    let given = Given::desk().await;
    let template = given.plain.to_string();
    let fields = [("step", "recipient"), ("template", &template), ("to", "+34 600 11 12 13")];
    let page = shown(given.press(&fields).await, 200).await;
    assert!(page.contains("Spain, new · WhatsApp · 17:02 to 18:02 there"), "{page}");
    let typing = [("step", "recipient"), ("template", &template), ("to", "+55 1")];
    let page = shown(given.press(&typing).await, 200).await;
    assert!(page.contains(">Brazil</span>"), "{page}");
    let wrong = [
        ("step", "recipient"),
        ("template", &template),
        ("to", "600 11 12 13"),
        ("go", "continue"),
    ];
    let page = shown(given.press(&wrong).await, 422).await;
    assert!(page.contains("Start the number with + and the country code"), "{page}");
}

#[actix_web::test]
async fn ad_07_pressing_a_capped_contact_says_why_and_goes_no_further() {
    let given = Given::desk().await;
    let luiza = given.luiza;
    let given = given.with_cap_reached(3, luiza).await;
    let (template, add) = (given.plain.to_string(), format!("add:c{luiza}"));
    let common = [("step", "recipient"), ("template", template.as_str())];
    let pressed = [common[0], common[1], ("go", add.as_str())];
    let page = shown(given.press(&pressed).await, 409).await;
    assert!(page.contains("in 17 h 00 min"), "{page}");
    assert!(!page.contains("name=\"recipient\""), "{page}");
    let chosen = format!("c{luiza}");
    let on = [common[0], common[1], ("recipient", chosen.as_str()), ("go", "continue")];
    let page = shown(given.press(&on).await, 409).await;
    assert!(page.contains("data-step=\"recipient\"") && page.contains("data-kind=\"error\""));
    let fragment = given.posting(&pressed).header("hx-request", "true").send().await.unwrap();
    let toast = fragment.headers()["hx-trigger"].to_str().unwrap().to_owned();
    assert!(toast.contains("Limit of 3 in 24 hours reached"), "{toast}");
}

#[actix_web::test]
async fn am_04_a_number_is_judged_as_it_is_typed() {
    let given = Given::desk().await;
    let template = given.plain.to_string();
    let typing = async |to: &str, go: &str, status| {
        let fields = [("step", "recipient"), ("template", &template), ("to", to), ("go", go)];
        shown(given.press(&fields).await, status).await
    };
    let page = typing("+3460", "look", 200).await;
    assert!(page.contains(">Spain</span>") && page.contains("Go on typing"), "{page}");
    assert!(!page.contains("to-problem"), "too short so far is no error: {page}");
    let page = typing("+1", "look", 200).await;
    assert!(page.contains(">United States and others</span>"), "{page}");
    let page = typing("+999 60", "look", 200).await;
    assert!(page.contains("No country has the code +999"), "{page}");
    let page = typing("+3460", "continue", 422).await;
    assert!(page.contains("id=\"to-problem\">Digits are missing"), "{page}");
    let page = typing("+34600", "look", 200).await;
    assert!(!page.contains("to-problem"), "it goes as the number is mended: {page}");
}

#[actix_web::test]
async fn sw_09_a_ticket_is_left_when_someone_else_is_chosen() {
    let given = Given::desk().await;
    given.luiza_writes();
    let template = format!("&template={}", given.plain);
    let page = shown(given.show(&format!("?ticket=1{template}")).await, 200).await;
    assert!(page.contains(r#"name="ticket" value="1""#), "{page}");
    let (template, luiza) = (given.plain.to_string(), format!("c{}", given.luiza));
    let luis = format!("add:c{}", given.luis);
    let mut fields = vec![
        ("step", "recipient"),
        ("template", template.as_str()),
        ("recipient", luiza.as_str()),
        ("ticket", "1"),
        ("go", "look"),
    ];
    let page = shown(given.press(&fields).await, 200).await;
    assert!(page.contains(r#"name="ticket" value="1""#), "{page}");
    fields[4].1 = luis.as_str();
    let page = shown(given.press(&fields).await, 200).await;
    assert!(!page.contains(r#"name="ticket""#), "{page}");
    fields[4].1 = "remove";
    let page = shown(given.press(&fields).await, 200).await;
    assert!(!page.contains(r#"name="ticket""#), "{page}");
}

#[actix_web::test]
async fn am_04_enter_chooses_who_was_typed_in_full_and_nobody_else() {
    let given = Given::desk().await;
    let template = given.plain.to_string();
    let enter = async |to: &str, status| {
        let fields = [("step", "recipient"), ("template", &template), ("to", to), ("go", "enter")];
        shown(given.press(&fields).await, status).await
    };
    for (typed, why) in [
        ("+55 11 9876", "Digits are missing"),
        ("5511", "Start the number with + and the country code"),
        ("lui", "Type the whole name or number, or choose someone of the list"),
        ("zoe", "Check the spelling"),
    ] {
        let page = enter(typed, 422).await;
        assert!(part(&page, "id=\"to-problem\">", "<").contains(why), "{typed}: {page}");
        assert!(!page.contains("name=\"recipient\""), "{typed} means nobody: {page}");
        assert!(page.contains("data-step=\"recipient\""), "{typed}");
    }
    let luiza = format!("name=\"recipient\" value=\"c{}\"", given.luiza);
    for typed in ["luíza PRADO", "+55 11 98765-4321", "5511987654321"] {
        let page = enter(typed, 200).await;
        assert!(page.contains(&luiza), "{typed}: {page}");
        assert_eq!(focused(&page).as_deref(), Some("compose-to-variables"), "{typed}: {page}");
    }
    let chosen = format!("c{}", given.luiza);
    let again = [
        ("step", "recipient"),
        ("template", template.as_str()),
        ("recipient", chosen.as_str()),
        ("to", "Luiza Prado"),
        ("go", "enter"),
    ];
    let page = shown(given.press(&again).await, 200).await;
    assert!(page.contains("data-step=\"variables\""), "once more goes on: {page}");
}

#[actix_web::test]
async fn the_focus_goes_on_from_a_person_who_was_chosen_and_stays_at_one_who_is_blocked() {
    let given = Given::desk().await;
    let luiza = given.luiza;
    let given = given.with_cap_reached(3, luiza).await;
    let template = given.plain.to_string();
    let add = async |contact: ContactId, status| {
        let go = format!("add:c{contact}");
        let fields = [("step", "recipient"), ("template", template.as_str()), ("go", &go)];
        shown(given.press(&fields).await, status).await
    };
    assert_eq!(focused(&add(given.luis, 200).await).as_deref(), Some("compose-to-variables"));
    assert_eq!(focused(&add(luiza, 409).await), None);
}

#[actix_web::test]
async fn ad_07_going_on_with_a_capped_contact_as_the_only_one_listed_says_why() {
    let given = Given::desk().await;
    let luiza = given.luiza;
    let given = given.with_cap_reached(3, luiza).await;
    let template = given.plain.to_string();
    let go_on = async |to: &str, status| {
        let fields =
            [("step", "recipient"), ("template", &template), ("to", to), ("go", "continue")];
        shown(given.press(&fields).await, status).await
    };
    for typed in ["luiz", "Luiza Prado", "+55 11 98"] {
        let page = go_on(typed, 409).await;
        assert!(page.contains("Limit of 3 in 24 hours reached"), "{typed}: {page}");
        assert!(!page.contains("Choose whom to write to"), "{typed}: {page}");
    }
    for typed in ["lui", ""] {
        let page = go_on(typed, 422).await;
        assert!(page.contains("Choose whom to write to"), "{typed}: {page}");
    }
}
