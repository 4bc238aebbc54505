"""Exact losses and activations: the formulas of docs/specification.md in 400-digit arithmetic.

Inputs are taken at their exact float32 or float64 value. 400 digits absorb every cancellation that a float64 result
could show, and exponents are unbounded, so each formula stands here in its textbook form and none needs a "stable" one.
Results are mpmath numbers; `to_float` rounds them to float64.
"""
from collections import namedtuple
from itertools import accumulate

from mpmath import exp, expm1, isinf, isnan, log, log1p, mp, mpf, pi, sech, sqrt, tanh

mp.dps = 400
ZERO, ONE, INF, NAN = mpf(0), mpf(1), mpf('inf'), mpf('nan')


# --- IEEE conventions ------------------------------------------------------------------------------------------------
def sign(x):
    return x if isnan(x) else mpf((x > 0) - (x < 0))


def div(x, y):
    """x / y; x / 0 is +-Inf by the sign of x, 0 / 0 is NaN."""
    return sign(x) * INF if y == 0 else x / y


def ln(x):
    return -INF if x == 0 else log(x) if x > 0 else NAN


def absent(y, a):
    """A label of 0 removes its log term, whatever a is (but NaN), as xlogy does."""
    return y == 0 and not isnan(a)


def xlogy(y, a):
    return ZERO if absent(y, a) else y * ln(a)


def xdivy(y, a):
    return ZERO if absent(y, a) else div(y, a)


def clamp(x, low, high):
    return low if x < low else high if x > high else x


def positive(x):
    """max(0, x), NaN kept."""
    return ZERO if x <= 0 else x


def where(x, condition, yes, no):
    return x if isnan(x) else yes if condition else no


def others(values):
    """For each k, the sum of all values but the k-th, without subtracting."""
    before = [ZERO, *accumulate(values)]
    after = [*accumulate(reversed(values))][::-1] + [ZERO]
    return [before[k] + after[k + 1] for k in range(len(values))]


def to_float(x):
    """The float64 nearest to x (ties to even, gradual underflow, overflow to Infinity)."""
    if isnan(x) or isinf(x) or x == 0:
        return float(x)
    negative, mantissa, exponent, bits = x._mpf_
    magnitude = exponent + bits
    if magnitude > 1024:
        value = float('inf')
    elif magnitude < -1076:
        value = 0.0
    elif exponent >= 0:
        try:
            value = float(int(mantissa) << exponent)
        except OverflowError:
            value = float('inf')
    else:
        try:
            value = int(mantissa) / (1 << -exponent)
        except OverflowError:
            value = float('inf')
    return -value if negative else value


# --- Activations: name -> (f, f') -------------------------------------------------------------------------------------
def sigmoid(z):
    return 1 / (1 + exp(-z))


def softplus(z):
    return log1p(exp(z))


def gelu_exponent(z, precise):
    """GELU is z sigmoid(v): v and dv/dz. 0.5 (1 + tanh u) = sigmoid(2 u)."""
    if not precise:
        return mpf('1.702') * z, mpf('1.702')
    root, cubic = 2 * sqrt(2 / pi), mpf('0.044715')
    return root * (z + cubic * z**3), root * (1 + 3 * cubic * z**2)


def gelu(z, precise=False):
    return z * sigmoid(gelu_exponent(z, precise)[0])


def gelu_slope(z, precise=False):
    v, dv = gelu_exponent(z, precise)
    return sigmoid(v) + z * dv * sigmoid(v) * sigmoid(-v)


def rational_parts(z):
    x = abs(2 * z / 3)
    return 1 + x + x**2 + mpf('1.41645') * x**4, 1 + 2 * x + 4 * mpf('1.41645') * x**3


def rational_tanh(z):
    return mpf('1.7159') * sign(z) * (1 - 1 / rational_parts(z)[0])


def rational_tanh_slope(z):
    d, slope = rational_parts(z)
    return mpf('1.7159') * 2 / 3 * slope / d**2


def relu(z, max=INF, threshold=0, negativeSlope=0):
    return min(z, mpf(max)) if z >= threshold else negativeSlope * (z - threshold)


def relu_slope(z, max=INF, threshold=0, negativeSlope=0):
    if z == 0 and threshold == 0 and negativeSlope == 0:
        return ZERO  # the plain ReLU's kink; with options the slope there is that of the upper side
    return mpf(negativeSlope) if z < threshold else ONE if z < max else ZERO


