//! Step 1: what to send.

use super::*;

#[actix_web::test]
async fn am_02_step_1_offers_approved_templates_and_greys_the_others() {
    let given = Given::desk().await;
    insta::assert_snapshot!(shown(given.show("").await, 200).await);
}

#[actix_web::test]
async fn am_02_a_template_is_found_by_part_of_its_name_and_language() {
    let given = Given::desk().await;
    let page = given.press(&[("q", "DER rea"), ("language", "pt_BR")]).await;
    let page = shown(page, 200).await;
    assert!(page.contains("order_ready") && !page.contains("black_friday"), "{page}");
    let page = shown(given.press(&[("q", "100%")]).await, 200).await;
    assert!(page.contains("No template fits"), "{page}");
}

#[actix_web::test]
async fn am_02_a_template_in_review_cannot_be_picked_without_script_either() {
    let given = Given::desk().await;
    let all = shown(given.show("").await, 200).await;
    let (_, rest) = all.split_once("value=\"pick:").expect("a pick");
    assert!(rest.starts_with(char::is_numeric));
    let pending = all.split("value=\"pick:").find(|part| part.contains("aria-disabled"));
    let id = pending.and_then(|part| part.split('"').next()).expect("a greyed pick").to_owned();
    let page = shown(given.press(&[("go", &format!("pick:{id}"))]).await, 409).await;
    assert!(page.contains("still reviewing"), "{page}");
}

#[actix_web::test]
async fn am_03_a_picked_template_is_shown_whole() {
    let given = Given::desk().await;
    let pick = format!("pick:{}", given.order_ready);
    insta::assert_snapshot!(shown(given.press(&[("go", &pick)]).await, 200).await);
}

#[actix_web::test]
async fn am_02_enter_picks_a_template_typed_in_full_and_no_other() {
    let given = Given::desk().await;
    let enter = async |q: &str, status| {
        shown(given.press(&[("step", "template"), ("q", q), ("go", "enter")]).await, status).await
    };
    for typed in ["ord", "e", "nothing_like_it"] {
        let page = enter(typed, 422).await;
        assert!(!page.contains("name=\"template\""), "{typed}: {page}");
        assert!(page.contains("data-kind=\"error\""), "{typed}: {page}");
    }
    let page = enter("Order_Ready", 200).await;
    let chosen = format!("name=\"template\" value=\"{}\"", given.order_ready);
    assert!(page.contains(&chosen), "{page}");
    assert_eq!(focused(&page).as_deref(), Some("compose-to-recipient"), "{page}");
    let page = enter("black_friday", 409).await;
    assert!(page.contains("still reviewing"), "{page}");
}

#[actix_web::test]
async fn am_02_the_number_is_the_contacts_last_one_until_the_agent_chooses_another() {
    let given = Given::desk().await;
    let first = given.desk.channel.to_string();
    let second = given.second_number(given.luis).to_string();
    let (template, add) = (given.plain.to_string(), format!("add:c{}", given.luis));
    let chosen = format!("c{}", given.luis);
    let page = shown(given.show("").await, 200).await;
    assert!(page.contains(&format!("name=\"offered\" value=\"{first}\"")), "{page}");
    let offered = [("step", "template"), ("template", &template), ("offered", &first)];
    for (channel, has_changed) in [(&first, false), (&second, true)] {
        let fields = [&offered[..], &[("channel", channel), ("go", "continue")]].concat();
        let page = shown(given.press(&fields).await, 200).await;
        assert_eq!(page.contains("name=\"channel\""), has_changed, "{page}");
    }
    let step = [("step", "recipient"), ("template", &template)];
    let page = shown(given.press(&[&step[..], &[("go", &add)]].concat()).await, 200).await;
    let foot = part(&page, "id=\"compose-status\"", "</p>");
    assert!(foot.contains("may be written to now, from \u{2068}+55 11 4000-2000"), "{foot}");
    let on = [&step[..], &[("recipient", &chosen), ("go", "remove")]].concat();
    let page = shown(given.press(&on).await, 200).await;
    assert!(part(&page, "id=\"compose-status\"", "</p>").contains("4000-1000"), "{page}");
    let variables = [("step", "variables"), ("template", &template), ("recipient", &chosen)];
    for (own, number) in [(&[][..], "4000-2000"), (&[("channel", first.as_str())], "4000-1000")] {
        let page = shown(given.press(&[&variables[..], own].concat()).await, 200).await;
        let foot = part(&page, "id=\"compose-status\"", "</p>");
        assert!(foot.contains(number), "{foot}");
    }
}
