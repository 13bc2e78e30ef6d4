#!/usr/bin/env python3
"""Times a training step of PyTorch eager, the peer of TrainStepBenchmark: F32, cross-entropy, AdamW.

    pip install torch timm
    python bench/peers/train_step.py [--batch 8] [--threads 1 2] [--seconds 20] [S/16 B/16]

One line for each model and number of threads: the fastest and the median step in milliseconds, and megabytes: of
parameters, gradients and the optimizer's state; of tensors saved for the backward pass, views of one storage counted
once; the sum of both, to compare with Fovea's peak; and the resident set's peak.
"""
import argparse
import resource
import statistics
import subprocess
import sys
import time

import torch
from torch import nn

SHAPES = {"Ti/16": (192, 12, 3), "S/16": (384, 12, 6), "B/16": (768, 12, 12)}
CLASSES = 1000
MEGA = 1e6


class Block(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width))

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        y = nn.functional.scaled_dot_product_attention(q, k, v)
        x = x + self.proj(y.transpose(1, 2).reshape(b, n, d))
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    def __init__(self, width: int, depth: int, heads: int):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 16, 16)
        self.positions = nn.Parameter(0.02 * torch.randn(1, 196, width))
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, pixels):
        x = self.patches(pixels).flatten(2).transpose(1, 2) + self.positions
        return self.head(self.norm(self.blocks(x)).mean(1))


def saved_bytes(forward) -> int:
    storages = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = forward()
    del loss
    return sum(storages.values())


def measure(name: str, batch: int, threads: int, seconds: float) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = Vit(*SHAPES[name])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.05)
    pixels = torch.randn(batch, 3, 224, 224)
    labels = torch.randint(CLASSES, (batch,))

    def forward():
        return nn.functional.cross_entropy(model(pixels), labels)

    def step():
        optimizer.zero_grad(set_to_none=True)
        forward().backward()
        optimizer.step()

    for _ in range(2):
        step()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    held = 4 * sum(4 * p.numel() for p in model.parameters())
    parameters = {p.untyped_storage().data_ptr() for p in model.parameters()}
    saved = saved_bytes(forward) - sum(4 * p.numel() for p in model.parameters() if p.dim() > 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"{name} batch {batch} threads {threads}: fastest {1e3 * min(times):.0f} ms, median"
        f" {1e3 * statistics.median(times):.0f} ms; held {held / MEGA:.0f}, saved {saved / MEGA:.0f},"
        f" both {(held + saved) / MEGA:.0f}, resident {peak / MEGA:.0f} MB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*", default=["S/16", "B/16"])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--here", action="store_true", help="measure in this process")
    args = parser.parse_args()
    if not args.here:
        print(f"torch {torch.__version__}", flush=True)
    for name in args.models:
        for threads in args.threads:
            if args.here:
                measure(name, args.batch, threads, args.seconds)
            else:  # A process for each, for its resident set's peak.
                subprocess.run(
                    [sys.executable, __file__, name, "--here", "--batch", str(args.batch)]
                    + ["--threads", str(threads), "--seconds", str(args.seconds)],
                    check=True,
                )


if __name__ == "__main__":
    main()