def rrelu(z, l=1 / 8, u=1 / 3, seed=0, slope=None):
    """Inference takes the mean slope; training passes the slope that was drawn."""
    return z if z >= 0 else z * ((mpf(l) + mpf(u)) / 2 if slope is None else slope)


def rrelu_slope(z, l=1 / 8, u=1 / 3, seed=0, slope=None):
    return ONE if z >= 0 else (mpf(l) + mpf(u)) / 2 if slope is None else mpf(slope)


SELU_ALPHA, SELU_LAMBDA = mpf('1.6732632423543772'), mpf('1.0507009873554805')

ACTIVATIONS = {
    'CUBE': (lambda z: z**3, lambda z: 3 * z**2),
    'ELU': (lambda z, alpha=1: z if z >= 0 else alpha * expm1(z), lambda z, alpha=1: ONE if z >= 0 else alpha * exp(z)),
    'GELU': (gelu, gelu_slope),
    'HARDSIGMOID': (lambda z: clamp(z / 5 + mpf(1) / 2, ZERO, ONE), lambda z: mpf(1) / 5 if abs(z) <= 2.5 else ZERO),
    'HARDTANH': (lambda z: clamp(z, -ONE, ONE), lambda z: ONE if abs(z) <= 1 else ZERO),
    'IDENTITY': (lambda z: z, lambda z: ONE),
    'LEAKYRELU': (lambda z, alpha=0.01: z if z >= 0 else alpha * z, lambda z, alpha=0.01: ONE if z >= 0 else mpf(alpha)),
    'MISH': (lambda z: z * tanh(softplus(z)), lambda z: tanh(softplus(z)) + z * sech(softplus(z))**2 * sigmoid(z)),
    'PRELU': (lambda z, alpha: z if z >= 0 else alpha * z, lambda z, alpha: ONE if z >= 0 else mpf(alpha)),
    'RATIONALTANH': (rational_tanh, rational_tanh_slope),
    'RECTIFIEDTANH': (lambda z: tanh(z) if z > 0 else ZERO, lambda z: sech(z)**2 if z > 0 else ZERO),
    'RELU': (relu, relu_slope),
    'RELU6': (lambda z: clamp(z, ZERO, mpf(6)), lambda z: ONE if 0 < z < 6 else ZERO),
    'RRELU': (rrelu, rrelu_slope),
    'SELU': (lambda z: SELU_LAMBDA * (z if z > 0 else SELU_ALPHA * expm1(z)),
             lambda z: SELU_LAMBDA * (ONE if z > 0 else SELU_ALPHA * exp(z))),
    'SIGMOID': (sigmoid, lambda z: sigmoid(z) * sigmoid(-z)),
    'SOFTMAX': None,  # couples a row: see softmax and backprop
    'SOFTPLUS': (softplus, sigmoid),
    'SOFTSIGN': (lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z))**2),
    'SWISH': (lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * sigmoid(-z))),
    'TANH': (tanh, lambda z: sech(z)**2),
    'THRESHOLDEDRELU': (lambda z, theta=1: z if z > theta else ZERO, lambda z, theta=1: ONE if z > theta else ZERO),
}


def softmax(z):
    """p and 1 - p of one row. -Infinity is a probability of 0; +Infinity makes the row NaN."""
    if any(isnan(x) or x == INF for x in z):
        return [NAN] * len(z), [NAN] * len(z)
    e = [exp(x) for x in z]
    total = sum(e)
    return [div(x, total) for x in e], [div(x, total) for x in others(e)]


def column(params, j):
    """The parameters of column j: PReLU's alpha and RReLU's drawn slopes are lists."""
    return {k: v[j] if isinstance(v, list) else v for k, v in params.items()}


def forward(activation, params, z):
    """a = f(z) and 1 - a for one row z."""
    if activation == 'SOFTMAX':
        return softmax(z)
    f = ACTIVATIONS[activation][0]
    a = [x if isnan(x) else f(x, **column(params, j)) for j, x in enumerate(z)]
    return a, [sigmoid(-x) for x in z] if activation == 'SIGMOID' else [1 - x for x in a]


def backprop(activation, params, z, u):
    """dL/dz from u = dL/da for one row z."""
    if activation == 'SOFTMAX':
        p, _ = softmax(z)
        c = range(len(z))
        return [p[k] * sum((p[j] * (u[k] - u[j]) for j in c if j != k), ZERO) for k in c]
    df = ACTIVATIONS[activation][1]
    return [x if isnan(x) else v * df(x, **column(params, j)) for j, (x, v) in enumerate(zip(z, u))]


