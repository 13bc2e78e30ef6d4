package dev.fovea.kernels.cuda;

/** A call to a GPU failed, or a kernel that was launched before it did. */
public class CudaException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String code;

  /**
   * An error of the driver.
   *
   * @param code the driver's name of the error, as in {@code CUDA_ERROR_ILLEGAL_ADDRESS}
   * @param message what was done, what went wrong and what to do about it
   */
  public CudaException(String code, String message) {
    super(message);
    this.code = code;
  }

  /** As the other constructor, because of {@code cause}. */
  public CudaException(String code, String message, Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  /** The driver's name of the error. */
  public String code() {
    return code;
  }
}
