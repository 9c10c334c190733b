//! Tables and promises of variables, fields and filling.

use proptest::prelude::*;

use super::{
    FieldValues, FilledHeader, MediaKind, Segment, TemplateButton, TemplateContent, TemplateHeader,
    ValueField, VariableKind, VariableName, VariableProblemCode, VariableRole, VariableValues,
    check_values, expand_values, mistaken_fields,
};

fn name(text: &str) -> VariableName {
    VariableName(text.to_owned())
}

fn values(pairs: &[(&str, &str)]) -> VariableValues {
    pairs.iter().map(|(key, value)| (name(key), (*value).to_owned())).collect()
}

fn with_body(body: &str) -> TemplateContent {
    TemplateContent { header: None, body: body.to_owned(), footer: None, buttons: Vec::new() }
}

/// An image above, two body variables, a link with a variable and a code to copy.
fn order_shipped() -> TemplateContent {
    TemplateContent {
        header: Some(TemplateHeader::Media(MediaKind::Image)),
        body: "Hello {{first_name}}, {{ courier }} has your parcel, {{first_name}}.".to_owned(),
        footer: Some("Reply STOP to opt out".to_owned()),
        buttons: vec![
            TemplateButton::QuickReply { text: "Got it".to_owned() },
            TemplateButton::Url {
                text: "Track".to_owned(),
                url: "https://shop.example/o/{{1}}".to_owned(),
            },
            TemplateButton::CopyCode { text: "Copy".to_owned() },
        ],
    }
}

fn all_filled() -> VariableValues {
    values(&[
        ("header", "https://shop.example/parcel.jpg"),
        ("first_name", "Imani"),
        ("courier", "Parcelway"),
        ("button_1", "8812"),
        ("button_2", "KILN15"),
    ])
}

