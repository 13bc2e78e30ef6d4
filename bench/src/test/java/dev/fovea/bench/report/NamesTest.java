package dev.fovea.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Words for what is measured. */
class NamesTest {
  private static String name(String suite, String benchmark, String... parameters) {
    Map<String, String> map = new LinkedHashMap<>();
    for (int i = 0; i < parameters.length; i += 2) {
      map.put(parameters[i], parameters[i + 1]);
    }
    return Names.of(new Subject(suite, benchmark, map, "fovea", 1));
  }

  @Test
  void parametersBecomeWords() {
    assertEquals("1024 × 1024 × 1024", name("gemm", "run", "shape", "1024x1024x1024"));
    assertEquals("ViT-B/16, 8 × 197 tokens, first layer of the MLP", name("gemm", "run", "shape", "B/16 8x197 fc1"));
    assertEquals("Attention backward, ViT-B/16, 577 tokens", name("attention", "backward", "shape", "B/16 1x577"));
    assertEquals(
        "LayerNorm backward, ViT-B/16, 32 × 197 tokens, BF16",
        name("norm", "backward", "shape", "B/16 32x197", "dtype", "BF16"));
    assertEquals(
        "GELU, ViT-B/16, 16 × 197 tokens", name("elementwise", "gelu", "shape", "B/16 16x197", "dtype", "F32"));
    assertEquals("AdamW, ViT-g/14", name("optimizer", "adamW", "shape", "g/14"));
    assertEquals(
        "ViT-So400m/14, 1 picture",
        name("models", "run", "pass", "forward", "model", "vit_so400m_patch14_siglip_224", "batch", "1"));
    assertEquals(
        "Forward and backward, ViT-B/16, 8 pictures",
        name("models", "run", "pass", "gradients", "model", "vit_base_patch16_224", "batch", "8"));
    assertEquals(
        "Training step, ViT-S/16, recomputing BLOCK, 8 pictures",
        name("train", "step", "model", "S/16", "recompute", "BLOCK", "batch", "8"));
  }

  @Test
  void whatIsNotKnownStaysAsItIs() {
    assertEquals("Gather, 12", name("token", "gather", "size", "12"));
    assertEquals("OpenBLAS", Names.peer("openblas:SkylakeX"));
    assertEquals("other", Names.peer("other"));
  }
}
