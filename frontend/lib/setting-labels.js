// The names of settings and of their values as the form writes them, for legends and tables.

import { exactNumber } from "./format.js";

/** @import { Json } from "./types" */

/**
 * The labels of the form (`models/src/spec/table.rs`), with their group where they say little alone, and those of
 * options that several built-in networks have.
 * @type {{ [path: string]: string }}
 */
const LABELS = {
  "data.set": "Data set",
  "data.size": "Image size",
  "data.validation": "Validation share",
  "data.limit": "Most training samples",
  "data.folds": "Folds",
  "data.fold": "Fold to validate on",
  "data.augment": "Augmentation",
  "data.random_resized_crop": "Random resized crop",
  "data.random_resized_crop.min_scale": "Random resized crop: least area",
  "data.random_resized_crop.max_ratio": "Random resized crop: most stretch",
  "data.color_jitter": "Colour jitter",
  "data.color_jitter.brightness": "Colour jitter: brightness",
  "data.color_jitter.contrast": "Colour jitter: contrast",
  "data.color_jitter.saturation": "Colour jitter: saturation",
  "data.color_jitter.hue": "Colour jitter: hue",
  "data.randaugment": "RandAugment",
  "data.randaugment.num_ops": "RandAugment: operations",
  "data.randaugment.magnitude": "RandAugment: magnitude",
  network: "Network",
  "network.kind": "Network",
  "network.activation": "Activation",
  "network.init": "Initialisation",
  "network.hidden": "Hidden widths",
  "network.dropout": "Dropout",
  "network.norm": "Normalisation",
  "network.depth": "Convolutions per block",
  "network.plan": "Widths",
  "network.revision": "Version of the network",
  device: "Device",
  "resources.cpus": "Cores",
  "resources.memory": "Memory (MiB)",
  "resources.gpus": "GPUs",
  "resources.time": "Time limit (minutes)",
  "training.epochs": "Epochs",
  "training.batch_size": "Batch size",
  "training.precision": "Precision",
  "training.sampling": "Sampling",
  "training.clip": "Gradient clipping",
  "training.seed": "Seed",
  "training.threads": "Threads",
  "training.label_smoothing": "Label smoothing",
  "training.class_weights": "Class weights",
  "training.mixup": "Mixup",
  "training.mixup.alpha": "Mixup: alpha",
  "training.cutmix": "CutMix",
  "training.cutmix.alpha": "CutMix: alpha",
  "training.ema": "Averaged weights (EMA)",
  "training.ema.decay": "Averaged weights: decay",
  "training.transfer": "Transfer learning",
  "training.transfer.from": "Starts from",
  "training.transfer.trainable_blocks": "Trainable blocks",
  "training.transfer.backbone_lr": "Backbone's rate",
  "training.transfer.unfreeze_at": "Unfreezes at epoch",
  "training.transfer.fresh_head": "New last layer",
  "training.optimizer": "Optimizer",
  "training.optimizer.kind": "Optimizer",
  "training.optimizer.lr": "Learning rate",
  "training.optimizer.momentum": "Momentum",
  "training.optimizer.weight_decay": "Weight decay",
  "training.optimizer.nesterov": "Nesterov",
  "training.optimizer.beta1": "Beta 1",
  "training.optimizer.beta2": "Beta 2",
  "training.optimizer.eps": "Epsilon",
  "training.schedule": "Learning-rate schedule",
  "training.schedule.kind": "Learning-rate schedule",
  "training.schedule.warmup_epochs": "Warm-up",
  "training.schedule.gamma": "Schedule: factor",
  "training.schedule.every_epochs": "Schedule: falls every",
  "training.schedule.milestones": "Schedule: falls after",
  "training.schedule.min_lr": "Schedule: floor",
  "training.schedule.pct_start": "Schedule: rise",
  "training.schedule.div_factor": "Schedule: start divisor",
  "training.schedule.final_div_factor": "Schedule: end divisor",
  "training.early_stopping": "Early stopping",
  "training.early_stopping.metric": "Early stopping: watches",
  "training.early_stopping.patience": "Early stopping: patience",
  "training.early_stopping.min_delta": "Early stopping: least change",
};

/** What the form says of a setting that is left empty. @type {{ [path: string]: string }} */
const EMPTY = {
  "data.limit": "all",
  "training.threads": "automatic",
  "training.schedule": "constant",
};

/** The short name of a setting: "training.optimizer.lr" → "lr". @param {string} path */
export function shortName(path) {
  const parts = path.split(".");
  const last = parts[parts.length - 1];
  const name = last === "kind" || last === "set" ? parts[parts.length - 2] : last;
  return name.replaceAll("_", " ").replace(/^data$/, "data set");
}

/** The label of a setting: "training.optimizer.lr" → "Learning rate". @param {string} path */
export function settingLabel(path) {
  const name = LABELS[path] ?? shortName(path);
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** The label within a sentence or before a value: "learning rate". @param {string} path */
export function settingWord(path) {
  const label = settingLabel(path);
  // Abbreviations such as GPUs keep their capitals.
  return /^[A-Z]{2}/.test(label) ? label : label.charAt(0).toLowerCase() + label.slice(1);
}

/** The value of a setting in words. @param {string} path @param {Json | undefined} value */
export const settingValue = (path, value) => (value === null ? (EMPTY[path] ?? "none") : exactNumber(value));