def prelu_parameter_gradient(z, u):
    """dL/dalpha: for each column, the sum over the rows of u z where z < 0."""
    return [sum((v * x for x, v in zip(zs, us) if x < 0), ZERO) for zs, us in zip(zip(*z), zip(*u))]


# --- Elementwise losses: name -> (l, dl/da), each of the label y, the output a and b = 1 - a --------------------------
KLD_EPS = mpf(1e-5)


def probability(x):
    return clamp(x, KLD_EPS, ONE)


CROSS_ENTROPY = (lambda y, a, b: -xlogy(y, a), lambda y, a, b: -xdivy(y, a))
SQUARED = (lambda y, a, b: (y - a)**2, lambda y, a, b: 2 * (a - y))
ABSOLUTE = (lambda y, a, b: abs(y - a), lambda y, a, b: sign(a - y))

ELEMENTWISE = {
    'LossMCXENT': CROSS_ENTROPY,
    'LossSparseMCXENT': CROSS_ENTROPY,
    'LossNegativeLogLikelihood': CROSS_ENTROPY,
    'LossBinaryXENT': (lambda y, a, b: -xlogy(y, a) - xlogy(1 - y, b), lambda y, a, b: xdivy(1 - y, b) - xdivy(y, a)),
    'LossHinge': (lambda y, a, b: positive(1 - y * a), lambda y, a, b: where(y * a, y * a < 1, -y, ZERO)),
    'LossSquaredHinge': (lambda y, a, b: positive(1 - y * a)**2, lambda y, a, b: -2 * y * positive(1 - y * a)),
    'LossMSE': SQUARED,
    'LossL2': SQUARED,
    'LossMAE': ABSOLUTE,
    'LossL1': ABSOLUTE,
    'LossMSLE': (lambda y, a, b: ln(div(a + 1, y + 1))**2, lambda y, a, b: div(2 * ln(div(a + 1, y + 1)), a + 1)),
    'LossMAPE': (lambda y, a, b: 100 * abs(div(y - a, y)), lambda y, a, b: 100 * div(sign(a - y), abs(y))),
    'LossPoisson': (lambda y, a, b: a - xlogy(y, a), lambda y, a, b: 1 - xdivy(y, a)),
    'LossKLD': (lambda y, a, b: probability(y) * ln(probability(y) / probability(a)), lambda y, a, b: -xdivy(y, a)),
    'LossWasserstein': (lambda y, a, b: y * a, lambda y, a, b: y),
}
MEAN_OVER_COLUMNS = {'LossMSE', 'LossMAE', 'LossMSLE', 'LossMAPE', 'LossWasserstein'}
SOFTMAX_CROSS_ENTROPY = {'LossMCXENT', 'LossSparseMCXENT', 'LossNegativeLogLikelihood'}


# --- Losses that couple a row: (y, a, options) -> score, [dscore/da] --------------------------------------------------
def dot(x, y):
    return sum((p * q for p, q in zip(x, y)), ZERO)


def cosine_proximity(y, a, options):
    e = mpf(1e-5)
    product, square = dot(y, a), dot(a, a)
    scale = max(sqrt(dot(y, y)), e) * max(sqrt(square), e)
    pull = product / square if sqrt(square) >= e else ZERO  # below e the norm is a constant
    return -product / scale, [-(q - p * pull) / scale for p, q in zip(a, y)]


def multi_label(y, a, options):
    pairs = sum(q == 1 for q in y) * sum(q != 1 for q in y)
    if pairs == 0:
        return ZERO, [ZERO] * len(y)
    rise = sum(exp(p) for p, q in zip(a, y) if q != 1)
    fall = sum(exp(-p) for p, q in zip(a, y) if q == 1)
    return rise * fall / pairs, [(-rise * exp(-p) if q == 1 else fall * exp(p)) / pairs for p, q in zip(a, y)]


def mixture_density(y, a, options):
    k, d = int(options['mixtures']), len(y)
    alpha, _ = softmax(a[:k])
    log_sigma, mu = a[k:2 * k], [a[2 * k + i * d:2 * k + (i + 1) * d] for i in range(k)]
    squares = [sum((q - m)**2 for q, m in zip(y, row)) * exp(-2 * s) for row, s in zip(mu, log_sigma)]
    logs = [ln(p) - mpf(d) / 2 * log(2 * pi) - d * s - q / 2 for p, s, q in zip(alpha, log_sigma, squares)]
    top = max(logs)
    share, _ = softmax([x - top for x in logs])
    score = -top - log(sum(exp(x - top) for x in logs))
    return score, [p - r for p, r in zip(alpha, share)] \
        + [-r * (q - d) for r, q in zip(share, squares)] \
        + [-r * (q - m) * exp(-2 * s) for r, s, row in zip(share, log_sigma, mu) for q, m in zip(y, row)]


