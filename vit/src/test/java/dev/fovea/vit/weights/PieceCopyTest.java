package dev.fovea.vit.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Copies of any axes agree with the plainest loop, in both directions. */
final class PieceCopyTest {
  @Test
  void permutationsAgreeWithALoop() {
    var random = new Random(1);
    for (int i = 0; i < 200; i++) {
      long[] sizes =
          random.longs(1 + random.nextInt(4), 1, i % 10 == 0 ? 70 : 9).toArray();
      check(
          sizes,
          order(sizes.length, random),
          random.nextInt(5),
          random.nextInt(5),
          i % 2 == 0 ? DType.F32 : DType.BF16);
    }
  }

  @Test
  void axesThatGoOnAreOne() {
    assertEquals(
        List.of(new Axis(6, 1, 1)), Axis.merged(List.of(new Axis(2, 3, 3), new Axis(1, 9, 9), new Axis(3, 1, 1))));
    assertEquals(List.of(new Axis(1, 1, 1)), Axis.merged(List.of(new Axis(1, 5, 7))));
    List<Axis> transposed = List.of(new Axis(2, 1, 3), new Axis(3, 2, 1));
    assertEquals(transposed, Axis.merged(transposed));
  }

  /** The source is in the order of {@code sizes}, the target in {@code order}. */
  private static void check(long[] sizes, int[] order, int first, int into, DType dtype) {
    long[] target = new long[sizes.length];
    long step = 1;
    for (int i = order.length - 1; i >= 0; i--) {
      target[order[i]] = step;
      step *= sizes[order[i]];
    }
    long count = step;
    List<Axis> axes = new ArrayList<>();
    long source = count;
    for (int i = 0; i < sizes.length; i++) {
      source /= sizes[i];
      axes.add(new Axis(sizes[i], source, target[i]));
    }
    Shape shape = Shape.of(count + 10);
    try (Scope scope = Scope.open()) {
      Tensor from = Tensor.normal(shape, dtype, 1, count);
      Tensor to = Tensor.zeros(shape, dtype);
      Piece piece = new Piece("from", shape, first, "to", into, axes, false);
      assertEquals(count, piece.count());
      PieceCopy.load(piece, from, to);
      float[] values = from.toFloats();
      float[] expected = new float[values.length];
      for (long at = 0; at < count; at++) {
        long rest = at;
        long there = into;
        for (int i = sizes.length - 1; i >= 0; i--) {
          there += rest % sizes[i] * target[i];
          rest /= sizes[i];
        }
        expected[(int) there] = values[(int) (first + at)];
      }
      assertArrayEquals(expected, to.toFloats());
      Tensor back = Tensor.zeros(shape, dtype);
      PieceCopy.store(piece, to, back);
      for (int at = 0; at < values.length; at++) {
        values[at] = at < first || at >= first + count ? 0 : values[at];
      }
      assertArrayEquals(values, back.toFloats());
    }
  }

  private static int[] order(int count, Random random) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      order.add(random.nextInt(i + 1), i);
    }
    return order.stream().mapToInt(Integer::intValue).toArray();
  }
}
