//! What the platform charges for a message: kept with the receipt that tells it.

use std::collections::BTreeMap;

use diesel::prelude::*;
use domain::{
    channel::{Pricing, PricingCategory, PricingKind, PricingModel},
    ids::MessageId,
};
use serde_json::{Value, json};

use crate::{db::Db, error::PersistenceError, schema::delivery_events};

/// What some messages cost; one of which nothing was told is left out.
pub type Prices = BTreeMap<MessageId, Pricing>;

/// As it is stored.
pub(super) fn to_column(pricing: &Pricing) -> String {
    let Pricing { model, kind, category, told_billable } = pricing;
    json!({
        "model": model.as_ref().map(PricingModel::as_str),
        "kind": kind.as_ref().map(PricingKind::as_str),
        "category": category.as_ref().map(PricingCategory::as_str),
        "billable": told_billable,
    })
    .to_string()
}

fn from_column(column: &str) -> Result<Pricing, PersistenceError> {
    let parts: Value = serde_json::from_str(column).map_err(|error| {
        PersistenceError::unreadable("delivery_events", "pricing", error.to_string())
    })?;
    let word = |name: &str| parts.get(name).and_then(Value::as_str);
    Ok(Pricing {
        model: word("model").map(PricingModel::parse),
        kind: word("kind").map(PricingKind::parse),
        category: word("category").map(PricingCategory::parse),
        told_billable: parts.get("billable").and_then(Value::as_bool),
    })
}

/// What `messages` cost, each by what was told last.
///
/// # Errors
/// When the database fails, or holds what is no price.
pub fn list_prices_of(db: &mut Db, messages: &[MessageId]) -> Result<Prices, PersistenceError> {
    let mut rows: Vec<(i64, i64, Option<String>)> = delivery_events::table
        .filter(delivery_events::message_id.eq_any(messages.iter().map(|id| id.0)))
        .filter(delivery_events::pricing.is_not_null())
        .select((delivery_events::id, delivery_events::message_id, delivery_events::pricing))
        .load(db)?;
    rows.sort_unstable_by_key(|(id, ..)| *id);
    let told = rows.into_iter().filter_map(|(_, message, pricing)| Some((message, pricing?)));
    told.map(|(message, pricing)| Ok((MessageId(message), from_column(&pricing)?))).collect()
}

#[cfg(test)]
mod tests {
    use domain::{channel::ReceiptStatus, clock::Clock};

    use super::*;
    use crate::{
        pipeline_tests::{PHONE, permutations},
        test_desk::{TestDesk, accepted, priced_receipt},
        test_support::on_both,
    };

    #[test]
    fn a_price_is_read_back_as_it_was_told() {
        let other = PricingCategory::Other("gift".to_owned());
        let told = [
            Pricing::default(),
            Pricing {
                model: Some(PricingModel::PerMessage),
                kind: Some(PricingKind::Regular),
                category: Some(PricingCategory::Marketing),
                told_billable: Some(true),
            },
            Pricing { category: Some(other), told_billable: Some(false), ..Pricing::default() },
        ];
        for pricing in told {
            assert_eq!(from_column(&to_column(&pricing)).unwrap(), pricing);
        }
        assert!(from_column("free").is_err());
    }

    #[test]
    fn a_price_is_kept_whether_its_receipt_comes_before_or_after_our_own_answer() {
        let pricing = Pricing {
            model: Some(PricingModel::PerMessage),
            kind: Some(PricingKind::Regular),
            category: Some(PricingCategory::Utility),
            told_billable: Some(true),
        };
        on_both(|store| {
            let desk = TestDesk::new(store);
            for order in permutations(2) {
                let message = desk.send(desk.agents[0], PHONE);
                let claims = desk.claim(10);
                let name = format!("wamid.{message}");
                for step in order {
                    if step == 0 {
                        let _recorded = desk.record(&claims[0], &accepted(&name));
                    } else {
                        let at = desk.clock.now();
                        let sent = ReceiptStatus::Sent;
                        desk.apply(vec![priced_receipt(&name, sent, at, pricing.clone())]);
                    }
                }
                let prices = store.blocking_read(|db| list_prices_of(db, &[message])).unwrap();
                assert_eq!(prices, Prices::from([(message, pricing.clone())]));
            }
        });
    }
}