#[test]
fn variables_are_named_as_the_api_names_them() {
    let variables = order_shipped().variables();
    let found: Vec<(&str, VariableRole, VariableKind)> = variables
        .iter()
        .map(|variable| (variable.name.0.as_str(), variable.role, variable.kind))
        .collect();
    let expected = [
        ("header", VariableRole::Header, VariableKind::Media(MediaKind::Image)),
        ("first_name", VariableRole::Body, VariableKind::Text),
        ("courier", VariableRole::Body, VariableKind::Text),
        ("button_1", VariableRole::Button(1), VariableKind::UrlSuffix),
        ("button_2", VariableRole::Button(2), VariableKind::CouponCode),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_place_has_four_variables_and_a_text_header_one() {
    let names = |header| {
        let content = TemplateContent { header: Some(header), ..with_body("Hi") };
        content.variables().into_iter().map(|variable| variable.name.0).collect::<Vec<_>>()
    };
    let place = ["header_latitude", "header_longitude", "header_name", "header_address"];
    assert_eq!(names(TemplateHeader::Location), place);
    assert_eq!(names(TemplateHeader::Text("News from {{shop_name}}".to_owned())), ["header"]);
    assert!(names(TemplateHeader::Text("News".to_owned())).is_empty());
}

#[test]
fn braces_that_hold_no_name_are_text() {
    let cases: [(&str, &[&str]); 7] = [
        ("no variable at all", &[]),
        ("{{1}}{{2}}", &["1", "2"]),
        ("{{{1}}}", &["1"]),
        ("{{}} {{ }} {{a b}} {{é}}", &[]),
        ("{{1} {{2}}", &["2"]),
        ("open {{1", &[]),
        ("a }} b {{1}}", &["1"]),
    ];
    for (body, expected) in cases {
        let content = with_body(body);
        let names: Vec<String> = content.variables().into_iter().map(|v| v.name.0).collect();
        assert_eq!(names, expected, "{body}");
        assert_eq!(content.fill(&VariableValues::new()).body_text(), body, "{body}");
    }
}

#[test]
fn am_08_each_value_is_judged_at_its_field() {
    use VariableProblemCode as Code;
    let long = "x".repeat(1_024);
    let too_long = "x".repeat(1_025);
    let accents = "é".repeat(1_024);
    #[rustfmt::skip]
    let cases: [(&str, &str, Option<VariableProblemCode>); 20] = [
        ("a word", "Imani", None),
        ("nothing", "", Some(Code::Missing)),
        ("spaces alone", "   ", Some(Code::Missing)),
        ("as long as the body may be", &long, None),
        ("characters are counted, not bytes", &accents, None),
        ("a character too long", &too_long, Some(Code::TooLong { most: 1_024 })),
        ("a line feed", "a\nb", Some(Code::Newline)),
        ("a carriage return", "a\rb", Some(Code::Newline)),
        ("a line separator", "a\u{2028}b", Some(Code::Newline)),
        ("a tab", "a\tb", Some(Code::Tab)),
        ("four spaces in a row", "a    b", None),
        ("five spaces in a row", "a     b", Some(Code::TooManySpaces)),
        ("twice four", "a    b    c", None),
        ("a null character", "a\0b", Some(Code::ControlCharacter)),
        ("another template's placeholder", "{{7}}", Some(Code::Placeholder)),
        ("two opening braces", "a {{ b", Some(Code::Placeholder)),
        ("single braces", "{a} b", None),
        ("markup is text", "<script>alert(1)</script>", None),
        ("emoji", "👩‍👩‍👧 hi", None),
        ("right to left", "مرحبا", None),
    ];
    for (case, value, expected) in cases {
        let problems = check_values(&with_body("{{1}}"), &values(&[("1", value)]));
        assert_eq!(problems.first().map(|problem| problem.code), expected, "{case}");
        assert!(problems.len() <= 1, "{case}");
    }
}

#[test]
fn every_problem_is_told_at_once_in_the_order_of_the_variables() {
    let given = values(&[
        ("header", "ftp://shop.example/parcel.jpg"),
        ("courier", "a\tb"),
        ("button_2", "a code that is far too long"),
        ("second_name", "x"),
    ]);
    let problems: Vec<(String, &str)> = check_values(&order_shipped(), &given)
        .into_iter()
        .map(|problem| (problem.name.0, problem.code.as_str()))
        .collect();
    let expected = [
        ("header", "not_a_url"),
        ("first_name", "missing"),
        ("courier", "tab"),
        ("button_1", "missing"),
        ("button_2", "too_long"),
        ("second_name", "unknown_variable"),
    ];
    assert_eq!(problems, expected.map(|(name, code)| (name.to_owned(), code)));
    assert!(check_values(&order_shipped(), &all_filled()).is_empty());
}

#[test]
fn lengths_are_judged_with_the_text_around() {
    let header = |text: &str| TemplateContent {
        header: Some(TemplateHeader::Text(text.to_owned())),
        ..with_body("Hi")
    };
    let url = |url: &str| TemplateContent {
        buttons: vec![TemplateButton::Url { text: "Go".to_owned(), url: url.to_owned() }],
        ..with_body("Hi")
    };
    let cases = [
        ("header text, 60 in all", header("0123456789{{1}}"), "header", 50),
        ("body, 1,024 in all", with_body("0123456789{{1}}"), "1", 1_014),
        ("address, 2,000 in all", url("https://a.example/{{1}}"), "button_0", 1_982),
    ];
    for (case, content, variable, most) in cases {
        let check = |length| check_values(&content, &values(&[(variable, &"x".repeat(length))]));
        assert!(check(most).is_empty(), "{case}");
        let code = VariableProblemCode::TooLong { most };
        assert_eq!(check(most + 1).first().map(|problem| problem.code), Some(code), "{case}");
    }
}

#[test]
fn a_body_too_long_as_a_whole_is_told_at_its_longest_value() {
    let content = with_body("{{1}} {{2}} {{1}}");
    let given = |first: usize, second: usize| {
        check_values(&content, &values(&[("1", &"a".repeat(first)), ("2", &"b".repeat(second))]))
    };
    assert!(given(500, 22).is_empty());
    let problems = given(500, 24);
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].name, name("1"));
    assert_eq!(problems[0].code, VariableProblemCode::TooLong { most: 499 });
    assert!(given(499, 24).is_empty(), "the length told is enough");
}

