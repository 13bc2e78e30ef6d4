package dev.fovea.kernels.cuda;

/**
 * What a GPU is.
 *
 * @param ordinal its number on this machine, from 0
 * @param name as its maker calls it
 * @param major compute capability before the point
 * @param minor compute capability behind the point
 * @param multiprocessors how many
 * @param memoryBytes all of its memory
 * @param sharedBytesPerBlock most shared memory that one block may ask for ({@link Driver#allowShared})
 * @param sharedBytesPerMultiprocessor shared memory of one multiprocessor
 * @param l2Bytes second-level cache
 * @param driverVersion the CUDA version that the driver serves: 1000 times the major plus 10 times the minor version
 */
public record DeviceInfo(
    int ordinal,
    String name,
    int major,
    int minor,
    int multiprocessors,
    long memoryBytes,
    int sharedBytesPerBlock,
    int sharedBytesPerMultiprocessor,
    long l2Bytes,
    int driverVersion) {

  /** The compute capability in words: {@code "9.0"}. */
  public String capability() {
    return major + "." + minor;
  }

  /** Whether the compute capability is at least this. */
  public boolean isAtLeast(int major, int minor) {
    return this.major > major || this.major == major && this.minor >= minor;
  }

  /** The CUDA version that the driver serves, in words: {@code "12.6"}. */
  public String cudaVersion() {
    return driverVersion / 1000 + "." + driverVersion % 1000 / 10;
  }
}
