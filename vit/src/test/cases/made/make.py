"""Makes the cases beside this file: small random models in the names of other libraries, and what those libraries
compute from them, written down here in numpy and float64 from their own definitions. Run it in this folder."""
import json
import math
import os
import struct

import numpy as np

rng = np.random.default_rng(0)
BATCH, WIDTH, HEADS, DEPTH = 2, 24, 3, 2
HEAD = WIDTH // HEADS


# ---- functions -------------------------------------------------------------------------------------------------------
def gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def quick_gelu(x):
    return x / (1 + np.exp(-1.702 * x))


def silu(x):
    return x / (1 + np.exp(-x))


def swiglu(x):
    left, right = np.split(x, 2, -1)
    return silu(left) * right


def layer_norm(x, p, at, eps):
    y = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps) * p[at + "weight"]
    return y + p[at + "bias"] if at + "bias" in p else y


def rms_norm(x, p, at, eps):
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + eps) * p[at + "weight"]


def linear(x, p, at):
    y = x @ p[at + "weight"].T
    return y + p[at + "bias"] if at + "bias" in p else y


def heads(x):
    return x.reshape(len(x), -1, HEADS, HEAD).transpose(0, 2, 1, 3)


def attend(q, k, v, norm_q=lambda x: x, norm_k=lambda x: x):
    s = norm_q(heads(q)) @ norm_k(heads(k)).transpose(0, 1, 3, 2) / math.sqrt(HEAD)
    s = np.exp(s - s.max(-1, keepdims=True))
    return (s / s.sum(-1, keepdims=True) @ heads(v)).transpose(0, 2, 1, 3).reshape(q.shape)


def patches(x, p, at):
    w = p[at + "weight"]
    h, v = w.shape[2:]
    b, c, rows, columns = x.shape
    x = x.reshape(b, c, rows // h, h, columns // v, v).transpose(0, 2, 4, 1, 3, 5).reshape(b, -1, c * h * v)
    y = x @ w.reshape(WIDTH, -1).T
    return y + p[at + "bias"] if at + "bias" in p else y


def tiled(token):
    return np.broadcast_to(token, (BATCH, *token.shape[1:]))


# ---- random weights --------------------------------------------------------------------------------------------------
def random(*shape):
    return (0.2 * rng.standard_normal(shape)).astype(np.float32)


def add_linear(p, at, outputs, inputs=WIDTH, bias=True):
    p[at + "weight"] = random(outputs, inputs)
    if bias:
        p[at + "bias"] = random(outputs)


def add_norm(p, at, width=WIDTH, bias=True):
    p[at + "weight"] = 1 + random(width)
    if bias:
        p[at + "bias"] = random(width)


def pixels(channels, height, width):
    return rng.standard_normal((BATCH, channels, height, width)).astype(np.float32)


def wide(p):
    return {name: value.astype(np.float64) for name, value in p.items()}


# ---- files -----------------------------------------------------------------------------------------------------------
def write(path, tensors):
    header, data = {}, b""
    for name, value in tensors.items():
        value = np.ascontiguousarray(value, np.float32)
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + value.nbytes]}
        data += value.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + data)


def save(folder, config, p, x, expected):
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/config.json", "w") as out:
        json.dump(config, out, indent=1)
    if any("kernel" in name for name in p):
        np.savez(folder + "/checkpoint.npz", **p)
    else:
        write(folder + "/model.safetensors", p)
    write(folder + "/input.safetensors", {"pixel_values": x})
    write(folder + "/expected.safetensors", expected)


# ---- transformers ----------------------------------------------------------------------------------------------------
SHAPE = {"hidden_size": WIDTH, "num_hidden_layers": DEPTH, "num_attention_heads": HEADS}
QKV = ["query", "key", "value"]


