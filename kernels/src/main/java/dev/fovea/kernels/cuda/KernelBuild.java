package dev.fovea.kernels.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * How the fat binaries that this library carries were made.
 *
 * @param toolkit the version of {@code nvcc}
 * @param targets the GPUs that there is machine code for, as in {@code sm_90}; others compile the PTX beside it
 */
public record KernelBuild(String toolkit, List<String> targets) {
  private static final String RESOURCE = "kernels.properties";

  /** The build of this library's kernels, or null if it was built without {@code nvcc}. */
  public static @Nullable KernelBuild find() {
    try (InputStream in = KernelBuild.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        return null;
      }
      Properties properties = new Properties();
      properties.load(in);
      return new KernelBuild(
          properties.getProperty("toolkit", ""),
          List.of(properties.getProperty("targets", "").split(" ")));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read resource " + RESOURCE, e);
    }
  }
}
