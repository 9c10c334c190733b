//! What a business sets up for its number: registration, profile, settings, block list (protocol, 2.8).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::graph::error::GraphError;
use crate::template::field;

/// Registrations within 72 hours, and those hours.
const REGISTRATIONS_MAX: usize = 10;
const REGISTRATIONS_WITHIN_MS: i64 = 72 * 3_600_000;
/// The code that a call or a text message brings in the sandbox.
pub(crate) const CODE: &str = "123456";

/// How long a text of the profile may be.
const PROFILE_MAX: [(&str, usize); 4] =
    [("about", 139), ("address", 256), ("description", 512), ("email", 128)];
const WEBSITES_MAX: usize = 2;
const WEBSITE_MAX: usize = 256;

/// Whether the number's owner proved that it is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    Verified,
    CodeSent,
}

/// The set-up of one number; a seeded one is verified and registered.
#[derive(Debug)]
pub(crate) struct Setup {
    pub registered: bool,
    pub ownership: Ownership,
    pub pin: Option<String>,
    registrations: Vec<i64>,
    profile: Map<String, Value>,
    pub settings: Map<String, Value>,
    pub automation: Value,
    pub commerce: Map<String, Value>,
    pub public_key: Option<String>,
    pub new_display_name: Option<String>,
    /// Blocked customers with the input they were blocked by.
    pub blocked: BTreeMap<String, String>,
    /// The only customers a test number may write to; `None` for every customer.
    pub test_recipients: Option<Vec<String>>,
}

impl Default for Setup {
    fn default() -> Self {
        let as_map = |value: Value| value.as_object().cloned().unwrap_or_default();
        Self {
            registered: true,
            ownership: Ownership::Verified,
            pin: None,
            registrations: Vec::new(),
            profile: as_map(json!({ "messaging_product": "whatsapp", "vertical": "OTHER" })),
            settings: as_map(json!({
                "calling": { "status": "DISABLED" },
                "storage_configuration": { "status": "DEFAULT" },
                "user_identity_change": { "enable_identity_key_check": false },
            })),
            automation: json!({ "enable_welcome_message": false, "prompts": [], "commands": [] }),
            commerce: as_map(json!({
                "id": "615500248890013", "is_catalog_visible": false, "is_cart_enabled": true,
            })),
            public_key: None,
            new_display_name: None,
            blocked: BTreeMap::new(),
            test_recipients: None,
        }
    }
}

impl Setup {
    /// Registers with `order` at `now_ms`.
    ///
    /// # Errors
    ///
    /// 133016 beyond ten times in 72 h, 133006 unverified, 131008 or 133005 for the PIN.
    pub(crate) fn register(&mut self, order: &Value, now_ms: i64) -> Result<(), GraphError> {
        self.count_registration(now_ms)?;
        if self.ownership != Ownership::Verified {
            return Err(GraphError::of(133_006, "The number must be verified before."));
        }
        let pin = field(order, "pin");
        if pin.is_empty() {
            return Err(GraphError::missing("Parameter 'pin' is required."));
        }
        check_pin(pin)?;
        if self.pin.as_deref().is_some_and(|known| known != pin) {
            return Err(GraphError::of(133_005, "The two-step verification PIN is wrong."));
        }
        self.pin = Some(pin.to_owned());
        self.registered = true;
        Ok(())
    }

    /// Deregisters at `now_ms`.
    ///
    /// # Errors
    ///
    /// 133016 beyond ten times in 72 h, 133010 when it is not registered.
    pub(crate) fn deregister(&mut self, now_ms: i64) -> Result<(), GraphError> {
        self.count_registration(now_ms)?;
        if !std::mem::take(&mut self.registered) {
            return Err(GraphError::not_registered());
        }
        Ok(())
    }

    fn count_registration(&mut self, now_ms: i64) -> Result<(), GraphError> {
        self.registrations.retain(|at| now_ms - at < REGISTRATIONS_WITHIN_MS);
        if REGISTRATIONS_MAX <= self.registrations.len() {
            return Err(GraphError::of(133_016, "Too many register and deregister calls."));
        }
        self.registrations.push(now_ms);
        Ok(())
    }

    /// Sends a code by the method asked for.
    ///
    /// # Errors
    ///
    /// 100 for a method that is none or a missing language.
    pub(crate) fn request_code(&mut self, order: &Value) -> Result<(), GraphError> {
        if !matches!(field(order, "code_method"), "SMS" | "VOICE") {
            return Err(GraphError::parameter("code_method must be SMS or VOICE"));
        }
        if field(order, "language").is_empty() {
            return Err(GraphError::parameter("language is required"));
        }
        self.ownership = Ownership::CodeSent;
        Ok(())
    }

