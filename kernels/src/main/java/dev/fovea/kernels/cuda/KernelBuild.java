package dev.fovea.kernels.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * How the fat binaries that this library carries were made, and of what.
 *
 * @param toolkit the version of {@code nvcc}
 * @param targets the GPUs that there is machine code for, as in {@code sm_90}; others compile the PTX beside it
 * @param families one for each source file, by name
 */
public record KernelBuild(String toolkit, List<String> targets, List<Family> families) {
  private static final String RESOURCE = "kernels.properties";
  private static final String FAMILY = "family.";

  /**
   * The kernels of one source file.
   *
   * @param name the file's, without ending
   * @param sources a digest of the file and of the project's files that it includes
   * @param kernels their names, sorted
   */
  public record Family(String name, String sources, List<String> kernels) {}

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
          List.of(properties.getProperty("targets", "").split(" ")),
          properties.stringPropertyNames().stream()
              .filter(key -> key.startsWith(FAMILY))
              .sorted()
              .map(key -> family(key.substring(FAMILY.length()), properties.getProperty(key)))
              .toList());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read resource " + RESOURCE, e);
    }
  }

  /** The toolkit's version before the point; 0 if it is not known. */
  int toolkitMajor() {
    String major = toolkit.replaceFirst("\\D.*", "");
    return major.isEmpty() ? 0 : Integer.parseInt(major);
  }

  /** Of the digest and the names behind it. */
  private static Family family(String name, String value) {
    List<String> words = List.of(value.split(" "));
    return new Family(name, words.getFirst(), words.subList(1, words.size()));
  }
}
