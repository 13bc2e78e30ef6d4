package dev.fovea.bench.peer;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.fovea.bench.report.Unavailable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * {@code cblas_sgemm} of a native library whose files lie in a jar of {@code target/peers/blas}, made by the Maven
 * profile {@code peers}), called without any binding in between.
 */
final class NativeBlas {
  private static final int ROW_MAJOR = 101;
  private static final int NO_TRANSPOSE = 111;
  private static final int TRANSPOSE = 112;
  private static final int PACKED = 151;
  private static final int B_MATRIX = 162;

  private final SymbolLookup symbols;
  private final MethodHandle sgemm;

  private NativeBlas(SymbolLookup symbols, MethodHandle sgemm) {
    this.symbols = symbols;
    this.sgemm = sgemm;
  }

  /**
   * A library: how its jar's name begins, its folder in the jar, its files in the order in which they must be loaded,
   * and how to set its threads.
   */
  private record Library(String jar, String folder, List<String> files, String main, String setThreads) {}

  private static final Library OPENBLAS = new Library(
      "openblas-",
      "org/bytedeco/openblas/linux-x86_64/",
      List.of("libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0"),
      "libopenblas.so.0",
      "openblas_set_num_threads");

  private static final Library MKL = new Library(
      "mkl-",
      "org/bytedeco/mkl/linux-x86_64/",
      List.of(
          "libiomp5.so",
          "libmkl_core.so.2",
          "libmkl_intel_thread.so.2",
          "libmkl_intel_lp64.so.2",
          "libmkl_def.so.2",
          "libmkl_mc3.so.2",
          "libmkl_avx2.so.2",
          "libmkl_avx512.so.2",
          "libmkl_rt.so.2"),
      "libmkl_rt.so.2",
      "MKL_Set_Num_Threads");

  /**
   * OpenBLAS.
   *
   * @param coreType what its variable OPENBLAS_CORETYPE is set to before it loads; empty for what it detects itself
   */
  static NativeBlas openblas(int threads, String coreType) {
    if (!coreType.isEmpty()) {
      setVariable("OPENBLAS_CORETYPE", coreType);
    }
    return load(OPENBLAS, threads);
  }

  /**
   * Intel's Math Kernel Library.
   *
   * @param instructions what its variable MKL_ENABLE_INSTRUCTIONS is set to before it loads; empty for what it detects
   */
  static NativeBlas mkl(int threads, String instructions) {
    if (!instructions.isEmpty()) {
      setVariable("MKL_ENABLE_INSTRUCTIONS", instructions);
    }
    return load(MKL, threads);
  }

