"""VGG16

Thirteen 3x3 convolutions with batch normalisation in five stages, then fully connected layers.
"""

inputs = ["images"]
defaults = {"data.size": 32, "training.epochs": 5, "training.optimizer.weight_decay": 0.0005}


def vgg16(
    classes,
    head=option("classic", choices=["classic", "compact"], help="Classic: three layers of 120 million parameters. Compact: the mean over the image and one layer."),
    norm=option("batch", choices=["batch", "none"], label="Normalisation", help="After each convolution: over the batch, or none, as in the original network, which is hard to train from the start.", advanced=True),
    activation=option(ReLU, choices=[ReLU, SiLU, Sigmoid, Tanh], help="What is applied to every value between layers."),
    width=option(1.0, min=0.0625, max=2, help="Channels of the convolutions, in parts of the usual 64 to 512: a quarter is sixteen times less to compute.", advanced=True),
    dropout=option(0.5, min=0, max=0.95, help="The share of hidden values set to 0 at random in every training step."),
):
    features = []
    for stage in [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]:
        for channels in stage:
            features.append(Conv2d(max(1, int(channels * width + 0.5)), 3, padding=1))
            if norm == "batch":
                features.append(BatchNorm2d())
            features.append(activation())
        features.append(MaxPool2d(2))
    if head == "compact":
        pool, classifier = AdaptiveAvgPool2d(1), Linear(classes)
    else:
        hidden = [[Linear(4096), activation(), Dropout(dropout)] for i in range(2)]
        pool, classifier = AdaptiveAvgPool2d(7), Sequential(*hidden[0], *hidden[1], Linear(classes))
    return Sequential(features=Sequential(*features), pool=pool, flatten=Flatten(), classifier=classifier)
