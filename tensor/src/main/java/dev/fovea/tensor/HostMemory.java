package dev.fovea.tensor;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Main memory, from the C library: unlike {@link java.lang.foreign.Arena}, it leaves pages untouched until they are
 * used, so that a large tensor costs what is written to it.
 */
@SuppressWarnings("restricted")
final class HostMemory implements RawMemory {
  /** All of native memory, so that no segment is made per access. */
  static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final long ALIGNMENT = 64;

  /** Pages that Linux is asked to use for what fills several of them: the first touch is three times as fast. */
  private static final long HUGE_PAGE = 2 << 20;

  private static final int MADV_HUGEPAGE = 14;
  private static final MethodHandle MALLOC = function("malloc", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
  private static final MethodHandle CALLOC = function("calloc", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle FREE = function("free", FunctionDescriptor.ofVoid(JAVA_LONG));

  private static final boolean LINUX = System.getProperty("os.name").equals("Linux");

  private static final class Linux {
    static final MethodHandle MADVISE =
        function("madvise", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
  }

  @Override
  public long take(long bytes, boolean zeroed) {
    boolean huge = LINUX && bytes >= 2 * HUGE_PAGE;
    long alignment = huge ? HUGE_PAGE : ALIGNMENT;
    // malloc aligns to 16 bytes, so that there is room for its address right before the aligned one.
    long base = zeroed ? calloc(bytes + alignment) : malloc(bytes + alignment);
    if (base == 0) {
      return 0;
    }
    long address = (base + alignment) & -alignment;
    ALL.set(JAVA_LONG, address - Long.BYTES, base);
    if (huge) {
      adviseHuge(address, bytes);
    }
    return address;
  }

  /** Advice only: where it is not taken, pages are small. */
  private static void adviseHuge(long address, long bytes) {
    try {
      int _ = (int) Linux.MADVISE.invokeExact(address, bytes & -HUGE_PAGE, MADV_HUGEPAGE);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void give(long address) {
    long base = ALL.get(JAVA_LONG, address - Long.BYTES);
    try {
      FREE.invokeExact(base);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void read(long address, MemorySegment to) {
    MemorySegment.copy(ALL, address, to, 0, to.byteSize());
  }

  @Override
  public void write(MemorySegment from, long address) {
    MemorySegment.copy(from, 0, ALL, address, from.byteSize());
  }

  @Override
  public void copy(long from, long to, long bytes) {
    MemorySegment.copy(ALL, from, ALL, to, bytes);
  }

  @Override
  public void fill(long address, long bytes, byte value) {
    ALL.asSlice(address, bytes).fill(value);
  }

  private static long malloc(long bytes) {
    try {
      return (long) MALLOC.invokeExact(bytes);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static long calloc(long bytes) {
    try {
      return (long) CALLOC.invokeExact(1L, bytes);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static MethodHandle function(String name, FunctionDescriptor type) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type);
  }
}
