"""Writes operations.bin: a picture of 24 x 20 pixels as [3, 20, 24] bytes, then what Pillow (12.3) makes of it by each
operation, in the order of RandAugmentTest."""
import numpy as np
from PIL import Image, ImageEnhance, ImageOps

rng = np.random.default_rng(5)
y, x = np.mgrid[0:20, 0:24]
planes = [40 + 5 * x + 3 * y, 200 - 6 * y - 2 * x, 90 + 40 * np.sin(x / 3) * np.cos(y / 4)]
picture = np.clip(np.stack(planes, -1) + rng.normal(0, 12, (20, 24, 3)), 20, 240).astype(np.uint8)
im = Image.fromarray(picture)
grey = (128, 128, 128)


def affine(*m):
    return im.transform(im.size, Image.Transform.AFFINE, m, fillcolor=grey)


results = [
    im,
    ImageOps.autocontrast(im),
    ImageOps.equalize(im),
    ImageOps.solarize(im, 256 - 77),
    ImageOps.posterize(im, 5),
    ImageEnhance.Color(im).enhance(1.63),
    ImageEnhance.Color(im).enhance(0.37),
    ImageEnhance.Contrast(im).enhance(1.63),
    ImageEnhance.Contrast(im).enhance(0.37),
    ImageEnhance.Brightness(im).enhance(1.63),
    ImageEnhance.Brightness(im).enhance(0.37),
    ImageEnhance.Sharpness(im).enhance(1.63),
    ImageEnhance.Sharpness(im).enhance(0.37),
    im.rotate(21, fillcolor=grey),
    affine(1, -0.21, 0, 0, 1, 0),
    affine(1, 0, 0, 0.21, 1, 0),
    affine(1, 0, 150 / 331 * 0.7 * 24, 0, 1, 0),
    affine(1, 0, 0, 0, 1, -150 / 331 * 0.7 * 20),
]
with open("operations.bin", "wb") as out:
    for result in results:
        out.write(np.asarray(result).transpose(2, 0, 1).tobytes())
