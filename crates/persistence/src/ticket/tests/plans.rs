//! How the databases carry out what tickets ask.

use super::super::leave::list_open_of;
use crate::{explain::plans_of, test_desk::TestDesk, test_support::on_both};

#[test]
fn ro_02_the_tickets_of_an_agent_are_found_by_index() {
    on_both(|store| {
        let [ana, _] = TestDesk::new(store).agents;
        let plans = plans_of(store, |db| list_open_of(db, ana).unwrap());
        for (plan, index) in plans.iter().zip(["tickets_by_agent", "tickets_by_state"]) {
            assert!(plan.detours().is_empty() && plan.steps.contains(index), "{plan:#?}");
        }
        assert_eq!(plans.len(), 2);
    });
}
