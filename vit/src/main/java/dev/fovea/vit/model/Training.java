package dev.fovea.vit.model;

/**
 * Says that a forward pass is one of training, and what its random choices follow from: they are the same for the same
 * numbers, on every device and under every recomputation policy.
 *
 * @param seed of the whole training
 * @param step of it, in [0, 2^32); every micro-batch has one of its own
 */
public record Training(long seed, long step) {
  public Training {
    if (step < 0 || step >= 1L << 32) {
      throw new IllegalArgumentException("step: got %d, expected 0 to 2^32 - 1".formatted(step));
    }
  }
}
