// The names of settings and of their values as the form has them. The form's table comes with the form alone, so pages
// about runs have its labels here; a browser test compares the two.

import { exactNumber } from "./format.js";

/** @import { Json, Run } from "./types" */

/** Labels by path. @type {{ [path: string]: string }} */
const LABELS = {
  "data.set": "Data set",
  "data.augment": "Augmentation",
  "data.color_jitter": "Colour jitter",
  "data.color_jitter.brightness": "Brightness",
  "data.color_jitter.contrast": "Contrast",
  "data.color_jitter.saturation": "Saturation",
  "data.color_jitter.hue": "Hue",
  "data.fit": "Photos that are not square",
  "data.fold": "Fold to validate on",
  "data.limit": "Training samples at most",
  "data.normalisation": "Pixel normalisation",
  "data.random_resized_crop": "Random resized crop",
  "data.random_resized_crop.min_scale": "Least area",
  "data.random_resized_crop.max_ratio": "Most stretch",
  "data.randaugment": "RandAugment",
  "data.randaugment.num_ops": "Operations",
  "data.size": "Image size",
  "data.test_time_flip": "Test-time flip",
  "data.validation": "Validation share",
  "data.version": "Version of the labels",
  "network.kind": "Network",
  "network.depth": "Convolutions per block",
  "network.five": "5x5 branch",
  "network.hidden": "Hidden widths",
  "network.init": "Initialisation",
  "network.long_over": "Blocks per long skip",
  "network.norm": "Normalisation layers",
  "network.one": "1x1 branch",
  "network.plan": "Widths",
  "network.pool_every": "Blocks per pool",
  "network.project": "Pool branch",
  "network.reduce3": "3x3 branch: reduction",
  "network.reduce5": "5x5 branch: reduction",
  "network.stem_kernel": "Stem: kernel",
  "network.stem_padding": "Stem: padding",
  "network.stem_pool": "Stem: pool",
  "network.stem_stride": "Stem: stride",
  "network.stem_width": "Stem: channels",
  "network.three": "3x3 branch",
  "resources.cpus": "Cores",
  "resources.gpus": "GPUs",
  "resources.memory": "Memory (MiB)",
  "resources.time": "Time limit (minutes)",
  "training.clip": "Gradient clipping",
  "training.cutmix": "CutMix",
  "training.early_stopping.metric": "Watches",
  "training.early_stopping.min_delta": "Least change",
  "training.ema": "Averaged weights (EMA)",
  "training.optimizer": "Optimizer",
  "training.optimizer.kind": "Optimizer",
  "training.optimizer.lr": "Learning rate",
  "training.optimizer.beta1": "Beta 1",
  "training.optimizer.beta2": "Beta 2",
  "training.optimizer.eps": "Epsilon",
  "training.schedule": "Learning-rate schedule",
  "training.schedule.kind": "Learning-rate schedule",
  "training.schedule.div_factor": "Start divisor",
  "training.schedule.every_epochs": "Falls every",
  "training.schedule.final_div_factor": "End divisor",
  "training.schedule.gamma": "Factor",
  "training.schedule.milestones": "Falls after",
  "training.schedule.min_lr": "Floor",
  "training.schedule.pct_start": "Rise",
  "training.schedule.warmup_epochs": "Warm-up",
  "training.transfer": "Transfer learning",
  "training.transfer.backbone_lr": "Backbone's rate",
  "training.transfer.fresh_head": "New last layer",
  "training.transfer.from": "Starts from",
  "training.transfer.unfreeze_at": "Unfreezes at epoch",
};

/** The titles of networks, as short as a row needs them. @type {{ [kind: string]: string }} */
const NETWORKS = {
  inception: "Inception",
  mlp: "MLP",
  "mlp-wide": "Wide MLP",
  perceptron: "Perceptron",
  "residual-deep": "Deep residual network",
  "residual-small": "Small residual network",
  vgg16: "VGG16",
};

/** The titles of data sets within a sentence. @type {{ [set: string]: string }} */
const DATA_SETS = {
  "cifar-10": "CIFAR-10",
  "cifar-100": "CIFAR-100",
  "fashion-mnist": "Fashion-MNIST",
  mnist: "MNIST",
  xor: "exclusive or",
};

