package dev.fovea.vit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.TensorFile;
import dev.fovea.vit.image.Preprocessing;
import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models of every family are saved and loaded again, and compute the same numbers, bit for bit. */
final class SaveTest {
  private static final Path CASES = Path.of("src/test/cases");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir
  Path folder;

  /** The second column: the architecture of timm that it becomes, if any. */
  @ParameterizedTest
  @CsvSource({
    "timm-vit-cls, deit_tiny_patch16_224",
    "hf-siglip-vision, vit_base_patch32_siglip_256",
    "hf-dinov2, vit_base_patch14_dinov2",
    "hf-vit, ",
    "big-vision-map, vit_base_patch32_siglip_256"
  })
  void savedModelsAreTheSame(String name, String architecture) throws IOException {
    Path saved = folder.resolve("new/model");
    try (Vit vit = Vit.load(CASES.resolve(name))) {
      vit.save(saved);
      try (Stream<Path> all = Files.list(folder.resolve("new"))) {
        assertEquals(List.of(saved), all.toList(), "nothing else is left");
      }
      JsonNode config = JSON.readTree(saved.resolve("config.json").toFile());
      assertEquals(architecture, config.path("architecture").asText(null));
      same(name, vit, saved);
      vit.save(saved);
      same(name, vit, saved);
      if (architecture == null) {
        var e = assertThrows(IllegalArgumentException.class, () -> vit.exportTimm(folder.resolve("timm")));
        assertTrue(e.getMessage().startsWith("model: got one that timm has not"), e.getMessage());
        assertFalse(Files.exists(folder.resolve("timm")));
      } else {
        vit.exportTimm(folder.resolve("timm"));
        same(name, vit, folder.resolve("timm"));
      }
    }
  }

  /** timm does not read what transformers says of pictures: it is said in timm's words as well. */
  @ParameterizedTest
  @CsvSource({"hf-siglip-vision, 1, squash", "hf-dinov2, 0.875, center"})
  void picturesOfTransformersAreToldToTimm(String name, double share, String mode) throws IOException {
    Path exported = folder.resolve("timm");
    Preprocessing own;
    try (Vit vit = Vit.load(CASES.resolve(name))) {
      vit.exportTimm(exported);
      own = vit.inference().preprocessor().preprocessing();
    }
    JsonNode pictures = JSON.readTree(exported.resolve("config.json").toFile()).path("pretrained_cfg");
    assertEquals(share, pictures.path("crop_pct").asDouble(), 1e-12);
    assertEquals(mode, pictures.path("crop_mode").asText());
    try (Vit vit = Vit.load(exported)) {
      Preprocessing read = vit.inference().preprocessor().preprocessing();
      assertEquals(own.mean(), read.mean());
      assertEquals(own.deviation(), read.deviation());
      assertEquals(own.fit(), read.fit());
      assertEquals(own.interpolation(), read.interpolation());
      assertEquals(own.fitHeight(), read.fitHeight());
    }
  }

  private static void same(String name, Vit vit, Path saved) throws IOException {
    try (Vit again = Vit.load(saved);
        TensorFile input = TensorFile.open(CASES.resolve(name).resolve("input.safetensors"));
        Scope scope = Scope.open()) {
      assertEquals(plain(vit.config()), plain(again.config()));
      Map<String, Tensor> parameters = again.model().parameters();
      vit.model()
          .parameters()
          .forEach((key, value) ->
              assertArrayEquals(value.toFloats(), parameters.get(key).toFloats(), key));
      Tensor pixels = input.load("pixel_values");
      assertArrayEquals(
          vit.forward(pixels).preLogits().toFloats(),
          again.forward(pixels).preLogits().toFloats());
    }
  }

  /** Where there are no prefix tokens, it does not matter whether they would have positions. */
  private static VitConfig plain(VitConfig config) {
    return config.toBuilder()
        .prefixPositions(config.prefixPositions() && config.prefixTokens() > 0)
        .build();
  }

  @Test
  void whatAFolderSaysOfPicturesAndClassesGoesAlong() throws IOException {
    Path first = folder.resolve("first");
    Files.createDirectories(first);
    for (String file : new String[] {"config.json", "model.safetensors"}) {
      Files.copy(CASES.resolve("timm-vit-cls").resolve(file), first.resolve(file));
    }
    Files.writeString(first.resolve("preprocessor_config.json"), "{\"do_resize\": false}");
    try (Vit vit = Vit.load(first)) {
      vit.save(folder.resolve("second"));
    }
    assertEquals("{\"do_resize\": false}", Files.readString(folder.resolve("second/preprocessor_config.json")));
    JsonNode cfg = JSON.readTree(folder.resolve("second/config.json").toFile()).path("pretrained_cfg");
    assertEquals(0.9, cfg.path("crop_pct").asDouble());
    assertEquals("[3,64,64]", cfg.path("input_size").toString());
  }

  /** Files of big_vision say nothing of pictures: what is saved does, in our words and about so in timm's. */
  @Test
  void bigVisionsPreparationOfPicturesGoesAlong() throws IOException {
    Path model = CASES.resolve("big-vision-map");
    try (Vit vit = Vit.load(model)) {
      Preprocessing expected = vit.inference().preprocessor().preprocessing();
      vit.save(folder.resolve("saved"));
      vit.exportTimm(folder.resolve("timm"));
      for (String name : new String[] {"saved", "timm"}) {
        try (Vit again = Vit.load(folder.resolve(name))) {
          assertEquals(expected, again.inference().preprocessor().preprocessing());
          again.save(folder.resolve("once more"));
        }
        try (Vit again = Vit.load(folder.resolve("once more"))) {
          assertEquals(expected, again.inference().preprocessor().preprocessing());
        }
      }
    }
    JsonNode cfg = JSON.readTree(folder.resolve("saved/config.json").toFile()).path("pretrained_cfg");
    assertEquals("[0.5,0.5,0.5]", cfg.path("mean").toString());
    assertTrue(cfg.has("crop_mode"));
  }

  @Test
  void aFileInTheWayStays() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "mine");
    try (Vit vit = Vit.load(CASES.resolve("timm-vit-cls"))) {
      assertThrows(IOException.class, () -> vit.save(file));
    }
    assertEquals("mine", Files.readString(file));
  }
}
