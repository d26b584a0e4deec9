//! Documents that somebody or something mangled: each is refused whole, or taken as what it says.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

/// Puts a mangled document into a Region. If it is refused, nothing of it is there; if it is taken, the Region lives on
/// with it, and saves what was in it.
fn put(region: &Region, text: &str, before: &str) -> Option<String> {
    match region.restore(text) {
        Err(fault) => {
            assert!(!fault.problems.is_empty());
            assert_eq!(region.save().unwrap(), before, "half of it was loaded: {fault}");
            None
        }
        Ok(()) => {
            let saved = region.save().unwrap();
            region.restore(&saved).unwrap_or_else(|fault| panic!("what is saved can be loaded: {fault}"));
            assert_eq!(region.save().unwrap(), saved);
            for seconds in [1, 3600, 86_400] {
                region.step(Duration::from_secs(seconds));
                call(region, PROVIDER, "ec2", "DescribeVpcEndpointConnections", &[]);
                call(region, PROVIDER, "ec2", "CreateTags", &["ResourceId.1=vpce-0"]);
                let message = ["MessageGroupId=g", "Message=m"];
                for topic in [PLAIN, ORDERED] {
                    let topic = format!("TopicArn={topic}");
                    call(region, PROVIDER, "sns", "Publish", &[&[topic.as_str()], &message[..]].concat());
                }
            }
            region.save().unwrap();
            region.restore(before).unwrap();
            Some(saved)
        }
    }
}

/// The same, with what was mangled if it panics.
fn try_put(region: &Region, text: &str, before: &str, what: &str) -> Option<String> {
    catch_unwind(AssertUnwindSafe(|| put(region, text, before))).unwrap_or_else(|_| panic!("{what}"))
}

#[test]
fn a_document_that_was_cut_short_is_refused() {
    let text = rich().region.save().unwrap();
    let region = Region::new(Settings::default(), Clock::standing(START));
    let before = region.save().unwrap();
    for (end, _) in text.trim_end().char_indices().step_by(23) {
        assert_eq!(try_put(&region, &text[..end], &before, "cut short"), None);
    }
}

#[test]
fn a_document_with_any_byte_changed_is_refused_or_taken_as_it_is() {
    let text = rich().region.save().unwrap();
    let region = Region::new(Settings::default(), Clock::standing(START));
    let before = region.save().unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let mut taken = 0;
    for _ in 0..800 {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..random.usize(1..=2) {
            let at = random.usize(..bytes.len());
            match random.u8(..3) {
                0 => bytes[at] = b"09{}[]\",:.-eE\\ \nax"[random.usize(..18)],
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"09{}[]\",:.-eE\\ \nax"[random.usize(..18)]),
            }
        }
        let Ok(mangled) = String::from_utf8(bytes) else { continue };
        taken += usize::from(try_put(&region, &mangled, &before, &mangled).is_some());
    }
    assert!(taken > 50, "{taken}");
}

/// Every value that a document has, as pointers.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                pointers(value, &(at.to_owned() + &place::pointer([key.as_str()])), all);
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                pointers(value, &format!("{at}/{n}"), all);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Without what may as well be left out, and with lists of pairs in one order, since they are no lists but maps.
fn bare(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().filter(|(_, of)| !of.is_null()).map(|(key, of)| (key.clone(), bare(of))).collect()
        }
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(bare).collect();
            if items.iter().all(|item| item.as_array().is_some_and(|pair| pair.len() == 2)) {
                items.sort_by_key(Value::to_string);
            }
            items.into()
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other.clone(),
    }
}

#[test]
fn whatever_is_changed_or_left_out_is_refused_or_kept() {
    let text = rich().region.save().unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let region = Region::new(Settings::default(), Clock::standing(START));
    let before = region.save().unwrap();
    let mut all = Vec::new();
    pointers(&document, "", &mut all);
    // Two of each kind are enough: what has a digit is an id or a number.
    let mut kinds = BTreeMap::<String, u32>::new();
    all.retain(|at| {
        let kind = at.split('/').map(|step| if step.contains(|c: char| c.is_ascii_digit()) { "*" } else { step });
        let seen = kinds.entry(kind.collect::<Vec<_>>().join("/")).or_default();
        *seen += 1;
        *seen <= 2
    });
    let (mut taken, mut refused) = (0, 0);
    for at in &all {
        let mut variants = Vec::new();
        let mut changed = document.clone();
        let value = changed.pointer_mut(at).unwrap();
        *value = match &*value {
            Value::Null => "x".into(),
            Value::Bool(is) => (!is).into(),
            Value::Number(number) => (number.as_u64().unwrap() ^ 1).into(),
            Value::String(text) => format!("{text}0").into(),
            Value::Array(_) | Value::Object(_) => Value::Null,
        };
        variants.push(changed);
        if let Some((above, key)) = at.rsplit_once('/') {
            let mut less = document.clone();
            match less.pointer_mut(above).unwrap() {
                Value::Object(fields) => drop(fields.remove(&key.replace("~1", "/").replace("~0", "~"))),
                Value::Array(items) => drop(items.remove(key.parse().unwrap())),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => panic!("{above} has no parts"),
            }
            variants.push(less);
        }
        for variant in variants {
            match try_put(&region, &variant.to_string(), &before, at) {
                None => refused += 1,
                Some(saved) => {
                    taken += 1;
                    let saved: Value = serde_json::from_str(&saved).unwrap();
                    assert_eq!(bare(&saved), bare(&variant), "{at}");
                }
            }
        }
    }
    assert!(taken > 100 && refused > 100, "{taken} {refused}");
}
