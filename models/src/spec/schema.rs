//! The JSON Schema of a RunSpec, made from the tables of fields.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ArrayBuilder, Object, ObjectBuilder, Schema, SchemaType,
    Type,
};
use utoipa::{PartialSchema, ToSchema};

use super::field::{Field, FieldKind};
use super::group::{Group, Variant};
use super::run_spec::RunSpec;
use super::table::{COMMON, CROSS_ENTROPY, GROUPS, literal};

impl PartialSchema for RunSpec {
    fn schema() -> RefOr<Schema> {
        let choice = |what| {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some(what))
        };
        let groups = |name: &'static str, object| {
            let of = |group: &&Group| group.path.split_once('.').is_some_and(|(of, _)| of == name);
            GROUPS
                .iter()
                .filter(of)
                .fold(object, |object: ObjectBuilder, group| {
                    object.property(last(group.path), group_schema(group))
                })
        };
        let data = groups("data", section("data"))
            .property("set", choice("The data set's name."))
            .required("set")
            .additional_properties(Some(AdditionalProperties::FreeForm(true)));
        let network = section("network")
            .property("kind", choice("The network's name."))
            .property("source", choice("The text of a network that is neither built in nor kept on the server under this name."))
            .required("kind")
            .additional_properties(Some(AdditionalProperties::FreeForm(true)));
        let training = groups("training", section("training"));
        let common = COMMON.iter().filter(|field| !field.path.contains('.'));
        with_fields(ObjectBuilder::new(), common)
            .property("data", data)
            .property("network", network)
            .property("training", training)
            .property("resources", section("resources"))
            .required("data")
            .required("network")
            .description(Some(
                "What a run is made of. Everything but `data.set` and `network.kind` has a default: that of the network, \
                 else that of the data set, else the one given here. `GET /networks` and `GET /datasets` list what each \
                 kind takes; anything else is refused.",
            ))
            .into()
    }
}

impl ToSchema for RunSpec {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("RunSpec")
    }
}

/// A part of the document with its fields, whatever the network and the data set.
fn section(name: &str) -> ObjectBuilder {
    let fields = COMMON.iter().chain(CROSS_ENTROPY);
    let fields =
        fields.filter(|field| field.path.split_once('.').is_some_and(|(of, _)| of == name));
    with_fields(ObjectBuilder::new(), fields)
}

fn with_fields<'a>(
    object: ObjectBuilder,
    fields: impl IntoIterator<Item = &'a Field>,
) -> ObjectBuilder {
    let object = object.schema_type(Type::Object);
    fields.into_iter().fold(object, |object, field| {
        object.property(field.key(), field_schema(field))
    })
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn group_schema(group: &Group) -> Schema {
    let variants = group
        .variants
        .iter()
        .map(|variant| variant_schema(group, variant));
    let null = group.nullable.then(|| Object::with_type(Type::Null));
    let any = variants
        .chain(null)
        .fold(AnyOfBuilder::new(), AnyOfBuilder::item);
    Schema::AnyOf(any.description(Some(group.label)).build())
}

fn variant_schema(group: &Group, variant: &Variant) -> Object {
    let mut object = ObjectBuilder::new().description(Some(variant.label));
    if let (Some(selector), Some(word)) = (group.selector, variant.value) {
        let word = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some([word]));
        object = object.property(selector, word);
    }
    with_fields(object, variant.fields).build()
}

fn field_schema(field: &Field) -> Schema {
    let kind = |kind| match field.null_label.is_some() {
        true => SchemaType::from_iter([kind, Type::Null]),
        false => SchemaType::new(kind),
    };
    let value = ObjectBuilder::new()
        .description(Some(&*field.help))
        .default(Some(literal(&field.default)));
    let value = match &field.kind {
        &FieldKind::Text { max_chars } => value
            .schema_type(kind(Type::String))
            .max_length(Some(max_chars)),
        FieldKind::Switch => value.schema_type(kind(Type::Boolean)),
        &FieldKind::Integer { min, max, .. } => value
            .schema_type(kind(Type::Integer))
            .minimum(Some(min))
            .maximum(Some(max)),
        &FieldKind::Number { min, max, min_open } => {
            let value = value.schema_type(kind(Type::Number)).maximum(Some(max));
            match min_open {
                true => value.exclusive_minimum(Some(min)),
                false => value.minimum(Some(min)),
            }
        }
        FieldKind::Choice { options } => value
            .schema_type(kind(Type::String))
            .enum_values(Some(options.iter().map(|option| &*option.value))),
        &FieldKind::Integers {
            min,
            max,
            min_len,
            max_len,
            ..
        } => {
            let item = ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(min))
                .maximum(Some(max));
            return ArrayBuilder::new()
                .schema_type(kind(Type::Array))
                .items(item)
                .min_items(Some(min_len))
                .max_items(Some(max_len))
                .description(Some(&*field.help))
                .default(Some(literal(&field.default)))
                .into();
        }
    };
    Schema::Object(value.build())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_schema_has_every_setting_with_its_bounds() {
        let schema = serde_json::to_value(RunSpec::schema()).unwrap();
        let at = |path: &str| schema.pointer(path).cloned().unwrap_or(Value::Null);
        assert_eq!(at("/required"), json!(["data", "network"]));
        assert_eq!(
            at("/properties/training/properties/epochs/maximum"),
            100_000
        );
        assert_eq!(
            at("/properties/training/properties/clip/type"),
            json!(["number", "null"])
        );
        assert_eq!(
            at("/properties/training/properties/label_smoothing/maximum"),
            0.999
        );
        let optimizer = "/properties/training/properties/optimizer/anyOf";
        assert_eq!(
            at(&format!("{optimizer}/0/properties/kind/enum")),
            json!(["sgd"])
        );
        assert_eq!(
            at(&format!("{optimizer}/1/properties/beta2/default")),
            0.999
        );
        let stopping = at("/properties/training/properties/early_stopping/anyOf");
        assert_eq!(stopping[1]["type"], "null");
        let augment = at("/properties/data/properties/randaugment/anyOf");
        assert_eq!(augment[0]["properties"]["magnitude"]["maximum"], 30);
        assert_eq!(augment[1]["type"], "null");
        let mixup = at("/properties/training/properties/mixup/anyOf");
        assert_eq!(mixup[0]["properties"]["alpha"]["exclusiveMinimum"], 0.0);
        assert_eq!(at("/properties/device/enum"), json!(["cpu"]));
    }
}
