package dev.fovea.vit.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.fovea.vit.model.ParameterShapes;
import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every architecture of the table has exactly the parameters that timm counted. */
final class TimmConfigTest {
  @TempDir
  Path folder;

  @Test
  void everyArchitectureHasTimmsParameterCount() throws IOException {
    JsonNode table = new ObjectMapper().readTree(TimmConfig.class.getResourceAsStream("timm.json"));
    List<String> wrong = new ArrayList<>();
    for (String name : TimmConfig.architectures()) {
      VitConfig config = TimmConfig.of(name);
      long expected = table.get(name).get("params").asLong();
      if (ParameterShapes.count(config) != expected) {
        wrong.add("%s: %d, expected %d".formatted(name, ParameterShapes.count(config), expected));
      }
      assertEquals(config, TimmConfig.change(name, config, Settings.none()), name);
      long pieces = TimmNames.of(config, new Names(Set.of())).stream()
          .mapToLong(Piece::count)
          .sum();
      if (pieces != expected) {
        wrong.add("%s: names of %d elements, expected %d".formatted(name, pieces, expected));
      }
    }
    assertEquals(List.of(), wrong);
    assertEquals(143, TimmConfig.architectures().size());
  }

  @Test
  void modelArgumentsOverride() throws IOException {
    VitConfig config = TimmConfig.read(write("""
        {"architecture": "vit_base_patch16_224", "num_classes": 5,
         "model_args": {"embed_dim": 96, "num_heads": 3, "img_size": [32, 48], "class_token": false,
                        "global_pool": "map", "block_fn": "ParallelScalingBlock", "qk_norm": true}}\
        """));
    assertEquals(96, config.width());
    assertEquals(384, config.mlp());
    assertEquals(6, config.patches());
    assertEquals(VitConfig.Pool.MAP, config.pool());
    assertEquals(3, config.poolHeads());
    assertEquals(config.norm(), config.qkNorm());
    assertEquals(5, config.classes());
  }

  @Test
  void foldersOfEveryAge() throws IOException {
    VitConfig own = TimmConfig.of("vit_tiny_patch16_224");
    // The name of an architecture may have the tag of its weights behind it.
    assertEquals(own, TimmConfig.read(write("""
        {"architecture": "vit_tiny_patch16_224.augreg_in21k_ft_in1k", "pretrained_cfg": {}}\
        """)));
    // Older folders have everything on one level.
    VitConfig flat = TimmConfig.read(write("""
        {"architecture": "vit_tiny_patch16_224", "num_classes": 7, "input_size": [3, 96, 64], "fixed_input_size": true}\
        """));
    assertEquals(own.toBuilder().classes(7).imageHeight(96).imageWidth(64).build(), flat);
    // The number of classes may be among what is said of the weights, and channels are those of their pictures.
    VitConfig nested = TimmConfig.read(write("""
        {"architecture": "vit_tiny_patch16_224", "pretrained_cfg": {"num_classes": 0, "input_size": [1, 96, 96]}}\
        """));
    assertEquals(own.toBuilder().classes(0).channels(1).build(), nested);
    assertEquals(5, TimmConfig.read(write("""
        {"architecture": "vit_tiny_patch16_224", "num_classes": 5, "pretrained_cfg": {"num_classes": 9}}\
        """)).classes());
  }

  @Test
  void whatIsNotSupportedMayBeSwitchedOff() throws IOException {
    assertEquals(TimmConfig.of("vit_tiny_patch16_224"), TimmConfig.read(write("""
        {"architecture": "vit_tiny_patch16_224", "model_args": {"dynamic_img_pad": false, "scale_mlp_norm": null}}\
        """)));
    Path on = write("""
        {"architecture": "vit_tiny_patch16_224", "model_args": {"dynamic_img_pad": true}}\
        """);
    assertThrows(IllegalArgumentException.class, () -> TimmConfig.read(on));
  }

  @Test
  void saysWhatItDoesNotKnow() throws IOException {
    var name = assertThrows(IllegalArgumentException.class, () -> TimmConfig.of("resnet50"));
    assertTrue(
        name.getMessage().startsWith("architecture: got resnet50, expected one of 143 of timm's"), name.getMessage());
    Path odd = write("""
        {"architecture": "vit_base_patch16_224", "model_args": {"flux": 1}}\
        """);
    var argument = assertThrows(IllegalArgumentException.class, () -> TimmConfig.read(odd));
    assertTrue(
        argument.getMessage().contains("config.json: model_args: got flux, expected one of [act_layer"),
        argument.getMessage());
    Path broken = write("{");
    assertThrows(IllegalArgumentException.class, () -> TimmConfig.read(broken));
  }

  private Path write(String json) throws IOException {
    return Files.writeString(folder.resolve("config.json"), json);
  }
}
