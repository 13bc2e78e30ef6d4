package dev.fovea.kernels.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The functions of CUDA's driver library that are called at every step, where handles are plain numbers and a call must
 * cost next to nothing; and those that JCuda does not have. Each returns the driver's error code.
 */
@SuppressWarnings("restricted")
final class Libcuda {
  /** What is loaded: system property {@code fovea.cuda.library}, for machines that have it at an unusual place. */
  static final String NAME = System.getProperty("fovea.cuda.library", "libcuda.so.1");

  private static final @Nullable SymbolLookup LIBRARY = open();
  private static final int PROMOTION_256_BYTES = 3;

  private Libcuda() {}

  private static @Nullable SymbolLookup open() {
    try {
      return NAME.contains("/")
          ? SymbolLookup.libraryLookup(Path.of(NAME), Arena.global())
          : SymbolLookup.libraryLookup(NAME, Arena.global());
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** Whether this machine has the library. */
  static boolean isFound() {
    return LIBRARY != null;
  }

  /** The functions, looked up when the first of them is called. */
  private static final class Functions {
    static final MethodHandle SET_CURRENT = function("cuCtxSetCurrent", JAVA_LONG);
    static final MethodHandle LAUNCH = function("cuLaunchKernelEx", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle ALLOCATE = function("cuMemAllocAsync", JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle FREE = function("cuMemFreeAsync", JAVA_LONG, JAVA_LONG);
    static final MethodHandle ALLOCATE_NOW = function("cuMemAlloc_v2", JAVA_LONG, JAVA_LONG);
    static final MethodHandle FREE_NOW = function("cuMemFree_v2", JAVA_LONG);
    static final MethodHandle TO_DEVICE = function("cuMemcpyHtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle TO_HOST = function("cuMemcpyDtoHAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle COPY = function("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle FILL = function("cuMemsetD8Async", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
    static final MethodHandle PIN = function("cuMemHostAlloc", JAVA_LONG, JAVA_LONG, JAVA_INT);
    static final MethodHandle UNPIN = function("cuMemFreeHost", JAVA_LONG);
    static final MethodHandle SYNCHRONIZE = function("cuStreamSynchronize", JAVA_LONG);
    static final MethodHandle RECORD = function("cuEventRecord", JAVA_LONG, JAVA_LONG);
    static final MethodHandle AWAIT = function("cuStreamWaitEvent", JAVA_LONG, JAVA_LONG, JAVA_INT);
    static final MethodHandle SYNCHRONIZE_EVENT = function("cuEventSynchronize", JAVA_LONG);
    static final MethodHandle LAUNCH_GRAPH = function("cuGraphLaunch", JAVA_LONG, JAVA_LONG);
    static final MethodHandle UPDATE_GRAPH = function("cuGraphExecUpdate_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle DEFAULT_POOL = function("cuDeviceGetDefaultMemPool", JAVA_LONG, JAVA_INT);
    static final MethodHandle SET_POOL = function("cuMemPoolSetAttribute", JAVA_LONG, JAVA_INT, JAVA_LONG);
    static final MethodHandle TRIM_POOL = function("cuMemPoolTrimTo", JAVA_LONG, JAVA_LONG);
    static final MethodHandle ENCODE_TILED = function(
        "cuTensorMapEncodeTiled",
        JAVA_LONG,
        JAVA_INT,
        JAVA_INT,
        JAVA_LONG,
        JAVA_LONG,
        JAVA_LONG,
        JAVA_LONG,
        JAVA_LONG,
        JAVA_INT,
        JAVA_INT,
        JAVA_INT,
        JAVA_INT);

    private Functions() {}

    private static MethodHandle function(String name, MemoryLayout... arguments) {
      if (LIBRARY == null) {
        throw new IllegalStateException(NAME + " was not found");
      }
      // Never Linker.Option.critical: a launch may wait for a full queue, and would then hold up a collection.
      return Linker.nativeLinker()
          .downcallHandle(LIBRARY.findOrThrow(name), FunctionDescriptor.of(JAVA_INT, arguments));
    }
  }

  static int setCurrent(long context) {
    try {
      return (int) Functions.SET_CURRENT.invokeExact(context);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** Launches with the configuration and the array of addresses of arguments at these addresses. */
  static int launch(long configuration, long function, long arguments) {
    try {
      return (int) Functions.LAUNCH.invokeExact(configuration, function, arguments, 0L);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** Stores the address of the new memory in {@code result}. */
  static int allocate(MemorySegment result, long bytes, long stream) {
    try {
      return (int) Functions.ALLOCATE.invokeExact(result.address(), bytes, stream);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static int free(long address, long stream) {
    try {
      return (int) Functions.FREE.invokeExact(address, stream);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** As {@link #allocate}, for devices without pools. */
  static int allocateNow(MemorySegment result, long bytes) {
    try {
      return (int) Functions.ALLOCATE_NOW.invokeExact(result.address(), bytes);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static int freeNow(long address) {
    try {
      return (int) Functions.FREE_NOW.invokeExact(address);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static int copyToDevice(long to, long from, long bytes, long stream) {
    try {
      return (int) Functions.TO_DEVICE.invokeExact(to, from, bytes, stream);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static int copyToHost(long to, long from, long bytes, long stream) {
    try {
      return (int) Functions.TO_HOST.invokeExact(to, from, bytes, stream);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static int copy(long to, long from, long bytes, long stream) {
    try {
      return (int) Functions.COPY.invokeExact(to, from, bytes, stream);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static int fill(long address, byte value, long bytes, long stream) {
    try {
      // An unsigned char: some compilers rely on the bits above it being zero.
      return (int) Functions.FILL.invokeExact(address, Byte.toUnsignedInt(value), bytes, stream);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** Stores the address of new pinned host memory in {@code result}. */
  static int pin(MemorySegment result, long bytes) {
    try {
      return (int) Functions.PIN.invokeExact(result.address(), bytes, 0);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static int unpin(long address) {
    try {
      return (int) Functions.UNPIN.invokeExact(address);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static int synchronize(long stream) {
    try {
      return (int) Functions.SYNCHRONIZE.invokeExact(stream);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static int record(long event, long stream) {
    try {
      return (int) Functions.RECORD.invokeExact(event, stream);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static int await(long stream, long event) {
    try {
      return (int) Functions.AWAIT.invokeExact(stream, event, 0);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static int synchronizeEvent(long event) {
    try {
      return (int) Functions.SYNCHRONIZE_EVENT.invokeExact(event);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static int launchGraph(long graph, long stream) {
    try {
      return (int) Functions.LAUNCH_GRAPH.invokeExact(graph, stream);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** Changes an executable graph into {@code graph}; {@code result} has room for what the driver says about it. */
  static int updateGraph(long executable, long graph, MemorySegment result) {
    try {
      return (int) Functions.UPDATE_GRAPH.invokeExact(executable, graph, result.address());
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** Stores the pool that a device allocates from in {@code result}. */
  static int defaultPool(MemorySegment result, int device) {
    try {
      return (int) Functions.DEFAULT_POOL.invokeExact(result.address(), device);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static int setPool(long pool, int attribute, MemorySegment value) {
    try {
      return (int) Functions.SET_POOL.invokeExact(pool, attribute, value.address());
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static int trimPool(long pool, long keep) {
    try {
      return (int) Functions.TRIM_POOL.invokeExact(pool, keep);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Encodes a map of a tensor that is not interleaved, whose fill is zeros, and that is fetched by whole lines of the
   * second-level cache; sizes, strides, box and steps are arrays at these addresses.
   */
  static int encodeTiled(
      long map, int type, int rank, long address, long sizes, long strides, long box, long steps, int swizzle) {
    try {
      return (int) Functions.ENCODE_TILED.invokeExact(
          map, type, rank, address, sizes, strides, box, steps, 0, swizzle, PROMOTION_256_BYTES, 0);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
