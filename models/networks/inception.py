"""Inception

Four blocks of four branches, 1x1, 3x3 and 5x5 convolutions and a pool, joined on their channels.
"""

inputs = ["images"]
defaults = {"data.size": 32, "training.epochs": 10, "training.optimizer.weight_decay": 0.0005}


def inception(
    classes,
    activation=option(ReLU, choices=[ReLU, SiLU, Sigmoid, Tanh], help="What is applied to every value between layers."),
    hidden=option(1024, min=1, max=16384, label="Width of the head", help="How many values the layer before the scores has.", advanced=True),
    dropout=option(0.4, min=0, max=0.95, help="The share of hidden values set to 0 at random in every training step."),
):
    def conv(out, kernel):
        return Sequential(Conv2d(out, kernel, padding="same", bias=False), BatchNorm2d(), activation())

    def block(one, before3, three, before5, five, pool):
        return Concat(
            branch1=conv(one, 1),
            branch3=Sequential(conv(before3, 1), conv(three, 3)),
            branch5=Sequential(conv(before5, 1), conv(five, 5)),
            branch_pool=Sequential(MaxPool2d(3, stride=1, padding=1), conv(pool, 1)),
        )

    return Sequential(
        stem=Sequential(Conv2d(64, 3, padding=1, bias=False), BatchNorm2d(), activation(), MaxPool2d(2)),
        block1=block(64, 96, 128, 16, 32, 32),
        block2=block(128, 128, 192, 32, 96, 64),
        pool0=MaxPool2d(2, name="pool.0"),
        block3=block(192, 96, 208, 16, 48, 64),
        pool1=MaxPool2d(2, name="pool.1"),
        block4=block(256, 160, 320, 32, 128, 128),
        mean=Mean(),
        classifier=Sequential(Linear(hidden), ReLU(), Dropout(dropout), Linear(classes)),
    )