  private static NativeBlas load(Library library, int threads) {
    try {
      Path folder = Files.createTempDirectory("fovea-peer");
      // Deleted in reverse order: the folder after its files.
      folder.toFile().deleteOnExit();
      try (ZipFile jar = new ZipFile(jarOf(library).toFile())) {
        for (String file : library.files) {
          ZipEntry entry = jar.getEntry(library.folder + file);
          if (entry == null) {
            throw new Unavailable("%s holds no %s".formatted(jar.getName(), file));
          }
          try (InputStream in = jar.getInputStream(entry)) {
            Files.copy(in, folder.resolve(file));
          }
        }
      }
      setVariable("MKL_THREADING_LAYER", "INTEL");
      for (String file : library.files) {
        Path path = folder.resolve(file);
        if (!file.startsWith("libmkl_") || file.equals(library.main)) {
          System.load(path.toString());
        }
        path.toFile().deleteOnExit();
      }
      SymbolLookup symbols = SymbolLookup.libraryLookup(folder.resolve(library.main), Arena.global());
      Linker linker = Linker.nativeLinker();
      linker
          .downcallHandle(symbols.findOrThrow(library.setThreads), FunctionDescriptor.ofVoid(JAVA_INT))
          .invokeExact(threads);
      return new NativeBlas(
          symbols,
          linker.downcallHandle(
              symbols.findOrThrow("cblas_sgemm"),
              FunctionDescriptor.ofVoid(
                  JAVA_INT,
                  JAVA_INT,
                  JAVA_INT,
                  JAVA_INT,
                  JAVA_INT,
                  JAVA_INT,
                  JAVA_FLOAT,
                  ADDRESS,
                  JAVA_INT,
                  ADDRESS,
                  JAVA_INT,
                  JAVA_FLOAT,
                  ADDRESS,
                  JAVA_INT)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Lies beside our own jar or classes, where the Maven profile puts it. */
  private static Path jarOf(Library library) throws IOException {
    Path folder;
    try {
      folder = Path.of(NativeBlas.class
              .getProtectionDomain()
              .getCodeSource()
              .getLocation()
              .toURI())
          .resolveSibling("peers")
          .resolve("blas");
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
    if (Files.isDirectory(folder)) {
      try (Stream<Path> jars = Files.list(folder)) {
        Optional<Path> found = jars.filter(jar -> jar.getFileName().toString().startsWith(library.jar))
            .findFirst();
        if (found.isPresent()) {
          return found.get();
        }
      }
    }
    throw new Unavailable("%s is not here: build with -Ppeers, which puts it into bench/target/peers/blas"
        .formatted(library.jar.replace("-", "")));
  }

  /** Sets a variable of this process, for libraries that read theirs when they load. */
  private static void setVariable(String name, String value) {
    Linker linker = Linker.nativeLinker();
    try (Arena arena = Arena.ofConfined()) {
      int failed = (int) linker
          .downcallHandle(
              linker.defaultLookup().findOrThrow("setenv"), FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT))
          .invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), 1);
      if (failed != 0) {
        throw new IllegalStateException("setenv " + name);
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** {@code C[m,n] = A[m,k] B[n,k]^T}, all row-major and without gaps. */
  void multiplyTransposed(int m, int n, int k, long a, long b, long c) {
    try {
      sgemm.invokeExact(
          ROW_MAJOR,
          NO_TRANSPOSE,
          TRANSPOSE,
          m,
          n,
          k,
          1f,
          MemorySegment.ofAddress(a),
          k,
          MemorySegment.ofAddress(b),
          k,
          0f,
          MemorySegment.ofAddress(c),
          n);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** MKL's product with B packed once: {@code C[m,n] = A[m,k] B[n,k]^T} as often as the result is run. */
  Runnable packedTransposed(int m, int n, int k, long a, long b, long c) {
    MethodHandle compute = function(
        "cblas_sgemm_compute",
        FunctionDescriptor.ofVoid(
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            ADDRESS,
            JAVA_INT,
            ADDRESS,
            JAVA_INT,
            JAVA_FLOAT,
            ADDRESS,
            JAVA_INT));
    MemorySegment packed = packed(m, n, k, b);
    MemorySegment from = MemorySegment.ofAddress(a);
    MemorySegment to = MemorySegment.ofAddress(c);
    return () -> {
      try {
        compute.invokeExact(ROW_MAJOR, NO_TRANSPOSE, PACKED, m, n, k, from, k, packed, k, 0f, to, n);
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    };
  }

  private MemorySegment packed(int m, int n, int k, long b) {
    MethodHandle size =
        function("cblas_sgemm_pack_get_size", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    MethodHandle pack = function(
        "cblas_sgemm_pack",
        FunctionDescriptor.ofVoid(
            JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_FLOAT, ADDRESS, JAVA_INT, ADDRESS));
    try {
      MemorySegment to = Arena.global().allocate((long) size.invokeExact(B_MATRIX, m, n, k), 64);
      pack.invokeExact(ROW_MAJOR, B_MATRIX, TRANSPOSE, m, n, k, 1f, MemorySegment.ofAddress(b), k, to);
      return to;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private MethodHandle function(String name, FunctionDescriptor type) {
    return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(name), type);
  }
}
