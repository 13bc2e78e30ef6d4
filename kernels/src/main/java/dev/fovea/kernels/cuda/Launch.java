package dev.fovea.kernels.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * How a kernel is launched: its grid, and the one struct that is its argument. Reused from launch to launch; a driver
 * reads it while the kernel is being submitted and not later. Not for several threads at once.
 *
 * <p>The struct is written field by field in the order of its declaration. Each field goes to the next multiple of its
 * size, which is where a C++ compiler puts it:
 *
 * <pre>{@code
 * launch.reset().grid(blocks, 1, 1).block(256, 1, 1).pointer(x.address()).pointer(y.address()).i64(x.count());
 * driver.launch(function, launch, stream);
 * }</pre>
 */
public final class Launch {
  /** Most bytes that the arguments of a kernel may take, since compute capability 7.0. */
  public static final int MAX_ARGUMENT_BYTES = 32_764;

  private static final int ALIGNMENT = 64;
  private static final int CONFIGURATION_BYTES = 256;

  private final MemorySegment arguments = Arena.ofAuto().allocate(MAX_ARGUMENT_BYTES, ALIGNMENT);

  /** Room for a driver's own form of this. */
  final MemorySegment configuration = Arena.ofAuto().allocate(CONFIGURATION_BYTES, ALIGNMENT);

  private int gridX;
  private int gridY;
  private int gridZ;
  private int blockX;
  private int blockY;
  private int blockZ;
  private int clusterX;
  private int clusterY;
  private int clusterZ;
  private int sharedBytes;
  private boolean overlapping;
  private int size;
  private int alignment;

  /** A launch of one block of one thread, without arguments. */
  public Launch() {
    reset();
  }

  /** Back to one block of one thread, without arguments. */
  public Launch reset() {
    sharedBytes = 0;
    overlapping = false;
    size = 0;
    alignment = 1;
    return grid(1, 1, 1).block(1, 1, 1).cluster(1, 1, 1);
  }

  /** Number of blocks along x, y and z. */
  public Launch grid(long x, long y, long z) {
    gridX = dimension("grid x", x, Integer.MAX_VALUE);
    gridY = dimension("grid y", y, 0xffff);
    gridZ = dimension("grid z", z, 0xffff);
    return this;
  }

  /** Threads of a block along x, y and z. */
  public Launch block(int x, int y, int z) {
    blockX = dimension("block x", x, 1024);
    blockY = dimension("block y", y, 1024);
    blockZ = dimension("block z", z, 64);
    return this;
  }

  /** Blocks of a cluster along x, y and z; 1, 1, 1 for no cluster. */
  public Launch cluster(int x, int y, int z) {
    clusterX = dimension("cluster x", x, 16);
    clusterY = dimension("cluster y", y, 16);
    clusterZ = dimension("cluster z", z, 16);
    return this;
  }

  /** Dynamic shared memory of a block; above 48 KB after {@link Driver#allowShared} only. */
  public Launch shared(int bytes) {
    sharedBytes = bytes;
    return this;
  }

  /**
   * Lets the kernel start before the one ahead of it on the stream has finished (programmatic dependent launch); it
   * waits itself, by {@code griddepcontrol.wait}, before it reads what that one writes. Compute capability 9.0 and up.
   */
  public Launch overlapping() {
    overlapping = true;
    return this;
  }

  /** The next field: an address in device memory, or 0 for null. */
  public Launch pointer(long address) {
    return i64(address);
  }

  /** The next field: a 64-bit integer. */
  public Launch i64(long value) {
    arguments.set(JAVA_LONG, next(Long.BYTES, Long.BYTES), value);
    return this;
  }

  /** The next field: a 32-bit integer. */
  public Launch i32(int value) {
    arguments.set(JAVA_INT, next(Integer.BYTES, Integer.BYTES), value);
    return this;
  }

  /** The next field: a float. */
  public Launch f32(float value) {
    arguments.set(JAVA_FLOAT, next(Float.BYTES, Float.BYTES), value);
    return this;
  }

  /** The next field: these bytes, at a multiple of {@code alignment}; a tensor map for example (64). */
  public Launch bytes(MemorySegment value, int alignment) {
    int at = next((int) value.byteSize(), alignment);
    MemorySegment.copy(value, 0, arguments, at, value.byteSize());
    return this;
  }

  /** The next field: so many bytes at a multiple of {@code alignment}, for the caller to write before the launch. */
  MemorySegment room(int bytes, int alignment) {
    return arguments.asSlice(next(bytes, alignment), bytes);
  }

  /** Goes on at the next multiple of {@code alignment}: around a struct inside the struct. */
  public Launch align(int alignment) {
    next(0, alignment);
    return this;
  }

  /** Leaves so many bytes as they are: fields that the kernel will not read. */
  public Launch skip(int bytes) {
    next(bytes, 1);
    return this;
  }

  private int next(int bytes, int alignment) {
    int at = (size + alignment - 1) & -alignment;
    if (at + bytes > MAX_ARGUMENT_BYTES) {
      throw new IllegalArgumentException(
          "arguments: got more than %d bytes, expected at most that".formatted(MAX_ARGUMENT_BYTES));
    }
    size = at + bytes;
    this.alignment = Math.max(this.alignment, alignment);
    return at;
  }

  private static int dimension(String name, long value, int most) {
    if (value < 1 || value > most) {
      throw new IllegalArgumentException("%s: got %d, expected 1 to %d".formatted(name, value, most));
    }
    return (int) value;
  }

  /** Whether blocks form clusters. */
  boolean isClustered() {
    return clusterX * clusterY * clusterZ > 1;
  }

  /** Where the struct lies; {@link #argumentBytes} of it count. */
  public MemorySegment arguments() {
    return arguments;
  }

  /** The size of the struct, as {@code sizeof} has it; 0 without arguments. */
  public int argumentBytes() {
    return (size + alignment - 1) & -alignment;
  }

  public int gridX() {
    return gridX;
  }

  public int gridY() {
    return gridY;
  }

  public int gridZ() {
    return gridZ;
  }

  public int blockX() {
    return blockX;
  }

  public int blockY() {
    return blockY;
  }

  public int blockZ() {
    return blockZ;
  }

  public int clusterX() {
    return clusterX;
  }

  public int clusterY() {
    return clusterY;
  }

  public int clusterZ() {
    return clusterZ;
  }

  public int sharedBytes() {
    return sharedBytes;
  }

  /** Whether the kernel may start before the one ahead of it has finished. */
  public boolean isOverlapping() {
    return overlapping;
  }

  /** Grid, block and shared memory, in words. */
  @Override
  public String toString() {
    return "grid %dx%dx%d, block %dx%dx%d, %d bytes of shared memory, %d bytes of arguments"
        .formatted(gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, argumentBytes());
  }
}
