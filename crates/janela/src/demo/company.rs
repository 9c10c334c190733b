//! The seeded company as plain data: who works there, what they send, whom they serve.

use serde_json::{Value, json};

/// A chatbot of the company.
pub struct ChatbotSeed {
    /// As shown.
    pub name: &'static str,
    /// IANA zone of its hours.
    pub time_zone: &'static str,
    /// The most active messages per agent and contact; `None`: the cap is off.
    pub cap: Option<u32>,
    /// Its queues.
    pub queues: [&'static str; 2],
    /// The platform account its numbers belong to.
    pub account_id: &'static str,
}

/// A WhatsApp number of the company.
pub struct NumberSeed {
    /// Which chatbot it belongs to, by position.
    pub chatbot: usize,
    /// The platform's id.
    pub phone_number_id: &'static str,
    /// In E.164.
    pub phone: &'static str,
    /// As shown.
    pub name: &'static str,
    /// Its standing and level in the demo.
    pub condition: NumberCondition,
}

/// What a number of the demo has been through.
#[derive(Clone, Copy)]
pub enum NumberCondition {
    /// Never red.
    Connected,
    /// Red for some days.
    Flagged,
    /// Red for more than a week.
    Restricted,
}

/// Someone who signs in.
pub struct UserSeed {
    /// As shown.
    pub name: &'static str,
    /// What they sign in with.
    pub email: &'static str,
    /// Their role.
    pub role: domain::permission::Role,
    /// The chatbots they belong to, by position.
    pub chatbots: &'static [usize],
    /// Their zone.
    pub time_zone: &'static str,
}

/// The password of everyone in the demo.
pub const PASSWORD: &str = "janela-demo-2026";

/// The two chatbots. The first has the cap on with X = 3 and 24 h service.
pub const CHATBOTS: [ChatbotSeed; 2] = [
    ChatbotSeed {
        name: "Sales Brazil",
        time_zone: "America/Sao_Paulo",
        cap: Some(3),
        queues: ["Sales", "Orders"],
        account_id: "884120037765421",
    },
    ChatbotSeed {
        name: "Support Europe",
        time_zone: "Europe/Lisbon",
        cap: None,
        queues: ["Support", "Returns"],
        account_id: "884120037765422",
    },
];

/// The numbers, one in every standing.
pub const NUMBERS: [NumberSeed; 4] = [
    NumberSeed {
        chatbot: 0,
        phone_number_id: "730055819924401",
        phone: "+551140001000",
        name: "Sales Brazil",
        condition: NumberCondition::Connected,
    },
    NumberSeed {
        chatbot: 0,
        phone_number_id: "730055819924402",
        phone: "+551140002000",
        name: "Sales Brazil, campaigns",
        condition: NumberCondition::Flagged,
    },
    NumberSeed {
        chatbot: 1,
        phone_number_id: "730055819924403",
        phone: "+351210001000",
        name: "Support Europe",
        condition: NumberCondition::Connected,
    },
    NumberSeed {
        chatbot: 1,
        phone_number_id: "730055819924404",
        phone: "+34910001000",
        name: "Support Iberia",
        condition: NumberCondition::Restricted,
    },
];

/// Everyone who signs in; the first agent is Marina. None has chosen a language, so pages are in the browser's.
pub const USERS: [UserSeed; 10] = {
    use domain::permission::Role::{Admin, Agent, Manager};
    const BOTH: &[usize] = &[0, 1];
    const BRAZIL: &[usize] = &[0];
    const EUROPE: &[usize] = &[1];
    const fn user(
        name: &'static str,
        email: &'static str,
        role: domain::permission::Role,
        chatbots: &'static [usize],
        time_zone: &'static str,
    ) -> UserSeed {
        UserSeed { name, email, role, chatbots, time_zone }
    }
    [
        user("Helena Duarte", "admin@casaazul.example", Admin, BOTH, "America/Sao_Paulo"),
        user("Otávio Reis", "manager@casaazul.example", Manager, BOTH, "America/Sao_Paulo"),
        user("Marina Costa", "marina@casaazul.example", Agent, BRAZIL, "America/Sao_Paulo"),
        user("João Ferraz", "joao@casaazul.example", Agent, BRAZIL, "America/Sao_Paulo"),
        user("Beatriz Lemos", "beatriz@casaazul.example", Agent, BRAZIL, "America/Sao_Paulo"),
        user("Caio Nunes", "caio@casaazul.example", Agent, BRAZIL, "America/Recife"),
        user("Inês Pacheco", "ines@casaazul.example", Agent, EUROPE, "Europe/Lisbon"),
        user("Lucía Ortega", "lucia@casaazul.example", Agent, EUROPE, "Europe/Madrid"),
        user("Diego Salas", "diego@casaazul.example", Agent, EUROPE, "Europe/Madrid"),
        user("Nora Weiss", "nora@casaazul.example", Agent, BOTH, "Europe/Berlin"),
    ]
};

/// A template of the company, as the platform lists it.
pub struct TemplateSeed {
    /// Lower case and underscores.
    pub name: &'static str,
    /// As the platform writes it.
    pub language: &'static str,
    /// As the platform writes it.
    pub category: &'static str,
    /// As the platform writes it.
    pub status: &'static str,
    /// `NAMED` or `POSITIONAL`.
    pub parameter_format: &'static str,
    /// As the platform lists them.
    pub components: Value,
}

/// Templates of all kinds, in three languages. Every account has them all.
pub fn templates() -> Vec<TemplateSeed> {
    let order_ready = |language, text: &'static str, reply: &'static str| TemplateSeed {
        name: "order_ready",
        language,
        category: "UTILITY",
        status: "APPROVED",
        parameter_format: "NAMED",
        components: json!([
            {"type": "HEADER", "format": "IMAGE"},
            {"type": "BODY", "text": text},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": reply}]}
        ]),
    };
    let plain =
        |name, language, category, status, body: &'static str, reply: Option<&'static str>| {
            let mut components = vec![json!({"type": "BODY", "text": body})];
            if let Some(reply) = reply {
                components.push(
                    json!({"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": reply}]}),
                );
            }
            let parameter_format = if body.contains("{{1}}") { "POSITIONAL" } else { "NAMED" };
            TemplateSeed {
                name,
                language,
                category,
                status,
                parameter_format,
                components: Value::Array(components),
            }
        };
    vec![
        plain(
            "order_update",
            "en",
            "UTILITY",
            "APPROVED",
            "Hi {{name}}, your order {{order}} is on its way. Anything we can do for you?",
            Some("Talk to us"),
        ),
        order_ready(
            "pt_BR",
            "Oi {{name}}, seu pedido {{order}} está pronto na loja {{store}}. Guardamos para você?",
            "Sim, guardem",
        ),
        order_ready(
            "en",
            "Hi {{name}}, your order {{order}} is ready at {{store}}. Shall we keep it for you?",
            "Yes, keep it",
        ),
        order_ready(
            "es",
            "Hola {{name}}, tu pedido {{order}} está listo en {{store}}. ¿Te lo guardamos?",
            "Sí, guárdenlo",
        ),
        TemplateSeed {
            name: "appointment_reminder",
            language: "en",
            category: "UTILITY",
            status: "APPROVED",
            parameter_format: "POSITIONAL",
            components: json!([
                {"type": "HEADER", "format": "TEXT", "text": "Your visit on {{1}}"},
                {"type": "BODY", "text": "Hello {{1}}, we expect you at {{2}}. Please tell us if you cannot come."},
                {"type": "FOOTER", "text": "Casa Azul"},
                {"type": "BUTTONS", "buttons": [
                    {"type": "QUICK_REPLY", "text": "I will come"},
                    {"type": "QUICK_REPLY", "text": "Another day"}
                ]}
            ]),
        },
        TemplateSeed {
            name: "invoice_attached",
            language: "es",
            category: "UTILITY",
            status: "APPROVED",
            parameter_format: "POSITIONAL",
            components: json!([
                {"type": "HEADER", "format": "DOCUMENT"},
                {"type": "BODY", "text": "Hola {{1}}, te enviamos la factura {{2}}."},
                {"type": "FOOTER", "text": "Casa Azul"}
            ]),
        },
        TemplateSeed {
            name: "assembly_video",
            language: "pt_BR",
            category: "UTILITY",
            status: "APPROVED",
            parameter_format: "NAMED",
            components: json!([
                {"type": "HEADER", "format": "VIDEO"},
                {"type": "BODY", "text": "Oi {{name}}, este vídeo mostra como montar o seu {{product}}."}
            ]),
        },
        TemplateSeed {
            name: "delivery_tracking",
            language: "pt_BR",
            category: "UTILITY",
            status: "APPROVED",
            parameter_format: "NAMED",
            components: json!([
                {"type": "BODY", "text": "Oi {{name}}, seu pedido saiu para entrega."},
                {"type": "BUTTONS", "buttons": [
                    {"type": "URL", "text": "Acompanhar", "url": "https://casaazul.example/o/{{1}}"},
                    {"type": "PHONE_NUMBER", "text": "Ligar", "phone_number": "+551140001000"}
                ]}
            ]),
        },
        TemplateSeed {
            name: "welcome_coupon",
            language: "en",
            category: "MARKETING",
            status: "APPROVED",
            parameter_format: "NAMED",
            components: json!([
                {"type": "BODY", "text": "Welcome, {{name}}! Ten per cent off your first order."},
                {"type": "FOOTER", "text": "Reply STOP to hear no more offers"},
                {"type": "BUTTONS", "buttons": [{"type": "COPY_CODE", "text": "Copy code"}]}
            ]),
        },
        plain(
            "come_back",
            "pt_BR",
            "MARKETING",
            "APPROVED",
            "Oi {{name}}, sentimos a sua falta. Temos novidades na loja.",
            Some("Quero ver"),
        ),
        plain(
            "black_friday_2",
            "pt_BR",
            "MARKETING",
            "PAUSED",
            "Oi {{name}}, a Black Friday da Casa Azul começou.",
            None,
        ),
        plain(
            "satisfaction_survey",
            "es",
            "MARKETING",
            "PENDING",
            "Hola {{name}}, ¿qué tal fue tu compra?",
            Some("Muy bien"),
        ),
        plain(
            "price_change",
            "en",
            "MARKETING",
            "REJECTED",
            "Dear {{name}}, our prices change on {{date}}.",
            None,
        ),
    ]
}

