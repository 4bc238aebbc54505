# SPDX-License-Identifier: Apache-2.0
"""One Python contender in a process of its own: `worker.py NAME THREADS`, one JSON request a line on stdin, its answer
on stdout, as suite/worker.ts. Names: numpy, torch, torch-compile, torch-compile-gv, torch-chunked, jax, ort."""
import ctypes
import gc
import json
import math
import os
import sys
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")
NAME, THREADS = sys.argv[1], int(sys.argv[2])
if NAME == "jax" and THREADS == 1 and hasattr(os, "sched_setaffinity"):
    # Its pool has no setting: one core is one thread.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def load(cell, folder):
    dtype, n, c, d = np.dtype(cell["dtype"]), cell["n"], cell["c"], cell["d"]
    shapes = {"z": (n, c), "y": (n, d if cell["task"] == "mdn" else c), "k": (n,), "x": (n, d), "w": (d, c), "b": (c,)}
    files = {name: f"{folder}/{name}.bin" for name in shapes}
    return {
        name: np.fromfile(file, np.int32 if name == "k" else dtype).reshape(shapes[name])
        for name, file in files.items()
        if os.path.exists(file)
    }


# Every maker returns (run, answer): run() is timed, answer(its result) gives (score, [gradients]); None where it has
# nothing to offer. What is compiled is kept by the cell's id; arrays are not, they would fill the memory.
compiled = {}


def once(key, make):
    if key not in compiled:
        compiled[key] = make()
    return compiled[key]


# --- NumPy: fused by hand as far as whole-array operations allow --------------------------------------------------


def numpy_losses(cell, a):
    c, d = cell["c"], cell["d"]
    z, y, k = a.get("z"), a.get("y"), a.get("k")
    dtype = np.dtype(cell["dtype"]).type

    def sparse(z):
        rows = np.arange(len(z))
        s = z - z.max(1, keepdims=True)
        e = np.exp(s)
        total = e.sum(1, keepdims=True)
        g = e / total
        g[rows, k] -= 1
        return (np.log(total)[:, 0] - s[rows, k]).sum(), g

    def ce():
        s = z - z.max(1, keepdims=True)
        e = np.exp(s)
        total = e.sum(1, keepdims=True)
        return -(y * (s - np.log(total))).sum(), e / total - y

    def bce():
        e = np.exp(-np.abs(z))
        return (np.maximum(z, 0) - z * y + np.log1p(e)).sum(), np.where(z >= 0, 1, e) / (1 + e) - y

    def mse():
        e = z - y
        return np.vdot(e, e) / c, e * dtype(2 / c)

    def l1():
        e = z - y
        return np.abs(e).sum(), np.sign(e)

    def huber():
        e = z - y
        size = np.abs(e)
        q = np.minimum(size, 1)
        return (0.5 * q * q + (size - q)).sum(), np.clip(e, -1, 1)

    def l2sig():
        s = 1 / (1 + np.exp(-z))
        e = s - y
        return np.vdot(e, e), 2 * e * s * (1 - s)

    def maetanh():
        t = np.tanh(z)
        e = t - y
        return np.abs(e).sum() / c, np.sign(e) * (1 - t * t) / dtype(c)

    def poisson():
        s = np.logaddexp(z, 0)
        return (s - y * np.log(s)).sum(), (1 - y / s) / (1 + np.exp(-z))

    def kld():
        s = z - z.max(1, keepdims=True)
        e = np.exp(s)
        total = e.sum(1, keepdims=True)
        return (y * (np.log(y) - s + np.log(total))).sum(), e / total - y

    def hinge():
        t = np.tanh(z)
        m = 1 - y * t
        return np.maximum(m, 0).sum(), np.where(m > 0, -y, 0) * (1 - t * t)

    def cosine():
        ny, nz = np.linalg.norm(y, axis=1, keepdims=True), np.linalg.norm(z, axis=1, keepdims=True)
        cos = (y * z).sum(1, keepdims=True) / (ny * nz)
        return -cos.sum(), (cos * z / nz - y / ny) / nz

    def multilabel():
        e = np.exp(np.where(y == 1, -z, z))
        low, high = (e * y).sum(1, keepdims=True), (e * (1 - y)).sum(1, keepdims=True)
        count = y.sum(1, keepdims=True)
        share = 1 / (count * (c - count))
        return (low * high * share).sum(), e * np.where(y == 1, -high, low) * share

    def mdn():
        m = c // (d + 2)
        alpha, sigma, mu = z[:, :m], z[:, m : 2 * m], z[:, 2 * m :].reshape(-1, m, d)
        top = alpha.max(1, keepdims=True)
        log_alpha = alpha - top - np.log(np.exp(alpha - top).sum(1, keepdims=True))
        e = mu - y[:, None, :]
        precision = np.exp(-2 * sigma)
        distance = (e * e).sum(2) * precision
        terms = log_alpha - d * sigma - dtype(0.5 * d * math.log(2 * math.pi)) - distance / 2
        top = terms.max(1, keepdims=True)
        total = top + np.log(np.exp(terms - top).sum(1, keepdims=True))
        share = np.exp(terms - total)
        slopes = np.exp(log_alpha) - share, share * (d - distance), (share * precision)[:, :, None] * e
        return -total.sum(), np.concatenate([slope.reshape(len(z), -1) for slope in slopes], 1)

    def linear():
        x, w = a["x"], a["w"]
        score, g = sparse(x @ w + a["b"])
        return score, g @ w.T, x.T @ g, g.sum(0)

    return {**locals(), "sce": lambda: sparse(z)}


