"""Writes cases of one extreme value at a time, in the files of generate.py: losses.jsonl, activations.jsonl.

    python extremes.py --out FOLDER [--seed N] [--every K]

Every loss with every activation in both dtypes, and every activation alone: logits, labels, masks, weights and epsilon hold
denormals, zeros, the places where exp saturates, underflows or overflows, numbers whose square or cube overflows, the largest
finite ones, infinities and NaN. Each stands in a row of usual numbers, between rows that hold nothing else: whatever
leaks is seen there.

A scale of NaN: nothing is claimed of that result. Those are
- of a row whose output a = f(z), or whose dl/da, does not fit the dtype; whose a is denormal or 0 where its log is taken (but
  of sigmoid, softplus and softmax, whose logs have a closed form), or rounds to +-1 where 1 + a or the margin is;
- those whose scale comes near the dtype's largest number (a score's: float64's, float32's where a row is coupled; of softmax and
  cross entropy the sum of the row's weighted labels, which every slope has a share of, too), or is so large that the rounding
  of a alone exceeds 1 and the result; of F-measure every gradient, where that is so of the score they all hang on;
- of a row with an infinite label or a mask or weight that is not finite, and infinite or undefined ones (0 * Inf) of infinite logits.
"""
import argparse
import math
import random
from itertools import islice
from multiprocessing import Pool
from pathlib import Path

from mpmath import isinf, isnan, mp, mpf

import generate as g
import oracle as o
import scale

BIG = mpf(10)**1000  # stands for infinity in a function with a limit


def limit(f):
    """f, with its limit at the infinities, where a formula would be Inf * 0."""
    def g(x, **params):
        if not isinf(x):
            return f(x, **params)
        value = f(BIG if x > 0 else -BIG, **params)
        return o.sign(value) * o.INF if abs(value) > BIG**0.4 else o.ZERO if abs(value) < BIG**-0.4 else value
    return g


def exp(x):
    """Where its own exponent would have more digits than there is memory for, it is 0 or infinite in any dtype."""
    return o.ZERO if x < -BIG else o.INF if x > BIG else mp.exp(x)


o.exp = exp
o.ACTIVATIONS = {name: pair and tuple(map(limit, pair)) for name, pair in o.ACTIVATIONS.items()}


# --- Values -----------------------------------------------------------------------------------------------------------
LIMITS = {'float32': (2.0**-149, 2.0**-126, 2.0**127 * (2 - 2.0**-23), 2.0**-24),
          'float64': (2.0**-1074, 2.0**-1022, 2.0**1023 * (2 - 2.0**-52), 2.0**-53)}  # denormal, normal, largest, eps


def finite_values(rng, dtype):
    smallest, normal, largest, _ = LIMITS[dtype]
    saturating = [20.0, 88.0, 104.0, 745.0, 1e4]
    return [0.0, -0.0] + g.signed([smallest, smallest * rng.randrange(2, 10**6), normal, 1e-30, largest**0.1 * rng.uniform(0.5, 1)]
                                  + [x * rng.uniform(0.95, 1.02) for x in saturating])


def huge_values(rng, dtype):
    _, _, largest, _ = LIMITS[dtype]
    root, cube = largest**0.5, largest**(1 / 3)
    return g.signed([largest, largest / 4, root, root * rng.uniform(0.3, 0.9), cube, cube * rng.uniform(0.3, 0.9)])


def values_of(rng, dtype):
    return {'finite': finite_values(rng, dtype), 'huge': huge_values(rng, dtype), 'not-finite': [math.inf, -math.inf, math.nan]}


def spoilt(rng, usual, values, width):
    """Usual rows, every second with one value instead, in a column that moves."""
    rows = [list(row) for row in usual]
    for i, value in enumerate(values):
        rows[2 * i + 1][(i + rng.randrange(2)) % width] = value
    return rows