    /// Takes the code back.
    ///
    /// # Errors
    ///
    /// 100 when none was sent or another one was.
    pub(crate) fn verify_code(&mut self, order: &Value) -> Result<(), GraphError> {
        // Dashes and spaces are how the platform's own message writes it.
        let code: String =
            text_or_number(order, "code").chars().filter(char::is_ascii_digit).collect();
        if self.ownership != Ownership::CodeSent || code != CODE {
            return Err(GraphError::parameter("The code is wrong or was not asked for."));
        }
        self.ownership = Ownership::Verified;
        Ok(())
    }

    /// Sets the two-step PIN.
    ///
    /// # Errors
    ///
    /// 100 for anything but six digits.
    pub(crate) fn set_pin(&mut self, pin: &str) -> Result<(), GraphError> {
        check_pin(pin)?;
        self.pin = Some(pin.to_owned());
        Ok(())
    }

    /// The profile, with every field it can have; those not set are null.
    pub(crate) fn profile(&self) -> Value {
        let mut all = json!({
            "about": null, "address": null, "description": null, "email": null, "websites": null,
            "profile_picture_url": null,
        });
        if let Some(fields) = all.as_object_mut() {
            fields.extend(self.profile.clone());
        }
        all
    }

    /// Changes what `order` names in the profile.
    ///
    /// # Errors
    ///
    /// 100 for a text that is too long, an address of a site that is none, or too many of them.
    pub(crate) fn change_profile(&mut self, order: &Value) -> Result<(), GraphError> {
        for (name, most) in PROFILE_MAX {
            if most < field(order, name).chars().count() {
                let details = format!("{name}: more than {most} characters");
                return Err(GraphError::parameter(details));
            }
        }
        if let Some(websites) = order["websites"].as_array() {
            let fits = |site: &Value| {
                site.as_str().is_some_and(|site| {
                    site.len() <= WEBSITE_MAX
                        && (site.starts_with("https://") || site.starts_with("http://"))
                })
            };
            if WEBSITES_MAX < websites.len() || !websites.iter().all(fits) {
                return Err(GraphError::parameter(
                    "websites: at most 2 addresses of 256 characters",
                ));
            }
        }
        for name in ["about", "address", "description", "email", "vertical", "websites"] {
            if let Some(value) = order.get(name) {
                self.profile.insert(name.to_owned(), value.clone());
            }
        }
        if !field(order, "profile_picture_handle").is_empty() {
            let url = json!("https://pps.example/profile.jpg");
            self.profile.insert("profile_picture_url".to_owned(), url);
        }
        Ok(())
    }

    /// Takes over the keys of `order` that `target` has already, but for the id; text of a truth becomes one.
    pub(crate) fn merge(target: &mut Map<String, Value>, order: &Value) {
        let Some(order) = order.as_object() else { return };
        for (name, value) in order {
            let Some(known) = target.get_mut(name).filter(|_| name != "id") else { continue };
            *known = match value.as_str() {
                Some("true" | "True") => json!(true),
                Some("false" | "False") => json!(false),
                _ => value.clone(),
            };
        }
    }
}

/// A field that clients write as text or as a number.
fn text_or_number(order: &Value, name: &str) -> String {
    match &order[name] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn check_pin(pin: &str) -> Result<(), GraphError> {
    let is_pin = pin.len() == 6 && pin.bytes().all(|byte| byte.is_ascii_digit());
    is_pin.then_some(()).ok_or_else(|| GraphError::parameter("pin must be 6 digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_verified_before_it_is_registered_and_keeps_its_pin() {
        let mut setup = Setup::default();
        setup.deregister(0).unwrap();
        assert_eq!(setup.deregister(1).unwrap_err().code, 133_010);
        setup.request_code(&json!({ "code_method": "SMS", "language": "en" })).unwrap();
        assert_eq!(setup.register(&json!({ "pin": "111111" }), 2).unwrap_err().code, 133_006);
        assert_eq!(setup.verify_code(&json!({ "code": "1" })).unwrap_err().code, 100);
        setup.verify_code(&json!({ "code": "123-456" })).unwrap();
        assert_eq!(setup.register(&json!({}), 3).unwrap_err().code, 131_008);
        setup.register(&json!({ "pin": "111111" }), 4).unwrap();
        assert_eq!(setup.register(&json!({ "pin": "222222" }), 5).unwrap_err().code, 133_005);
    }

    #[test]
    fn the_eleventh_registration_in_72_hours_is_too_many() {
        let mut setup = Setup::default();
        let pin = json!({ "pin": "111111" });
        assert!((0..10).all(|at| setup.register(&pin, at).is_ok()));
        let late = REGISTRATIONS_WITHIN_MS;
        assert_eq!(setup.register(&pin, late - 1).unwrap_err().code, 133_016);
        assert!(setup.register(&pin, late).is_ok());
    }
}