ROWWISE = {
    'LossCosineProximity': cosine_proximity,
    'LossMultiLabel': multi_label,
    'LossMixtureDensity': mixture_density,
}
LOSSES = [*ELEMENTWISE, *ROWWISE, 'LossFMeasure']


# --- The interface ----------------------------------------------------------------------------------------------------
Result = namedtuple('Result', 'score score_average score_array gradient')


def exact(rows):
    return [[mpf(x) for x in row] for row in rows]


def spread(mask, n, c):
    """A mask as an [n, c] matrix: none, per example, or per output."""
    if mask is None:
        return [[ONE] * c for _ in range(n)]
    rows = [row if isinstance(row, list) else [row] for row in mask]
    return exact(row * c if len(row) == 1 else row for row in rows)


def one_hot(labels, mask, c, ignore):
    """Integer labels as one-hot rows; the ignored ones are masked out."""
    flat = [row[0] if isinstance(row, list) else row for row in labels]
    return ([[mpf(j == k) for j in range(c)] for k in flat],
            [[ZERO] * c if k == ignore else row for k, row in zip(flat, mask)])


def masked(m, value):
    """A mask of 0 selects: not even NaN gets through. Any other value multiplies."""
    return ZERO if m == 0 else m * value


def evaluate(loss, labels, pre_output, activation='IDENTITY', activation_params=None, loss_params=None, weights=None, mask=None):
    """Score, average score, score per row and dL/dz of the sum, for [n, c] nested lists of floats."""
    options, params = loss_params or {}, activation_params or {}
    z = exact(pre_output)
    n, c = len(z), len(z[0])
    m = spread(mask, n, c)
    if loss == 'LossSparseMCXENT':
        y, m = one_hot(labels, m, c, options.get('ignoreIndex'))
    else:
        y = exact(labels)
    if loss == 'LossFMeasure':
        return f_measure(y, z, m, activation, params, mpf(options.get('beta', 1)))

    w = [mpf(x) for x in weights] if weights else [ONE] * c
    row_result = row_coupled if loss in ROWWISE else softmax_cross_entropy \
        if loss in SOFTMAX_CROSS_ENTROPY and activation == 'SOFTMAX' else elementwise
    rows = [row_result(loss, *row, w, activation, params, options) for row in zip(y, z, m)]
    scores = [score for score, _ in rows]
    total = sum(scores)
    gradient = [[ZERO] * c if not any(ms) else [ZERO if x == 0 and activation != 'SOFTMAX' else g for x, g in zip(ms, gs)]
                for ms, (_, gs) in zip(m, rows)]
    return Result(total, total / n, scores, gradient)


def elementwise(loss, y, z, m, w, activation, params, options):
    l, dl = ELEMENTWISE[loss]
    a, b = forward(activation, params, z)
    if loss == 'LossBinaryXENT':
        e = mpf(options.get('clipEps', 1e-5))
        a, b = [clamp(x, e, 1 - e) for x in a], [clamp(x, e, 1 - e) for x in b]
    score_terms = [l(*args) for args in zip(y, a, b)]
    divisor = len(z) if loss in MEAN_OVER_COLUMNS else 1
    score = sum(masked(x, v * t) for x, v, t in zip(m, w, score_terms)) / divisor
    u = [masked(x, v * dl(*args)) / divisor for x, v, *args in zip(m, w, y, a, b)]
    return score, backprop(activation, params, z, u)


def softmax_cross_entropy(loss, y, z, m, w, activation, params, options):
    e = mpf(options.get('softmaxClipEps', 1e-10))
    p, rest = softmax(z)
    t = [masked(x, v * q) for x, v, q in zip(m, w, y)]
    log_p = [clamp(ln(x), ln(e), ln(1 - e)) for x in p]
    score = -sum((ZERO if absent(q, x) else masked(s, v * q * x) for s, v, q, x in zip(m, w, y, log_p)), ZERO)
    return score, [p_k * t_rest - t_k * p_rest for p_k, p_rest, t_k, t_rest in zip(p, rest, t, others(t))]


