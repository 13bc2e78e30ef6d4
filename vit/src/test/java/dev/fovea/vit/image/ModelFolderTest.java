package dev.fovea.vit.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.vit.image.Preprocessing.Fit;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.weights.TimmConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What model folders of each family say about preprocessing is understood. */
class ModelFolderTest {
  private static final VitConfig BASE = TimmConfig.of("vit_base_patch16_224");
  private static final VitConfig SIGLIP = TimmConfig.of("vit_so400m_patch14_siglip_224");

  @TempDir
  private Path folder;

  private Preprocessing read(String file, String json, VitConfig config) throws IOException {
    Files.writeString(folder.resolve(file), json);
    return Preprocessing.of(folder, config);
  }

  private static void assertFit(Fit fit, int height, int width, Interpolation interpolation, Preprocessing how) {
    assertEquals(fit, how.fit());
    assertEquals(List.of(height, width), List.of(how.fitHeight(), how.fitWidth()));
    assertEquals(interpolation, how.interpolation());
  }

  @Test
  void timmSaysItInPretrainedCfg() throws IOException {
    Preprocessing how = read("config.json", """
        {"architecture": "vit_base_patch16_224", "pretrained_cfg": {"interpolation": "bilinear", "crop_pct": 0.875,
         "crop_mode": "center", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}\
        """, BASE);
    assertFit(Fit.SHORTER, 256, 256, Interpolation.BILINEAR, how);
    assertEquals(Preprocessing.IMAGENET_MEAN, how.mean());
    assertEquals(Preprocessing.IMAGENET_DEVIATION, how.deviation());
    assertFit(Fit.SQUASH, 224, 224, Interpolation.LANCZOS, read("config.json", """
        {"architecture": "none of ours", "pretrained_cfg": {"interpolation": "lanczos", "crop_pct": 1.0,
         "crop_mode": "squash"}}\
        """, BASE));
    how = read("config.json", "{\"architecture\": \"x\", \"crop_mode\": \"border\", \"mean\": 0.2}", BASE);
    assertFit(Fit.CONTAIN, 248, 248, Interpolation.BICUBIC, how);
    assertEquals(List.of(51, 51, 51), how.padding());
  }

  @Test
  void timmsTableSpeaksForAFolderThatDoesNot() throws IOException {
    assertFit(
        Fit.SHORTER,
        248,
        248,
        Interpolation.BICUBIC,
        read("config.json", "{\"architecture\": \"vit_base_patch16_224\"}", BASE));
    Preprocessing how = read("config.json", "{\"architecture\": \"deit3_base_patch16_384\"}", BASE);
    assertFit(Fit.SHORTER, 224, 224, Interpolation.BICUBIC, how);
    assertEquals(Preprocessing.IMAGENET_MEAN, how.mean());
    Files.delete(folder.resolve("config.json"));
    assertFit(
        Fit.SHORTER, 248, 248, Interpolation.BICUBIC, Preprocessing.of(folder.resolve("model.safetensors"), BASE));
  }

  /** timm keeps proportions, and resizes such pictures by its default filter. */
  @Test
  void timmCoversASizeThatIsNotSquare() {
    Preprocessing how =
        Preprocessing.center(42, 70, 0.9, Interpolation.BICUBIC, Preprocessing.HALF, Preprocessing.HALF);
    assertFit(Fit.COVER, 46, 77, Interpolation.BILINEAR, how);
  }

  @Test
  void transformersSaysItInPreprocessorConfig() throws IOException {
    assertFit(Fit.SQUASH, 224, 224, Interpolation.BILINEAR, read("preprocessor_config.json", """
        {"do_normalize": true, "do_resize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "size": 224}\
        """, BASE));
    assertFit(Fit.SQUASH, 224, 224, Interpolation.BICUBIC, read("preprocessor_config.json", """
        {"image_processor_type": "SiglipImageProcessor", "resample": 3, "size": {"height": 224, "width": 224}}\
        """, SIGLIP));
    Preprocessing how = read("preprocessor_config.json", """
        {"image_processor_type": "BitImageProcessor", "crop_size": {"height": 224, "width": 224},
         "do_center_crop": true, "resample": 3, "rescale_factor": 0.5, "size": {"shortest_edge": 256},
         "image_mean": [0.485, 0.456, 0.406]}\
        """, TimmConfig.of("vit_base_patch14_dinov2"));
    assertFit(Fit.SHORTER, 592, 592, Interpolation.BICUBIC, how);
    assertEquals(List.of(518, 518), List.of(how.height(), how.width()));
    assertEquals(0.5, how.rescale());
    assertEquals(Preprocessing.IMAGENET_MEAN, how.mean());
    how = read("preprocessor_config.json", "{\"do_rescale\": false, \"do_normalize\": false}", BASE);
    assertEquals(1, how.rescale());
    assertEquals(List.of(1.0, 1.0, 1.0), how.deviation());
    assertFit(
        Fit.SQUASH,
        256,
        256,
        Interpolation.BICUBIC,
        read("preprocessor_config.json", "{\"feature_extractor_type\": \"DeiTFeatureExtractor\"}", BASE));
    Files.delete(folder.resolve("preprocessor_config.json"));
    assertFit(
        Fit.NONE,
        0,
        0,
        Interpolation.BILINEAR,
        read("processor_config.json", "{\"image_processor\": {\"do_resize\": false}}", BASE));
  }

  @Test
  void transformersHasDefaultsByModelType() throws IOException {
    assertFit(Fit.SQUASH, 224, 224, Interpolation.BILINEAR, read("config.json", "{\"model_type\": \"vit\"}", BASE));
    assertFit(
        Fit.SQUASH,
        224,
        224,
        Interpolation.BICUBIC,
        read("config.json", "{\"model_type\": \"siglip_vision_model\"}", SIGLIP));
    Preprocessing how = read("config.json", "{\"model_type\": \"dinov2\"}", BASE);
    assertFit(Fit.SHORTER, 256, 256, Interpolation.BICUBIC, how);
    assertEquals(Preprocessing.IMAGENET_MEAN, how.mean());
  }

  @Test
  void bigVisionCutsForClassifiersAndSquashesForTowers() throws IOException {
    String json = "{\"model\": \"big_vision.models.vit\"}";
    assertFit(Fit.SHORTER_NEAREST, 256, 256, Interpolation.AREA, read("config.json", json, BASE));
    assertFit(Fit.SQUASH, 224, 224, Interpolation.BILINEAR_PLAIN, read("config.json", json, SIGLIP));
  }

  @Test
  void whatIsNotUnderstoodIsNamed() {
    assertWrong("crop_mode: got fisheye", "{\"architecture\": \"x\", \"crop_mode\": \"fisheye\"}");
    assertWrong("interpolation: got best", "{\"architecture\": \"x\", \"interpolation\": \"best\"}");
    assertWrong("mean: got \"grey\"", "{\"architecture\": \"x\", \"mean\": \"grey\"}");
    assertWrong("Unexpected", "{\"architecture\": ");
  }

  private void assertWrong(String what, String json) {
    var e = assertThrows(IllegalArgumentException.class, () -> read("config.json", json, BASE));
    assertTrue(e.getMessage().startsWith(folder.resolve("config.json") + ": "), e.getMessage());
    assertTrue(e.getMessage().contains(what), e.getMessage());
  }
}
