package org.example.consumer;

import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import java.util.Arrays;

/** Attention over equal keys gives the mean of the values. Says what it runs on, and what came out. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.out.println(Device.cpu().kernels().description());
    try (Scope scope = Scope.open(Device.cpu())) {
      Tensor qkv = Tensor.of(new float[] {1, 0, 2, 2, 3, 5, 0, 1, 2, 2, 5, 9}, 1, 2, 6);
      System.out.println(Arrays.toString(Ops.attention(qkv, 1).toFloats()));
    }
  }
}
