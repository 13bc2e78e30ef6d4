#!/usr/bin/env python3
"""Times a training step of PyTorch eager, the peer of TrainStepBenchmark: F32, cross-entropy, AdamW, on models of Fovea's
list of shapes. Says the mean and the fastest step, and megabytes: of parameters, gradients and the optimizer's state;
of tensors saved for the backward pass, views of one storage counted once; the sum of both, to compare with Fovea's
peak; and the resident set's peak."""
import argparse
import resource
import subprocess
import sys

import shapes
import timing

try:
    import torch
    from torch import nn
except Exception:  # main() says so, behind --help.
    torch = nn = argparse.Namespace(Module=object)
CLASSES = shapes.read_list()["classes"]["ImageNet-1k"]
MEGA = 1e6


class Block(nn.Module):
    def __init__(self, width: int, mlp: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(width, mlp), nn.GELU("tanh"), nn.Linear(mlp, width))

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        y = nn.functional.scaled_dot_product_attention(q, k, v)
        x = x + self.proj(y.transpose(1, 2).reshape(b, n, d))
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    def __init__(self, width: int, mlp: int, heads: int, depth: int, patch: int):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.positions = nn.Parameter(0.02 * torch.randn(1, (224 // patch) ** 2, width))
        self.blocks = nn.Sequential(*[Block(width, mlp, heads) for _ in range(depth)])
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


def measure(name: str, batch: int, threads: int, args) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = Vit(**shapes.model(name), patch=int(name.split("/")[1]))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.05)
    pixels = torch.randn(batch, 3, 224, 224)
    labels = torch.randint(CLASSES, (batch,))

    def forward():
        return nn.functional.cross_entropy(model(pixels), labels)

    def step():
        optimizer.zero_grad(set_to_none=True)
        forward().backward()
        optimizer.step()

    found = timing.samples(step, args)
    held = 4 * sum(4 * p.numel() for p in model.parameters())
    saved = saved_bytes(forward) - sum(4 * p.numel() for p in model.parameters() if p.dim() > 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"held {held / MEGA:.0f}, saved {saved / MEGA:.0f}, both {(held + saved) / MEGA:.0f},"
        f" resident {peak / MEGA:.0f} MB"
    )
    timing.say(f"{name}, batch {batch}, threads {threads}", found, peakBytes=held + saved)


def main() -> None:
    listed = shapes.of("train")
    parser = argparse.ArgumentParser(description=__doc__, epilog="Needs: pip install torch")
    parser.add_argument("models", nargs="*", default=listed, help=f"names of the list (default: {' '.join(listed)})")
    parser.add_argument("--batch", type=int, default=8, help="pictures at once (default: 8)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="threads (default: 1 2)")
    timing.arguments(parser)
    args = parser.parse_args()
    timing.need("torch")
    if len(args.models) == 1 and len(args.threads) == 1:
        print(f"torch {torch.__version__}", flush=True)
        measure(args.models[0], args.batch, args.threads[0], args)
        return
    for name in args.models:
        for threads in args.threads:  # A process for each, for its resident set's peak.
            effort = [f"--{option.replace('_', '-')}={value}" for option, value in vars(args).items()
                      if option not in ("models", "batch", "threads")]
            command = [sys.executable, __file__, name, "--batch", str(args.batch), "--threads", str(threads), *effort]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
