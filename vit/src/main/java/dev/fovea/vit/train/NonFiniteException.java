package dev.fovea.vit.train;

/** The loss or a gradient is infinite or not a number. */
public final class NonFiniteException extends RuntimeException {
  private static final long serialVersionUID = 1;

  NonFiniteException(String message) {
    super(message);
  }
}
