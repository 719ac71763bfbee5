//! From one version of a mapping to the next: fields are added, a few parameters change, nothing is taken away.

use super::definition::{Definition, FieldDefinition, NodeDefinition, ObjectDefinition};
use super::field_types::{Update, parameters};
use super::leaf::shown;
use super::{FieldNode, FieldType, LeafField, Mapping, MappingRules, Node, ObjectNode, Resolved};
use crate::error::{Error, Result};
use serde_json::Value;
use std::collections::BTreeMap;

impl Mapping {
    /// Reads the `mappings` of a new index. The version is 1, or 0 for a body that says nothing.
    ///
    /// # Errors
    /// `mapper_parsing_exception` for a body of the wrong shape, `illegal_argument_exception` for one beyond a limit.
    pub fn parse(body: &Value, rules: &MappingRules) -> Result<Mapping> {
        let wrapped = |cause: Error| Error::MapperParsing {
            reason: format!("Failed to parse mapping [_doc]: {cause}"),
            cause: Some(Box::new(cause)),
        };
        if let Value::Object(fields) = body
            && fields.len() == 1
            && fields.contains_key("_doc")
        {
            return Err(Error::illegal_argument("The mapping definition cannot be nested under a type"));
        }
        let definition = Definition::parse(body, rules).map_err(wrapped)?;
        Mapping::default().merge_definition(definition, rules, true)
    }

    /// This mapping with what `body` adds. The version rises by one if anything changed.
    ///
    /// # Errors
    /// `mapper_parsing_exception` for a body of the wrong shape, `illegal_argument_exception` for one that contradicts what
    /// is there or goes beyond a limit.
    pub fn merge(&self, body: &Value, rules: &MappingRules) -> Result<Mapping> {
        let definition = Definition::parse(body, rules)?;
        self.merge_definition(definition, rules, false)
    }

    fn merge_definition(&self, definition: Definition, rules: &MappingRules, is_new: bool) -> Result<Mapping> {
        let mut merged = self.clone();
        let version = self.version + 1;
        let mut leaves = std::mem::take(&mut merged.leaves);
        merge_object(&mut merged.root, definition.root, "", version, &mut leaves)?;
        merged.leaves = leaves;
        merged.merge_options(&definition.options, (definition.mentions_source, definition.mentions_routing), is_new)?;
        merged.check_limits(rules)?;
        merged.check_references()?;
        if merged != *self {
            merged.version = version;
        }
        Ok(merged)
    }

    fn merge_options(&mut self, new: &super::RootOptions, (source, routing): (bool, bool), is_new: bool) -> Result<()> {
        let mut conflicts = Vec::new();
        let own = &mut self.options;
        if source {
            let changed = |list: &[String]| format!("[{}]", list.join(", "));
            if own.source_enabled.unwrap_or(true) != new.source_enabled.unwrap_or(true) {
                conflicts.push((
                    "_source",
                    "enabled",
                    own.source_enabled.unwrap_or(true).to_string(),
                    new.source_enabled.unwrap_or(true).to_string(),
                ));
            }
            for (name, before, after) in
                [("includes", &own.source_includes, &new.source_includes), ("excludes", &own.source_excludes, &new.source_excludes)]
            {
                if before != after {
                    conflicts.push(("_source", name, changed(before), changed(after)));
                }
            }
        }
        if routing && own.routing_required != new.routing_required {
            conflicts.push(("_routing", "required", own.routing_required.to_string(), new.routing_required.to_string()));
        }
        if let Some((field, _, _, _)) = conflicts.first().filter(|_| !is_new) {
            let lines: String = conflicts
                .iter()
                .filter(|(other, ..)| other == field)
                .map(|(_, name, before, after)| format!("\n\tCannot update parameter [{name}] from [{before}] to [{after}]"))
                .collect();
            return Err(Error::illegal_argument(format!("Mapper for [{field}] conflicts with existing mapper:{lines}")));
        }
        if source {
            own.source_enabled = new.source_enabled.or(own.source_enabled);
            own.source_includes.clone_from(&new.source_includes);
            own.source_excludes.clone_from(&new.source_excludes);
        }
        if routing {
            own.routing_required = new.routing_required;
        }
        own.field_names_enabled = new.field_names_enabled.or(own.field_names_enabled);
        own.meta = new.meta.clone().or(own.meta.take());
        own.dynamic_date_formats = new.dynamic_date_formats.clone().or(own.dynamic_date_formats.take());
        own.date_detection = new.date_detection.or(own.date_detection);
        own.numeric_detection = new.numeric_detection.or(own.numeric_detection);
        if let Some(templates) = &new.dynamic_templates {
            own.dynamic_templates = Some(super::dynamic::merge_templates(own.dynamic_templates.take(), templates));
        }
        Ok(())
    }