def row_coupled(loss, y, z, m, w, activation, params, options):
    a, _ = forward(activation, params, z)
    score, u = ROWWISE[loss](y, a, options)
    if any(isnan(v) for v in y + a):
        score, u = NAN, [NAN] * len(z)
    return masked(m[0], score), backprop(activation, params, z, [masked(m[0], v) for v in u])


def f_measure(y, z, m, activation, params, beta):
    """1 - F over the whole batch; p and y are the last of 1 or 2 columns, column 0 of two is not read."""
    outputs = [forward(activation, params, row)[0] for row in z]
    p, q, m = [row[-1] for row in outputs], [row[-1] for row in y], [row[0] for row in m]
    tp = sum(masked(x, s * t) for x, s, t in zip(m, q, p))
    fp = sum(masked(x, (1 - s) * t) for x, s, t in zip(m, q, p))
    fn = sum(masked(x, s * (1 - t)) for x, s, t in zip(m, q, p))
    numerator = (1 + beta**2) * tp
    denominator = numerator + beta**2 * fn + fp
    if numerator == 0 and denominator == 0:
        return Result(ZERO, ZERO, None, [[ZERO] * len(row) for row in z])
    score = 1 - div(numerator, denominator)
    u = [masked(x, -((1 + beta**2) * div(s, denominator) - div(numerator, denominator**2))) for x, s in zip(m, q)]
    gradient = [backprop(activation, params, row, [ZERO] * (len(row) - 1) + [v]) if x != 0 else [ZERO] * len(row)
                for row, v, x in zip(z, u, m)]
    return Result(score, score, None, gradient)


# --- SameDiff losses --------------------------------------------------------------------------------------------------
def huber(y, p, delta=1.0):
    e, delta = abs(p - y), mpf(delta)
    return e**2 / 2 if e <= delta else delta * (e - delta / 2)


def huber_slope(y, p, delta=1.0):
    return clamp(p - y, -mpf(delta), mpf(delta))


def log_loss(y, p, epsilon=1e-7):
    return -xlogy(y, p + mpf(epsilon)) - xlogy(1 - y, 1 + mpf(epsilon) - p)


def log_loss_slope(y, p, epsilon=1e-7):
    return xdivy(1 - y, 1 + mpf(epsilon) - p) - xdivy(y, p + mpf(epsilon))


def log_poisson(y, p, full=False):
    stirling = xlogy(y, y) - y + ln(2 * pi * y) / 2 if full and y != 0 else ZERO
    return exp(p) - y * p + stirling


def smooth(y, s, classes):
    return (1 - mpf(s)) * y + mpf(s) / classes


def sigmoid_cross_entropy(y, p, labelSmoothing=0):
    return softplus(p) - smooth(y, labelSmoothing, 2) * p


SAMEDIFF_ELEMENTWISE = {
    'absoluteDifference': (lambda y, p: abs(p - y), lambda y, p: sign(p - y)),
    'hingeLoss': (lambda y, p: positive(1 - (2 * y - 1) * p), lambda y, p: 1 - 2 * y if (2 * y - 1) * p < 1 else ZERO),
    'huberLoss': (huber, huber_slope),
    'logLoss': (log_loss, log_loss_slope),
    'logPoisson': (log_poisson, lambda y, p, full=False: exp(p) - y),
    'meanSquaredError': (lambda y, p: (p - y)**2, lambda y, p: 2 * (p - y)),
    'sigmoidCrossEntropy': (sigmoid_cross_entropy, lambda y, p, labelSmoothing=0: sigmoid(p) - smooth(y, labelSmoothing, 2)),
}


def cosine_distance(y, p):
    return 1 - dot(y, p), [-q for q in y]


def mean_pairwise_squared_error(y, p):
    """The mean of (d_i - d_j)^2 over the pairs i < j, d = p - y; 0 for a single column."""
    c, d = len(y), [b - a for a, b in zip(y, p)]
    scale = mpf(2) / (c * (c - 1)) if c > 1 else ZERO
    return scale * (c * dot(d, d) - sum(d)**2), [2 * scale * (c * x - sum(d)) for x in d]


def softmax_cross_entropy_row(y, p, labelSmoothing=0):
    t = [smooth(q, labelSmoothing, len(y)) for q in y]
    s, rest = softmax(p)
    return -sum(xlogy(q, x) for q, x in zip(t, s)), \
        [s_k * t_rest - t_k * s_rest for s_k, s_rest, t_k, t_rest in zip(s, rest, t, others(t))]


