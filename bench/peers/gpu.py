#!/usr/bin/env python3
"""Times PyTorch on the shapes that Fovea was timed on, the same way: GPU events, second-level cache overwritten before
each repetition, the median. Reads the list of shapes (shapes.json), or lines of kernel and shape, and models as lines
of "timm" and "NAME BATCH DTYPE"; says what it found as the evidence runner expects it. With --cpu it runs where there
is no GPU, by the host's clock.

    python3 gpu.py SHAPES [FIRST] [--cpu]
"""
import json
import re
import sys
import time as clock

import shapes

MARK = "@evidence "
DTYPES = {}


def say(**message) -> None:
    print(MARK + json.dumps(message), flush=True)


if len(sys.argv) < 2 or {"-h", "--help"} & set(sys.argv):
    print(__doc__)
    sys.exit(0 if len(sys.argv) > 1 else 2)
try:
    import torch
    import torch.nn.functional as F
except Exception as e:  # a broken installation raises anything
    print(f"PyTorch cannot be imported: {e}")
    sys.exit(4)
CPU = "--cpu" in sys.argv
DEVICE = "cpu" if CPU else "cuda"
if not CPU and not torch.cuda.is_available():
    print(f"PyTorch {torch.__version__} finds no GPU")
    sys.exit(4)

DTYPES.update(F32=torch.float32, BF16=torch.bfloat16, F16=torch.float16, U8=torch.uint8)
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
if not CPU:
    FLUSH = torch.empty(
        max(64 << 20, 2 * getattr(torch.cuda.get_device_properties(0), "L2_cache_size", 64 << 20)),
        dtype=torch.uint8,
        device="cuda",
    )