    /// Aliases lead to fields, and copies do not go to objects.
    fn check_references(&self) -> Result<()> {
        for leaf in &self.leaves {
            if let Some(target) = leaf.alias_target() {
                let refuse = |what: &str| {
                    let reason = format!("Invalid [path] value [{target}] for field alias [{}]: an alias {what}", leaf.path);
                    Err(Error::mapper_parsing(reason))
                };
                if target == &*leaf.path {
                    return refuse("cannot refer to itself.");
                }
                let (own, other) = (self.nested_scope(&leaf.path), self.nested_scope(target));
                if own != other && self.leaves.iter().any(|leaf| *leaf.path == *target) {
                    let own = own.map_or("The alias is not nested".to_owned(), |own| format!("The alias's nested scope is [{own}]"));
                    let other = match other {
                        Some(other) => format!("the target's nested scope is [{other}]"),
                        None => "the target is not nested".to_owned(),
                    };
                    let start = format!("Invalid [path] value [{target}] for field alias [{}]: an alias", leaf.path);
                    let reason = format!("{start} must have the same nested scope as its target. {own}, but {other}.");
                    return Err(Error::illegal_argument(reason));
                }
                match self.leaves.iter().find(|leaf| *leaf.path == *target) {
                    None => return refuse("must refer to an existing field in the mappings."),
                    Some(found) if found.field_type == FieldType::Alias => return refuse("cannot refer to another alias."),
                    Some(_) => {}
                }
            }
            for target in &leaf.copy_to {
                let (from, to) = (self.nested_scope(&leaf.path), self.nested_scope(target));
                let is_around = |outer: &str| from.as_deref().is_some_and(|from| from == outer || from.starts_with(&format!("{outer}.")));
                if let Some(to) = to.filter(|to| !is_around(to)) {
                    let from = from.unwrap_or_else(|| "null".to_owned());
                    return Err(Error::illegal_argument(format!(
                        "Illegal combination of [copy_to] and [nested] mappings: [copy_to] may only copy data to the current nested \
                         document or any of its parents, however one [copy_to] directive is trying to copy data from nested object \
                         [{from}] to [{to}]"
                    )));
                }
                if let Some(Resolved::Object) = self.resolve(target) {
                    return Err(Error::illegal_argument(format!("Cannot copy to field [{target}] since it is mapped as an object")));
                }
            }
        }
        Ok(())
    }

    /// Counts fields, sub-fields and objects, and the depth of objects.
    fn check_limits(&self, rules: &MappingRules) -> Result<()> {
        let mut counted = Counted::default();
        count_objects(&self.root, 1, "", rules, &mut counted);
        let Counted { objects, too_deep, too_long } = counted;
        if self.leaves.len() + objects > rules.total_fields_max {
            return Err(Error::illegal_argument(format!("Limit of total fields [{}] has been exceeded", rules.total_fields_max)));
        }
        if let Some(path) = too_deep {
            let limit = rules.depth_max;
            return Err(Error::illegal_argument(format!(
                "Limit of mapping depth [{limit}] has been exceeded due to object field [{path}]"
            )));
        }
        if let Some(name) = too_long {
            check_name(&name, rules)?;
        }
        let nested_max = rules.nested_fields_max;
        // Only few mappings have as many objects as may be nested.
        if objects > nested_max && self.nested_paths().len() > nested_max {
            return Err(Error::illegal_argument(format!("Limit of nested fields [{nested_max}] has been exceeded")));
        }
        for leaf in &self.leaves {
            check_name(leaf.path.rsplit('.').next().unwrap_or_default(), rules)?;
        }
        Ok(())
    }
}

fn check_name(name: &str, rules: &MappingRules) -> Result<()> {
    let limit = rules.field_name_length_max;
    // Characters are never more than bytes.
    if name.len() > limit && name.chars().count() > limit {
        return Err(Error::illegal_argument(format!("Field name [{name}] is longer than the limit of [{limit}] characters")));
    }
    Ok(())
}

