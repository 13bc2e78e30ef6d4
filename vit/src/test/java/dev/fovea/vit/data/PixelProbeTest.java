package dev.fovea.vit.data;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Linear;
import dev.fovea.tensor.ops.Ops;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What pixels alone tell about the built-in shapes: a linear classifier on them stays below 60 %. */
final class PixelProbeTest {
  private static final int SIDE = 32;
  private static final int PIXELS = 3 * SIDE * SIDE;
  private static final int CLASSES = 10;
  private static final int TRAINING = 6000;
  private static final int VALIDATION = 2000;
  private static final int STEPS = 120;
  private static final float RATE = 0.002f;

  private static Tensor pixels(Shapes shapes) {
    float[] values = new float[shapes.size() * PIXELS];
    for (int i = 0; i < shapes.size(); i++) {
      byte[] samples = shapes.get(i).pixels();
      for (int j = 0; j < PIXELS; j++) {
        values[i * PIXELS + j] = (samples[j] & 255) / 127.5f - 1;
      }
    }
    return Tensor.of(values, shapes.size(), PIXELS);
  }

  private static int[] labels(int size) {
    int[] labels = new int[size];
    for (int i = 0; i < size; i++) {
      labels[i] = i % CLASSES;
    }
    return labels;
  }

  /** Softmax regression by gradient descent with momentum. */
  @Test
  void aLinearClassifierFails() {
    try (Scope scope = Scope.open()) {
      Tensor known = pixels(new Shapes("train", SIDE, TRAINING, 0, Shapes.Cue.INDEPENDENT));
      Tensor asked = pixels(new Shapes("val", SIDE, VALIDATION, 0, Shapes.Cue.INDEPENDENT));
      Tensor answers = Tensor.of(labels(TRAINING), TRAINING);
      double accuracy = accuracy(known, answers, asked, 0.02f);
      assertTrue(accuracy < 0.6, "a linear classifier on pixels gets " + accuracy);
      assertTrue(accuracy > 0.3, "a linear classifier that gets " + accuracy + " has not learned");
    }
  }

  private static double accuracy(Tensor known, Tensor answers, Tensor asked, float decay) {
    Tensor weight = Tensor.zeros(Shape.of(CLASSES, PIXELS), DType.F32).trainable();
    Tensor momentum = Tensor.zeros(Shape.of(CLASSES, PIXELS), DType.F32);
    var elements = weight.device().kernels().elementwise();
    for (int step = 0; step < STEPS; step++) {
      try (Scope inside = Scope.open();
          Tape tape = Tape.record(Recompute.NONE)) {
        Tensor loss = Ops.softmaxCrossEntropy(Linear.of(known, weight).apply(), answers, 0);
        try (Gradients gradients = tape.backward(loss)) {
          Tensor gradient = Objects.requireNonNull(gradients.of(weight));
          elements.combine(1, gradient.span(), decay, weight.span(), gradient.span());
          elements.combine(0.9f, momentum.span(), 1, gradient.span(), momentum.span());
        }
      }
      elements.combine(1, weight.span(), -RATE, momentum.span(), weight.span());
    }
    float[] logits = Linear.of(asked, weight).apply().toFloats();
    int right = 0;
    for (int i = 0; i < VALIDATION; i++) {
      int best = 0;
      for (int c = 1; c < CLASSES; c++) {
        best = logits[i * CLASSES + c] > logits[i * CLASSES + best] ? c : best;
      }
      right += best == i % CLASSES ? 1 : 0;
    }
    return (double) right / VALIDATION;
  }
}
