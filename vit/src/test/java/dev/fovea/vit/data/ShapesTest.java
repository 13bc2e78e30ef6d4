package dev.fovea.vit.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The built-in pictures, their order and their augmentation. */
final class ShapesTest {
  private static final Shapes SHAPES = new Shapes("train", 32, 1000, 0, Shapes.Cue.INDEPENDENT);

  /** Drawing anew gives the same pixels, and no other picture's. */
  @Test
  void drawsTheSamePicturesEachTime() {
    for (int i = 0; i < 20; i++) {
      assertArrayEquals(SHAPES.get(i).pixels(), SHAPES.get(i).pixels());
      assertFalse(Arrays.equals(SHAPES.get(i).pixels(), SHAPES.get(i + 10).pixels()));
    }
  }

  @Test
  void splitsAndSeedsDiffer() {
    assertFalse(Arrays.equals(
        SHAPES.get(3).pixels(),
        new Shapes("val", 32, 1000, 0, Shapes.Cue.INDEPENDENT).get(3).pixels()));
    assertFalse(Arrays.equals(
        SHAPES.get(3).pixels(),
        new Shapes("train", 32, 1000, 1, Shapes.Cue.INDEPENDENT).get(3).pixels()));
  }

  @Test
  void cuesGoTogetherOrNot() {
    Shapes matching = new Shapes("train", 32, 1000, 0, Shapes.Cue.MATCHING);
    Shapes conflict = new Shapes("train", 32, 1000, 0, Shapes.Cue.CONFLICT);
    int[] textures = new int[10];
    for (int i = 0; i < 1000; i++) {
      assertEquals(i % 10, matching.texture(i));
      assertNotEquals(i % 10, conflict.texture(i));
      textures[SHAPES.texture(i)]++;
    }
    for (int count : textures) {
      assertEquals(100, count, 35);
    }
  }

  /** The same numbers as the kernels draw. */
  @Test
  void streamIsPhilox() {
    try (Scope scope = Scope.open()) {
      Tensor words = Tensor.empty(Shape.of(37), DType.I32);
      words.device().kernels().random().bits(words.span(), -5, 1L << 40);
      var stream = new RandomStream(-5, 1L << 40);
      for (long word : words.toLongs()) {
        assertEquals((int) word, stream.bits());
      }
    }
  }

  @Test
  void everyEpochHasEveryPictureOnce() {
    for (int size : new int[] {1, 2, 7, 64, 65, 1000}) {
      Order order = new Order(size, 3);
      int[] first = new int[size];
      int[] again = new int[size];
      for (int i = 0; i < size; i++) {
        first[i] = order.at(i);
        again[i] = order.at(size + i);
      }
      if (size >= 64) {
        assertFalse(Arrays.equals(first, again));
      }
      for (int[] epoch : new int[][] {first, again}) {
        Arrays.sort(epoch);
        for (int i = 0; i < size; i++) {
          assertEquals(i, epoch[i]);
        }
      }
    }
  }

  @Test
  void batchesAreAFunctionOfTheStep() {
    Augmentation augmentation = new Augmentation(true, 0.3, true);
    Mixing mixing = new Mixing(0.4, 0.7);
    Batches batches = Batches.training(SHAPES, 6, 24, 24, augmentation, mixing, 9);
    Batches again = Batches.training(SHAPES, 6, 24, 24, augmentation, mixing, 9);
    try (Prefetch prefetch = new Prefetch(batches, 0, 12, 3)) {
      for (int step = 0; step < 12; step++) {
        Batch ahead = prefetch.take();
        Batch alone = again.batch(step);
        assertArrayEquals(alone.pixels(), ahead.pixels());
        assertArrayEquals(alone.labels(), ahead.labels());
        assertArrayEquals(alone.targets(), ahead.targets());
        for (int b = 0; b < 6; b++) {
          float sum = 0;
          for (int c = 0; c < 10; c++) {
            sum += ahead.targets()[b * 10 + c];
          }
          assertEquals(1, sum, 1e-6);
        }
      }
    }
  }

  /** A flipped crop of the whole picture at its own size is the mirrored picture. */
  @Test
  void flips() {
    LabelledPicture picture = SHAPES.get(0);
    float[] plain = new float[3 * 32 * 32];
    Augmentation.NONE.apply(picture, new RandomStream(0, 0), 32, 32, plain, 0);
    boolean mirrored = false;
    for (int seed = 0; seed < 20; seed++) {
      float[] out = new float[3 * 32 * 32];
      new Augmentation(false, 1, true).apply(picture, new RandomStream(seed, 0), 32, 32, out, 0);
      boolean flipped = !Arrays.equals(plain, out);
      mirrored |= flipped;
      for (int i = 0; i < out.length; i++) {
        int from = flipped ? i / 32 * 32 + 31 - i % 32 : i;
        assertEquals(plain[from], out[i], 1e-6);
      }
    }
    assertEquals(true, mirrored);
  }
}