def dinov2():
    """Version 4's names; registers, SwiGLU, and the classifier that sees the class token beside the mean."""
    p, at, hidden = {}, "dinov2_with_registers.", 64
    p[at + "embeddings.cls_token"] = random(1, 1, WIDTH)
    p[at + "embeddings.mask_token"] = random(1, WIDTH)
    p[at + "embeddings.register_tokens"] = random(1, 4, WIDTH)
    p[at + "embeddings.position_embeddings"] = random(1, 17, WIDTH)
    p[at + "embeddings.patch_embeddings.projection.weight"] = random(WIDTH, 3, 7, 7)
    p[at + "embeddings.patch_embeddings.projection.bias"] = random(WIDTH)
    blocks = [f"{at}encoder.layer.{i}." for i in range(DEPTH)]
    for b in blocks:
        for part in ["attention.attention." + name + "." for name in QKV] + ["attention.output.dense."]:
            add_linear(p, b + part, WIDTH)
        add_linear(p, b + "mlp.weights_in.", 2 * hidden)
        add_linear(p, b + "mlp.weights_out.", WIDTH, hidden)
        for i in "12":
            add_norm(p, f"{b}norm{i}.")
            p[f"{b}layer_scale{i}.lambda1"] = random(WIDTH)
    add_norm(p, at + "layernorm.")
    add_linear(p, "classifier.", 5, 2 * WIDTH)
    x, q = pixels(3, 28, 28), wide(p)
    t = patches(x, q, at + "embeddings.patch_embeddings.projection.")
    t = np.concatenate([tiled(q[at + "embeddings.cls_token"]), t], 1) + q[at + "embeddings.position_embeddings"]
    t = np.concatenate([t[:, :1], tiled(q[at + "embeddings.register_tokens"]), t[:, 1:]], 1)
    for b in blocks:
        y = layer_norm(t, q, b + "norm1.", 1e-6)
        y = attend(*[linear(y, q, f"{b}attention.attention.{name}.") for name in QKV])
        t = t + linear(y, q, b + "attention.output.dense.") * q[b + "layer_scale1.lambda1"]
        y = swiglu(linear(layer_norm(t, q, b + "norm2.", 1e-6), q, b + "mlp.weights_in."))
        t = t + linear(y, q, b + "mlp.weights_out.") * q[b + "layer_scale2.lambda1"]
    t = layer_norm(t, q, at + "layernorm.", 1e-6)
    pooled = np.concatenate([t[:, 0], t[:, 5:].mean(1)], 1)
    config = SHAPE | {"model_type": "dinov2_with_registers", "use_swiglu_ffn": True, "image_size": 28, "patch_size": 7}
    expected = {"last_hidden_state": t, "pre_logits": pooled, "logits": linear(pooled, q, "classifier.")}
    save("hf-dinov2-swiglu", config, p, x, expected)


def vit():
    """Version 4's names; a pooler, pictures that are not square, one channel, no biases of queries, keys and values."""
    p = {"embeddings.cls_token": random(1, 1, WIDTH), "embeddings.position_embeddings": random(1, 13, WIDTH)}
    p["embeddings.patch_embeddings.projection.weight"] = random(WIDTH, 1, 8, 8)
    p["embeddings.patch_embeddings.projection.bias"] = random(WIDTH)
    blocks = [f"encoder.layer.{i}." for i in range(DEPTH)]
    for b in blocks:
        for name in QKV:
            add_linear(p, f"{b}attention.attention.{name}.", WIDTH, bias=False)
        add_linear(p, b + "attention.output.dense.", WIDTH)
        add_linear(p, b + "intermediate.dense.", 50)
        add_linear(p, b + "output.dense.", WIDTH, 50)
        add_norm(p, b + "layernorm_before.")
        add_norm(p, b + "layernorm_after.")
    add_norm(p, "layernorm.")
    add_linear(p, "pooler.dense.", WIDTH)
    x, q = pixels(1, 24, 32), wide(p)
    t = patches(x, q, "embeddings.patch_embeddings.projection.")
    t = np.concatenate([tiled(q["embeddings.cls_token"]), t], 1) + q["embeddings.position_embeddings"]
    for b in blocks:
        y = layer_norm(t, q, b + "layernorm_before.", 1e-12)
        y = attend(*[linear(y, q, f"{b}attention.attention.{name}.") for name in QKV])
        t = t + linear(y, q, b + "attention.output.dense.")
        y = linear(layer_norm(t, q, b + "layernorm_after.", 1e-12), q, b + "intermediate.dense.")
        t = t + linear(quick_gelu(y), q, b + "output.dense.")
    t = layer_norm(t, q, "layernorm.", 1e-12)
    config = SHAPE | {"model_type": "vit", "intermediate_size": 50, "hidden_act": "quick_gelu", "qkv_bias": False}
    config |= {"image_size": [24, 32], "patch_size": 8, "num_channels": 1}
    pooled = np.tanh(linear(t[:, 0], q, "pooler.dense."))
    save("hf-vit-pooler", config, p, x, {"last_hidden_state": t, "pooler_output": pooled})