/// What there is of objects.
#[derive(Default)]
struct Counted {
    objects: usize,
    /// The first that lies too deep.
    too_deep: Option<String>,
    /// The first name that is too long.
    too_long: Option<String>,
}

fn count_objects(object: &ObjectNode, depth: usize, path: &str, rules: &MappingRules, counted: &mut Counted) {
    if depth > rules.depth_max && counted.too_deep.is_none() {
        counted.too_deep = Some(path.to_owned());
    }
    for (name, child) in &object.children {
        if let Node::Object(inner) = child {
            counted.objects += 1;
            if counted.too_long.is_none() && check_name(name, rules).is_err() {
                counted.too_long = Some(name.clone());
            }
            count_objects(inner, depth + 1, &join(path, name), rules, counted);
        }
    }
}

pub(super) fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

fn merge_object(
    object: &mut ObjectNode,
    definition: ObjectDefinition,
    path: &str,
    version: u64,
    leaves: &mut Vec<LeafField>,
) -> Result<()> {
    if let Some(dynamic) = definition.dynamic {
        object.dynamic = Some(dynamic);
    }
    if let Some(enabled) = definition.enabled {
        object.enabled = enabled;
    }
    for (name, child) in definition.children {
        let path = join(path, &name);
        match (object.children.get_mut(&name), child) {
            (Some(Node::Object(known)), NodeDefinition::Object(new)) => {
                if !new.is_implied && new.nested != known.nested {
                    let (before, after) = (known.nested.is_some(), new.nested.is_some());
                    return Err(Error::illegal_argument(match (before, after) {
                        (true, false) => "cannot change object mapping from nested to non-nested",
                        (false, true) => "cannot change object mapping from non-nested to nested",
                        _ => "the [include_in_parent] parameter can't be updated on a nested object mapping",
                    }));
                }
                if new.enabled.is_some_and(|enabled| enabled != known.enabled) {
                    let reason = format!("the [enabled] parameter can't be updated for the object mapping [{path}]");
                    return Err(Error::illegal_argument(reason));
                }
                merge_object(known, new, &path, version, leaves)?;
            }
            (Some(Node::Field(known)), NodeDefinition::Field(new)) => merge_field(known, new, &path, version, leaves)?,
            (Some(_), _) => {
                return Err(Error::illegal_argument(format!("can't merge a non object mapping [{path}] with an object mapping")));
            }
            (None, NodeDefinition::Object(new)) => {
                let mut added = ObjectNode { since_version: version, nested: new.nested, ..ObjectNode::default() };
                merge_object(&mut added, new, &path, version, leaves)?;
                object.children.insert(name, Node::Object(added));
            }
            (None, NodeDefinition::Field(new)) => {
                let added = add_field(new, &path, version, leaves)?;
                object.children.insert(name, Node::Field(added));
            }
        }
    }
    Ok(())
}

fn add_field(definition: FieldDefinition, path: &str, version: u64, leaves: &mut Vec<LeafField>) -> Result<FieldNode> {
    let leaf = u32::try_from(leaves.len()).map_err(|_| Error::illegal_argument("too many fields"))?;
    let mut field = LeafField::new(path, version, definition.field_type);
    field.set_parameters(definition.parameters, definition.copy_to);
    leaves.push(field);
    let mut fields = BTreeMap::new();
    for (name, sub) in definition.fields {
        let added = add_field(sub, &join(path, &name), version, leaves)?;
        fields.insert(name, added);
    }
    Ok(FieldNode { leaf, fields })
}

