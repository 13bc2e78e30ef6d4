package dev.fovea.bench.report;

/** Variants under comparison must compute the same, or their times say nothing. */
public final class Answers {
  private Answers() {}

  /**
   * Compares an answer with the one expected.
   *
   * @param who computed the answer, for the message
   * @param tolerance the largest difference allowed, as a part of the largest expected magnitude
   * @throws WrongAnswer if a value is farther off, or not a number where a number is expected
   */
  public static void check(String who, float[] answer, float[] expected, double tolerance) {
    if (answer.length != expected.length) {
      throw new WrongAnswer("%s: got %d values, expected %d".formatted(who, answer.length, expected.length));
    }
    double magnitude = 0;
    for (float value : expected) {
      magnitude = Math.max(magnitude, Math.abs(value));
    }
    if (magnitude == 0) {
      throw new WrongAnswer(who + ": cannot be compared, all expected values are zero");
    }
    double allowed = tolerance * magnitude;
    for (int i = 0; i < answer.length; i++) {
      double difference = Math.abs((double) answer[i] - expected[i]);
      if (Float.compare(answer[i], expected[i]) != 0 && !(difference <= allowed)) {
        throw new WrongAnswer(
            "%s: got %s at %d, expected %s within %.2e".formatted(who, answer[i], i, expected[i], allowed));
      }
    }
  }

  /** Two variants do not compute the same. */
  public static final class WrongAnswer extends RuntimeException {
    private static final long serialVersionUID = 1;

    WrongAnswer(String message) {
      super(message);
    }
  }
}