def siglip():
    """Both towers; and the classifier, which takes the mean instead of the pooling head."""
    p, at = {}, "vision_model."
    p[at + "embeddings.patch_embedding.weight"] = random(WIDTH, 3, 8, 8)
    p[at + "embeddings.patch_embedding.bias"] = random(WIDTH)
    p[at + "embeddings.position_embedding.weight"] = random(16, WIDTH)
    blocks = [f"{at}encoder.layers.{i}." for i in range(DEPTH)]
    for b in blocks:
        for name in ["q_proj", "k_proj", "v_proj", "out_proj"]:
            add_linear(p, f"{b}self_attn.{name}.", WIDTH)
    for b in [*blocks, at + "head."]:
        add_linear(p, b + "mlp.fc1.", 50)
        add_linear(p, b + "mlp.fc2.", WIDTH, 50)
        for norm in ["layernorm."] if "head" in b else ["layer_norm1.", "layer_norm2."]:
            add_norm(p, b + norm)
    add_norm(p, at + "post_layernorm.")
    p[at + "head.probe"] = random(1, 1, WIDTH)
    p[at + "head.attention.in_proj_weight"] = random(3 * WIDTH, WIDTH)
    p[at + "head.attention.in_proj_bias"] = random(3 * WIDTH)
    add_linear(p, at + "head.attention.out_proj.", WIDTH)
    classified = dict(p)
    add_linear(classified, "classifier.", 6)
    p["text_model.embeddings.token_embedding.weight"] = random(9, WIDTH)
    p["logit_scale"], p["logit_bias"] = random(1), random(1)

    x, q = pixels(3, 32, 32), wide(p | classified)
    t = patches(x, q, at + "embeddings.patch_embedding.") + q[at + "embeddings.position_embedding.weight"]
    for b in blocks:
        y = layer_norm(t, q, b + "layer_norm1.", 1e-6)
        y = attend(*[linear(y, q, f"{b}self_attn.{name}_proj.") for name in "qkv"])
        t = t + linear(y, q, b + "self_attn.out_proj.")
        y = gelu_tanh(linear(layer_norm(t, q, b + "layer_norm2.", 1e-6), q, b + "mlp.fc1."))
        t = t + linear(y, q, b + "mlp.fc2.")
    t = layer_norm(t, q, at + "post_layernorm.", 1e-6)
    weights = np.split(q[at + "head.attention.in_proj_weight"], 3)
    biases = np.split(q[at + "head.attention.in_proj_bias"], 3)
    y = attend(*[z @ w.T + b for z, w, b in zip([tiled(q[at + "head.probe"]), t, t], weights, biases)])
    y = linear(y, q, at + "head.attention.out_proj.")
    z = gelu_tanh(linear(layer_norm(y, q, at + "head.layernorm.", 1e-6), q, at + "head.mlp.fc1."))
    pooled = (y + linear(z, q, at + "head.mlp.fc2."))[:, 0]
    vision = SHAPE | {"model_type": "siglip_vision_model", "intermediate_size": 50, "image_size": 32, "patch_size": 8}
    config = {"model_type": "siglip", "vision_config": vision, "text_config": {}}
    save("hf-siglip", config, p, x, {"last_hidden_state": t, "pooler_output": pooled})
    logits = linear(t.mean(1), q, "classifier.")
    save("hf-siglip-classifier", config, classified, x, {"last_hidden_state": t, "logits": logits})


