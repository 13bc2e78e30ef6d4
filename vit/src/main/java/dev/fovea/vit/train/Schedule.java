package dev.fovea.vit.train;

/** The learning rate by step. Steps are counted from 0, as in big_vision: the first step of a warm-up has rate 0. */
public sealed interface Schedule {
  /** The learning rate of the step that follows after {@code step} steps. */
  double at(long step);

  private static double warm(long step, long warmup) {
    return step < warmup ? (double) step / warmup : 1;
  }

  private static void check(double base, long total, long warmup) {
    if (!(base >= 0) || total < 1 || warmup < 0) {
      throw new IllegalArgumentException(
          "schedule: got base %s, total %d, warmup %d, expected none negative and a step at least"
              .formatted(base, total, warmup));
    }
  }

  private static double cool(long step, long total, long cooldown) {
    return cooldown > 0 ? Math.clamp((total - step) / (double) cooldown, 0.0, 1.0) : 1;
  }

  private static void check(long cooldown) {
    if (cooldown < 0) {
      throw new IllegalArgumentException("schedule: got cooldown " + cooldown + ", expected at least 0");
    }
  }

  /** The same rate throughout, after a linear warm-up and before a linear cool-down to 0. */
  record Constant(double base, long total, long warmup, long cooldown) implements Schedule {
    public Constant {
      check(base, total, warmup);
      check(cooldown);
    }

    @Override
    public double at(long step) {
      return base * warm(step, warmup) * cool(step, total, cooldown);
    }
  }

  /** Half a period of the cosine from {@code base} to 0 after a linear warm-up. */
  record Cosine(double base, long total, long warmup) implements Schedule {
    public Cosine {
      check(base, total, warmup);
    }

    @Override
    public double at(long step) {
      double progress = Math.clamp((step - warmup) / (double) Math.max(1, total - warmup), 0.0, 1.0);
      return base * 0.5 * (1 + Math.cos(Math.PI * progress)) * warm(step, warmup);
    }
  }

  /**
   * Reciprocal square root with a timescale, linear warm-up and linear cool-down to 0 (Scaling ViT, appendices B and
   * C). A cool-down can begin at any checkpoint of a longer run.
   *
   * @param timescale steps until the rate has fallen to {@code base / sqrt 2} after the warm-up
   */
  record ReciprocalSqrt(double base, long total, long warmup, long cooldown, long timescale) implements Schedule {
    public ReciprocalSqrt {
      check(base, total, warmup);
      check(cooldown);
      if (timescale < 1) {
        throw new IllegalArgumentException("schedule: got timescale " + timescale + ", expected at least 1");
      }
    }

    @Override
    public double at(long step) {
      double rate = base;
      if (step >= warmup) {
        rate /= Math.sqrt(1 + (step - warmup) / (double) timescale);
      }
      return rate * warm(step, warmup) * cool(step, total, cooldown);
    }
  }
}