# --- Cases ------------------------------------------------------------------------------------------------------------
def loss_case(rng, loss, activation, dtype, where, values, name):
    c = rng.choice([1, 2]) if loss == 'LossFMeasure' else rng.choice([3, 6]) if loss == 'LossMixtureDensity' else rng.choice([2, 3, 5])
    if where == 'weights':
        c = len(values)
    n = 3 if where == 'weights' else 2 * len(values) + 1
    params = g.activation_params(rng, activation, c) if activation == 'PRELU' else {}
    options = {'mixtures': c // 3, 'labelWidth': 1} if loss == 'LossMixtureDensity' else g.loss_options(rng, loss, c)
    labels, z = g.sample(rng, loss, activation, n, c, params)
    if loss == 'LossMixtureDensity':
        labels = [[rng.gauss(0, 1)] for _ in range(n)]
    mask = weights = None
    if where == 'preOutput':
        z = spoilt(rng, z, values, c)
    elif where == 'labels':
        labels = spoilt(rng, labels, values, len(labels[0]))
    elif where == 'mask':
        width = 1 if loss in g.PER_EXAMPLE_MASK else rng.choice([1, c])
        mask = spoilt(rng, [[1.0] * width for _ in range(n)], values, width)
    else:
        weights = values
    return g.case(loss, activation, dtype, labels, z, f'{where}-{name}', options, params, weights, mask)


def loss_cases(seed):
    rng = random.Random(seed)
    for loss in o.LOSSES:
        for activation in o.ACTIVATIONS:
            for dtype in g.DTYPES:
                for where in ('preOutput', 'labels', 'mask', 'weights'):
                    if where == 'labels' and loss == 'LossSparseMCXENT' or where == 'weights' and loss not in g.WEIGHTED:
                        continue
                    for name, values in values_of(rng, dtype).items():
                        yield loss_case(rng, loss, activation, dtype, where, values, name)


CLOSED_FORM = {'SIGMOID', 'SOFTPLUS', 'SOFTMAX'}
slopes = []  # the u of each row that evaluate() sent back through the activation
backprop = o.backprop


def recorded(activation, params, z, u):
    slopes.append(u)
    return backprop(activation, params, z, u)


o.backprop = recorded


def any_of(predicate, *lists):
    return any(predicate(x) for values in lists for x in values)


def rows_without_claim(spec):
    """For each row: is nothing claimed of it? After evaluate()."""
    loss, activation = spec['loss'], spec['activation']
    _, normal, largest, eps = LIMITS[spec['dtype']]
    takes_log = loss in g.LOG_LOSSES and activation not in CLOSED_FORM
    meets_one = activation not in scale.COPIES and (loss == 'LossMSLE' or loss.endswith('Hinge') and activation == 'ELU')
    labels = [[]] * len(spec['labels']) if loss == 'LossSparseMCXENT' else spec['labels']
    shares = activation == 'SOFTMAX' and loss in o.SOFTMAX_CROSS_ENTROPY
    masks = spec['mask'] or [[]] * len(labels)
    for i, z in enumerate(o.exact(spec['pre_output'])):
        a, _ = o.forward(activation, spec['activation_params'], z)
        yield any_of(isinf, labels[i]) or not all(map(math.isfinite, masks[i] + (spec['weights'] or []))) \
            or any_of(lambda x: abs(x) > largest, a, *slopes[i:i + 1]) \
            or shares and sum(abs(y * w) for y, w in zip(labels[i], spec['weights'] or [1.0] * len(z))) > largest / 64 \
            or takes_log and any(abs(x) < normal for x in a) or meets_one and any(abs(1 - abs(x)) < 4 * eps for x in a)


def claim(result, size, dtype, infinite):
    """The scale, or NaN where nothing is claimed; of infinite inputs only that finite results are finite."""
    _, _, largest, eps = LIMITS[dtype]
    if isinstance(result, str):
        return 'NaN' if infinite or size > largest / 64 else size
    return size if max(size, abs(result)) <= largest / 64 and eps * size < max(1, abs(result)) else 'NaN'


def solve(spec):
    slopes.clear()
    case = g.solve(spec)
    case['weights'] = case['weights'] and [g.number(x) for x in case['weights']]
    nothing = list(rows_without_claim(spec))
    infinite = [any_of(isinf, row) and not any_of(isnan, row) for row in spec['pre_output']]
    if spec['loss'] == 'LossFMeasure':  # one result of all rows
        unknown = claim(case['score'], case['scoreScale'], 'float64', any(infinite)) == 'NaN'
        nothing, infinite = [unknown or any(nothing)] * len(nothing), [any(infinite)] * len(nothing)

    def claims(results, scales):
        width = len(results) // len(nothing)
        return ['NaN' if nothing[i // width] else claim(result, size, spec['dtype'], infinite[i // width])
                for i, (result, size) in enumerate(zip(results, scales))]
    case['gradientScale'] = claims(case['gradient'], case['gradientScale'])
    if case['scoreArray'] is not None:
        case['scoreArrayScale'] = claims(case['scoreArray'], case['scoreArrayScale'])
    of_score = spec['dtype'] if spec['activation'] == 'SOFTMAX' or spec['loss'] in o.ROWWISE else 'float64'
    case['scoreScale'] = 'NaN' if any(nothing) else claim(case['score'], case['scoreScale'], of_score, any(infinite))
    return case


def activation_cases(seed):
    rng = random.Random(seed)
    for activation in o.ACTIVATIONS:
        for params in g.VARIANTS.get(activation, [{}]):
            for dtype in g.DTYPES:
                for name, values in values_of(rng, dtype).items():
                    for where in ('in', 'epsilon'):
                        c, n = rng.choice([2, 3, 5, 17]), 2 * len(values) + 1
                        z, epsilon = ([[rng.gauss(0, 1) for _ in range(c)] for _ in range(n)] for _ in range(2))
                        z, epsilon = (spoilt(rng, z, values, c), epsilon) if where == 'in' else (z, spoilt(rng, epsilon, values, c))
                        own = {'alpha': [round(rng.uniform(-0.2, 0.5), 3) for _ in range(c)]} if params is None else params
                        cast = [[[g.as_dtype(v, dtype) for v in row] for row in rows] for rows in (z, epsilon)]
                        yield dict(name=f'{where}-{name}', activation=activation, params=own, dtype=dtype, z=cast[0], epsilon=cast[1])


def solve_activation(spec):
    case = g.solve_activation(spec)
    case.pop('parameterGradient', None)
    for field in ('forward', 'backprop'):
        case[field + 'Scale'] = [claim(r, size, spec['dtype'], 'not-finite' in spec['name'] and r != 'NaN')
                                 for r, size in zip(case[field], case[field + 'Scale'])]
    return case


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--every', type=int, default=1, help='only each K-th case')
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with Pool() as pool:
        g.write(args.out / 'activations.jsonl', islice(activation_cases(args.seed), 0, None, args.every), solve_activation, pool)
        g.write(args.out / 'losses.jsonl', islice(loss_cases(args.seed), 0, None, args.every), solve, pool)


if __name__ == '__main__':
    main()
