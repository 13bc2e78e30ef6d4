package dev.fovea.vit.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code fovea info} prints. */
final class InfoCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    return Fovea.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
  }

  @Test
  void withoutArgumentsItListsThePresets() {
    assertEquals(0, run("info"));
    assertTrue(out.toString().contains("preset"), out.toString());
    assertTrue(
        out.toString()
            .contains("B/16          768     12   3072     12        85.80        92.88          35.42         112.13"),
        out.toString());
    assertTrue(out.toString().lines().anyMatch(line -> line.startsWith("22B/14  ")), out.toString());
    assertEquals("", err.toString());
  }

  @Test
  void aModelIsShownByItsParts() {
    assertEquals(0, run("info", "ViT-22B", "vit_base_patch16_18x2_224", "--size", "224"));
    String text = out.toString();
    for (String part : new String[] {
      "ViT-22B: parallel blocks, RMSNorm without bias, GELU_TANH, QK-norm, learned positions, map pooling",
      "48 blocks of width 6144, 48 heads of 128, MLP 24576",
      "22,203,598,848",
      "11251.13 GFLOPs",
      "things blocks of 2 branches",
      "256,731,880",
      "none                selective           block",
      "224 pixels BF16"
    }) {
      assertTrue(text.contains(part), part + " in\n" + text);
    }
  }

  @Test
  void itsOwnSizeIsShownToo() {
    assertEquals(0, run("info", "vit_base_patch14_dinov2"));
    for (String part : new String[] {"224 pixels           4", "384 pixels", "518 pixels           303.15 GFLOPs"}) {
      assertTrue(out.toString().contains(part), part + " in\n" + out);
    }
  }

  @Test
  void jsonHasAllNumbers() throws IOException {
    assertEquals(0, run("info", "--json", "B/16", "--size", "224", "--size", "448"));
    JsonNode model = new ObjectMapper().readTree(out.toString()).get(0);
    assertEquals("B/16", model.get("model").asText());
    assertEquals(768, model.get("config").get("width").asInt());
    assertEquals(590_592, model.get("parameters").get("patches").asLong());
    assertEquals(92_884_224, model.get("parameters").get("total").asLong());
    assertEquals(35.42e9, model.get("sizes").get(0).get("flops").asLong(), 0.005e9);
    assertEquals(448, model.get("sizes").get(1).get("size").asInt());
    JsonNode memory =
        model.get("sizes").get(0).get("training_bytes_per_picture").get("f32");
    // 12 blocks of 196 tokens: 16 widths a token without recomputation, 1 with block replay; then stem and head.
    assertEquals(1, memory.get("none").get("saved").asLong() / (12 * 196 * 16 * 768 * 4.0), 0.05);
    assertTrue(memory.get("block").get("peak").asLong()
        < memory.get("none").get("saved").asLong());
  }

  @Test
  void whatItDoesNotKnowIsWrongUse(@TempDir Path folder) throws IOException {
    assertEquals(2, run("info", "XXL/16"));
    assertTrue(err.toString().contains("MODEL: got XXL/16, expected a folder, a file"), err.toString());
    assertEquals(2, run("info", "B/16", "--size", "8"));
    assertTrue(err.toString().contains("--size: got 8, expected 16 to 65536 for B/16"), err.toString());
    assertEquals(2, run("info", "B/500"));
    Path file = Files.writeString(folder.resolve("model.safetensors"), "no");
    assertEquals(1, run("info", file.toString()));
    assertTrue(err.toString().contains("model.safetensors"), err.toString());
  }
}
