package dev.fovea.kernels.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The stub as the driver library of this JVM. The build runs tests that need it in a JVM of their own. */
public final class Stub {
  private static final String LIBRARY = "fovea.cuda.library";

  private static @Nullable StubLibrary library;

  private Stub() {}

  /** The stub, as new; the test is skipped where there can be none. */
  public static synchronized StubLibrary fresh() throws IOException, InterruptedException {
    assumeTrue(System.getProperty(LIBRARY) != null, "runs in the execution 'driver' of the build, on a stub");
    assumeTrue(StubLibrary.canCompile(), "there is no C compiler cc here to make the stub of the driver library");
    if (library == null) {
      library = StubLibrary.at(Path.of(System.getProperty(LIBRARY)));
    }
    library.reset();
    return library;
  }
}