/** What an empty field means; elsewhere it is “None”. @type {{ [path: string]: string }} */
const EMPTY = {
  "data.color_jitter": "Off",
  "data.fold": "The first",
  "data.folds": "Off",
  "data.limit": "All",
  "data.random_resized_crop": "Off",
  "data.randaugment": "Off",
  "resources.cpus": "The cluster's default",
  "resources.memory": "Automatic",
  "resources.time": "The cluster's default",
  "training.clip": "Never",
  "training.cutmix": "Off",
  "training.early_stopping": "Off",
  "training.ema": "Off",
  "training.mixup": "Off",
  "training.threads": "Automatic",
  "training.transfer": "Off",
  "training.transfer.trainable_blocks": "All",
  "training.transfer.unfreeze_at": "Never",
};

/** Words for values that are not written like their names, of any setting or of one. @type {{ [value: string]: string }} */
const VALUES = {
  "data.augment=flip": "Mirror",
  "data.augment=crop": "Shift",
  "data.augment=cutout": "Cut out",
  "data.augment=flip-crop": "Mirror and shift",
  "data.augment=flip-cutout": "Mirror and cut out",
  "data.augment=crop-cutout": "Shift and cut out",
  "data.augment=flip-crop-cutout": "Mirror, shift and cut out",
  "training.sampling=balanced": "Each class equally often",
  "training.sampling=shuffled": "Each sample once",
  "training.schedule.kind=step": "Steps",
  adamw: "AdamW",
  cpu: "CPU",
  cuda: "CUDA",
  efficientnet_lite: "EfficientNet-Lite's",
  gelu: "GELU",
  imagenet: "ImageNet's",
  kaiming_uniform: "Kaiming, uniform",
  one_cycle: "One cycle",
  relu: "ReLU",
  sgd: "SGD",
  silu: "SiLU",
  train_accuracy: "Training accuracy",
  train_loss: "Training loss",
  xavier_uniform: "Xavier, uniform",
};

/** Labels that are others in some networks. @type {{ kinds: string[], labels: { [path: string]: string } }[]} */
const IN_NETWORKS = [
  { kinds: ["mlp", "mlp-wide"], labels: { "network.norm": "Batch normalisation" } },
  {
    kinds: ["vgg16", "residual-small", "residual-deep", "inception"],
    labels: { "network.hidden": "Widths of the head" },
  },
];

/**
 * The label of a setting in the form.
 * @param {string} path
 * @param {string} [kind] the network, where the setting is of one
 */
export function settingLabel(path, kind = "") {
  const own = IN_NETWORKS.find(({ kinds, labels }) => kinds.includes(kind) && labels[path]);
  if (own) return own.labels[path];
  const known = LABELS[path];
  if (known) return known;
  const words = (path.split(".").pop() ?? path).replaceAll("_", " ");
  return words.charAt(0).toLocaleUpperCase() + words.slice(1);
}

/** A setting's value in the form's words. @param {string} path @param {Json | undefined} value @returns {string} */
export function settingValue(path, value) {
  if (value === null || value === undefined) return EMPTY[path] ?? "None";
  if (path === "network.kind") return networkTitle(String(value));
  if (path === "data.set") return dataTitle(String(value));
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (typeof value !== "string") return exactNumber(value);
  return VALUES[`${path}=${value}`] ?? VALUES[value] ?? written(value);
}

/** A name as a word: “cross_entropy” → “Cross entropy”; names of files and ids stay as they are. @param {string} name */
function written(name) {
  if (!/^[a-z][a-z_]*$/.test(name)) return name;
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toLocaleUpperCase() + words.slice(1);
}

/** @param {string} kind */
export const networkTitle = (kind) => NETWORKS[kind] ?? kind;

/** @param {string} set */
export const dataTitle = (set) => DATA_SETS[set] ?? set;

/** What a run trains on what: “MLP on digits”. @param {Pick<Run, "spec" | "source">} run */
export function describeRun({ spec, source }) {
  if (source || !spec.network || !spec.data) return "From TensorBoard files";
  return `${networkTitle(spec.network.kind)} on ${dataTitle(spec.data.set)}`;
}
