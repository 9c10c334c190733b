//! Who is meant by the ids of a webhook (protocol, 1.4 and 4.9).

use domain::channel::SenderIdentity;
use serde::Deserialize;

use super::wire::{Loose, lenient};

/// One of `contacts[]`: it belongs to a message by id, not by its place.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContactWire {
    wa_id: Loose,
    user_id: Loose,
    parent_user_id: Loose,
    #[serde(deserialize_with = "lenient")]
    profile: Option<ProfileWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProfileWire {
    name: Loose,
    username: Loose,
}

/// The ids of one person, wherever they stand; each may be missing or empty.
#[derive(Debug, Default, Clone)]
pub(super) struct PersonIds {
    pub(super) number: Loose,
    pub(super) scoped: Loose,
    pub(super) parent: Loose,
}

impl PersonIds {
    /// Who that is, with what the contact of the same id tells besides; anonymous without an id.
    pub(super) fn identity(&self, contacts: &[ContactWire]) -> SenderIdentity {
        let number = self.number.as_str().and_then(digits);
        let scoped = self.scoped.as_str();
        let same = |ours: Option<&str>, theirs: Option<&str>| ours.is_some() && ours == theirs;
        let contact = contacts.iter().find(|contact| {
            same(number, contact.wa_id.as_str().and_then(digits))
                || same(scoped, contact.user_id.as_str())
        });
        let Some(contact) = contact else {
            return SenderIdentity {
                phone_digits: number.map(str::to_owned),
                scoped_id: scoped.map(str::to_owned),
                parent_scoped_id: self.parent.0.clone(),
                ..SenderIdentity::default()
            };
        };
        // Either id may stand in the contact alone.
        let number = number.or_else(|| contact.wa_id.as_str().and_then(digits));
        let profile = contact.profile.as_ref();
        SenderIdentity {
            phone_digits: number.map(str::to_owned),
            scoped_id: scoped.or_else(|| contact.user_id.as_str()).map(str::to_owned),
            parent_scoped_id: self.parent.or(&contact.parent_user_id).0.clone(),
            name: profile.and_then(|profile| profile.name.0.clone()),
            username: profile.and_then(|profile| profile.username.0.clone()),
        }
    }
}

fn digits(number: &str) -> Option<&str> {
    let digits = number.strip_prefix('+').unwrap_or(number);
    let only_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    only_digits.then_some(digits)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn loose(text: &str) -> Loose {
        Loose(Some(text.to_owned()).filter(|text| !text.is_empty()))
    }

    fn identity(number: &str, scoped: &str, contacts: Value) -> SenderIdentity {
        let contacts: Vec<ContactWire> = serde_json::from_value(contacts).unwrap();
        let ids = PersonIds { number: loose(number), scoped: loose(scoped), parent: loose("") };
        ids.identity(&contacts)
    }

    #[test]
    fn a_contact_is_found_by_either_id_and_never_by_its_place() {
        let contacts = json!([
            {"profile": {"name": "Noor Castell"}, "wa_id": "447700900333"},
            {"profile": {}, "wa_id": "", "user_id": ""},
            {"profile": {"name": "Imani Okoro", "username": "imani"}, "wa_id": "447700900777",
             "user_id": "GB.5530871129046618", "parent_user_id": "GB.ENT.77"},
            {"profile": {"name": "Aya Lind"}, "user_id": "SE.66"}]);
        let known = |number: &str, scoped: &str| {
            let identity = identity(number, scoped, contacts.clone());
            (identity.name, identity.phone_digits, identity.scoped_id)
        };
        let some = |text: &str| Some(text.to_owned());
        let imani = (some("Imani Okoro"), some("447700900777"), some("GB.5530871129046618"));
        let cases = [
            ("447700900777", "GB.5530871129046618", imani.clone()),
            ("447700900777", "", imani.clone()),
            ("+447700900777", "", imani.clone()),
            ("", "GB.5530871129046618", imani),
            ("", "SE.66", (some("Aya Lind"), None, some("SE.66"))),
            ("447700900333", "", (some("Noor Castell"), some("447700900333"), None)),
            ("447700900999", "", (None, some("447700900999"), None)),
            ("", "GB.99", (None, None, some("GB.99"))),
            ("", "", (None, None, None)),
            ("imani", "", (None, None, None)),
        ];
        for (number, scoped, expected) in cases {
            assert_eq!(known(number, scoped), expected, "{number} {scoped}");
        }
        let imani = identity("", "GB.5530871129046618", contacts.clone());
        assert_eq!(imani.username.as_deref(), Some("imani"));
        assert_eq!(imani.parent_scoped_id.as_deref(), Some("GB.ENT.77"));
    }
}