#[test]
fn a_place_has_coordinates() {
    let content = TemplateContent { header: Some(TemplateHeader::Location), ..with_body("Hi") };
    let cases = [
        ("51.0724", "-4.0586", 0),
        ("-90", "180", 0),
        ("90.01", "0", 1),
        ("0", "-180.5", 1),
        ("north", "NaN", 2),
        ("inf", "1e3", 2),
    ];
    for (latitude, longitude, count) in cases {
        let given = values(&[
            ("header_latitude", latitude),
            ("header_longitude", longitude),
            ("header_name", "Studio"),
            ("header_address", "3 Harbour Lane"),
        ]);
        let problems = check_values(&content, &given);
        assert_eq!(problems.len(), count, "{latitude} {longitude}");
        assert!(problems.iter().all(|p| p.code == VariableProblemCode::NotACoordinate));
    }
}

#[test]
fn am_06_the_preview_shows_the_text_in_place() {
    let filled = order_shipped().fill(&all_filled());
    assert_eq!(filled.body_text(), "Hello Imani, Parcelway has your parcel, Imani.");
    let image = FilledHeader::Media {
        kind: MediaKind::Image,
        url: Some("https://shop.example/parcel.jpg".to_owned()),
    };
    assert_eq!(filled.header, Some(image));
    assert_eq!(filled.footer.as_deref(), Some("Reply STOP to opt out"));
    assert_eq!(
        filled.buttons[1].target,
        [
            Segment::Literal("https://shop.example/o/".to_owned()),
            Segment::Slot { name: name("button_1"), value: Some("8812".to_owned()) },
        ]
    );
    let empty = order_shipped().fill(&values(&[("courier", "  ")]));
    let slot = Segment::Slot { name: name("courier"), value: None };
    assert!(empty.body.contains(&slot), "a blank value leaves its slot empty");
}

fn imani() -> FieldValues {
    FieldValues {
        contact_name: Some("Imani Okoro".to_owned()),
        contact_phone: Some("+447700900777".to_owned()),
        contact_protocol: None,
        agent_name: Some("{contact.phone} {{1}}".to_owned()),
    }
}

#[test]
fn am_13_fields_are_filled_for_each_recipient_and_only_once() {
    use VariableProblemCode as Code;
    let cases = [
        ("no field", "Hello", Ok("Hello")),
        ("a field", "Hello {contact.name}!", Ok("Hello Imani Okoro!")),
        ("two", "{contact.name}{contact.phone}", Ok("Imani Okoro+447700900777")),
        ("what a field holds is not read again", "{agent.name}", Ok("{contact.phone} {{1}}")),
        ("braces are text", "{} {a} { contact.name } {", Ok("{} {a} { contact.name } {")),
        ("two braces by habit", "{{contact.name}}", Err(Code::Placeholder)),
        ("two braces open, one closes", "Oi {{contact.name}!", Err(Code::Placeholder)),
        ("a field after a brace that closes", "}{contact.name}", Ok("}Imani Okoro")),
        ("an empty field", "No. {contact.protocol}", Err(Code::EmptyField)),
        ("an unknown field", "{contact.shoe}", Err(Code::UnknownField)),
        ("an unknown owner", "{boss.name}", Err(Code::UnknownField)),
    ];
    for (case, value, expected) in cases {
        let expanded = expand_values(&values(&[("1", value)]), &imani());
        let found = match &expanded {
            Ok(expanded) => Ok(expanded[&name("1")].as_str()),
            Err(problems) => Err(problems[0].code),
        };
        assert_eq!(found, expected, "{case}");
    }
}

