//! Step 3: what stands in the variables.

use super::*;

#[actix_web::test]
async fn am_08_what_is_wrong_stands_at_the_field_and_what_was_typed_is_kept() {
    let given = Given::desk().await;
    let (template, recipient) = (given.order_ready.to_string(), format!("c{}", given.luis));
    let fields = [
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", recipient.as_str()),
        ("v_header", "https://shop.example/quote.pdf"),
        ("v_name", "{contact.name}"),
        ("v_order", "48     213"),
        ("go", "send"),
    ];
    insta::assert_snapshot!(shown(given.press(&fields).await, 422).await);
    assert_eq!(given.count_sends(), 0);
}

#[actix_web::test]
async fn am_07_an_image_is_looked_at_once_and_shown_from_our_own_address() {
    let given = Given::desk().await;
    let (template, recipient) = (given.order_ready.to_string(), format!("c{}", given.luis));
    let fields = [
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", recipient.as_str()),
        ("v_header", "https://shop.example/tile.png"),
        ("v_name", "{contact.name}"),
        ("go", "check"),
    ];
    let page = given.press(&fields).await.text().await.unwrap();
    let (_, rest) = page.split_once("<img src=\"").expect("the image");
    let address = rest.split('"').next().unwrap().to_owned();
    let image = given.browser.get(&address).send().await.unwrap();
    assert_eq!(image.headers()["content-security-policy"], "default-src 'none'; sandbox");
    assert_eq!(image.headers()["content-type"], "image/png");
    assert!(page.contains("<mark data-slot=\"name\">Luís Cabrera</mark>"), "{page}");
    assert!(!page.contains("Fill in a value"), "what is still empty is not told yet");
    let again = given.press(&fields).await.text().await.unwrap();
    assert!(again.contains(&address), "the second look is at what is kept");
    let stranger = given.desk.signed_in(ADMIN).await.get(&address).send().await.unwrap();
    assert_eq!(stranger.status(), 404);
}

#[actix_web::test]
async fn step_3_begins_at_the_first_variable_and_never_at_send() {
    let given = Given::desk().await;
    let luis = format!("c{}", given.luis);
    let (order_ready, plain) = (given.order_ready.to_string(), given.plain.to_string());
    let reach = async |template: &str| {
        let fields = [
            ("step", "recipient"),
            ("template", template),
            ("recipient", &luis),
            ("go", "continue"),
        ];
        shown(given.press(&fields).await, 200).await
    };
    let page = reach(&order_ready).await;
    assert_eq!(focused(&page).as_deref(), Some("v_header"), "{page}");
    let page = reach(&plain).await;
    assert_eq!(focused(&page).as_deref(), Some("compose-full-model"), "{page}");
    assert!(part(&page, "<footer", "</footer>").contains("id=\"compose-send\""), "{page}");
    let check = [("step", "variables"), ("template", &order_ready), ("recipient", &luis)];
    let page = shown(given.press(&check).await, 200).await;
    assert_eq!(focused(&page), None, "the focus stays with who types: {page}");
}

#[actix_web::test]
async fn am_08_what_was_wrong_goes_from_the_page_as_it_is_mended() {
    let given = Given::desk().await;
    let (template, luis) = (given.order_ready.to_string(), format!("c{}", given.luis));
    let mut fields = vec![
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", luis.as_str()),
        ("v_header", ""),
        ("v_name", "Luís"),
        ("v_order", "48     213"),
        ("go", "send"),
    ];
    let page = shown(given.press(&fields).await, 422).await;
    assert!(page.contains("name=\"told\""), "{page}");
    assert!(page.contains("href=\"#v_header\"") && page.contains("href=\"#v_order\""), "{page}");
    let order = part(&page, "id=\"v_order-field\"", "</div>");
    assert!(order.contains("input changed delay:300ms"), "judged as it is typed: {order}");

    fields.push(("told", "1"));
    fields[6].1 = "check";
    fields[5].1 = "48 213";
    let page = shown(given.press(&fields).await, 200).await;
    assert!(!page.contains("href=\"#v_order\""), "{page}");
    assert!(page.contains("href=\"#v_header\""), "the other one stays: {page}");
    fields[3].1 = "https://shop.example/tile.png";
    let page = shown(given.press(&fields).await, 200).await;
    assert!(!page.contains("error-summary") && !page.contains("name=\"told\""), "{page}");
    assert!(page.contains("tile.png\u{2069} · PNG · 2 KB"), "the file is named: {page}");
}

#[actix_web::test]
async fn am_07_each_thing_wrong_with_a_file_is_told_at_the_field() {
    let given = Given::desk().await;
    let (template, luis) = (given.order_ready.to_string(), format!("c{}", given.luis));
    let cases = [
        ("https://shop.example/gone.png", "There is no file at this address (404)"),
        ("https://shop.example/quote.pdf", "This is a PDF; a JPEG or PNG image is needed"),
        ("https://shop.example/huge.png", "The file is too large: 5 MB at most"),
        ("https://shop.example/inner", "leads into an inner network"),
        ("https://shop.example/silent", "Nothing answers at this address"),
    ];
    for (url, expected) in cases {
        let fields = [
            ("step", "variables"),
            ("template", template.as_str()),
            ("recipient", luis.as_str()),
            ("v_header", url),
            ("go", "check"),
        ];
        let page = shown(given.press(&fields).await, 200).await;
        let problem = part(&page, "id=\"v_header-problem\">", "<");
        assert!(problem.contains(expected), "{url}: {problem}");
    }
}

#[actix_web::test]
async fn am_13_a_field_in_two_braces_is_told_and_never_sent_half_filled() {
    let given = Given::desk().await;
    let (template, luis) = (given.order_ready.to_string(), format!("c{}", given.luis));
    let mut fields = vec![
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", luis.as_str()),
        ("v_header", "https://shop.example/tile.png"),
        ("v_name", "{{contact.name}}"),
        ("v_order", "{pedido}"),
        ("go", "send"),
    ];
    let page = shown(given.press(&fields).await, 422).await;
    let problem = part(&page, "id=\"v_name-problem\">", "<");
    assert!(problem.contains("with one brace on each side"), "{problem}");
    let note = part(&page, "id=\"v_order-note\">", "</p>");
    assert!(note.contains("{pedido}") && note.contains("is sent as it stands"), "{note}");
    fields[4].1 = "{contact.shoe}";
    let page = shown(given.press(&fields).await, 422).await;
    let problem = part(&page, "id=\"v_name-problem\">", "<");
    assert!(problem.contains("There is no field \u{2068}{contact.shoe}\u{2069}"), "{problem}");
    assert_eq!(given.count_sends(), 0);
}

#[actix_web::test]
async fn am_07_what_was_said_of_an_address_goes_as_it_is_typed_anew() {
    let given = Given::desk().await;
    let (template, luis) = (given.order_ready.to_string(), format!("c{}", given.luis));
    for (url, is_live) in [("", false), ("https://shop.example/gone.png", true)] {
        let fields = [
            ("step", "variables"),
            ("template", template.as_str()),
            ("recipient", luis.as_str()),
            ("v_header", url),
            ("go", "check"),
        ];
        let page = shown(given.press(&fields).await, 200).await;
        let field = part(&page, "id=\"v_header-field\"", "</div>");
        assert!(field.contains("data-problem-until-changed"), "{field}");
        assert_eq!(field.contains("input changed delay:700ms"), is_live, "{field}");
    }
}
