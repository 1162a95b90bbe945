"""Suspected label errors by cleanlab; writes label_issues.json.

pip install numpy cleanlab (made with 2.4.6, 2.9.0)
"""

import json
from pathlib import Path

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores


def case(name, probabilities, labels):
    probabilities = probabilities.astype(np.float32).astype(np.float64)
    score = lambda method: get_label_quality_scores(labels, probabilities, method=method).tolist()
    issues = find_label_issues(
        labels, probabilities, filter_by="confident_learning", min_examples_per_class=0, n_jobs=1
    )
    return {
        "name": name,
        "classes": probabilities.shape[1],
        "probabilities": probabilities.ravel().tolist(),
        "labels": labels.tolist(),
        "self_confidence": score("self_confidence"),
        "normalized_margin": score("normalized_margin"),
        "issues": np.flatnonzero(issues).tolist(),
    }


def draw(generator, n, classes, flipped, weights=None):
    truth = generator.choice(classes, size=n, p=weights)
    truth[:classes] = np.arange(classes)
    z = generator.normal(size=(n, classes))
    z[np.arange(n), truth] += 2.5
    probabilities = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    labels = truth.copy()
    wrong = generator.choice(np.arange(classes, n), size=int(flipped * n), replace=False)
    labels[wrong] = (labels[wrong] + generator.integers(1, classes, size=len(wrong))) % classes
    return probabilities, labels


generator = np.random.default_rng(3)
cases = [
    case("three classes", *draw(generator, 120, 3, 0.1)),
    case("ten classes", *draw(generator, 200, 10, 0.05)),
    case("imbalance", *draw(generator, 150, 4, 0.08, [0.85, 0.05, 0.05, 0.05])),
    case("no errors", *draw(generator, 60, 3, 0.0)),
]
text = "[\n" + ",\n".join(json.dumps(of) for of in cases) + "\n]\n"
Path(__file__).with_name("label_issues.json").write_text(text)
