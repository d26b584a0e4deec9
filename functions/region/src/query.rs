//! The Query protocol, as far as it comes in: a form in the body, read into a tree that operations take their parameters
//! from. Whatever is left when an operation has taken all it knows is an unknown parameter.

use std::collections::BTreeMap;

use crate::Request;
use crate::error::ApiError;

/// No operation of AWS has a parameter that lies deeper.
const DEEPEST: usize = 8;

/// A tree of parameters: `Filter.1.Value.2=x` stands at `Filter`, `1`, `Value`, `2`.
#[derive(Debug, Clone, Default)]
pub struct Params {
    value: Option<String>,
    children: BTreeMap<String, Params>,
}

impl Params {
    /// Reads a call of the Query protocol: its operation, and its parameters.
    ///
    /// # Errors
    ///
    /// `MissingAction`, or `InvalidAction` for another version than the service's.
    pub fn read_query(request: &Request, version: &str) -> Result<(String, Self), ApiError> {
        let mut params = Self::default();
        for (key, value) in form_urlencoded::parse(&request.body) {
            let mut at = &mut params;
            for part in key.splitn(DEEPEST, '.') {
                at = at.children.entry(part.to_owned()).or_default();
            }
            at.value = Some(value.into_owned());
        }
        let action = params.take("Action");
        let action = action.ok_or_else(|| ApiError::new(400, "MissingAction", "No action was supplied."))?;
        match params.take("Version") {
            Some(given) if given == version => Ok((action, params)),
            given => {
                let message = format!("The version '{}' is not known.", given.unwrap_or_default());
                Err(ApiError::new(400, "InvalidAction", &message))
            }
        }
    }

    /// Puts a plain parameter in, as other protocols than Query's carry them.
    pub fn put(&mut self, name: &str, value: String) {
        self.children.insert(name.to_owned(), Self { value: Some(value), ..Self::default() });
    }

    /// Its own value, where it is a plain one.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// What lies below it, by name.
    pub fn children(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.children.iter().map(|(name, child)| (name.as_str(), child))
    }

    /// Takes a plain parameter.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let value = self.children.get_mut(name)?.value.take();
        self.drop_if_empty(name);
        value
    }

    /// Takes a parameter that has to be there.
    ///
    /// # Errors
    ///
    /// `MissingParameter`.
    pub fn require(&mut self, name: &str) -> Result<String, ApiError> {
        self.take(name).ok_or_else(|| ApiError::missing(name))
    }

    /// Takes `true` or `false`.
    ///
    /// # Errors
    ///
    /// `InvalidParameterValue` for anything else.
    pub fn boolean(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.take(name).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(ApiError::invalid(format!("Value ({other}) for parameter {name} is invalid."))),
        }
    }

    /// Takes all that lies below a name.
    pub fn subtree(&mut self, name: &str) -> Self {
        self.children.remove(name).unwrap_or_default()
    }

    /// Takes a list of plain values: `Name.1`, `Name.2`.
    pub fn list(&mut self, name: &str) -> Vec<String> {
        self.structures(name).into_iter().filter_map(|mut item| item.value.take()).collect()
    }

    /// Takes a structure: `Name.Field`. One that is not there has no fields.
    pub fn structure(&mut self, name: &str) -> Params {
        self.children.remove(name).unwrap_or_default()
    }

    /// Takes a list of structures, in the order of their numbers.
    pub fn structures(&mut self, name: &str) -> Vec<Params> {
        let children = self.children.remove(name).unwrap_or_default().children;
        let mut items: Vec<_> =
            children.into_iter().filter_map(|(n, item)| Some((n.parse::<u32>().ok()?, item))).collect();
        items.sort_by_key(|(n, _)| *n);
        items.into_iter().map(|(_, item)| item).collect()
    }

    /// Everything that lies below it, by names as the protocol writes them.
    pub fn flat(&self) -> BTreeMap<String, String> {
        let mut flat = BTreeMap::new();
        for (name, child) in &self.children {
            flat.extend(child.value.iter().map(|value| (name.clone(), value.clone())));
            flat.extend(child.flat().into_iter().map(|(below, value)| (format!("{name}.{below}"), value)));
        }
        flat
    }

    /// Says that everything that is known was taken.
    ///
    /// # Errors
    ///
    /// `UnknownParameter`, naming one that is left.
    pub fn finish(&self) -> Result<(), ApiError> {
        match self.children.keys().next() {
            None => Ok(()),
            Some(name) => {
                Err(ApiError::new(400, "UnknownParameter", &format!("The parameter {name} is not recognized")))
            }
        }
    }

    fn drop_if_empty(&mut self, name: &str) {
        if self.children.get(name).is_some_and(|child| child.value.is_none() && child.children.is_empty()) {
            self.children.remove(name);
        }
    }
}
