#!/usr/bin/env python3
"""Writes the folders that ModelBenchmark and eager.py read: models of timm with random weights, as safetensors, ONNX
and TorchScript, and what PyTorch answers to the same pixels. The models are those of Fovea's list of shapes."""
import argparse
import json
import pathlib

import shapes
import timing


def ramp(torch, *shape):
    """Pixels that Java makes as well."""
    count = 1
    for size in shape:
        count *= size
    return ((torch.arange(count) % 251) / 125 - 1).float().view(shape)


def export(torch, timm, save_file, name: str, folder: pathlib.Path) -> None:
    torch.manual_seed(0)
    model = timm.create_model(name, pretrained=False).eval()
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "model.safetensors")
    config = {"architecture": name, "num_classes": model.num_classes, "num_features": model.num_features}
    (folder / "config.json").write_text(json.dumps(config))
    size = model.default_cfg["input_size"]
    with torch.inference_mode():
        (folder / "answer.json").write_text(json.dumps(model(ramp(torch, 1, *size))[0].tolist()))
    pixels = torch.zeros(2, *size)
    torch.jit.trace(model, pixels).save(folder / "model.pt")
    torch.onnx.export(
        model,
        (pixels,),
        folder / "model.onnx",
        dynamo=True,
        input_names=["pixel_values"],
        output_names=["output"],
        dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=64)},),
    )


def main() -> None:
    listed = shapes.of("timm")
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="Needs: pip install torch timm onnx onnxscript safetensors"
    )
    parser.add_argument("folder", type=pathlib.Path, help="where the models' folders go: bench/target/models")
    parser.add_argument("models", nargs="*", default=listed, help=f"names of timm (default: {' '.join(listed)})")
    args = parser.parse_args()
    torch, timm, _, _, safetensors = timing.need("torch", "timm", "onnx", "onnxscript", "safetensors.torch")
    for name in args.models:
        print(f"{args.folder / name}", flush=True)
        export(torch, timm, safetensors.save_file, name, args.folder / name)


if __name__ == "__main__":
    main()
