package dev.fovea.vit;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** A model folder of timm with random weights: 32 x 32 pixels, five classes, a few kilobytes. */
public final class TinyModel {
  private static final int WIDTH = 16;

  private TinyModel() {}

  /** Writes it into a new folder. */
  public static Path write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), """
        {"architecture": "vit_tiny_patch16_224", "num_classes": 5,
         "label_names": ["ant", "bee", "cat", "dog", "emu"], "label_descriptions": {"emu": "emu, a bird"},
         "model_args": {"embed_dim": 16, "num_heads": 2, "depth": 2, "img_size": 32, "patch_size": 8}}\
        """);
    try (Scope scope = Scope.open()) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      add(tensors, "cls_token", 1, 1, WIDTH);
      add(tensors, "pos_embed", 1, 17, WIDTH);
      add(tensors, "patch_embed.proj.weight", WIDTH, 3, 8, 8);
      add(tensors, "patch_embed.proj.bias", WIDTH);
      for (int i = 0; i < 2; i++) {
        String at = "blocks." + i + ".";
        norm(tensors, at + "norm1.");
        linear(tensors, at + "attn.qkv.", 3 * WIDTH, WIDTH);
        linear(tensors, at + "attn.proj.", WIDTH, WIDTH);
        norm(tensors, at + "norm2.");
        linear(tensors, at + "mlp.fc1.", 4 * WIDTH, WIDTH);
        linear(tensors, at + "mlp.fc2.", WIDTH, 4 * WIDTH);
      }
      norm(tensors, "norm.");
      linear(tensors, "head.", 5, WIDTH);
      Safetensors.write(folder.resolve("model.safetensors"), tensors);
    }
    return folder;
  }

  private static void norm(Map<String, Tensor> tensors, String at) {
    add(tensors, at + "weight", WIDTH);
    add(tensors, at + "bias", WIDTH);
  }

  private static void linear(Map<String, Tensor> tensors, String at, long out, long in) {
    add(tensors, at + "weight", out, in);
    add(tensors, at + "bias", out);
  }

  private static void add(Map<String, Tensor> tensors, String name, long... shape) {
    tensors.put(name, Tensor.normal(Shape.of(shape), DType.F32, 0.3f, tensors.size() + 1));
  }
}
