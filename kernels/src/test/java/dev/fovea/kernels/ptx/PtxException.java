package dev.fovea.kernels.ptx;

/** What the machine found wrong with a PTX text or with its execution. */
public final class PtxException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String code;

  /** What is wrong, and where. */
  public PtxException(String message) {
    this("CUDA_ERROR_LAUNCH_FAILED", message);
  }

  /**
   * What is wrong, and where.
   *
   * @param code what a driver would call it
   * @param message all that helps to find it
   */
  public PtxException(String code, String message) {
    super(message);
    this.code = code;
  }

  /** What a driver would call it. */
  public String code() {
    return code;
  }
}
