package dev.fovea.tensor;

import static dev.fovea.tensor.Messages.assertIllegal;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

class ShapeTest {
  @Test
  void countsAxesFromBothEnds() {
    Shape shape = Shape.of(2, 197, 768);
    assertEquals(3, shape.rank());
    assertEquals(2, shape.dim(0));
    assertEquals(768, shape.dim(-1));
    assertEquals(2, shape.dim(-3));
    assertEquals(2 * 197 * 768, shape.count());
    assertEquals("[2, 197, 768]", shape.toString());
    assertIllegal("axis: got 3, expected an axis of [2, 197, 768]", () -> shape.dim(3));
    assertIllegal("axis: got -4, expected an axis of [2, 197, 768]", () -> shape.dim(-4));
    assertIllegal("axis: got -1, expected an axis of []", () -> Shape.scalar().dim(-1));
  }

  @Test
  void isImmutable() {
    long[] dims = {2, 3};
    Shape shape = Shape.of(dims);
    dims[0] = 7;
    shape.dims()[1] = 7;
    assertArrayEquals(new long[] {2, 3}, shape.dims());
    assertEquals(Shape.of(2, 5), shape.with(-1, 5));
    assertEquals(Shape.of(2, 3), shape);
  }

  @Test
  void isAValue() {
    assertEquals(Shape.of(2, 3), Shape.of(2, 3));
    assertEquals(Shape.of(2, 3).hashCode(), Shape.of(2, 3).hashCode());
    assertNotEquals(Shape.of(2, 3), Shape.of(3, 2));
    assertNotEquals(Shape.of(1), Shape.of());
    assertSame(Shape.scalar(), Shape.of());
    assertEquals(1, Shape.scalar().count());
    assertEquals("[]", Shape.scalar().toString());
  }

  @Test
  void mayBeEmpty() {
    assertEquals(0, Shape.of(0, 197, 768).count());
    assertEquals(0, Shape.of(Long.MAX_VALUE, Long.MAX_VALUE, 0).count());
    assertIllegal("shape: got [2, -1], expected sizes of 0 or more", () -> Shape.of(2, -1));
  }

  @Test
  void countsPastAnInt() {
    assertEquals(1L << 40, Shape.of(1 << 20, 1 << 20).count());
    assertEquals(Long.MAX_VALUE, Shape.of(Long.MAX_VALUE).count());
    assertEquals(Long.MAX_VALUE, Shape.of(7, Long.MAX_VALUE / 7).count());
    String message = "expected at most 2^63 - 1 elements";
    assertIllegal("shape: got [4294967296, 2147483648], " + message, () -> Shape.of(1L << 32, 1L << 31));
    assertIllegal("shape: got [4294967296, 4294967296, 3], " + message, () -> Shape.of(1L << 32, 1L << 32, 3));
  }

  @Test
  void reshapesWithOneOpenSize() {
    Shape shape = Shape.of(2, 6);
    assertEquals(Shape.of(3, 4), shape.reshaped(3, 4));
    assertEquals(Shape.of(3, 2, 2), shape.reshaped(3, -1, 2));
    assertEquals(Shape.of(12), shape.reshaped(-1));
    assertEquals(Shape.of(), Shape.of(1, 1).reshaped());
    assertEquals(Shape.of(0, 5), Shape.of(5, 0).reshaped(-1, 5));
    assertIllegal("shape: got [5, -1], expected a shape of 12 elements, as [2, 6]", () -> shape.reshaped(5, -1));
    assertIllegal("shape: got [5], expected a shape of 12 elements, as [2, 6]", () -> shape.reshaped(5));
    assertIllegal("shape: got [0, -1], expected a shape of 12 elements, as [2, 6]", () -> shape.reshaped(0, -1));
    assertIllegal(
        "shape: got [-1, -1], expected sizes of 0 or more, with at most one -1", () -> shape.reshaped(-1, -1));
    assertIllegal("shape: got [-2], expected sizes of 0 or more, with at most one -1", () -> shape.reshaped(-2));
  }
}
