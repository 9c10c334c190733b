//! The values of a send: fields filled in for the recipient, and what is wrong with them.

use diesel::prelude::*;
use domain::{
    ids::ContactId,
    template::{
        FieldValues, MessageTemplate, ValueField, VariableProblem, VariableProblemCode,
        VariableValues, check_values, expand_values,
    },
};

use super::{
    draft::Draft,
    locked::{Locked, is_known_to},
};
use crate::{
    db::Db,
    error::PersistenceError,
    schema::tickets,
    user::{self, Actor},
};

/// The values with their fields filled in for this recipient, and what is wrong with them (AM-07, AM-13).
pub(super) fn fill_variables(
    db: &mut Db,
    actor: &Actor,
    draft: &Draft,
    locked: &Locked,
    template: &MessageTemplate,
) -> Result<(VariableValues, Vec<VariableProblem>), PersistenceError> {
    let fields = find_fields(db, actor, draft, locked)?;
    let (values, mut problems) = match expand_values(&draft.values, &fields) {
        Ok(values) => {
            let problems = check_values(&template.content, &values);
            (values, problems)
        }
        Err(problems) => (draft.values.clone(), problems),
    };
    // What was found at an address says more than its form.
    problems.retain(|problem| !draft.refused_media.contains(&problem.name));
    let refused = draft.refused_media.iter().cloned();
    let code = VariableProblemCode::MediaRefused;
    problems.extend(refused.map(|name| VariableProblem { name, code }));
    Ok((values, problems))
}

/// Asks the database only for fields that are used. A contact that only other teams know has no name here:
/// a send to its number must not tell it.
fn find_fields(
    db: &mut Db,
    actor: &Actor,
    draft: &Draft,
    locked: &Locked,
) -> Result<FieldValues, PersistenceError> {
    let uses = |field: ValueField| {
        let token = field.token();
        draft.values.values().any(|value| value.contains(&token))
    };
    let contact_protocol = match &locked.contact {
        Some(contact) if uses(ValueField::ContactProtocol) => tickets::table
            .filter(tickets::contact_id.eq(contact.id))
            .filter(tickets::chatbot_id.eq(locked.chatbot.0))
            .order(tickets::opened_at.desc())
            .select(tickets::protocol)
            .first(db)
            .optional()?,
        Some(_) | None => None,
    };
    let contact_name = match &locked.contact {
        Some(contact) if uses(ValueField::ContactName) => {
            let is_known = is_known_to(db, actor, ContactId(contact.id))?;
            is_known.then(|| contact.name.clone())
        }
        Some(_) | None => None,
    };
    let agent_name = match draft.agent {
        Some(agent) if uses(ValueField::AgentName) => {
            user::find_actor(db, agent)?.map(|actor| actor.user.name)
        }
        Some(_) | None => None,
    };
    Ok(FieldValues {
        contact_name,
        contact_phone: locked.recipient_phone(draft).map(|phone| phone.as_e164().to_owned()),
        contact_protocol,
        agent_name,
    })
}