fn merge_field(node: &mut FieldNode, new: FieldDefinition, path: &str, version: u64, leaves: &mut Vec<LeafField>) -> Result<()> {
    let number = usize::try_from(node.leaf).unwrap_or(usize::MAX);
    let Some(leaf) = leaves.get(number) else {
        return Err(Error::internal(format!("the mapping has no leaf for [{path}]")));
    };
    if leaf.field_type != new.field_type {
        if leaf.field_type == FieldType::Alias {
            let reason = format!("Cannot merge a field alias mapping [{path}] with a mapping that is not for a field alias.");
            return Err(Error::illegal_argument(reason));
        }
        let (before, after) = (leaf.field_type.name(), new.field_type.name());
        let after = if new.field_type == FieldType::Alias { "FieldAliasMapper" } else { after };
        return Err(Error::illegal_argument(format!("mapper [{path}] cannot be changed from type [{before}] to [{after}]")));
    }
    // Sub-fields first, as a conflict in one is reported before those of the field.
    for (name, sub) in new.fields {
        let path = join(path, &name);
        match node.fields.get_mut(&name) {
            Some(known) => merge_field(known, sub, &path, version, leaves)?,
            None => {
                let added = add_field(sub, &path, version, leaves)?;
                node.fields.insert(name, added);
            }
        }
    }
    let Some(leaf) = leaves.get_mut(number) else { return Ok(()) };
    let mut conflicts = String::new();
    for parameter in parameters(leaf.field_type) {
        let before = leaf.shown(parameter.name, parameter.kind);
        let after = shown(&new.parameters, parameter.name, parameter.kind);
        let allowed = match parameter.update {
            Update::Free => true,
            Update::Never => false,
            Update::ToFalse => after == "false",
        };
        if before != after && !allowed {
            conflicts.push_str(&format!("\n\tCannot update parameter [{}] from [{before}] to [{after}]", parameter.name));
        }
    }
    if !conflicts.is_empty() {
        if leaf.field_type == FieldType::GeoPoint {
            let names = ["store", "doc_values"].into_iter().filter(|name| conflicts.contains(&format!("[{name}]")));
            let list: Vec<String> = names.map(|name| format!("mapper [{path}] has different [{name}] values")).collect();
            let list = list.join(", ");
            return Err(Error::illegal_argument(format!("Mapper for [{path}] conflicts with existing mapping:\n[{list}]")));
        }
        return Err(Error::illegal_argument(format!("Mapper for [{path}] conflicts with existing mapper:{conflicts}")));
    }
    if leaf.parameters != new.parameters || leaf.copy_to != new.copy_to {
        leaf.set_parameters(new.parameters, new.copy_to);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rules() -> MappingRules {
        MappingRules::default()
    }

    fn base() -> Mapping {
        let body = json!({"properties": {
            "l": {"type": "long"}, "k": {"type": "keyword", "ignore_above": 10},
            "t": {"type": "text", "fields": {"r": {"type": "keyword"}}}, "d": {"type": "date"},
            "o": {"properties": {"x": {"type": "long"}}}, "od": {"type": "object", "enabled": false}
        }});
        Mapping::parse(&body, &rules()).unwrap()
    }

    #[test]
    fn what_contradicts_is_refused() {
        let cases = [
            (json!({"properties": {"l": {"type": "integer"}}}), "mapper [l] cannot be changed from type [long] to [integer]"),
            (
                json!({"properties": {"l": {"type": "long", "store": true, "index": false, "coerce": false}}}),
                "Mapper for [l] conflicts with existing mapper:\n\tCannot update parameter [index] from [true] to [false]\
                 \n\tCannot update parameter [store] from [false] to [true]",
            ),
            (
                json!({"properties": {"k": {"type": "keyword", "normalizer": "lowercase", "norms": true, "index": false}}}),
                "Mapper for [k] conflicts with existing mapper:\n\tCannot update parameter [index] from [true] to [false]\
                 \n\tCannot update parameter [norms] from [false] to [true]\
                 \n\tCannot update parameter [normalizer] from [default] to [lowercase]",
            ),
            (
                json!({"properties": {"l": {"type": "long", "null_value": 4}}}),
                "Mapper for [l] conflicts with existing mapper:\n\tCannot update parameter [null_value] from [null] to [4]",
            ),
            (
                json!({"properties": {"d": {"type": "date", "format": "yyyy", "locale": "fr", "ignore_malformed": true}}}),
                "Mapper for [d] conflicts with existing mapper:\n\tCannot update parameter [format] from \
                 [strict_date_optional_time||epoch_millis] to [yyyy]\n\tCannot update parameter [locale] from [] to [fr]",
            ),
            (
                json!({"properties": {"t": {"type": "text", "fields": {"r": {"type": "text"}}}}}),
                "mapper [t.r] cannot be changed from type [keyword] to [text]",
            ),
            (
                json!({"properties": {"t": {"type": "text", "analyzer": "simple"}}}),
                "Mapper for [t] conflicts with existing mapper:\n\tCannot update parameter [analyzer] from [default] to [simple]",
            ),
            (
                json!({"properties": {"k": {"properties": {"z": {"type": "long"}}}}}),
                "can't merge a non object mapping [k] with an object mapping",
            ),
            (json!({"properties": {"o": {"type": "long"}}}), "can't merge a non object mapping [o] with an object mapping"),
            (
                json!({"_source": {"enabled": false}}),
                "Mapper for [_source] conflicts with existing mapper:\n\tCannot update parameter [enabled] from [true] to [false]",
            ),
            (json!({"properties": {"h": {"type": "nosuch"}}}), "No handler for type [nosuch] declared on field [h]"),
            (json!({"properties": {"": {"type": "long"}}}), "name cannot be empty string"),
            (json!({"foo": 1}), "Root mapping definition has unsupported parameters:  [foo : 1]"),
            (json!({"properties": {"o": {"dynamic": "strict"}}}), "No type specified for field [o]"),
        ];
        for (body, expected) in cases {
            assert_eq!(base().merge(&body, &rules()).unwrap_err().to_string(), expected, "{body}");
        }
    }

    #[test]
    fn additions_raise_the_version_and_nothing_else_does() {
        let before = base();
        assert_eq!(before.version, 1);
        let same = before.merge(&json!({"properties": {"l": {"type": "long"}}}), &rules()).unwrap();
        assert_eq!(same, before);
        let after = before.merge(&json!({"properties": {"o.y": {"type": "boolean"}}}), &rules()).unwrap();
        assert_eq!(after.version, 2);
        assert_eq!(after.field("o.y").unwrap().1.since_version, 2);
        assert_eq!(after.field("l").unwrap().1.since_version, 1);
        // Numbers stay as they are.
        assert_eq!(after.leaves()[..before.leaves().len()], before.leaves()[..]);
        assert_eq!(Mapping::parse(&json!({}), &rules()).unwrap().version, 0);
    }

    #[test]
    fn a_free_parameter_changes_and_is_read_anew() {
        let before = base();
        assert_eq!(before.field("k").unwrap().1.options().ignore_above, Some(10));
        let after = before.merge(&json!({"properties": {"k": {"type": "keyword", "ignore_above": 20}}}), &rules()).unwrap();
        assert_eq!(after.field("k").unwrap().1.options().ignore_above, Some(20));
        let norms = json!({"properties": {"t": {"type": "text", "norms": false}}});
        let after = after.merge(&norms, &rules()).unwrap();
        let back = after.merge(&json!({"properties": {"t": {"type": "text"}}}), &rules()).unwrap_err();
        assert!(back.to_string().ends_with("Cannot update parameter [norms] from [false] to [true]"));
    }

    #[test]
    fn limits_hold() {
        let few = MappingRules { total_fields_max: 3, ..rules() };
        let body = json!({"properties": {"a": {"type": "text", "fields": {"k": {"type": "keyword"}}}, "o": {"properties": {"z": {"type": "long"}}}}});
        assert_eq!(Mapping::parse(&body, &few).unwrap_err().to_string(), "Limit of total fields [3] has been exceeded");
        assert!(Mapping::parse(&body, &MappingRules { total_fields_max: 4, ..rules() }).is_ok());
        let mut deep = json!({"type": "long"});
        for _ in 0..21 {
            deep = json!({"properties": {"a": deep}});
        }
        let error = Mapping::parse(&deep, &rules()).unwrap_err();
        let path = ["a"; 20].join(".");
        assert_eq!(error.to_string(), format!("Limit of mapping depth [20] has been exceeded due to object field [{path}]"));
    }

    #[test]
    fn a_bad_body_of_a_new_index_is_wrapped() {
        let error = Mapping::parse(&json!({"properties": {"a": {"type": "text", "foo": 1}}}), &rules()).unwrap_err();
        assert_eq!(error.to_string(), "Failed to parse mapping [_doc]: unknown parameter [foo] on mapper [a] of type [text]");
        assert_eq!(error.cause().unwrap().to_string(), "unknown parameter [foo] on mapper [a] of type [text]");
    }

    #[test]
    fn a_mapping_survives_the_wire() {
        let before = base();
        let text = serde_json::to_string(&before).unwrap();
        let after: Mapping = serde_json::from_str(&text).unwrap();
        assert_eq!(after, before);
        assert_eq!(after.field("k").unwrap().1.options().ignore_above, Some(10));
    }
}
