"""Writes the pictures beside this file, and expected.safetensors: what Pillow reads them as, and resizes one of them to.

Run with Pillow 12 and numpy. The files are kept under version control, so that tests need neither.
"""
import json
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

W, H = 34, 22
rng = np.random.default_rng(7)
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([x * 7 % 256, y * 11 % 256, (x + y) * 4 % 256], -1).astype(np.uint8)
noise = rng.integers(0, 256, (H, W, 3), dtype=np.uint8)
grey = rgb[..., 2]
alpha = rng.integers(0, 256, (H, W), dtype=np.uint8)
picture = Image.fromarray(rgb)


def exif(orientation):
    notes = Image.Exif()
    notes[0x0112] = orientation
    return notes.tobytes()


files = {}


def save(name, image, **options):
    image.save(name, **options)
    files[name] = name


save("rgb.png", Image.fromarray(noise))
save("alpha.png", Image.fromarray(np.dstack([noise, alpha])))
save("grey.png", Image.fromarray(grey))
save("grey-alpha.png", Image.fromarray(np.dstack([grey, alpha]), "LA"))
save("one-bit.png", Image.fromarray(alpha > 128))
save("palette.png", picture.quantize(31), transparency=3)
save("rgb.bmp", Image.fromarray(noise))
save("grey.bmp", Image.fromarray(grey))
save("one-bit.bmp", Image.fromarray(alpha > 128))
save("palette.gif", picture.quantize(64))
save("two-frames.gif", picture.quantize(64), save_all=True, append_images=[Image.fromarray(noise).quantize(64)])
save("lossless.webp", Image.fromarray(noise), lossless=True)
save("alpha.webp", Image.fromarray(np.dstack([noise, alpha])), lossless=True, exact=True)
save("lossy.webp", picture, quality=95)
save("turned.webp", Image.fromarray(noise), lossless=True, exif=exif(6))
save("turned.png", Image.fromarray(noise), exif=exif(8))
save("rgb.jpg", picture, quality=95, subsampling=0)
save("subsampled.jpg", picture, quality=90)
save("progressive.jpg", picture, quality=95, subsampling=0, progressive=True)
save("grey.jpg", Image.fromarray(grey), quality=95)
save("cmyk.jpg", Image.fromarray(np.dstack([rgb, grey // 3]), "CMYK"), quality=98, subsampling=0)
# A profile that would make every picture much brighter (Java's own of linear light).
profile = open("linear.icc", "rb").read()
save("profile.png", Image.fromarray(noise), icc_profile=profile)
save("profile.webp", Image.fromarray(noise), lossless=True, icc_profile=profile)
save("profile.jpg", picture, quality=95, subsampling=0, icc_profile=profile)
save("grey-profile.jpg", Image.fromarray(grey), quality=95, icc_profile=profile)
for o in range(1, 9):
    save(f"turned-{o}.jpg", picture, quality=95, subsampling=0, exif=exif(o))

expected = {}
for name in files:
    with Image.open(name) as image:
        expected[name] = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))

# 16 bits a sample, which Pillow does not write; big-endian, no filter.
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


deep = rng.integers(0, 65536, (H, W, 3)).astype(">u2")
rows = b"".join(b"\0" + deep[i].tobytes() for i in range(H))
with open("deep.png", "wb") as f:
    f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 16, 2, 0, 0, 0)))
    f.write(chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
expected["deep.png"] = np.asarray(Image.open("deep.png").convert("RGB"))

for name in ["NEAREST", "BOX", "BILINEAR", "HAMMING", "BICUBIC", "LANCZOS"]:
    for w, h in [(7, 5), (W, 9), (13, H), (90, 61), (1, 1), (50, 3)]:
        resized = Image.fromarray(noise).resize((w, h), getattr(Image.Resampling, name))
        expected[f"{name} {w} {h}"] = np.asarray(resized)

header, data = {}, b""
for name, array in expected.items():
    array = np.ascontiguousarray(array, np.uint8)
    header[name] = {"dtype": "U8", "shape": array.shape, "data_offsets": [len(data), len(data) + array.nbytes]}
    data += array.tobytes()
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open("expected.safetensors", "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text + data)