# ---- timm ------------------------------------------------------------------------------------------------------------
def timm(folder, architecture, args, block, mlp=96, act=gelu, norm=layer_norm, eps=1e-6, cls=True, reg=0, pool="token",
         pre_norm=False, embed_class=True, patch=8, inner=None, scale=False):
    bias = norm is layer_norm
    p = {"patch_embed.proj.weight": random(WIDTH, 3, patch, patch)}
    if not pre_norm:
        p["patch_embed.proj.bias"] = random(WIDTH)
    else:
        add_norm(p, "norm_pre.", bias=bias)
    p["pos_embed"] = random(1, 16 + (cls + reg if embed_class else 0), WIDTH)
    if cls:
        p["cls_token"] = random(1, 1, WIDTH)
    if reg:
        p["reg_token"] = random(1, reg, WIDTH)
    add_norm(p, "fc_norm." if pool == "avg" else "norm.", bias=bias)
    if pool == "map":
        p["attn_pool.latent"] = random(1, 1, WIDTH)
        for name, width in [("q", 1), ("kv", 2), ("proj", 1)]:
            add_linear(p, f"attn_pool.{name}.", width * WIDTH)
        add_norm(p, "attn_pool.norm.")
        add_linear(p, "attn_pool.mlp.fc1.", mlp)
        add_linear(p, "attn_pool.mlp.fc2.", WIDTH, mlp)
    add_linear(p, "head.", 4)
    for i in range(DEPTH):
        block(p, f"blocks.{i}.", None, mlp, act, norm, eps, inner or mlp, scale)
    x, q = pixels(3, 4 * patch, 4 * patch), wide(p)
    t = patches(x, q, "patch_embed.proj.")
    prefix = [tiled(q[name]) for name in ["cls_token", "reg_token"] if name in q]
    t = t if embed_class else t + q["pos_embed"]
    t = np.concatenate([*prefix, t], 1)
    t = t + q["pos_embed"] if embed_class else t
    t = norm(t, q, "norm_pre.", eps) if pre_norm else t
    for i in range(DEPTH):
        t = block(q, f"blocks.{i}.", t, mlp, act, norm, eps, inner or mlp, scale)
    t = t if pool == "avg" else norm(t, q, "norm.", eps)
    if pool == "map":
        k, v = np.split(linear(t[:, cls + reg:], q, "attn_pool.kv."), 2, -1)
        y = linear(attend(linear(tiled(q["attn_pool.latent"]), q, "attn_pool.q."), k, v), q, "attn_pool.proj.")
        z = act(linear(norm(y, q, "attn_pool.norm.", eps), q, "attn_pool.mlp.fc1."))
        pooled = (y + linear(z, q, "attn_pool.mlp.fc2."))[:, 0]
    elif pool == "avg":
        pooled = norm(t[:, cls + reg:].mean(1), q, "fc_norm.", eps)
    else:
        pooled = t[:, 0]
    args = {"embed_dim": WIDTH, "num_heads": HEADS, "depth": DEPTH, "img_size": 4 * patch, "patch_size": patch} | args
    config = {"architecture": architecture, "num_classes": 4, "model_args": args}
    save(folder, config, p, x, {"features": t, "pre_logits": pooled, "logits": linear(pooled, q, "head.")})


def attention(p, at, t, norm, eps, name, gamma):
    if t is None:
        add_norm(p, at + name)
        add_linear(p, at + "attn.qkv.", 3 * WIDTH)
        add_linear(p, at + "attn.proj.", WIDTH)
        p.update({at + gamma: random(WIDTH)} if gamma else {})
        return None
    y = attend(*np.split(linear(norm(t, p, at + name, eps), p, at + "attn.qkv."), 3, -1))
    return linear(y, p, at + "attn.proj.") * (p[at + gamma] if gamma else 1)