def make_numpy(cell, a):
    if cell["task"].startswith("matmul"):
        out = np.empty(size(cell), cell["dtype"])
        return product(cell, lambda p, q: np.matmul(p, q, out=out), a, lambda r: r)
    return numpy_losses(cell, a)[cell["task"]], lambda r: (float(r[0]), r[1:])


def size(cell):
    n, c, d = cell["n"], cell["c"], cell["d"]
    return {"matmul": (n, c), "matmul-tn": (d, c), "matmul-nt": (n, d)}[cell["task"]]


def product(cell, multiply, a, read):
    p, q = {"matmul": ("x", "w"), "matmul-tn": ("x", "y"), "matmul-nt": ("y", "w")}[cell["task"]]
    p, q = a[p], a[q]
    p, q = (p.T if cell["task"] == "matmul-tn" else p), (q.T if cell["task"] == "matmul-nt" else q)
    return lambda: multiply(p, q), lambda r: (None, [read(r)])


# --- PyTorch ------------------------------------------------------------------------------------------------------


def torch_loss(cell):
    import torch
    import torch.nn.functional as F

    c, d = cell["c"], cell["d"]

    def multilabel(z, y):
        count = y.sum(1)
        return ((torch.exp(-z) * y).sum(1) * (torch.exp(z) * (1 - y)).sum(1) / (count * (c - count))).sum()

    def mdn(z, y):
        m = c // (d + 2)
        alpha, sigma, mu = z[:, :m], z[:, m : 2 * m], z[:, 2 * m :].reshape(-1, m, d)
        distance = ((y[:, None, :] - mu) ** 2).sum(2) * torch.exp(-2 * sigma)
        terms = torch.log_softmax(alpha, 1) - d * sigma - 0.5 * d * math.log(2 * math.pi) - 0.5 * distance
        return -torch.logsumexp(terms, 1).sum()

    return {
        "ce": lambda z, y: F.cross_entropy(z, y, reduction="sum"),
        "sce": lambda z, y: F.cross_entropy(z, y, reduction="sum"),
        "bce": lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction="sum"),
        "mse": lambda z, y: F.mse_loss(z, y, reduction="sum") / c,
        "l1": lambda z, y: F.l1_loss(z, y, reduction="sum"),
        "huber": lambda z, y: F.huber_loss(z, y, reduction="sum"),
        "l2sig": lambda z, y: F.mse_loss(torch.sigmoid(z), y, reduction="sum"),
        "maetanh": lambda z, y: F.l1_loss(torch.tanh(z), y, reduction="sum") / c,
        "poisson": lambda z, y: F.poisson_nll_loss(F.softplus(z), y, log_input=False, reduction="sum"),
        "kld": lambda z, y: F.kl_div(F.log_softmax(z, 1), y, reduction="sum"),
        "hinge": lambda z, y: torch.clamp(1 - y * torch.tanh(z), min=0).sum(),
        "cosine": lambda z, y: -F.cosine_similarity(z, y, dim=1).sum(),
        "multilabel": multilabel,
        "mdn": mdn,
    }[cell["task"]]


