# SPDX-License-Identifier: Apache-2.0
"""Writes formula-losses.jsonl: the losses of lib/samediff/formulas.ts from their textbook formulas, in 1500 digits.

    pip install mpmath gmpy2 && python formula_losses.py

Nothing is rearranged for stability, and gradients are central differences with a step of 1e-500: at 1500 digits both are
exact far beyond float64, also where `1 - a` is 1e-430.
"""
import json
import random
import struct
from pathlib import Path

from mpmath import cosh, exp, log, mp, mpf, pi, sqrt

mp.dps = 1500
STEP = mpf(10)**-500


def single(x):
    """The nearest float32: both dtypes are given the same."""
    return struct.unpack('f', struct.pack('f', x))[0]


# --- Activations, and losses of one row: y, outputs a, all mpf --------------------------------------------------------
def sigmoid(z):
    return [1 / (1 + exp(-x)) for x in z]


def softmax(z):
    e = [exp(x) for x in z]
    return [x / sum(e) for x in e]


ACTIVATIONS = {'IDENTITY': lambda z: z, 'SIGMOID': sigmoid, 'SOFTMAX': softmax, 'TANH': lambda z: [mp.tanh(x) for x in z]}


def xlogy(x, y):
    return x * log(y) if x else mpf(0)


def huber(y, a, delta=1):
    return [(p - t)**2 / 2 if abs(p - t) <= delta else delta * (abs(p - t) - mpf(delta) / 2) for t, p in zip(y, a)]


def smooth_l1(y, a, beta=1):
    return [(p - t)**2 / (2 * beta) if abs(p - t) < beta else abs(p - t) - beta / 2 for t, p in zip(y, a)]


def log_cosh(y, a):
    return [log(cosh(p - t)) for t, p in zip(y, a)]


def soft_margin(y, a):
    return [log(1 + exp(-t * p)) for t, p in zip(y, a)]


def multi_margin(y, a, p=1, margin=1):
    k = y.index(1)
    return [sum(max(mpf(0), margin - a[k] + x)**p for j, x in enumerate(a) if j != k) / len(a)]


def weighted_binary(y, a, posWeight=1):
    weights = posWeight if isinstance(posWeight, list) else [posWeight] * len(y)
    return [-(w * xlogy(t, p) + xlogy(1 - t, 1 - p)) for t, p, w in zip(y, a, weights)]


def sigmoid_focal(y, a, alpha=mpf(1) / 4, gamma=2):
    result = []
    for t, p in zip(y, a):
        right = p * t + (1 - p) * (1 - t)
        l = -(xlogy(t, p) + xlogy(1 - t, 1 - p)) * (1 - right)**gamma
        result.append(l if alpha < 0 else (alpha * t + (1 - alpha) * (1 - t)) * l)
    return result


def softmax_focal(y, a, alpha=mpf(1) / 4, gamma=2):
    return [-alpha * (1 - p)**gamma * xlogy(t, p) for t, p in zip(y, a)]


def smoothed_cross_entropy(y, a, labelSmoothing):
    return [-xlogy(t * (1 - labelSmoothing) + labelSmoothing / len(y), p) for t, p in zip(y, a)]


def poly1(y, a, epsilon=1):
    return [-xlogy(t, p) + epsilon * t * (1 - p) for t, p in zip(y, a)]


def generalized_cross_entropy(y, a, q=mpf(7) / 10):
    return [t * (1 - p**q) / q for t, p in zip(y, a)]


def dice(y, a, smooth=1):
    return [1 - (2 * sum(t * p for t, p in zip(y, a)) + smooth) / (sum(y) + sum(a) + smooth)]


def tversky(y, a, alpha=mpf(1) / 2, beta=mpf(1) / 2, smooth=1):
    tp = sum(t * p for t, p in zip(y, a))
    fp = sum((1 - t) * p for t, p in zip(y, a))
    fn = sum(t * (1 - p) for t, p in zip(y, a))
    return [1 - (tp + smooth) / (tp + alpha * fp + beta * fn + smooth)]


def gaussian_nll(y, mean, variance, full=False, epsilon=mpf(10)**-6):
    v = [max(x, epsilon) for x in variance]
    return [(log(s) + (p - t)**2 / s) / 2 + (log(2 * pi) / 2 if full else 0) for t, p, s in zip(y, mean, v)]


