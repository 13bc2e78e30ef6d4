#!/usr/bin/env python3
"""Writes the folders that ModelBenchmark reads: timm models with random weights, as safetensors, ONNX and TorchScript.

    pip install torch timm onnx onnxscript safetensors
    python bench/peers/export.py bench/target/models
"""
import json
import pathlib
import sys

import timm
import torch
from safetensors.torch import save_file

MODELS = ["vit_base_patch16_224", "vit_so400m_patch14_siglip_224"]


def export(name: str, folder: pathlib.Path) -> None:
    torch.manual_seed(0)
    model = timm.create_model(name, pretrained=False).eval()
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "model.safetensors")
    config = {"architecture": name, "num_classes": model.num_classes, "num_features": model.num_features}
    (folder / "config.json").write_text(json.dumps(config))
    pixels = torch.zeros(2, 3, 224, 224)
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


if __name__ == "__main__":
    for model_name in sys.argv[2:] or MODELS:
        export(model_name, pathlib.Path(sys.argv[1]) / model_name)
