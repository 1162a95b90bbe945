"""Perceptron

A single layer of weights, changed by Rosenblatt's rule whenever a sample is classified wrong.
"""

loss = "perceptron"
defaults = {
    "training.epochs": 3,
    "training.batch_size": 1,
    "training.optimizer.lr": 0.001,
    "training.optimizer.momentum": 0.0,
}


def perceptron(
    classes,
    init=option(
        "normal",
        choices=["zeros", "normal"],
        label="Initialisation",
        help="What the weights start from: 0, or small numbers around it.",
        advanced=True,
    ),
):
    # Small against the samples, whose deviation is 1, and about as large as a few steps at the default learning rate, so
    # that the line visibly turns.
    start = "zeros" if init == "zeros" else 0.01
    if classes > 2:
        return Sequential(Flatten(), Linear(classes, init=start, name=""))
    # Two classes share one row of weights: the score of the first class is 0.
    return Sequential(Flatten(), Linear(1, init=start, name=""), ZeroPad1d((1, 0)))