def margin_ranking(y, x1, x2, margin=0):
    return [max(mpf(0), -t * (p - q) + margin) for t, p, q in zip(y, x1, x2)]


def triplet_margin(anchor, positive, negative, margin=1, p=2, swap=False):
    def distance(x, y):
        d = [abs(s - t) for s, t in zip(x, y)]
        return max(d) if p == 'Infinity' else sqrt(sum(s * s for s in d)) if p == 2 else sum(s**p for s in d)**(1 / mpf(p))
    far = distance(anchor, negative)
    return [max(mpf(0), margin + distance(anchor, positive) - (min(far, distance(positive, negative)) if swap else far))]


# --- Labels -----------------------------------------------------------------------------------------------------------
def real(rng, c, scale):
    return [rng.gauss(0, 1) for _ in range(c)]


def sign(rng, c, scale):
    return [rng.choice([-1.0, 1.0]) for _ in range(c)]


def binary(rng, c, scale):
    return [rng.choice([0.0, 1.0]) for _ in range(c)]


def soft(rng, c, scale):
    return [rng.choice([0.0, 1.0, 0.25, 0.75, rng.random()]) for _ in range(c)]


def one_hot(rng, c, scale):
    k = rng.randrange(c)
    return [float(j == k) for j in range(c)]


def distribution(rng, c, scale):
    x = [rng.random() for _ in range(c)]
    return [v / sum(x) for v in x]


def normal(rng, c, scale):
    return [rng.gauss(0, scale) for _ in range(c)]


def variance(rng, c, scale):
    return [rng.uniform(0.01, 3) for _ in range(c)]


# --- Cases: loss, activation, what makes each array, options, scales of the outputs -----------------------------------
USUAL, SATURATED, ANY = [0.1, 1, 5], [30, 300, 1000], [1e-3, 0.1, 1, 30, 1000, 1e30]
CASES = [
    ('huberLoss', huber, 'IDENTITY', [real, normal], [{}, {'delta': 0.25}, {'delta': 10}], ANY),
    ('smoothL1Loss', smooth_l1, 'IDENTITY', [real, normal], [{}, {'beta': 0.25}, {'beta': 10}], ANY),
    ('logCoshLoss', log_cosh, 'IDENTITY', [real, normal], [{}], ANY),
    ('logCoshLoss', log_cosh, 'TANH', [real, normal], [{}], USUAL),
    ('softMarginLoss', soft_margin, 'IDENTITY', [sign, normal], [{}], ANY[:-1]),
    ('multiMarginLoss', multi_margin, 'IDENTITY', [one_hot, normal], [{}, {'p': 2, 'margin': 0.5}], [0.1, 1, 30, 1000]),
    ('weightedCrossEntropyWithLogits', weighted_binary, 'SIGMOID', [soft, normal], [{}, {'posWeight': 3}, {'posWeight': 0.25}],
     USUAL + SATURATED),
    ('sigmoidFocalLoss', sigmoid_focal, 'SIGMOID', [binary, normal],
     [{}, {'alpha': -1, 'gamma': 0.5}, {'alpha': 0.75, 'gamma': 0}, {'gamma': 1}, {'gamma': 3.5}], USUAL + SATURATED),
    ('sigmoidFocalLoss', sigmoid_focal, 'SIGMOID', [soft, normal], [{}, {'alpha': -1, 'gamma': 0.5}], USUAL + SATURATED),
    ('sigmoidFocalLoss', sigmoid_focal, 'SOFTMAX', [soft, normal], [{}], [0.1, 1]),
    ('softmaxFocalLoss', softmax_focal, 'SOFTMAX', [one_hot, normal], [{}, {'alpha': 1, 'gamma': 0.5}, {'gamma': 1}, {'gamma': 3.5}],
     USUAL + SATURATED),
    ('softmaxFocalLoss', softmax_focal, 'SOFTMAX', [distribution, normal], [{}], USUAL + SATURATED),
    ('softmaxCrossEntropy', smoothed_cross_entropy, 'SOFTMAX', [one_hot, normal], [{'labelSmoothing': s} for s in (0.125, 1)],
     USUAL + SATURATED),
    ('poly1CrossEntropy', poly1, 'SOFTMAX', [one_hot, normal], [{}, {'epsilon': -0.5}, {'epsilon': 4}], USUAL + SATURATED),
    ('poly1CrossEntropy', poly1, 'SOFTMAX', [distribution, normal], [{}], USUAL),
    ('poly1CrossEntropy', poly1, 'SIGMOID', [binary, normal], [{}], USUAL + SATURATED),
    ('generalizedCrossEntropy', generalized_cross_entropy, 'SOFTMAX', [one_hot, normal], [{}, {'q': 0.125}, {'q': 1}], USUAL + SATURATED),
    ('generalizedCrossEntropy', generalized_cross_entropy, 'SIGMOID', [soft, normal], [{}], USUAL + SATURATED),
    ('diceLoss', dice, 'SIGMOID', [soft, normal], [{}, {'smooth': 0}], USUAL + SATURATED),
    ('diceLoss', dice, 'SOFTMAX', [one_hot, normal], [{}], USUAL),
    ('tverskyLoss', tversky, 'SIGMOID', [soft, normal], [{}, {'alpha': 0.25, 'beta': 0.75, 'smooth': 0.5}, {'beta': 0}],
     USUAL + SATURATED),
    ('gaussianNLLLoss', gaussian_nll, 'IDENTITY', [real, normal, variance], [{}, {'full': True}, {'epsilon': 0.5}], [0.1, 1, 30, 1e6]),
    ('marginRankingLoss', margin_ranking, 'IDENTITY', [sign, normal, normal], [{}, {'margin': 0.5}], [0.1, 1, 1000, 1e30]),
    ('tripletMarginLoss', triplet_margin, 'IDENTITY', [normal, normal, normal],
     [{}, {'margin': 0.25, 'p': 1}, {'swap': True}, {'p': 3}, {'p': 'Infinity', 'margin': 2}], [0.1, 1, 1000]),
]