#[test]
fn a_name_that_looks_like_a_placeholder_is_refused_before_the_platform_sees_it() {
    let expanded = expand_values(&values(&[("1", "{agent.name}")]), &imani()).unwrap();
    let problems = check_values(&with_body("{{1}}"), &expanded);
    assert_eq!(problems[0].code, VariableProblemCode::Placeholder);
}

#[test]
fn am_13_what_was_perhaps_meant_as_a_field_is_found() {
    let name = Some(ValueField::ContactName);
    type Mistakes<'a> = &'a [(&'a str, Option<ValueField>)];
    let cases: [(&str, Mistakes<'_>); 11] = [
        ("Oi {contact.name}", &[]),
        ("{{contact.name}}", &[("{{contact.name}}", name)]),
        ("{{contact.name}", &[("{{contact.name}", name)]),
        ("{ contact.name }!", &[("{ contact.name }", name)]),
        ("{Contact.Name}", &[("{Contact.Name}", name)]),
        ("{contact.shoe}", &[("{contact.shoe}", None)]),
        ("{nome} e {{sobrenome}}", &[("{nome}", None), ("{{sobrenome}}", None)]),
        ("{contact.name}}", &[]),
        ("braces: {} {1} {", &[]),
        ("{a, b}", &[]),
        ("{{{agent.name}}}", &[("{{{agent.name}}}", Some(ValueField::AgentName))]),
    ];
    for (value, expected) in cases {
        let found = mistaken_fields(value);
        let found: Vec<_> = found.iter().map(|it| (it.typed.as_str(), it.meant)).collect();
        assert_eq!(found, expected, "{value}");
    }
}

#[test]
fn every_field_has_a_token_that_fills_it() {
    let fields = FieldValues {
        contact_name: Some("a".to_owned()),
        contact_phone: Some("b".to_owned()),
        contact_protocol: Some("c".to_owned()),
        agent_name: Some("d".to_owned()),
    };
    let tokens: String = ValueField::ALL.into_iter().map(ValueField::token).collect();
    let expanded = expand_values(&values(&[("1", &tokens)]), &fields).unwrap();
    assert_eq!(expanded[&name("1")], "abcd");
    for field in ValueField::ALL {
        assert_eq!(ValueField::parse(field.as_str()), Some(field));
    }
}

proptest! {
    #[test]
    fn filling_never_expands_twice(value in "(\\{\\{1\\}\\}|\\{\\{2\\}\\}|\\{|\\}|[a-z ]){1,12}") {
        prop_assume!(!value.trim().is_empty());
        let content = with_body("<{{1}}|{{2}}>");
        let given = values(&[("1", &value), ("2", "two")]);
        prop_assert_eq!(content.fill(&given).body_text(), format!("<{value}|two>"));
    }

    #[test]
    fn fields_are_expanded_once_whatever_they_hold(held in "(\\{contact\\.name\\}|\\{agent\\.name\\}|\\{|\\}|[a-z]){1,8}") {
        let fields = FieldValues { contact_name: Some(held.clone()), ..imani() };
        let expanded = expand_values(&values(&[("1", "<{contact.name}>")]), &fields).unwrap();
        prop_assert_eq!(&expanded[&name("1")], &format!("<{held}>"));
    }

    #[test]
    fn a_text_is_its_pieces_put_together(body in "(\\{\\{|\\}\\}|\\{|\\}|[a-z0-9_ é]){0,20}") {
        let spaced = with_body(&body).fill(&VariableValues::new()).body_text();
        prop_assert_eq!(spaced.replace(' ', ""), body.replace(' ', ""));
    }

    #[test]
    fn accepted_values_make_a_body_the_platform_takes(
        first in "\\PC{0,600}", second in "\\PC{0,600}",
    ) {
        let content = with_body("Hello {{1}}, {{2}} is ready");
        let given = values(&[("1", &first), ("2", &second)]);
        if check_values(&content, &given).is_empty() {
            let body = content.fill(&given).body_text();
            prop_assert!(body.chars().count() <= 1_024);
            prop_assert!(!body.contains(['\n', '\t']));
        }
    }
}
