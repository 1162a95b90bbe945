"""Multilayer perceptron

Layers that connect every value with every value, with an activation between them.
"""


def mlp(
    classes,
    hidden=option(
        [128, 64],
        min=1,
        max=16384,
        len=(1, 16),
        label="Hidden widths",
        help="How many values each hidden layer has, from the input to the output.",
    ),
    activation=option(
        ReLU,
        choices=[ReLU, SiLU, Sigmoid, Tanh],
        help="What is applied to every value between layers.",
    ),
    norm=option(
        False,
        label="Batch normalisation",
        help="Normalises every hidden value over the batch before its activation.",
    ),
    dropout=option(
        0.0,
        min=0,
        max=0.95,
        help="The share of hidden values set to 0 at random in every training step.",
    ),
):
    layers = []
    for width in hidden:
        layers.append(Linear(width))
        if norm:
            layers.append(BatchNorm1d())
        layers.append(activation())
        if dropout > 0:
            layers.append(Dropout(dropout))
    return Sequential(flatten=Flatten(), net=Sequential(*layers, Linear(classes)))
