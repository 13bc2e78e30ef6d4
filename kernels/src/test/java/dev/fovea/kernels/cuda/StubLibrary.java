package dev.fovea.kernels.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A driver library without a GPU ({@code libcuda_stub.c}), compiled here with the C compiler of this machine. It notes
 * every call, serves device memory from the host's, and fails as it is told.
 */
public final class StubLibrary {
  private static final String SOURCE = "libcuda_stub.c";

  private final MethodHandle log;
  private final MethodHandle fail;
  private final MethodHandle set;
  private final MethodHandle reset;
  private final MethodHandle used;

  private StubLibrary(Path library) {
    SymbolLookup symbols = SymbolLookup.libraryLookup(library, Arena.global());
    log = handle(symbols, "stub_log", FunctionDescriptor.of(ADDRESS));
    fail = handle(symbols, "stub_fail", FunctionDescriptor.ofVoid(ADDRESS, JAVA_INT, JAVA_INT));
    set = handle(symbols, "stub_set", FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG));
    reset = handle(symbols, "stub_reset", FunctionDescriptor.ofVoid());
    used = handle(symbols, "stub_used", FunctionDescriptor.of(JAVA_LONG));
  }

  private static MethodHandle handle(SymbolLookup symbols, String name, FunctionDescriptor type) {
    return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(name), type);
  }

  /** Whether there is a C compiler, and this is a machine that the stub serves. */
  public static boolean canCompile() {
    boolean served = System.getProperty("os.name").equals("Linux")
        && System.getProperty("os.arch").equals("amd64");
    return served
        && List.of(System.getenv("PATH").split(":")).stream()
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, "cc")));
  }

  /** Compiles the library to this file and loads it. */
  public static StubLibrary at(Path library) throws IOException, InterruptedException {
    Files.createDirectories(library.toAbsolutePath().getParent());
    Path source = library.resolveSibling(SOURCE);
    try (InputStream in = StubLibrary.class.getResourceAsStream(SOURCE)) {
      Files.write(source, in.readAllBytes());
    }
    Process compiler = new ProcessBuilder(
            "cc",
            "-std=gnu11",
            "-O2",
            "-Wall",
            "-Werror",
            "-shared",
            "-fPIC",
            "-Wl,-soname,libcuda.so.1",
            "-o",
            library.toString(),
            source.toString(),
            "-lpthread")
        .redirectErrorStream(true)
        .start();
    String output = new String(compiler.getInputStream().readAllBytes());
    if (compiler.waitFor() != 0) {
      throw new IOException("the stub does not compile:\n" + output);
    }
    return new StubLibrary(library);
  }

  /** What was called since the last reset, a line each. */
  public List<String> log() {
    MemorySegment text = (MemorySegment) call(log);
    return text.reinterpret(1 << 20).getString(0).lines().toList();
  }

  /** The lines that begin so. */
  public List<String> log(String beginning) {
    return log().stream().filter(line -> line.startsWith(beginning)).toList();
  }

  /** Has a function return this error, the {@code after + 1}-th time it is called from now on. */
  public void fail(String function, int error, int after) {
    try (Arena arena = Arena.ofConfined()) {
      call(fail, arena.allocateFrom(function), error, after);
    }
  }

  /** Sets what the driver or its GPUs are like. */
  public void set(String name, long value) {
    try (Arena arena = Arena.ofConfined()) {
      call(set, arena.allocateFrom(name), value);
    }
  }

  /** Two healthy GPUs, and nothing called yet. */
  public void reset() {
    call(reset);
  }

  /** Bytes of device memory in use. */
  public long used() {
    return (long) call(used);
  }

  private static Object call(MethodHandle function, Object... arguments) {
    try {
      return function.invokeWithArguments(arguments);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
