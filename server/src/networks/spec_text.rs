//! Adds the text of a user's network to the RunSpec that names it.

use std::collections::BTreeMap;

use serde_json::Value;
use vivarium_models::networks::{self, revision};
use vivarium_models::spec::FieldError;

use super::{OwnNetwork, OwnNetworks};
use crate::error::{Error, Result};

impl OwnNetworks {
    /// Adds to a RunSpec the text of the network that it names, if that is a user's.
    ///
    /// # Errors
    /// When the text cannot be read.
    pub fn complete(&self, document: &mut Value) -> Result<()> {
        let Some(network) = document.get_mut("network") else {
            return Ok(());
        };
        if let Some((_, source)) = self.missing_text(network)? {
            set_source(network, source);
        }
        Ok(())
    }

    /// The name and the text of a network that names a user's text and lacks it.
    ///
    /// # Errors
    /// When the text cannot be read, or is not of the revision that the network names.
    pub fn missing_text(&self, network: &Value) -> Result<Option<(String, String)>> {
        let Some(name) = missing_text(network) else {
            return Ok(None);
        };
        let expected = network["revision"].as_str();
        let refuse = |message: String| Err(Error::field("network.kind", name, message));
        match (self.find(name)?, expected) {
            (None, None) => Ok(None),
            (None, Some(_)) => refuse(format!(
                "{name} was deleted since this form was opened: choose another network"
            )),
            (
                Some(OwnNetwork {
                    fault: Some(fault), ..
                }),
                _,
            ) => refuse(format!("networks/{name}.py {}", fault.message)),
            (Some(own), Some(expected)) if revision(&own.source) != expected => refuse(format!(
                "{name} was changed since this form was opened: reload the page to train it as it is now"
            )),
            (Some(own), _) => Ok(Some((name.to_owned(), own.source))),
        }
    }

    /// Errors of a RunSpec, with the users' networks among those that its network must be one of.
    pub fn with_names(&self, mut errors: Vec<FieldError>) -> Vec<FieldError> {
        let is_of_name = |error: &&mut FieldError| {
            error.path == "network.kind" && error.message.starts_with("must be one of ")
        };
        for error in errors.iter_mut().filter(is_of_name) {
            for own in self.list().unwrap_or_default() {
                if own.row().is_ok() {
                    error.message = format!("{}, {}", error.message, own.name);
                }
            }
        }
        errors
    }
}

/// Adds texts by name to a RunSpec that names one of them.
pub fn add_text(texts: &BTreeMap<String, String>, document: &mut Value) {
    let Some(network) = document.get_mut("network") else {
        return;
    };
    if let Some(text) = missing_text(network).and_then(|name| texts.get(name)) {
        set_source(network, text.clone());
    }
}

/// The name of a network that is not built in and lacks its text.
fn missing_text(network: &Value) -> Option<&str> {
    let network = network.as_object()?;
    let has_text = network
        .get("source")
        .is_some_and(|source| !source.is_null());
    let name = network.get("kind")?.as_str()?;
    (!has_text && networks::row(name).is_none()).then_some(name)
}

fn set_source(network: &mut Value, source: String) {
    if let Some(network) = network.as_object_mut() {
        network.insert("source".to_owned(), Value::from(source));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::networks::Precondition;
    use crate::networks::store::tests::{TEXT, own};

    #[test]
    fn a_run_gets_the_text_that_it_names() {
        let (_folder, own) = own();
        own.save("mine", TEXT, &Precondition::None).unwrap();
        let mut document = json!({"network": {"kind": "mine"}});
        own.complete(&mut document).unwrap();
        assert_eq!(document["network"]["source"], TEXT);
        for document in [
            json!({"network": {"kind": "vgg16"}}),
            json!({"network": {"kind": "mine", "source": "x"}}),
            json!({"network": {"kind": "../mine"}}),
            json!({"network": 3}),
            json!(null),
        ] {
            let mut completed = document.clone();
            own.complete(&mut completed).unwrap();
            assert_eq!(completed, document);
        }
    }
}
