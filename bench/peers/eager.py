#!/usr/bin/env python3
"""Times models of timm in PyTorch eager, the peer of ModelBenchmark: F32, without gradients and with those of all
parameters. The models are those of Fovea's list of shapes, with weights that export.py wrote where they are here."""
import argparse
import pathlib

import shapes
import timing

MODELS = pathlib.Path(__file__).resolve().parent.parent / "target" / "models"


def loaded(timm, name: str):
    model = timm.create_model(name, pretrained=False).eval()
    weights = MODELS / name / "model.safetensors"
    if weights.exists():
        (files,) = timing.need("safetensors.torch")
        model.load_state_dict(files.load_file(weights))
    return model


def call_of(torch, model, batch: int, gradients: bool):
    pixels = torch.randn(batch, *model.default_cfg["input_size"])
    labels = torch.zeros(batch, dtype=torch.long)

    def forward():
        with torch.inference_mode():
            model(pixels)

    def backward():
        model.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(model(pixels), labels).backward()

    return backward if gradients else forward


def main() -> None:
    listed = shapes.of("timm")
    parser = argparse.ArgumentParser(description=__doc__, epilog="Needs: pip install torch timm safetensors")
    parser.add_argument("models", nargs="*", default=listed, help=f"names of timm (default: {' '.join(listed)})")
    parser.add_argument("--pass", dest="passes", nargs="+", choices=["forward", "gradients"],
                        default=["forward", "gradients"], help="what to time (default: both)")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8], help="pictures at once (default: 1 8)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="threads (default: 1 2)")
    timing.arguments(parser)
    args = parser.parse_args()
    torch, timm = timing.need("torch", "timm")
    print(f"torch {torch.__version__}, timm {timm.__version__}")
    for name in args.models:
        model = loaded(timm, name)
        for what in args.passes:
            for batch in args.batch:
                call = call_of(torch, model, batch, what == "gradients")
                for threads in args.threads:
                    torch.set_num_threads(threads)
                    timing.say(f"{name} {what}, batch {batch}, threads {threads}", timing.samples(call, args))


if __name__ == "__main__":
    main()
