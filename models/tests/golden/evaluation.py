"""Figures of predictions by scikit-learn, NumPy and SciPy.

    evaluation.py write      writes evaluation.json, the cases that are committed
    evaluation.py random N   prints N random cases as JSON lines

pip install numpy scipy scikit-learn (made with 2.4.6, 1.17.1, 1.9.1)
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp, softmax
from scipy.stats import binomtest, chi2
from sklearn import metrics

warnings.filterwarnings("ignore")


def plain(value):
    """A number for JSON; None for NaN."""
    return None if value is None or not np.isfinite(value) else float(value)


def figures(kind, scores, targets):
    """Everything that `evaluate` tells, but the intervals. `scores` are float32 [n, classes]."""
    n, classes = scores.shape
    z = scores.astype(np.float64)
    labels = np.arange(classes)
    predicted = z.argmax(1)
    if kind == "logits":
        # Probabilities that are equal but for the order of a sum become equal by rounding.
        ranked = softmax(z, axis=1).astype(np.float32).astype(np.float64)
    elif kind == "probabilities":
        ranked = z
    else:
        # The lead of each class over the best other one.
        others = np.where(np.eye(classes, dtype=bool)[None], -np.inf, z[:, None, :])
        ranked = z - others.max(2)
    one_hot = targets[:, None] == labels[None]
    support = one_hot.sum(0)
    present = labels[support > 0]
    mixed = labels[(support > 0) & (support < n)]
    p, r, f, _ = metrics.precision_recall_fscore_support(
        targets, predicted, labels=labels, zero_division=np.nan
    )
    # A class without samples that is predicted has an F1 of 0; one without either has none.
    ap = [metrics.average_precision_score(one_hot[:, k], ranked[:, k]) if support[k] else None for k in labels]
    auc = [metrics.roc_auc_score(one_hot[:, k], ranked[:, k]) if k in mixed else None for k in labels]

    def average(how):
        of = present if how != "micro" else labels
        three = metrics.precision_recall_fscore_support(
            targets, predicted, labels=of, average=how, zero_division=0
        )[:3]
        areas = [
            metrics.average_precision_score(one_hot[:, of], ranked[:, of], average=how),
            metrics.roc_auc_score(one_hot[:, of_auc], ranked[:, of_auc], average=how)
            if len(of_auc := mixed if how != "micro" else labels)
            else None,
        ]
        return [plain(value) for value in [*three, *areas]]

    # Of equals scikit-learn takes the last class into the top k, and `argmax` the first: with the order of the classes
    # reversed, both take the first.
    top_5 = None
    if classes > 5:
        top_5 = plain(
            metrics.top_k_accuracy_score(classes - 1 - targets, z[:, ::-1], k=5, labels=labels)
        )
    expected = {
        "accuracy": plain(metrics.accuracy_score(targets, predicted)),
        "top_5": top_5,
        "macro": average("macro"),
        "weighted": average("weighted"),
        "micro": average("micro"),
        "per_class": [
            [int(support[k]), [plain(v) for v in (p[k], r[k], f[k], ap[k], auc[k])]] for k in labels
        ],
        "confusion": metrics.confusion_matrix(targets, predicted, labels=labels).tolist(),
    }
    if kind != "margins":
        expected |= calibration(ranked, targets)
    if kind == "logits":
        # scikit-learn takes probabilities below 1e-16 for 1e-16.
        expected["nll"] = float(np.mean(logsumexp(z, axis=1) - z[np.arange(n), targets]))
    return expected


def calibration(probabilities, targets):
    """ECE with 15 bins of equal width, as netcal 1.3 and Guo et al. (2017), and two proper scores."""
    labels = np.arange(probabilities.shape[1])
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == targets
    edges = np.linspace(0, 1, 16)
    bins = np.clip(np.searchsorted(edges, confidence, side="right") - 1, 0, 14)
    ece = sum(
        (bins == b).mean() * abs(right[bins == b].mean() - confidence[bins == b].mean())
        for b in range(15)
        if (bins == b).any()
    )
    return {
        "ece": plain(ece),
        "bins": np.bincount(bins, minlength=15).tolist(),
        "nll": plain(metrics.log_loss(targets, probabilities, labels=labels)),
        "brier": plain(
            metrics.brier_score_loss(targets, probabilities, labels=labels, scale_by_half=False)
        ),
    }


def temperature(kind, scores, targets):
    """The temperature from 0.05 to 20 with the least negative log-likelihood, and that likelihood."""
    z = scores.astype(np.float64)
    if kind == "probabilities":
        z = np.log(z)
    rows = np.arange(len(targets))

    def nll(b):
        return float(np.mean(logsumexp(b * z, axis=1) - b * z[rows, targets]))

    def slope(b):
        return float(np.mean((softmax(b * z, axis=1) * z).sum(1) - z[rows, targets]))

    low, high = 1 / 20, 1 / 0.05
    if slope(low) >= 0:
        best = low
    elif slope(high) <= 0:
        best = high
    else:
        best = brentq(slope, low, high, xtol=1e-14, rtol=1e-14)
    return {"temperature": 1 / best, "nll_before": nll(1), "nll_after": nll(best)}


def mcnemar(targets, first, second):
    a = int(((first == targets) & (second != targets)).sum())
    b = int(((first != targets) & (second == targets)).sum())
    exact = a + b < 25
    if exact:
        p = binomtest(a, a + b).pvalue if a + b else 1.0
    else:
        p = chi2.sf(max(abs(a - b) - 1, 0) ** 2 / (a + b), 1)
    return {"only_first": a, "only_second": b, "exact": exact, "p_value": float(p)}


def case(name, kind, scores, targets, fitted=None):
    """A case with its figures. `fitted`: scores and targets for the temperature, by default its own."""
    scores = scores.astype(np.float32)
    targets = np.asarray(targets)
    # What a careless second classifier says.
    second = np.where(np.arange(len(targets)) % 3 == 0, 0, scores.argmax(1))
    of = {
        "name": name,
        "kind": kind,
        "classes": scores.shape[1],
        "scores": [float(v) for v in scores.ravel()],
        "targets": targets.tolist(),
        "second": second.tolist(),
        "expected": figures(kind, scores, targets),
        "mcnemar": mcnemar(targets, scores.argmax(1), second),
    }
    if kind != "margins":
        of["fit"] = temperature(kind, scores, targets)
    return of


def draw(generator, kind, n, classes, skill=1.0, steps=None, weights=None):
    """Scores that know the targets a little. With `steps` they are few, so that many are equal."""
    targets = generator.choice(classes, size=n, p=weights)
    z = generator.normal(size=(n, classes)) * 2
    z[np.arange(n), targets] += skill * 2
    if kind == "probabilities":
        z = softmax(z, axis=1)
        if steps:
            # Shares of so many parts, none of them 0.
            z = np.maximum(np.round(z * steps), 1)
            z = z / z.sum(1, keepdims=True)
        return z, targets
    return (np.round(z * steps) / steps if steps else z), targets


def committed():
    generator = np.random.default_rng(1)
    yield case("three classes", "logits", *draw(generator, "logits", 60, 3))
    yield case("many equal probabilities", "probabilities", *draw(generator, "probabilities", 90, 4, steps=4))
    yield case("equal logits", "logits", *draw(generator, "logits", 80, 5, steps=1))
    weights = np.array([200, 5, 3, 1]) / 209
    yield case("imbalance", "logits", *draw(generator, "logits", 209, 4, weights=weights))
    scores, targets = draw(generator, "logits", 60, 6, skill=0.5, weights=[0.3, 0.3, 0, 0.2, 0.2, 0])
    scores[:, 4:] -= 100
    yield case("classes without samples and classes that are never predicted", "logits", scores, targets)
    scores, _ = draw(generator, "logits", 30, 2)
    yield case("samples of one class", "logits", scores, np.ones(30, dtype=int))
    yield case("one sample", "logits", np.array([[0.5, 2.0, -1.0]]), [1])
    yield case("margins", "margins", *draw(generator, "margins", 70, 3, steps=2))
    yield case("twelve classes", "logits", *draw(generator, "logits", 120, 12, skill=0.6, steps=2))
    scores, targets = draw(generator, "logits", 50, 3)
    yield case("certain and wrong", "logits", scores * 20, targets)
    yield case("a perfect network", "logits", np.eye(4)[np.arange(40) % 4] * 3, np.arange(40) % 4)
    yield case("all scores are equal", "probabilities", np.full((20, 5), 0.2), np.arange(20) % 5)


def random(count):
    generator = np.random.default_rng(7)
    for i in range(count):
        kind = ["logits", "probabilities", "margins"][i % 3]
        classes = int(generator.integers(2, 9))
        n = int(generator.integers(2, 80))
        steps = [None, 1, 3][int(generator.integers(3))]
        weights = generator.dirichlet(np.full(classes, 0.7))
        scores, targets = draw(generator, kind, n, classes, generator.uniform(0, 2), steps, weights)
        yield case(f"random {i}", kind, scores, targets)


if sys.argv[1:2] == ["write"]:
    text = "[\n" + ",\n".join(json.dumps(of) for of in committed()) + "\n]\n"
    Path(__file__).with_name("evaluation.json").write_text(text)
elif sys.argv[1:2] == ["random"]:
    for of in random(int(sys.argv[2])):
        print(json.dumps(of))
else:
    raise SystemExit(__doc__)
