package dev.fovea.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.fovea.kernels.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for tensors of every shape; a failing test names its seed. */
@ExtendWith(NoLeaks.class)
class TensorPropertyTest {
  static LongStream seeds() {
    return LongStream.range(0, 30);
  }

  private static Shape shape(SplittableRandom random) {
    long[] dims = new long[random.nextInt(6)];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = random.nextInt(20) == 0 ? 0 : random.nextInt(1, 9);
    }
    return Shape.of(dims);
  }

  private static float[] values(SplittableRandom random, Shape shape) {
    float[] values = new float[(int) shape.count()];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextInt(-128, 129); // exact in every floating dtype
    }
    return values;
  }

  /** Another shape with as many elements: axes split and merged at random. */
  private static long[] rearranged(SplittableRandom random, Shape shape) {
    if (shape.count() == 0) {
      return new long[] {random.nextInt(5), 0};
    }
    List<Long> dims = new ArrayList<>();
    long rest = shape.count();
    while (rest > 1) {
      long left = rest;
      long[] divisors =
          LongStream.rangeClosed(1, left).filter(d -> left % d == 0).toArray();
      long dim = divisors[random.nextInt(divisors.length)];
      dims.add(dim);
      rest /= dim;
    }
    return dims.stream().mapToLong(Long::longValue).toArray();
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void storesAndReshapes(long seed) {
    var random = new SplittableRandom(seed);
    Shape shape = shape(random);
    float[] values = values(random, shape);
    try (Scope _ = Scope.open()) {
      for (DType dtype : DType.values()) {
        if (!dtype.isFloating()) {
          continue;
        }
        Tensor tensor = Tensor.empty(shape, dtype).copyFrom(values);
        assertArrayEquals(values, tensor.toFloats());
        assertEquals(shape.count(), tensor.span().count());
        long[] dims = rearranged(random, shape);
        assertArrayEquals(values, tensor.reshape(dims).toFloats());
        assertEquals(shape, tensor.reshape(dims).reshape(shape.dims()).shape());
        if (dims.length > 0 && shape.count() > 0) {
          long[] open = dims.clone();
          open[random.nextInt(open.length)] = -1;
          assertEquals(Shape.of(dims), tensor.reshape(open).shape());
        }
        long[] more = Arrays.copyOf(shape.dims(), shape.rank() + 1);
        more[shape.rank()] = 2;
        if (shape.count() > 0) {
          assertThrows(IllegalArgumentException.class, () -> tensor.reshape(more));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void narrowsAsArraysAreCut(long seed) {
    var random = new SplittableRandom(seed);
    Shape shape = shape(random);
    if (shape.rank() == 0) {
      return;
    }
    float[] values = values(random, shape);
    long rows = shape.dim(0);
    try (Scope _ = Scope.open()) {
      Tensor tensor = Tensor.of(values, shape.dims());
      for (int i = 0; i < 10; i++) {
        long first = random.nextLong(rows + 1);
        long count = random.nextLong(rows - first + 1);
        Tensor part = tensor.narrow(first, count);
        assertEquals(shape.with(0, count), part.shape());
        int width = rows == 0 ? 0 : values.length / (int) rows;
        float[] expected = Arrays.copyOfRange(values, (int) first * width, (int) (first + count) * width);
        assertArrayEquals(expected, part.toFloats());
        assertEquals(part.span().bytes(), part.segment().byteSize());
        assertThrows(IllegalArgumentException.class, () -> tensor.narrow(first, rows - first + 1));
      }
    }
  }

  /** Scopes, views, early closes, keeps and adoptions in any order leave nothing in use and free nothing too early. */
  @ParameterizedTest
  @MethodSource("seeds")
  void freesExactlyWhatNobodyHolds(long seed) {
    var random = new SplittableRandom(seed);
    try (CpuDevice device = Device.cpu(CpuOptions.defaults().withThreads(1).withPoison(true))) {
      Scope model = Scope.unbound(device);
      List<Tensor> free = new ArrayList<>();
      nest(random, device, model, free, 0);
      for (Tensor tensor : free) {
        check(tensor);
        tensor.close();
      }
      model.close();
      assertEquals(0, device.memory().current());
    }
  }

  private static void nest(SplittableRandom random, Device device, Scope model, List<Tensor> free, int depth) {
    try (Scope scope = Scope.open(device)) {
      List<Tensor> own = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        Tensor tensor = Tensor.of(new int[] {i, i, i + depth, i + depth}, 2, 2);
        own.add(random.nextBoolean() ? tensor : tensor.reshape(4).reshape(2, 2));
        if (random.nextInt(4) == 0) {
          tensor = own.remove(random.nextInt(own.size()));
          check(tensor);
          tensor.close();
        }
        if (random.nextInt(6) == 0 && depth < 4) {
          nest(random, device, model, free, depth + 1);
        }
        if (random.nextInt(4) == 0 && !own.isEmpty()) {
          Tensor moved = own.remove(random.nextInt(own.size()));
          if (random.nextBoolean()) {
            model.adopt(moved);
          } else if (scope.keep(moved).owner() == null) {
            free.add(moved);
          }
        }
        own.forEach(TensorPropertyTest::check);
      }
    }
  }

  /** What was written is still there: poison would show. */
  private static void check(Tensor tensor) {
    long[] values = tensor.toLongs();
    assertEquals(values[0], values[1]);
    assertEquals(values[2], values[3]);
    assertEquals(values[0], Math.clamp(values[0], 0, 11));
  }
}
