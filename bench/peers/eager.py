#!/usr/bin/env python3
"""Times PyTorch eager on the shapes of ModelBenchmark: one line of milliseconds per pass, batch and threads.

    pip install torch timm
    python bench/peers/eager.py [MODEL...]
"""
import statistics
import sys
import time

import timm
import torch

MODELS = ["vit_base_patch16_224", "vit_so400m_patch14_siglip_224"]


def milliseconds(call, seconds: float = 6.0) -> float:
    for _ in range(2):
        call()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(times)


def main() -> None:
    print(f"torch {torch.__version__}, timm {timm.__version__}")
    print("model pass batch threads ms")
    for name in sys.argv[1:] or MODELS:
        model = timm.create_model(name, pretrained=False).eval()
        for batch in (1, 8):
            pixels = torch.randn(batch, 3, 224, 224)
            labels = torch.zeros(batch, dtype=torch.long)

            def forward():
                with torch.inference_mode():
                    model(pixels)

            def gradients():
                model.zero_grad(set_to_none=True)
                torch.nn.functional.cross_entropy(model(pixels), labels).backward()

            for threads in (1, 2):
                torch.set_num_threads(threads)
                for call in (forward, gradients):
                    print(name, call.__name__, batch, threads, f"{milliseconds(call):.1f}", flush=True)


if __name__ == "__main__":
    main()
