//! Client tokens: a call that is made again with the same one has made what it made before.

use std::collections::BTreeMap;

use super::ApiError;
use crate::query::Params;
use crate::world::{Made, World};
use crate::xml::{Element, text};

/// A call's client token, with what the call wants.
pub(super) struct Token {
    /// The account, the operation, and the token itself.
    key: Option<(String, String, String)>,
    wanted: BTreeMap<String, String>,
}

impl Token {
    /// Takes the token, before anything else is taken.
    pub(super) fn take(account: &str, action: &str, params: &mut Params) -> Self {
        let token = params.take("ClientToken");
        let mut wanted = params.flat();
        // Whether a call is only tried is no matter of what it would make.
        wanted.remove("DryRun");
        Self { key: token.map(|token| (account.to_owned(), action.to_owned(), token)), wanted }
    }

    /// The id of what was made with it.
    ///
    /// # Errors
    ///
    /// `IdempotentParameterMismatch`, if that was made with other parameters.
    pub(super) fn made(&self, world: &World) -> Result<Option<String>, ApiError> {
        match self.key.as_ref().and_then(|key| world.tokens.get(key)) {
            None => Ok(None),
            Some(made) if made.wanted == self.wanted => Ok(Some(made.id.clone())),
            Some(_) => {
                let message = "The request uses the same client token as a previous, but non-identical request.";
                Err(ApiError::new(400, "IdempotentParameterMismatch", message))
            }
        }
    }

    /// Remembers what was made with it, and gives the token back as a part of the answer.
    pub(super) fn keep(self, world: &mut World, id: &str) -> Option<Element> {
        let Self { key, wanted } = self;
        let key = key?;
        let element = text("clientToken", &key.2);
        world.tokens.insert(key, Made { id: id.to_owned(), wanted });
        Some(element)
    }
}
