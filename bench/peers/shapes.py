#!/usr/bin/env python3
"""The shapes that peers are timed on, as pairs of a kernel and its shape in the words of the contract. Reads the list
that Fovea's own benchmarks read, or lines of such pairs with a tab between; needs nothing but Python."""
import argparse
import json
import pathlib
import re
import sys

LIST = pathlib.Path(__file__).resolve().parent.parent / "src/main/resources/dev/fovea/bench/shapes.json"


def read_list() -> dict:
    """The list of this source tree."""
    return json.loads(LIST.read_text())


def of(family: str) -> list:
    """The names of a family's sizes."""
    return read_list()[family]


def model(name: str) -> dict:
    """Width, mlp, heads and depth of a name with or without a patch size, as "B/16"; ends where there is none."""
    models = read_list()["models"]
    found = models.get(name.split("/")[0])
    if found is None or not re.fullmatch(r"[^/]+(/\d+)?", name):
        sys.exit(f"models: got {name}, expected one such as B/16, of {', '.join(models)}")
    return found


def paper(models: dict, name: str) -> tuple:
    """Model, pictures, tokens and the word behind of a name such as "B/16 8x197 fc1"."""
    found = re.fullmatch(r"([^/ ]+)/\d+ (\d+)x(\d+)(?: (\S+))?", name)
    return models[found[1]], int(found[2]), int(found[3]), found[4]


def gemm(models: dict, name: str) -> str:
    if re.fullmatch(r"\d+x\d+x\d+", name):
        return "NT " + name
    model, batch, tokens, part = paper(models, name)
    width, mlp = model["width"], model["mlp"]
    out, into = {"qkv": (3 * width, width), "proj": (width, width), "fc1": (mlp, width), "fc2": (width, mlp)}[part]
    return f"NT {batch * tokens}x{out}x{into}"


def cases(shapes: dict):
    """Of the list; the same sizes of different models come once."""
    models = shapes["models"]
    for name in shapes["gemm"]:
        yield "gemm.run", gemm(models, name)
    for name in shapes["attention"]:
        model, batch, tokens, _ = paper(models, name)
        shape = f"{batch}x{model['heads']}, {tokens} tokens, {model['width'] // model['heads']} wide"
        yield "attention.forward", shape
        yield "attention.backward", shape
    for name in shapes["norm"]:
        model, batch, tokens, _ = paper(models, name)
        yield "norm.forward", f"layer {batch * tokens}x1x{model['width']}+0 weight bias stats F32 F32"
        yield "norm.backward", f"layer {batch * tokens}x1x{model['width']}+0 weight dWeight dBias F32"
    for name in shapes["elementwise"]:
        model, batch, tokens, _ = paper(models, name)
        yield "elementwise.activation", f"GELU_ERF {batch * tokens * model['mlp']} F32 F32"
    for name in shapes["loss"]:
        data, rows = name.split()
        classes = shapes["classes"][data]
        yield "loss.softmaxCrossEntropy", f"{rows}x{classes} of 1.0, I32_LABELS, smoothing 0.0, F32 to F32, BOTH"
    for name in shapes["optimizer"]:
        model = models[name.split("/")[0]]
        count = model["mlp"] * model["width"]
        yield "optimizer.adamW", f"{count} param F32, gradient F32, m F32, step 1, decay 0.0"


def read(path: str) -> list:
    """Pairs of kernel and shape, each once."""
    with open(path) as file:
        if path.endswith(".json"):
            found = cases(json.load(file))
        else:
            found = [tuple(line.rstrip("\n").split("\t")) for line in file]
        return list(dict.fromkeys(found))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", default=str(LIST), help="the list (default: this source tree's)")
    for pair in read(parser.parse_args().file):
        print("\t".join(pair))