def exact(x):
    return mpf(x) if isinstance(x, float) else x


def solve(of, activation, arrays, options, labels):
    """The losses of all rows, and the gradient of their sum for each array but the labels."""
    f = ACTIVATIONS[activation]
    options = {name: exact(value) for name, value in options.items()}

    def losses(row):
        return of(*([row[0], f(row[1]), *row[2:]] if activation != 'IDENTITY' else row), **options)

    results, gradients = [], [[] for _ in arrays]
    for row in zip(*arrays):
        row = [[mpf(x) for x in part] for part in row]
        results += losses(row)
        for i, part in enumerate(row):
            for j, x in enumerate(part if i > 0 or not labels else []):
                def total(value):
                    return sum(losses([*row[:i], [*part[:j], value, *part[j + 1:]], *row[i + 1:]]))
                gradients[i].append((total(x + STEP) - total(x - STEP)) / (2 * STEP))
    return [float(x) for x in results], [[float(x) for x in g] if g else None for g in gradients]


def tensor(rows):
    return {'shape': [len(rows), len(rows[0])], 'data': [x for row in rows for x in row]}


def main():
    rng, lines = random.Random(1), []
    for loss, of, activation, makers, choices, scales in CASES:
        for options in choices:
            for scale in scales:
                n, c = rng.choice([(1, 4), (2, 3), (3, 9), (2, 1)] if makers[0] is not one_hot else [(1, 4), (2, 3), (3, 9)])
                arrays = [[[single(x) for x in make(rng, c, scale)] for _ in range(n)] for make in makers]
                losses, gradients = solve(of, activation, arrays, options, labels=makers[0] is not normal)
                name = f'{len(lines)}-{loss}-{activation}-{scale:g}'
                lines.append({'id': name, 'loss': loss, 'options': options, 'activation': activation,
                              'arrays': [tensor(a) for a in arrays], 'losses': losses, 'gradients': gradients})
    text = '\n'.join(json.dumps(line, separators=(',', ':'), allow_nan=False) for line in lines)
    Path(__file__).with_name('formula-losses.jsonl').write_text(text + '\n')
    print(len(lines), 'cases')


if __name__ == '__main__':
    main()
