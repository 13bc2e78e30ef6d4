package dev.fovea.tensor.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Reads every file of the reference models, where that folder exists. */
class FixturesTest {
  @Test
  void everyFileIsRead() throws IOException {
    @Nullable Path fixtures = fixtures();
    Assumptions.assumeTrue(
        fixtures != null,
        "no reference models: shared/fixtures is neither in nor beside a folder above, and fovea.fixtures names none");
    List<Path> files;
    try (Stream<Path> all = Files.walk(fixtures)) {
      files = all.filter(path -> path.toString().matches(".*\\.(safetensors|npz)"))
          .sorted()
          .toList();
    }
    assertTrue(files.size() > 20, files.toString());
    for (Path path : files) {
      try (TensorFile file = TensorFile.open(path);
          Scope _ = Scope.open()) {
        assertTrue(!file.names().isEmpty(), path.toString());
        for (String name : file.names()) {
          Tensor tensor = file.load(name);
          assertEquals(file.info(name).shape(), tensor.shape());
          if (tensor.dtype().isFloating()) {
            for (float value : tensor.toFloats()) {
              assertTrue(Float.isFinite(value), () -> path + " " + name);
            }
          }
          tensor.close();
        }
      }
    }
  }

  /** The folder that the system property names, or {@code shared/fixtures} in or beside a folder above this one. */
  private static @Nullable Path fixtures() {
    String named = System.getProperty("fovea.fixtures");
    if (named != null) {
      return Path.of(named);
    }
    for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
      Path fixtures = folder.resolve("shared/fixtures");
      if (Files.isDirectory(fixtures)) {
        return fixtures;
      }
    }
    return null;
  }
}