/// A contact of the company.
pub struct ContactSeed {
    /// As shown.
    pub name: String,
    /// In E.164.
    pub phone: String,
    /// Which chatbot's contact, by position.
    pub chatbot: usize,
    /// Tags, separated by commas.
    pub tags: &'static str,
}

/// The contacts that the pictures show, first.
const KNOWN: [(&str, &str, usize); 8] = [
    ("Luiza Prado", "+5511987654321", 0),
    ("Rafael Torres", "+5511912345678", 0),
    ("Luis Cabrera", "+525512345678", 0),
    ("Luísa Moreira", "+351912345678", 0),
    ("Luis Keller", "+4915123456789", 0),
    ("陈雨", "+8613800138000", 0),
    ("Amélie Roche", "+33612345678", 1),
    ("Jonas Lindqvist", "+46701234567", 1),
];

const FIRST: [&str; 20] = [
    "Ana", "Bruno", "Camila", "Davi", "Elisa", "Felipe", "Gabriela", "Heitor", "Isabela", "José",
    "Karina", "Leandro", "Mônica", "Natália", "Paulo", "Renata", "Sérgio", "Tânia", "Vítor",
    "Yara",
];
const LAST: [&str; 20] = [
    "Almeida",
    "Barros",
    "Cardoso",
    "Dias",
    "Esteves",
    "Fonseca",
    "Gomes",
    "Henriques",
    "Junqueira",
    "Lima",
    "Macedo",
    "Neves",
    "Oliveira",
    "Pires",
    "Queiroz",
    "Ramos",
    "Santana",
    "Teixeira",
    "Vaz",
    "Xavier",
];

