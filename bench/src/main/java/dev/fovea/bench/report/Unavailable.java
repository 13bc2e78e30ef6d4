package dev.fovea.bench.report;

/** A peer, or what it needs, is not on this machine: the cell of the table stays blank, with the message as reason. */
public final class Unavailable extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** With the reason, in a short sentence. */
  public Unavailable(String message) {
    super(message);
  }

  /** With the reason and what it comes from. */
  public Unavailable(String message, Throwable cause) {
    super(message, cause);
  }
}
