// A small form table for tests.

/** @import { Field, FieldKind, FormTable } from "../../lib/types" */

/**
 * @param {string} path
 * @param {FieldKind} kind
 * @param {string} standard
 * @param {Partial<Field>} [more]
 * @returns {Field}
 */
const field = (path, kind, standard, more = {}) => ({
  path,
  label: path,
  help: "",
  kind,
  default: standard,
  topic: null,
  ...more,
});
/** @type {FieldKind} */
const whole = { type: "integer", min: 1, max: 100_000, step: 1 };
/** @type {FieldKind} */
const share = { type: "number", min: 0, max: 1, min_open: false };
/** @type {FieldKind} */
const words = {
  type: "choice",
  options: [
    { value: "relu", label: "ReLU" },
    { value: "tanh", label: "Tanh" },
  ],
};

/** @type {FormTable} */
export const TABLE = {
  common: [
    field("name", { type: "text", max_chars: 200 }, '""'),
    field("data.validation", share, "0.1"),
    field("training.epochs", whole, "30"),
    field("training.batch_size", whole, "64"),
    field("training.threads", whole, "null", { null_label: "Automatic", topic: "machine" }),
  ],
  networks: [
    {
      kind: "perceptron",
      title: "Perceptron",
      summary: "",
      fields: [],
      defaults: { "training.batch_size": 1 },
      dimensions: [2, 3],
      criterion: "perceptron",
      built_in: true,
    },
    {
      kind: "mlp",
      title: "MLP",
      summary: "",
      fields: [
        field(
          "network.hidden",
          { type: "integers", min: 1, max: 999, min_len: 1, max_len: 9, pairs: false },
          "[128,64]",
        ),
        field("network.activation", words, '"relu"'),
      ],
      defaults: {},
      dimensions: [2, 3],
      criterion: "cross_entropy",
      built_in: true,
    },
    {
      kind: "vgg16",
      title: "VGG16",
      summary: "",
      fields: [
        field("network.hidden", { type: "integers", min: 1, max: 999, min_len: 0, max_len: 9, pairs: false }, "[512]"),
        field("network.activation", words, '"relu"'),
      ],
      defaults: { "training.epochs": 3 },
      dimensions: [3],
      criterion: "cross_entropy",
      built_in: true,
    },
  ],
  data_sets: [
    {
      set: "blobs",
      title: "Blobs",
      summary: "",
      licence: "",
      dimensions: 2,
      classes: 2,
      fields: [],
      defaults: {},
      state: { kind: "built_in" },
      about: null,
    },
    {
      set: "digits",
      title: "Digits",
      summary: "",
      licence: "",
      dimensions: 3,
      classes: 10,
      fields: [],
      defaults: { "training.epochs": 20 },
      state: { kind: "built_in" },
      about: null,
    },
  ],
  groups: [
    {
      path: "training.optimizer",
      label: "Optimizer",
      help: "",
      nullable: false,
      selector: "kind",
      default: "sgd",
      needs: [],
      topic: null,
      variants: [
        {
          value: "sgd",
          label: "SGD",
          fields: [
            field("training.optimizer.lr", share, "0.01"),
            field("training.optimizer.nesterov", { type: "switch" }, "false", { topic: "optimizer" }),
          ],
        },
        { value: "adamw", label: "AdamW", fields: [field("training.optimizer.lr", share, "0.001")] },
      ],
    },
    {
      path: "training.early_stopping",
      label: "Early stopping",
      help: "",
      nullable: true,
      selector: null,
      default: null,
      needs: [],
      topic: "schedule",
      variants: [{ value: null, label: "On", fields: [field("training.early_stopping.patience", whole, "5")] }],
    },
    {
      path: "data.randaugment",
      label: "RandAugment",
      help: "",
      nullable: true,
      selector: null,
      default: null,
      needs: ["images"],
      topic: "augmentation",
      variants: [{ value: null, label: "On", fields: [field("data.randaugment.magnitude", whole, "9")] }],
    },
    {
      path: "training.mixup",
      label: "Mixup",
      help: "",
      nullable: true,
      selector: null,
      default: null,
      needs: ["cross_entropy"],
      topic: "augmentation",
      variants: [{ value: null, label: "On", fields: [field("training.mixup.alpha", share, "0.2")] }],
    },
  ],
  topics: [
    { topic: "augmentation", label: "Augmentation", section: "data" },
    { topic: "optimizer", label: "Optimizer in detail", section: "training" },
    { topic: "schedule", label: "Schedule", section: "training" },
    { topic: "machine", label: "Machine", section: "training" },
  ],
};