def feed_forward(p, at, t, mlp, act, norm, eps, inner, name, gamma):
    if t is None:
        add_norm(p, at + name)
        add_linear(p, at + "mlp.fc1.", mlp)
        add_linear(p, at + "mlp.fc2.", WIDTH, inner)
        p.update({at + gamma: random(WIDTH)} if gamma else {})
        return None
    y = act(linear(norm(t, p, at + name, eps), p, at + "mlp.fc1."))
    return linear(y, p, at + "mlp.fc2.") * (p[at + gamma] if gamma else 1)


def sequential(p, at, t, mlp, act, norm, eps, inner, scale):
    y = attention(p, at, t, norm, eps, "norm1.", "ls1.gamma" if scale else "")
    t = None if t is None else t + y
    y = feed_forward(p, at, t, mlp, act, norm, eps, inner, "norm2.", "ls2.gamma" if scale else "")
    return None if t is None else t + y


def things(p, at, t, mlp, act, norm, eps, inner, scale):
    y = [attention(p, f"{at}attns.{j}.", t, norm, eps, "norm.", "ls.gamma") for j in range(2)]
    t = None if t is None else t + sum(y)
    y = [feed_forward(p, f"{at}ffns.{j}.", t, mlp, act, norm, eps, inner, "norm.", "ls.gamma") for j in range(2)]
    return None if t is None else t + sum(y)


def parallel(fused):
    def block(p, at, t, mlp, act, norm, eps, inner, scale):
        if t is None:
            for name, width in [("in_norm.", WIDTH), ("q_norm.", HEAD), ("k_norm.", HEAD)]:
                add_norm(p, at + name, width, bias=norm is layer_norm)
            add_linear(p, at + "in_proj.", mlp + 3 * WIDTH, bias=False)
            p[at + "mlp_bias"] = random(mlp)
            if fused:
                add_linear(p, at + "out_proj.", WIDTH, WIDTH + mlp)
            else:
                add_linear(p, at + "attn_out_proj.", WIDTH)
                add_linear(p, at + "mlp_out_proj.", WIDTH, mlp)
            return None
        y = linear(norm(t, p, at + "in_norm.", eps), p, at + "in_proj.")
        hidden = act(y[..., :mlp] + p[at + "mlp_bias"])
        q, k, v = np.split(y[..., mlp:], 3, -1)
        y = attend(q, k, v, lambda z: norm(z, p, at + "q_norm.", eps), lambda z: norm(z, p, at + "k_norm.", eps))
        if fused:
            return t + linear(np.concatenate([y, hidden], -1), p, at + "out_proj.")
        return t + linear(y, p, at + "attn_out_proj.") + linear(hidden, p, at + "mlp_out_proj.")

    return block


