"""VGG16

Thirteen 3×3 convolutions with batch normalisation in five stages, then fully connected layers.
"""

inputs = ["images"]
defaults = {"data.size": 32, "training.epochs": 5, "training.optimizer.weight_decay": 0.0005}


def vgg16(
    classes,
    head=option("classic", choices=["classic", "compact"], help="Classic: three layers of 120 million parameters. Compact: the mean over the image and one layer."),
    hidden=option([4096, 4096], min=1, max=16384, len=(0, 8), label="Widths of the head", help="How many values each fully connected layer before the scores has in the classic head.", advanced=True),
    norm=option("batch", choices=["batch", "none"], label="Normalisation layers", help="After each convolution: over the batch, or none, as in the original network, which is hard to train from the start.", advanced=True),
    activation=option(ReLU, choices=[ReLU, SiLU, Sigmoid, Tanh], help="What is applied to every value between layers."),
    width=option(1.0, min=0.0625, max=2, help="Channels of the convolutions, in parts of the usual 64 to 512: a quarter is sixteen times less to compute.", advanced=True),
    stem_kernel=option(3, min=1, max=15, label="Stem: kernel", help="Pixels along a side of the first convolution's kernel.", advanced=True),
    stem_stride=option(1, min=1, max=8, label="Stem: stride", help="Pixels from one position of this kernel to the next.", advanced=True),
    stem_padding=option(1, min=0, max=7, label="Stem: padding", help="Rows and columns of zeros around the image.", advanced=True),
    dropout=option(0.5, min=0, max=0.95, help="The share of hidden values set to 0 at random in every training step."),
):
    features = []
    for stage in [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]:
        for channels in stage:
            kernel, stride, padding = (3, 1, 1) if features else (stem_kernel, stem_stride, stem_padding)
            features.append(Conv2d(max(1, int(channels * width + 0.5)), kernel, stride=stride, padding=padding))
            if norm == "batch":
                features.append(BatchNorm2d())
            features.append(activation())
        features.append(MaxPool2d(2))
    if head == "compact":
        pool, classifier = AdaptiveAvgPool2d(1), Linear(classes)
    else:
        layers = [layer for values in hidden for layer in (Linear(values), activation(), Dropout(dropout))]
        pool, classifier = AdaptiveAvgPool2d(7), Sequential(*layers, Linear(classes))
    return Sequential(features=Sequential(*features), pool=pool, flatten=Flatten(), classifier=classifier)
