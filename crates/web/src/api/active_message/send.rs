//! A send as a request names it: looked up, its files looked at.

use domain::template::{VariableKind, VariableName};
use persistence::{
    admission::{Door, Draft},
    api::{self, SendTarget},
    idempotency::IdempotencyKey,
};

use super::media::{self, MediaProblems};
use crate::{
    api::{client::ApiClient, problem::ApiError, request::SendRequest},
    desk::Desk,
    visit::Visit,
};

/// A send whose names are known.
pub struct Send {
    /// What its names stand for.
    pub target: SendTarget,
    /// What admission is asked.
    pub draft: Draft,
    /// Why files of it cannot be sent; admission knows of them by the draft.
    pub media: MediaProblems,
}

impl Send {
    /// Looks up what `asked` names.
    ///
    /// # Errors
    /// `Unknown` for what is not there or may not be known.
    pub async fn find(
        desk: &Desk,
        client: &ApiClient,
        asked: &SendRequest,
        key: Option<IdempotencyKey>,
    ) -> Result<Self, ApiError> {
        let (actor, named) = (client.actor.clone(), asked.named());
        let found = desk.store.read(move |db| api::find_target(db, &actor, &named)).await?;
        let target = found.map_err(ApiError::Unknown)?;
        let draft = Draft {
            channel: target.channel,
            template: target.template.id,
            to: target.to.clone(),
            values: asked.values(),
            refused_media: Vec::new(),
            agent: target.agent,
            door: Door::Api,
            ticket: None,
            key,
        };
        Ok(Self { target, draft, media: MediaProblems::new() })
    }

    /// Judges the files that media variables name by what the server finds there (AM-07). What it finds is
    /// one reason among the others, so it is for admission to refuse the send, and to log that (AD-01).
    ///
    /// # Errors
    /// `Unavailable` when the channel's platform is not served here.
    pub async fn look_at_media(
        mut self,
        desk: &Desk,
        client: &ApiClient,
        visit: &Visit,
    ) -> Result<Self, ApiError> {
        for variable in self.target.template.content.variables() {
            let VariableKind::Media(kind) = variable.kind else { continue };
            let Some(value) = self.draft.values.get_mut(&variable.name) else { continue };
            *value = value.trim().to_owned();
            let is_for_the_rules = value.is_empty() || value.contains(char::is_control);
            if is_for_the_rules {
                continue;
            }
            let looked = media::look(desk, client, visit, self.target.kind, value, kind).await?;
            if let Err(problem) = looked {
                let VariableName(name) = variable.name;
                self.draft.refused_media.push(VariableName(name.clone()));
                self.media.insert(name, (kind, problem));
            }
        }
        Ok(self)
    }
}