# ---- big_vision ------------------------------------------------------------------------------------------------------
def flax(folder, prefix, scan=False, old=False, qk_norm=False):
    """With a class token and pre-logits; `old` is the code before big_vision."""
    names = ["MultiHeadDotProductAttention_1/", "LayerNorm_2/", "MlpBlock_3/"]
    mha, norm2, mlp = names if old else ["MultiHeadDotProductAttention_0/", "LayerNorm_1/", "MlpBlock_0/"]
    positions = "Transformer/posembed_input/pos_embedding" if old else "pos_embedding"
    p = {"embedding/kernel": random(8, 8, 3, WIDTH), "embedding/bias": random(WIDTH), "cls": random(1, 1, WIDTH)}
    p[positions] = random(1, 17 if old else 16, WIDTH)
    blocks = []
    for _ in range(DEPTH):
        b = {}
        for norm in ["LayerNorm_0/", norm2]:
            b[norm + "scale"], b[norm + "bias"] = 1 + random(WIDTH), random(WIDTH)
        for name in QKV:
            b[f"{mha}{name}/kernel"], b[f"{mha}{name}/bias"] = random(WIDTH, HEADS, HEAD), random(HEADS, HEAD)
        if qk_norm:
            b[mha + "query_ln/scale"], b[mha + "key_ln/scale"] = 1 + random(HEAD), 1 + random(HEAD)
        b[mha + "out/kernel"], b[mha + "out/bias"] = random(HEADS, HEAD, WIDTH), random(WIDTH)
        b[mlp + "Dense_0/kernel"], b[mlp + "Dense_0/bias"] = random(WIDTH, 50), random(50)
        b[mlp + "Dense_1/kernel"], b[mlp + "Dense_1/bias"] = random(50, WIDTH), random(WIDTH)
        blocks.append(b)
    for name in blocks[0]:
        if scan:
            p["Transformer/encoderblock/" + name] = np.stack([b[name] for b in blocks])
        else:
            p.update({f"Transformer/encoderblock_{i}/{name}": b[name] for i, b in enumerate(blocks)})
    p["Transformer/encoder_norm/scale"], p["Transformer/encoder_norm/bias"] = 1 + random(WIDTH), random(WIDTH)
    p["pre_logits/kernel"], p["pre_logits/bias"] = random(WIDTH, 10), random(10)
    p["head/kernel"], p["head/bias"] = random(10, 4), random(4)

    def norm(t, q, at):
        return layer_norm(t, {"weight": q[at + "scale"]}, "", 1e-6) + q.get(at + "bias", 0)

    x, q = pixels(3, 32, 32), wide(p)
    t = np.einsum("bchpwq,pqcd->bhwd", x.reshape(BATCH, 3, 4, 8, 4, 8), q["embedding/kernel"])
    t = t.reshape(BATCH, 16, WIDTH) + q["embedding/bias"]
    t = t if old else t + q[positions]
    t = np.concatenate([tiled(q["cls"]), t], 1)
    t = t + q[positions] if old else t
    for b in map(wide, blocks):
        y = norm(t, b, "LayerNorm_0/")
        projected = [np.einsum("bnd,dhk->bhnk", y, b[f"{mha}{n}/kernel"]) + b[f"{mha}{n}/bias"][:, None] for n in QKV]
        if qk_norm:
            projected[:2] = [norm(z, b, f"{mha}{n}_ln/") for z, n in zip(projected, QKV[:2])]
        merged = [z.transpose(0, 2, 1, 3).reshape(y.shape) for z in projected]
        y = attend(*merged).reshape(BATCH, -1, HEADS, HEAD)
        t = t + np.einsum("bnhk,hkd->bnd", y, b[mha + "out/kernel"]) + b[mha + "out/bias"]
        y = gelu_tanh(norm(t, b, norm2) @ b[mlp + "Dense_0/kernel"] + b[mlp + "Dense_0/bias"])
        t = t + y @ b[mlp + "Dense_1/kernel"] + b[mlp + "Dense_1/bias"]
    t = norm(t, q, "Transformer/encoder_norm/")
    pooled = np.tanh(t[:, 0] @ q["pre_logits/kernel"] + q["pre_logits/bias"])
    expected = {"features": t, "pre_logits": pooled, "logits": pooled @ q["head/kernel"] + q["head/bias"]}
    save(folder, {"model": "big_vision.models.vit"}, {prefix + name: value for name, value in p.items()}, x, expected)


dinov2()
vit()
siglip()
timm("timm-xp", "vit_base_patch16_xp_224", {}, parallel(False), norm=rms_norm, pre_norm=True,
     embed_class=False)
timm("timm-xp-fused", "vit_base_patch16_xp_224", {}, parallel(True), norm=rms_norm, pre_norm=True,
     embed_class=False)
timm("timm-things", "vit_small_patch16_18x2_224", {}, things)
timm("timm-registers-map", "vit_so150m_patch16_reg4_map_256", {}, sequential, mlp=61, cls=False, reg=4, pool="map")
timm("timm-dinov2-giant", "vit_giant_patch14_reg4_dinov2", {}, sequential, mlp=128, inner=64, act=swiglu, reg=4,
     embed_class=False, patch=7, scale=True)
timm("timm-clip", "vit_base_patch16_clip_quickgelu_224", {}, sequential, act=quick_gelu, eps=1e-5, pre_norm=True)
timm("timm-average", "vit_base_patch16_224", {"global_pool": "avg"}, sequential, pool="avg")
flax("big-vision-scan", "params/", scan=True, qk_norm=True)
flax("big-vision-target", "opt/target/")
flax("vision-transformer", "", old=True)