def make_torch(cell, a):
    import torch
    import torch.nn.functional as F

    tensors = {name: torch.from_numpy(array) for name, array in a.items()}
    labels = tensors["k"].long() if "k" in tensors else tensors.get("y")
    if cell["task"].startswith("matmul"):
        out = torch.empty(size(cell), dtype=tensors["x"].dtype)
        if NAME != "torch":
            return None
        return product(cell, lambda p, q: torch.mm(p, q, out=out), tensors, lambda r: r.numpy())
    if cell["task"] == "linear":
        # nn.Linear's layout.
        variables = [tensors["x"], tensors["w"].t().contiguous(), tensors["b"]]
        loss = lambda x, w, b, y: F.cross_entropy(F.linear(x, w, b), y, reduction="sum")
        if NAME == "torch-chunked":
            options = torch.nn.LinearCrossEntropyOptions()
            loss = lambda x, w, b, y: F.linear_cross_entropy(x, w, y, linear_bias=b, reduction="sum", options=options)
        read = lambda g: [g[0].numpy(), g[1].numpy().T, g[2].numpy()]
    else:
        if NAME == "torch-chunked":
            return None
        variables, loss = [tensors["z"]], torch_loss(cell)
        read = lambda g: [g[0].numpy()]
    if NAME == "torch-compile-gv":
        # One graph: the fastest way that PyTorch has.
        argnums = tuple(range(len(variables)))
        f = once(cell["id"], lambda: torch.compile(torch.func.grad_and_value(loss, argnums), dynamic=False))

        def run():
            gradients, value = f(*variables, labels)
            return value.item(), gradients

        return run, lambda r: (r[0], read(r[1]))
    f = once(cell["id"], lambda: torch.compile(loss, dynamic=False)) if NAME == "torch-compile" else loss
    for variable in variables:
        variable.requires_grad_()

    def run():
        for variable in variables:
            variable.grad = None
        value = f(*variables, labels)
        value.backward()
        return value.item(), [variable.grad for variable in variables]

    return run, lambda r: (r[0], read(r[1]))


# --- JAX with optax -----------------------------------------------------------------------------------------------


