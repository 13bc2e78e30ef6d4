package org.example.consumer;

import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import java.util.Arrays;
import javax.imageio.ImageIO;

/**
 * Attention over equal keys gives the mean of the values. Says what it runs on, whether the readers of pictures are
 * found, and what came out.
 */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.out.println(Device.cpu().kernels().description());
    System.out.println(
        "reads WebP: " + ImageIO.getImageReadersByFormatName("webp").hasNext());
    try (Scope scope = Scope.open(Device.cpu())) {
      Tensor qkv = Tensor.of(new float[] {1, 0, 2, 2, 3, 5, 0, 1, 2, 2, 5, 9}, 1, 2, 6);
      System.out.println(Arrays.toString(Ops.attention(qkv, 1).toFloats()));
    }
  }
}
