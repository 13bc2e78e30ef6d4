package dev.fovea.vit.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.model.AttentionMaps;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.weights.TimmConfig;
import java.awt.image.BufferedImage;
import org.junit.jupiter.api.Test;

/** What is drawn of attention. */
class AttentionSheetTest {
  @Test
  void brightIsMuch() {
    for (int i = 1; i <= 20; i++) {
      assertTrue(grey(ColorMap.color(i / 20.0)) > grey(ColorMap.color((i - 1) / 20.0)), "step " + i);
    }
    Picture picture = Pictures.grey(8, 8, new int[64]);
    BufferedImage drawn = Heatmap.draw(picture, new float[] {0, 0, 0, 1}, 2, 2, 16, 16);
    assertTrue(grey(drawn.getRGB(15, 15)) > 5 * grey(drawn.getRGB(0, 0)));
    assertEquals(drawn.getRGB(0, 0), drawn.getRGB(15, 0));
    BufferedImage even = Heatmap.draw(picture, new float[] {0.25f, 0.25f, 0.25f, 0.25f}, 2, 2, 16, 16);
    assertEquals(even.getRGB(0, 0), even.getRGB(15, 15));
  }

  private static int grey(int color) {
    return (299 * (color >> 16 & 0xff) + 587 * (color >> 8 & 0xff) + 114 * (color & 0xff)) / 1000;
  }

  @Test
  void aSheetHasACellForEveryMap() {
    var config = TimmConfig.of("vit_tiny_patch16_224").toBuilder()
        .imageHeight(32)
        .imageWidth(32)
        .width(48)
        .depth(2)
        .build();
    try (VisionTransformer model = VisionTransformer.create(config, 1);
        Scope scope = Scope.open()) {
      AttentionMaps maps = model.attention(Tensor.normal(Shape.of(1, 3, 32, 32), DType.F32, 1, 1));
      Picture picture = Pictures.grey(32, 32, new int[1024]);
      // 64 for labels, margins of 20; two cells of 240 above; four of 160 with their gaps below.
      BufferedImage all = new AttentionSheet(picture, maps, null, null).draw();
      assertEquals(64 + 40 + 4 * 166, all.getWidth());
      assertEquals(40 + 22 + 246 + 22 + 166 + 166, all.getHeight());
      BufferedImage one = new AttentionSheet(picture, maps, 1, 2).draw();
      assertEquals(40 + 2 * (22 + 246), one.getHeight());
      BufferedImage head = new AttentionSheet(picture, maps, null, 0).draw();
      assertEquals(64 + 40 + 2 * 246, head.getWidth());
      var e = assertThrows(IllegalArgumentException.class, () -> new AttentionSheet(picture, maps, 2, null));
      assertEquals("layer: got 3, expected 1 to 2", e.getMessage());
    }
  }
}