def make_jax(cell, a):
    import jax
    import jax.numpy as jnp
    import optax

    c, d = cell["c"], cell["d"]
    jax.config.update("jax_enable_x64", cell["dtype"] == "float64")
    arrays = {name: jnp.asarray(array) for name, array in a.items()}
    labels = arrays.get("k", arrays.get("y"))
    if cell["task"].startswith("matmul"):
        # Transposes inside the function, where its compiler sees them.
        p, q = {"matmul": ("x", "w"), "matmul-tn": ("x", "y"), "matmul-nt": ("y", "w")}[cell["task"]]
        left, right = cell["task"] == "matmul-tn", cell["task"] == "matmul-nt"
        f = once(cell["id"], lambda: jax.jit(lambda p, q: (p.T if left else p) @ (q.T if right else q)))
        return lambda: jax.block_until_ready(f(arrays[p], arrays[q])), lambda r: (None, [np.asarray(r)])

    def mdn(z, y):
        m = c // (d + 2)
        alpha, sigma, mu = z[:, :m], z[:, m : 2 * m], z[:, 2 * m :].reshape(-1, m, d)
        distance = ((y[:, None, :] - mu) ** 2).sum(2) * jnp.exp(-2 * sigma)
        terms = jax.nn.log_softmax(alpha) - d * sigma - 0.5 * d * math.log(2 * math.pi) - 0.5 * distance
        return -jax.nn.logsumexp(terms, axis=1).sum()

    def poisson(z, y):
        s = jax.nn.softplus(z)
        return (s - y * jnp.log(s)).sum()

    def multilabel(z, y):
        count = y.sum(1)
        return ((jnp.exp(-z) * y).sum(1) * (jnp.exp(z) * (1 - y)).sum(1) / (count * (c - count))).sum()

    losses = {
        "ce": lambda z, y: optax.softmax_cross_entropy(z, y).sum(),
        "sce": lambda z, y: optax.softmax_cross_entropy_with_integer_labels(z, y).sum(),
        "bce": lambda z, y: optax.sigmoid_binary_cross_entropy(z, y).sum(),
        "mse": lambda z, y: optax.squared_error(z, y).sum() / c,
        "l1": lambda z, y: jnp.abs(z - y).sum(),
        "huber": lambda z, y: optax.huber_loss(z, y).sum(),
        "l2sig": lambda z, y: optax.squared_error(jax.nn.sigmoid(z), y).sum(),
        "maetanh": lambda z, y: jnp.abs(jnp.tanh(z) - y).sum() / c,
        "poisson": poisson,
        "kld": lambda z, y: optax.kl_divergence(jax.nn.log_softmax(z, 1), y).sum(),
        "hinge": lambda z, y: optax.hinge_loss(jnp.tanh(z), y).sum(),
        "cosine": lambda z, y: -optax.cosine_similarity(z, y, epsilon=1e-8).sum(),
        "multilabel": multilabel,
        "mdn": mdn,
        "linear": lambda x, w, b, y: optax.softmax_cross_entropy_with_integer_labels(x @ w + b, y).sum(),
    }
    variables = [arrays[name] for name in ("x", "w", "b")] if cell["task"] == "linear" else [arrays["z"]]
    argnums = tuple(range(len(variables)))
    f = once(cell["id"], lambda: jax.jit(jax.value_and_grad(losses[cell["task"]], argnums)))

    def run():
        value, gradients = f(*variables, labels)
        jax.block_until_ready(gradients)
        return float(value), gradients

    return run, lambda r: (r[0], [np.asarray(g) for g in r[1]])


# --- ONNX Runtime: score and gradient spelled out in ONNX operators, where written ------------------------------------


