package dev.fovea.kernels.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/**
 * A {@link Launch} as {@code cuLaunchKernelEx} takes it, written into memory that the launch keeps for it:
 *
 * <pre>
 *   0  CUlaunchConfig      grid, block, shared memory, stream, attributes and their number
 *  56  void *params[1]     where the one argument lies
 *  64  CUlaunchAttribute   cluster, if blocks form any
 * 136  CUlaunchAttribute   programmatic stream serialization, if the kernel may overlap the one ahead
 * </pre>
 */
final class LaunchConfig {
  private static final int SHARED = 24;
  private static final int STREAM = 32;
  private static final int ATTRIBUTES = 40;
  private static final int ATTRIBUTE_COUNT = 48;
  private static final int PARAMETERS = 56;
  private static final int FIRST_ATTRIBUTE = 64;
  private static final int ATTRIBUTE_BYTES = 72;
  private static final int ATTRIBUTE_VALUE = 8;
  private static final int CLUSTER_DIMENSION = 4;
  private static final int PROGRAMMATIC_STREAM_SERIALIZATION = 6;

  private LaunchConfig() {}

  /** The {@code CUlaunchConfig} that {@link #write} wrote. */
  static long address(Launch launch) {
    return launch.configuration.address();
  }

  /** The array of the arguments' addresses, 0 without arguments. */
  static long arguments(Launch launch) {
    return launch.argumentBytes() == 0 ? 0 : launch.configuration.address() + PARAMETERS;
  }

  static void write(Launch launch, long stream) {
    MemorySegment to = launch.configuration;
    three(to, 0, launch.gridX(), launch.gridY(), launch.gridZ());
    three(to, 12, launch.blockX(), launch.blockY(), launch.blockZ());
    to.set(JAVA_INT, SHARED, launch.sharedBytes());
    to.set(JAVA_LONG, STREAM, stream);
    to.set(JAVA_LONG, PARAMETERS, launch.arguments().address());
    int attributes = 0;
    if (launch.isClustered()) {
      int at = FIRST_ATTRIBUTE + ATTRIBUTE_BYTES * attributes++;
      to.set(JAVA_INT, at, CLUSTER_DIMENSION);
      three(to, at + ATTRIBUTE_VALUE, launch.clusterX(), launch.clusterY(), launch.clusterZ());
    }
    if (launch.isOverlapping()) {
      int at = FIRST_ATTRIBUTE + ATTRIBUTE_BYTES * attributes++;
      to.set(JAVA_INT, at, PROGRAMMATIC_STREAM_SERIALIZATION);
      to.set(JAVA_INT, at + ATTRIBUTE_VALUE, 1);
    }
    to.set(JAVA_LONG, ATTRIBUTES, attributes == 0 ? 0 : to.address() + FIRST_ATTRIBUTE);
    to.set(JAVA_INT, ATTRIBUTE_COUNT, attributes);
  }

  private static void three(MemorySegment to, int at, int x, int y, int z) {
    to.set(JAVA_INT, at, x);
    to.set(JAVA_INT, at + 4, y);
    to.set(JAVA_INT, at + 8, z);
  }
}
