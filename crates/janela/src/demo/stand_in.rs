//! The company as the sandbox sees it: its numbers with their secrets, its templates.

use crate::demo::company;

/// The app secret of every number of the demo; its worth ends at this machine's loopback.
const APP_SECRET: &str = "demo-app-secret";

/// The numbers, as the platform knows them.
pub fn numbers() -> Vec<sandbox::NumberSeed> {
    company::NUMBERS
        .iter()
        .map(|number| sandbox::NumberSeed {
            phone_number_id: number.phone_number_id.to_owned(),
            waba_id: company::CHATBOTS[number.chatbot].account_id.to_owned(),
            display_phone_number: domain::phone::PhoneNumber::from_e164(number.phone)
                .map_or_else(|_| number.phone.to_owned(), |phone| phone.display()),
            verified_name: company::CHATBOTS[number.chatbot].name.to_owned(),
            app_secret: APP_SECRET.to_owned(),
            access_token: format!("demo-token-{}", number.phone_number_id),
            verify_token: format!("demo-verify-{}", number.phone_number_id),
            throughput: 80,
        })
        .collect()
}

/// Every template in every account.
pub fn templates() -> Vec<sandbox::TemplateSeed> {
    company::CHATBOTS
        .iter()
        .flat_map(|chatbot| {
            company::templates().into_iter().map(|template| sandbox::TemplateSeed {
                waba_id: chatbot.account_id.to_owned(),
                name: template.name.to_owned(),
                language: template.language.to_owned(),
                category: template.category.to_owned(),
                status: template.status.to_owned(),
                components: template.components,
                parameter_format: template.parameter_format.to_owned(),
            })
        })
        .collect()
}