def onnx_model(cell):
    import onnx
    from onnx import TensorProto, helper

    n, c = cell["n"], cell["c"]
    dtype = TensorProto.FLOAT if cell["dtype"] == "float32" else TensorProto.DOUBLE
    constants, nodes = [], []
    inputs = [helper.make_tensor_value_info("z", dtype, [n, c])]

    def constant(name, value):
        constants.append(helper.make_tensor(name, dtype, [], [value]))
        return name

    def node(op, given, *results, **attributes):
        nodes.append(helper.make_node(op, given, list(results), **attributes))

    if cell["task"] == "sce":
        inputs.append(helper.make_tensor_value_info("k", TensorProto.INT64, [n]))
        constants.append(helper.make_tensor("minus", dtype, [n, 1], [-1.0] * n))
        constants.append(helper.make_tensor("column", TensorProto.INT64, [2], [n, 1]))
        node("SoftmaxCrossEntropyLoss", ["z", "k"], "score", "log", reduction="sum")
        node("Exp", ["log"], "p")
        node("Reshape", ["k", "column"], "indices")
        node("ScatterElements", ["p", "indices", "minus"], "gradient", axis=1, reduction="add")
    else:
        inputs.append(helper.make_tensor_value_info("y", dtype, [n, c]))
    if cell["task"] == "ce":
        node("LogSoftmax", ["z"], "log", axis=1)
        node("Mul", ["log", "y"], "product")
        node("ReduceSum", ["product"], "sum", keepdims=0)
        node("Neg", ["sum"], "score")
        node("Exp", ["log"], "p")
        node("Sub", ["p", "y"], "gradient")
    elif cell["task"] == "bce":
        node("Softplus", ["z"], "softplus")
        node("Mul", ["z", "y"], "product")
        node("Sub", ["softplus", "product"], "loss")
        node("ReduceSum", ["loss"], "score", keepdims=0)
        node("Sigmoid", ["z"], "a")
        node("Sub", ["a", "y"], "gradient")
    elif cell["task"] == "mse":
        node("Sub", ["z", "y"], "e")
        node("ReduceSumSquare", ["e"], "sum", keepdims=0)
        node("Mul", ["sum", constant("mean", 1 / c)], "score")
        node("Mul", ["e", constant("slope", 2 / c)], "gradient")
    elif cell["task"] == "l2sig":
        node("Sigmoid", ["z"], "a")
        node("Sub", ["a", "y"], "e")
        node("ReduceSumSquare", ["e"], "score", keepdims=0)
        node("Sub", [constant("one", 1.0), "a"], "rest")
        node("Mul", ["a", "rest"], "derivative")
        node("Mul", ["e", "derivative"], "half")
        node("Mul", ["half", constant("two", 2.0)], "gradient")
    elif cell["task"] != "sce":
        return None
    shapes = {"score": [], "gradient": [n, c]}
    outputs = [helper.make_tensor_value_info(name, dtype, shape) for name, shape in shapes.items()]
    graph = helper.make_graph(nodes, "loss", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    return model.SerializeToString()


def make_ort(cell, a):
    import onnxruntime

    if cell["task"] not in ("ce", "sce", "bce", "mse", "l2sig"):
        return None

    def session():
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        return onnxruntime.InferenceSession(onnx_model(cell), options, providers=["CPUExecutionProvider"])

    s = once(cell["id"], session)
    feeds = {"z": a["z"], **({"k": a["k"].astype(np.int64)} if "k" in a else {"y": a["y"]})}
    return lambda: s.run(["score", "gradient"], feeds), lambda r: (float(r[0]), [r[1]])


# --- The clock, as suite/measure.ts -----------------------------------------------------------------------------------


def measure(run, seconds):
    now = time.perf_counter
    start = now()
    run()
    first = now() - start
    start, warm = now(), 0
    while warm < 2 or now() - start < 0.1:
        if warm > 0 and (first > 2 or now() - start > 3):
            break
        run()
        warm += 1
    group = max(1, int(100e-6 / ((now() - start) / warm)))
    times, start = [], now()
    while now() - start < seconds or len(times) < 5:
        if now() - start > 4 and len(times) >= 3:
            break
        begin = now()
        for _ in range(group):
            run()
        times.append((now() - begin) / group * 1e6)
    times.sort()
    return {"min_us": times[0], "median_us": times[len(times) // 2], "calls": len(times) * group}


def status(key):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def peak_of(run):
    """MiB by which one call lifts the resident peak; Linux alone tells."""
    run()
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return None
    before = status("VmRSS")
    result = run()
    peak = status("VmHWM") - before
    del result
    return peak


def handle(make, request):
    cell, folder = request["cell"], request["folder"]
    made = make(cell, load(cell, folder))
    if made is None:
        return {"skip": True}
    run, answer = made
    reply = {}
    if request.get("memory"):
        peak = peak_of(run)
        reply |= {} if peak is None else {"peak_mib": peak}
    if request.get("check"):
        score, gradients = answer(run())
        with open(request["check"], "wb") as file:
            for gradient in gradients:
                file.write(np.ascontiguousarray(gradient, cell["dtype"]).tobytes())
        # As text: JSON has no NaN.
        reply["score"] = None if score is None else repr(float(score))
    return {**reply, **measure(run, request["seconds"])} if request["seconds"] else reply


def main():
    make = {"numpy": make_numpy, "jax": make_jax, "ort": make_ort}.get(NAME, make_torch)
    if NAME.startswith("torch"):
        import torch

        torch.set_num_threads(THREADS)
        torch._dynamo.config.recompile_limit = 999
        torch._dynamo.config.accumulated_recompile_limit = 9999
    for line in sys.stdin:
        try:
            reply = handle(make, json.loads(line))
        except Exception as error:  # its own answer, as any other
            reply = {"error": f"{type(error).__name__}: {str(error)[:200]}"}
        gc.collect()
        # Not print: libraries print too, and only lines that begin so are answers.
        sys.__stdout__.write("@" + json.dumps(reply) + "\n")
        sys.__stdout__.flush()


main()
