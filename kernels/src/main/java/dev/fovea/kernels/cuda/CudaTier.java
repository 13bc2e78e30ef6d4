package dev.fovea.kernels.cuda;

import java.util.Locale;

/** What kernels are written for. Where a GPU has kernels of its own, they run what they are better at. */
public enum CudaTier {
  /** Compute capability 8.0 and up. */
  PORTABLE,

  /** Compute capability 9.0: H100, H200. */
  HOPPER;

  private static final String PROPERTY = "fovea.cuda.kernels";

  /**
   * The best that a device runs; {@code -Dfovea.cuda.kernels=portable} keeps to the portable kernels.
   *
   * @throws IllegalArgumentException if the property asks for something else
   */
  public static CudaTier of(DeviceInfo device) {
    String wanted = System.getProperty(PROPERTY, "auto");
    return switch (wanted) {
      case "portable" -> PORTABLE;
      case "auto" -> device.major() == 9 && device.minor() == 0 ? HOPPER : PORTABLE;
      default ->
        throw new IllegalArgumentException("%s: got %s, expected auto or portable".formatted(PROPERTY, wanted));
    };
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