SAMEDIFF_ROWWISE = {
    'cosineDistance': cosine_distance,
    'meanPairwiseSquaredError': mean_pairwise_squared_error,
    'softmaxCrossEntropy': softmax_cross_entropy_row,
}


def samediff(loss, labels, predictions, weights=1, reduce='MEAN_BY_NONZERO_WEIGHT_COUNT', **options):
    """Output (rows for NONE, else a number) and gradient of its sum; weights: a number, [n, 1] or [n, c] rows."""
    y, p = exact(labels), exact(predictions)
    if loss in SAMEDIFF_ELEMENTWISE:
        l, dl = SAMEDIFF_ELEMENTWISE[loss]
        losses = [[l(a, b, **options) for a, b in zip(*row)] for row in zip(y, p)]
        slopes = [[dl(a, b, **options) for a, b in zip(*row)] for row in zip(y, p)]
    else:
        results = [SAMEDIFF_ROWWISE[loss](*row, **options) for row in zip(y, p)]
        losses, slopes = [[l] for l, _ in results], [s for _, s in results]
    n, c = len(y), len(losses[0])
    w = spread(weights if isinstance(weights, list) else [[weights]] * n, n, c)
    flat = [x for row in w for x in row]
    divisor = {'NONE': ONE, 'SUM': ONE, 'MEAN_BY_WEIGHT': sum(flat),
               'MEAN_BY_NONZERO_WEIGHT_COUNT': mpf(sum(x != 0 for x in flat))}[reduce]
    factor = 1 / divisor if divisor else ZERO
    weighted = [[a * b for a, b in zip(*row)] for row in zip(losses, w)]
    gradient = [[factor * v * s for v, s in zip(vs * (len(ss) // len(vs)), ss)] for vs, ss in zip(w, slopes)]
    return weighted if reduce == 'NONE' else factor * sum(x for row in weighted for x in row), gradient


def sparse_softmax_cross_entropy(labels, logits):
    c = len(logits[0])
    results = [softmax_cross_entropy_row([mpf(j == k) for j in range(c)], row) for k, row in zip(labels, exact(logits))]
    return [l for l, _ in results], [g for _, g in results]


def weighted_cross_entropy_with_logits(labels, logits, weights):
    """Elementwise; a weight (scalar or per column) multiplies the positive term."""
    y, z = exact(labels), exact(logits)
    w = exact([weights if isinstance(weights, list) else [weights] * len(z[0])])[0]
    output = [[v * q * softplus(-x) + (1 - q) * softplus(x) for q, x, v in zip(*row, w)] for row in zip(y, z)]
    return output, [[(1 - q) * sigmoid(x) - v * q * sigmoid(-x) for q, x, v in zip(*row, w)] for row in zip(y, z)]


def l2_loss(values):
    x = exact(values)
    return sum(v**2 for row in x for v in row) / 2, x


def ctc_loss(labels, logits, blank=0):
    """One example: labels [S], logits [T, C] -> -log P(labels | logits) and its gradient; no alignment: Infinity and 0."""
    p = [softmax(row)[0] for row in exact(logits)]
    path = [blank] + [x for k in labels for x in (k, blank)]
    times, states = range(len(p)), range(len(path))

    def before(s):
        """The states from which s can be reached in one step."""
        skip = s > 1 and path[s] != blank and path[s] != path[s - 2]
        return [r for r in (s, s - 1, s - 2 if skip else -1) if r >= 0]

    alpha = [[ONE if s < 2 else ZERO for s in states]]  # P(prefix before t, now in s)
    for t in times[1:]:
        alpha.append([sum(alpha[t - 1][r] * p[t - 1][path[r]] for r in before(s)) for s in states])
    beta = [[ONE if s >= len(path) - 2 else ZERO for s in states]]  # P(suffix after t | in s at t)
    for t in reversed(times[1:]):
        beta.append([sum(beta[-1][s] * p[t][path[s]] for s in states if r in before(s)) for r in states])
    beta.reverse()
    joint = [[alpha[t][s] * p[t][path[s]] * beta[t][s] for s in states] for t in times]
    total = sum(joint[0])
    if total == 0:
        return INF, [[ZERO] * len(row) for row in p]
    return -log(total), [[q - sum(joint[t][s] for s in states if path[s] == k) / total for k, q in enumerate(p[t])]
                         for t in times]
