// The words of the form for settings. Generated from its table by scripts/refresh-api.

/** `null`: what an empty field means. @typedef {{ label: string, null?: string, choices?: { [value: string]: string } }} SettingWords */

/** By path. @type {{ [path: string]: SettingWords }} */
export const SETTINGS = {
  "training.optimizer": {
    "label": "Optimizer"
  },
  "training.optimizer.kind": {
    "label": "Optimizer",
    "choices": {
      "sgd": "SGD",
      "adamw": "AdamW"
    }
  },
  "training.schedule": {
    "label": "Learning-rate schedule"
  },
  "training.schedule.kind": {
    "label": "Learning-rate schedule",
    "choices": {
      "constant": "Constant",
      "step": "Steps",
      "milestones": "Milestones",
      "cosine": "Cosine",
      "one_cycle": "One cycle"
    }
  },
  "training.early_stopping": {
    "label": "Early stopping",
    "null": "Off"
  },
  "training.transfer": {
    "label": "Transfer learning",
    "null": "Off"
  },
  "data.random_resized_crop": {
    "label": "Random resized crop",
    "null": "Off"
  },
  "data.color_jitter": {
    "label": "Colour jitter",
    "null": "Off"
  },
  "data.randaugment": {
    "label": "RandAugment",
    "null": "Off"
  },
  "training.mixup": {
    "label": "Mixup",
    "null": "Off"
  },
  "training.cutmix": {
    "label": "CutMix",
    "null": "Off"
  },
  "training.ema": {
    "label": "Averaged weights (EMA)",
    "null": "Off"
  },
  "name": {
    "label": "Name"
  },
  "data.validation": {
    "label": "Validation share"
  },
  "data.limit": {
    "label": "Training samples at most",
    "null": "All"
  },
  "data.folds": {
    "label": "Folds",
    "null": "Off"
  },
  "data.fold": {
    "label": "Fold to validate on",
    "null": "The first"
  },
  "training.epochs": {
    "label": "Epochs"
  },
  "training.batch_size": {
    "label": "Batch size"
  },
  "training.sampling": {
    "label": "Sampling",
    "choices": {
      "shuffled": "Each sample once",
      "balanced": "Each class equally often"
    }
  },
  "training.clip": {
    "label": "Gradient clipping",
    "null": "Never"
  },
  "training.seed": {
    "label": "Seed"
  },
  "training.threads": {
    "label": "Threads",
    "null": "Automatic"
  },
  "device": {
    "label": "Device",
    "choices": {
      "cpu": "CPU"
    }
  },
  "resources.cpus": {
    "label": "Cores",
    "null": "The cluster's default"
  },
  "resources.memory": {
    "label": "Memory (MiB)",
    "null": "Automatic"
  },
  "resources.gpus": {
    "label": "GPUs",
    "null": "None"
  },
  "resources.time": {
    "label": "Time limit (minutes)",
    "null": "The cluster's default"
  },
  "training.optimizer.lr": {
    "label": "Learning rate"
  },
  "training.optimizer.momentum": {
    "label": "Momentum"
  },
  "training.optimizer.weight_decay": {
    "label": "Weight decay"
  },
  "training.optimizer.nesterov": {
    "label": "Nesterov"
  },
  "training.optimizer.beta1": {
    "label": "Beta 1"
  },
  "training.optimizer.beta2": {
    "label": "Beta 2"
  },
  "training.optimizer.eps": {
    "label": "Epsilon"
  },
  "training.schedule.warmup_epochs": {
    "label": "Warm-up"
  },
  "training.schedule.every_epochs": {
    "label": "Falls every"
  },
  "training.schedule.gamma": {
    "label": "Factor"
  },
  "training.schedule.milestones": {
    "label": "Falls after"
  },
  "training.schedule.min_lr": {
    "label": "Floor"
  },
  "training.schedule.pct_start": {
    "label": "Rise"
  },
  "training.schedule.div_factor": {
    "label": "Start divisor"
  },
  "training.schedule.final_div_factor": {
    "label": "End divisor"
  },
  "training.early_stopping.metric": {
    "label": "Watches",
    "choices": {
      "validation_loss": "Validation loss",
      "validation_accuracy": "Validation accuracy",
      "train_loss": "Training loss",
      "train_accuracy": "Training accuracy"
    }
  },
  "training.early_stopping.patience": {
    "label": "Patience"
  },
  "training.early_stopping.min_delta": {
    "label": "Least change"
  },
  "training.transfer.from": {
    "label": "Starts from"
  },
  "training.transfer.trainable_blocks": {
    "label": "Trainable blocks",
    "null": "All"
  },
  "training.transfer.backbone_lr": {
    "label": "Backbone's rate"
  },
  "training.transfer.unfreeze_at": {
    "label": "Unfreezes at epoch",
    "null": "Never"
  },
  "training.transfer.fresh_head": {
    "label": "New last layer"
  },
  "data.random_resized_crop.min_scale": {
    "label": "Least area"
  },
  "data.random_resized_crop.max_ratio": {
    "label": "Most stretch"
  },
  "data.color_jitter.brightness": {
    "label": "Brightness"
  },
  "data.color_jitter.contrast": {
    "label": "Contrast"
  },
  "data.color_jitter.saturation": {
    "label": "Saturation"
  },
  "data.color_jitter.hue": {
    "label": "Hue"
  },
  "data.randaugment.num_ops": {
    "label": "Operations"
  },
  "data.randaugment.magnitude": {
    "label": "Magnitude"
  },
  "training.mixup.alpha": {
    "label": "Alpha"
  },
  "training.cutmix.alpha": {
    "label": "Alpha"
  },
  "training.ema.decay": {
    "label": "Decay"
  },
  "data.size": {
    "label": "Image size"
  },
  "data.channels": {
    "label": "Channels"
  },
  "data.augment": {
    "label": "Augmentation",
    "choices": {
      "none": "None",
      "flip": "Mirror",
      "crop": "Shift",
      "cutout": "Cut out",
      "flip-crop": "Mirror and shift",
      "flip-cutout": "Mirror and cut out",
      "crop-cutout": "Shift and cut out",
      "flip-crop-cutout": "Mirror, shift and cut out"
    }
  },
  "data.test_time_flip": {
    "label": "Test-time flip"
  },
  "data.normalisation": {
    "label": "Pixel normalisation",
    "choices": {
      "measured": "Measured",
      "imagenet": "ImageNet's",
      "efficientnet_lite": "EfficientNet-Lite's"
    }
  },
  "data.samples": {
    "label": "Samples"
  },
  "data.noise": {
    "label": "Noise"
  },
  "data.classes": {
    "label": "Classes"
  },
  "data.fit": {
    "label": "Photos that are not square",
    "choices": {
      "crop": "Crop: the middle square",
      "pad": "Pad: all of it, with black bars",
      "stretch": "Stretch: all of it, distorted"
    }
  },
  "data.version": {
    "label": "Version of the labels"
  },
  "network.activation": {
    "label": "Activation",
    "choices": {
      "relu": "ReLU",
      "silu": "SiLU",
      "sigmoid": "Sigmoid",
      "tanh": "Tanh"
    }
  },
  "network.dropout": {
    "label": "Dropout"
  },
  "network.init": {
    "label": "Initialisation",
    "choices": {
      "kaiming": "Kaiming",
      "xavier": "Xavier",
      "kaiming_uniform": "Kaiming, uniform",
      "xavier_uniform": "Xavier, uniform"
    }
  },
  "training.label_smoothing": {
    "label": "Label smoothing"
  },
  "training.class_weights": {
    "label": "Class weights",
    "choices": {
      "none": "None",
      "balanced": "Balanced"
    }
  },
  "network.hidden": {
    "label": "Widths of the head"
  },
  "network.stem_kernel": {
    "label": "Stem: kernel"
  },
  "network.stem_stride": {
    "label": "Stem: stride"
  },
  "network.stem_padding": {
    "label": "Stem: padding"
  },
  "network.head": {
    "label": "Head",
    "choices": {
      "mean": "Mean",
      "flatten": "Flatten"
    }
  },
  "network.norm": {
    "label": "Batch normalisation"
  },
  "network.plan": {
    "label": "Widths"
  },
  "network.depth": {
    "label": "Convolutions per block"
  },
  "network.skips": {
    "label": "Skips"
  },
  "network.long_skips": {
    "label": "Long skips"
  },
  "network.long_over": {
    "label": "Blocks per long skip"
  },
  "network.pool_every": {
    "label": "Blocks per pool"
  },
  "network.stem_pool": {
    "label": "Stem: pool"
  },
  "network.width": {
    "label": "Width"
  },
  "network.one": {
    "label": "1×1 branch"
  },
  "network.reduce3": {
    "label": "3×3 branch: reduction"
  },
  "network.three": {
    "label": "3×3 branch"
  },
  "network.reduce5": {
    "label": "5×5 branch: reduction"
  },
  "network.five": {
    "label": "5×5 branch"
  },
  "network.project": {
    "label": "Pool branch"
  },
  "network.pools": {
    "label": "Pools"
  },
  "network.stem_width": {
    "label": "Stem: channels"
  }
};

/** By network and path, where a network has words of its own. @type {{ [kind: string]: { [path: string]: SettingWords } }} */
export const OF_NETWORKS = {
  "mlp": {
    "network.hidden": {
      "label": "Hidden widths"
    }
  },
  "mlp-wide": {
    "network.hidden": {
      "label": "Hidden widths"
    }
  },
  "perceptron": {
    "network.init": {
      "label": "Initialisation",
      "choices": {
        "zeros": "Zeros",
        "normal": "Normal"
      }
    }
  },
  "vgg16": {
    "network.head": {
      "label": "Head",
      "choices": {
        "classic": "Classic",
        "compact": "Compact"
      }
    },
    "network.norm": {
      "label": "Normalisation layers",
      "choices": {
        "batch": "Batch",
        "none": "None"
      }
    }
  }
};