def run_on_cpu(work, repetitions: int) -> float:
    times = []
    for _ in range(repetitions):
        begin = clock.perf_counter()
        work()
        times.append(1e6 * (clock.perf_counter() - begin))
    return sorted(times)[repetitions // 2]


def run(work, repetitions: int) -> float:
    if CPU:
        return run_on_cpu(work, repetitions)
    events = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(repetitions)]
    for begin, end in events:
        FLUSH.zero_()
        begin.record()
        work()
        end.record()
    torch.cuda.synchronize()
    return sorted(1e3 * begin.elapsed_time(end) for begin, end in events)[repetitions // 2]


def micros(work) -> float:
    work()
    if not CPU:
        torch.cuda.synchronize()
    estimate = run(work, 5)
    return run(work, int(min(100, max(10, 0.25e6 / max(1.0, estimate)))))


def normal(*shape, dtype=torch.float32):
    return torch.randn(*shape, device=DEVICE).to(dtype)


def gemm(shape: str):
    """The product and what PyTorch does behind it: bias, GELU, residual, one kernel each unless compiled."""
    found = re.match(r"(NN|NT|TN) (\d+)x(\d+)x(\d+)(.*)", shape)
    layout, m, n, k, rest = found[1], int(found[2]), int(found[3]), int(found[4]), found[5].split()
    types = next((w for w in rest if "*" in w), "F32*F32=F32")
    dtype = DTYPES[types.split("*")[0]]
    if types.split("=")[1] != types.split("*")[0]:
        return None
    known = {"packed", "bias", "residual=c", types, f"GELU_ERF:{n}", f"GELU_TANH:{n}"}
    if any(word not in known for word in rest):
        return None
    a = normal(k, m, dtype=dtype) if layout == "TN" else normal(m, k, dtype=dtype)
    b = normal(n, k, dtype=dtype) if layout == "NT" else normal(k, n, dtype=dtype)
    b /= k**0.5
    bias = normal(n, dtype=dtype) if "bias" in rest else None
    residual = normal(m, n, dtype=dtype) if "residual=c" in rest else None
    gelu = next((word for word in rest if word.startswith("GELU")), None)

    def call():
        y = F.linear(a, b, bias) if layout == "NT" else torch.matmul(a.T if layout == "TN" else a, b)
        if gelu:
            y = F.gelu(y, approximate="tanh" if "TANH" in gelu else "none")
        return y if residual is None else residual + y

    return call


def attention(shape: str, backward: bool):
    found = re.match(r"(\d+)x(\d+), (\d+) tokens, (\d+) wide(?:, (\w+))?", shape)
    batch, heads, tokens, width = (int(found[i]) for i in range(1, 5))
    dtype = DTYPES[found[5] or "F32"]
    qkv = normal(batch, tokens, 3, heads, width, dtype=dtype).requires_grad_(backward)
    q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
    if not backward:
        return lambda: F.scaled_dot_product_attention(q, k, v)
    out = F.scaled_dot_product_attention(q, k, v)
    gradient = torch.randn_like(out)
    return lambda: torch.autograd.grad(out, (q, k, v), gradient, retain_graph=True)


def norm(shape: str, backward: bool):
    found = re.match(r"layer (\d+)x1x(\d+)\+0 weight", shape)
    if not found:
        return None
    types = [word for word in shape.split() if word in DTYPES]
    dtype = DTYPES[types[0]]
    rows, width = int(found[1]), int(found[2])
    x = normal(rows, width, dtype=dtype).requires_grad_(backward)
    weight = normal(width, dtype=dtype).requires_grad_(backward)
    bias = normal(width, dtype=dtype).requires_grad_(backward)
    if not backward:
        return lambda: F.layer_norm(x, (width,), weight, bias, 1e-6)
    y = F.layer_norm(x, (width,), weight, bias, 1e-6)
    gradient = torch.randn_like(y)
    return lambda: torch.autograd.grad(y, (x, weight, bias), gradient, retain_graph=True)


def pointwise(kernel: str, shape: str):
    numbers = [int(word) for word in re.findall(r"\b\d{5,}\b", shape)]
    types = re.findall(r"\b(F32|BF16|F16)\b", shape)
    if not numbers or not types:
        return None
    x = normal(numbers[0], dtype=DTYPES[types[0]])
    out = torch.empty_like(x)
    if kernel == "elementwise.activation" and shape.startswith("GELU"):
        return lambda: F.gelu(x, approximate="tanh" if "TANH" in shape else "none")
    if kernel == "elementwise.fill":
        return lambda: out.fill_(0)
    if kernel in ("elementwise.combine", "elementwise.multiply"):
        y = normal(numbers[0], dtype=DTYPES[types[1]])
        function = torch.add if kernel.endswith("combine") else torch.mul
        return lambda: function(x, y, out=out)
    if kernel == "elementwise.cast":
        to = DTYPES[types[1]]
        return lambda: x.to(to)
    if kernel == "reduce.sum":
        return lambda: x.sum()
    return None


def model(shape: str):
    """A model of timm without gradients, its weights drawn at random."""
    import timm

    name, batch, dtype = shape.split()
    made = timm.create_model(name, pretrained=False).eval().to(DEVICE, DTYPES[dtype])
    size = made.patch_embed.img_size
    pixels = normal(int(batch), 3, *size, dtype=DTYPES[dtype])

    def call():
        with torch.no_grad():
            return made(pixels)

    return call


def loss(kernel: str, shape: str):
    found = re.match(r"(\d+)x(\d+) of [^,]*, (?:(F32|BF16) to|I32_LABELS, smoothing ([\d.]+), (F32|BF16) to)", shape)
    if not found:
        return None
    logits = normal(int(found[1]), int(found[2]), dtype=DTYPES[found[3] or found[5]])
    if kernel == "loss.softmax":
        return lambda: torch.softmax(logits, 1)
    if kernel != "loss.softmaxCrossEntropy" or found[4] is None:
        return None
    labels = torch.randint(int(found[2]), (int(found[1]),), device=DEVICE)
    logits.requires_grad_()

    def call():
        value = F.cross_entropy(logits, labels, label_smoothing=float(found[4]))
        return torch.autograd.grad(value, logits)

    return call


def adamw(shape: str):
    """One launch for the whole step, where PyTorch has that."""
    found = re.match(r"(\d+) param F32, gradient F32, m F32, step 1, decay 0.0$", shape)
    if not found:
        return None
    param = normal(int(found[1])).requires_grad_()
    param.grad = normal(int(found[1]))
    return torch.optim.AdamW([param], lr=0.01, betas=(0.9, 0.95), eps=1e-6, weight_decay=0, fused=True).step


def work_of(kernel: str, shape: str):
    if kernel == "timm":
        return model(shape)
    if kernel == "optimizer.adamW":
        return adamw(shape)
    if kernel.startswith("loss."):
        return loss(kernel, shape)
    if kernel == "gemm.run":
        return gemm(shape)
    if kernel in ("attention.forward", "attention.backward"):
        return attention(shape, kernel.endswith("backward"))
    if kernel in ("norm.forward", "norm.backward"):
        return norm(shape, kernel.endswith("backward"))
    return pointwise(kernel, shape)


def fuses(kernel: str, shape: str) -> bool:
    """Only where a compiler has something to fuse: it takes seconds for each."""
    if kernel == "timm":
        return True
    return kernel == "gemm.run" and ("GELU" in shape or "residual" in shape) and "BF16" in shape


def limits():
    elements, side = (1 << 22, 512) if CPU else (1 << 28, 8192)
    x = torch.randn(elements, device=DEVICE)
    y = torch.empty_like(x)
    yield "copy", f"{x.nbytes >> 20} MiB" if CPU else "1 GiB", 2 * x.nbytes / micros(lambda: y.copy_(x)) * 1e-6
    del x, y
    for name in ("BF16", "F32"):
        a, b = normal(side, side, dtype=DTYPES[name]), normal(side, side, dtype=DTYPES[name])
        yield "gemm", name, 2 * side**3 / micros(lambda: a @ b.T) * 1e-6


def time(kernel: str, shape: str) -> dict:
    work = work_of(kernel, shape)
    if work is None:
        return {}
    found = {"PyTorch": round(micros(work), 2)}
    if kernel.startswith("attention") and not CPU:
        from torch.nn.attention import SDPBackend, sdpa_kernel

        for name in ("FLASH_ATTENTION", "CUDNN_ATTENTION", "EFFICIENT_ATTENTION"):
            try:
                with sdpa_kernel(getattr(SDPBackend, name)):
                    found["PyTorch " + name.lower().replace("_", " ")] = round(micros(work_of(kernel, shape)), 2)
            except Exception as e:
                print(f"{name}: {e}")
    return found


def time_compiled(kernel: str, shape: str) -> dict:
    work = work_of(kernel, shape)
    return {} if work is None else {"PyTorch compiled": round(micros(torch.compile(work)), 2)}


def main() -> None:
    pairs = shapes.read(sys.argv[1])
    cases = [(*pair, time) for pair in pairs] + [(*pair, time_compiled) for pair in pairs if fuses(*pair)]
    numbers = [argument for argument in sys.argv[2:] if not argument.startswith("-")]
    first = int(numbers[0]) if numbers else 0
    say(steps=len(cases) + 1)
    if first == 0:
        say(begin=0, kernel="limits", shape="all")
        for what, name, rate in limits():
            say(end=0, kernel="limits", limit=what, shape=name, rate=rate, by="PyTorch", status="passed")
        versions = {"torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
        say(end=0, kernel="limits", shape="all", status="passed", versions=versions)
    for i, (kernel, shape, measure) in enumerate(cases, 1):
        if i < first:
            continue
        say(begin=i, kernel=kernel, shape=shape)
        try:
            peers = measure(kernel, shape)
            say(end=i, kernel=kernel, shape=shape, status="passed" if peers else "unsupported", peers=peers)
        except Exception as e:
            say(end=i, kernel=kernel, shape=shape, status="failed", message=str(e))
        if not CPU:
            torch.cuda.empty_cache()
    say(done=True)


if __name__ == "__main__":
    main()
