//! The Cedar entities of the product's schema, and their uids.

use std::collections::{BTreeMap, HashMap, HashSet};

use cedar_policy::{Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression};

use super::Consumers;
use crate::observed::{PrivateDns, Service};

/// The entity types and actions of the schema, parsed once.
#[derive(Debug)]
pub(super) struct Names {
    group: EntityTypeName,
    consumer: EntityTypeName,
    account: EntityTypeName,
    service: EntityTypeName,
    action: EntityTypeName,
}

impl Names {
    #[expect(clippy::expect_used, reason = "five literals, each of them an entity type's name")]
    pub(super) fn new() -> Self {
        let name = |name: &str| format!("PrivateLink::{name}").parse().expect("a literal name is a name");
        Self {
            group: name("Group"),
            consumer: name("Consumer"),
            account: name("Account"),
            service: name("Service"),
            action: name("Action"),
        }
    }

    pub(super) fn group(&self, name: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.group.clone(), EntityId::new(name))
    }

    pub(super) fn consumer(&self, name: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.consumer.clone(), EntityId::new(name))
    }

    pub(super) fn account(&self, id: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.account.clone(), EntityId::new(id))
    }

    pub(super) fn service(&self, id: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.service.clone(), EntityId::new(id))
    }

    pub(super) fn action(&self, name: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.action.clone(), EntityId::new(name))
    }
}

/// Everybody whom `consumers.toml` lists. An account that nobody lists has no entity: it is in no consumer and has no
/// attribute, which is what Cedar takes a missing entity for.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) names: Names,
    entities: Entities,
}

impl Known {
    pub(super) fn of(consumers: &Consumers) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let names = Names::new();
        let mut entities = Vec::new();
        let mut groups = BTreeMap::new();
        for consumer in consumers.iter() {
            let parents: HashSet<_> = consumer.groups.iter().map(|group| names.group(group)).collect();
            groups.extend(consumer.groups.iter().map(|group| (group.as_str(), names.group(group))));
            let limit =
                consumer.max_connections.map(|n| ("maxConnections".to_owned(), RestrictedExpression::new_long(n)));
            let uid = names.consumer(&consumer.name);
            entities.push(Entity::new(uid.clone(), limit.into_iter().collect(), parents)?);
            for account in &consumer.accounts {
                let attributes = [("consumer".to_owned(), RestrictedExpression::new_entity_uid(uid.clone()))];
                let parents = HashSet::from([uid.clone()]);
                entities.push(Entity::new(names.account(account.as_str()), HashMap::from(attributes), parents)?);
            }
        }
        entities.extend(groups.into_values().map(|uid| Entity::new_no_attrs(uid, HashSet::new())));
        Ok(Self { entities: Entities::from_entities(entities, None)?, names })
    }

    /// Everybody, and one service.
    pub(super) fn with(&self, service: &Service) -> Result<Entities, Box<dyn std::error::Error + Send + Sync>> {
        let string = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let types = service.ip_address_types.iter().map(|kind| string(kind));
        let mut attributes = vec![
            ("name".to_owned(), string(&service.name)),
            ("region".to_owned(), string(&service.region)),
            ("ipAddressTypes".to_owned(), RestrictedExpression::new_set(types)),
        ];
        if let Some(PrivateDns { name, .. }) = &service.private_dns {
            attributes.push(("privateDnsName".to_owned(), string(name)));
        }
        // AWS's own tags and this product's memory are no ground for a policy.
        let plain = |key: &str| !key.starts_with("aws:") && !key.starts_with("privatelink:");
        let tags = service.tags.iter().filter(|(key, _)| plain(key));
        let tags = tags.map(|(key, value)| (key.clone(), string(value)));
        let uid = self.names.service(service.id.as_str());
        let entity = Entity::new_with_tags(uid, attributes, [], tags)?;
        Ok(self.entities.clone().add_entities([entity], None)?)
    }
}
