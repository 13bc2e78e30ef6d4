package dev.fovea.vit.data;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Parts a data set in two by a seed: of every class with at least two pictures a tenth, and one at least, is held out
 * for evaluation.
 */
final class Holdout {
  private static final int PART = 10;

  private final Labelled training;
  private final Labelled validation;

  Holdout(Labelled whole, long seed) {
    long its = RandomStream.seed(seed, "holdout");
    int classes = whole.classes().size();
    int[] left = new int[classes];
    for (int i = 0; i < whole.size(); i++) {
      if (whole.label(i) >= 0) {
        left[whole.label(i)]++;
      }
    }
    for (int c = 0; c < classes; c++) {
      left[c] = left[c] < 2 ? 0 : Math.max(1, left[c] / PART);
    }
    int[] drawn = IntStream.range(0, whole.size())
        .boxed()
        .sorted(Comparator.comparingLong((Integer i) -> RandomStream.mix(its ^ RandomStream.mix(i)))
            .thenComparing(i -> i))
        .mapToInt(Integer::intValue)
        .toArray();
    boolean[] held = new boolean[whole.size()];
    for (int i : drawn) {
      int label = whole.label(i);
      held[i] = label >= 0 && left[label]-- > 0;
    }
    training = part(whole, held, false);
    validation = part(whole, held, true);
  }

  private static Labelled part(Labelled whole, boolean[] held, boolean which) {
    int[] all = IntStream.range(0, held.length).toArray();
    return new Subset(whole, Arrays.stream(all).filter(i -> held[i] == which).toArray());
  }

  Labelled training() {
    return training;
  }

  Labelled validation() {
    return validation;
  }
}