/// How many contacts a company of this scale has.
pub fn contact_count(scale: u32) -> usize {
    200 * usize::try_from(scale).unwrap_or(1)
}

/// `count` contacts, the same for the same `seed`. All numbers are made up.
pub fn contacts(count: usize, seed: u64) -> Vec<ContactSeed> {
    let known = KNOWN.iter().map(|(name, phone, chatbot)| ContactSeed {
        name: (*name).to_owned(),
        phone: (*phone).to_owned(),
        chatbot: *chatbot,
        tags: "vip,store-sp",
    });
    let mut random = Sequence(seed);
    let made = (0..count.saturating_sub(KNOWN.len())).map(|index| {
        let first = FIRST[random.below(FIRST.len())];
        let last = LAST[random.below(LAST.len())];
        let chatbot = usize::from(index % 3 == 2);
        let phone = match (chatbot, index % 2) {
            (0, _) => format!("+55119{:08}", 60_000_000 + index * 17),
            (_, 0) => format!("+35191{:07}", 1_000_000 + index * 13),
            _ => format!("+346{:08}", 10_000_000 + index * 19),
        };
        let tags = ["", "store-sp", "vip,store-sp", "online"][random.below(4)];
        ContactSeed { name: format!("{first} {last}"), phone, chatbot, tags }
    });
    known.chain(made).collect()
}

/// A small sequence of numbers that looks random and repeats for the same start (SplitMix64).
pub struct Sequence(pub u64);

impl Sequence {
    /// The next number, at least 0 and less than `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound.max(1) as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seeded_phone_number_exists_and_is_one_person() {
        let mut seen = std::collections::BTreeSet::new();
        for contact in contacts(1_000, 7) {
            let phone = domain::phone::PhoneNumber::from_e164(&contact.phone).unwrap();
            assert!(seen.insert(phone), "{} stands twice", contact.name);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_company() {
        let names = |seed| -> Vec<String> {
            contacts(50, seed).into_iter().map(|contact| contact.name).collect()
        };
        assert_eq!(names(3), names(3));
        assert_ne!(names(3), names(4));
    }

    #[test]
    fn the_company_has_templates_in_three_languages() {
        let languages: std::collections::BTreeSet<_> =
            templates().iter().map(|template| template.language).collect();
        assert_eq!(languages.len(), 3);
        assert!(12 <= templates().len());
    }
}
