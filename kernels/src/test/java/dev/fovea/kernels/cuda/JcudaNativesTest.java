package dev.fovea.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** JCuda's library, unpacked where nobody else puts another; and no driver at all. */
class JcudaNativesTest {
  private static final String LIBRARY = "libJCudaDriver-12.6.0-linux-x86_64.so";

  @TempDir
  private Path cache;

  @Test
  void belongToOneUserAndAreChecked() throws IOException {
    Path folder = JcudaNatives.unpack(cache.resolve("deeper"));
    assertTrue(folder.startsWith(cache), folder.toString());
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)));
    Path library = folder.resolve(LIBRARY);
    byte[] whole = Files.readAllBytes(library);
    Files.write(library, new byte[] {1, 2, 3});
    assertEquals(folder, JcudaNatives.unpack(cache.resolve("deeper")));
    assertEquals(whole.length, Files.size(library));
    assertEquals(1, Files.list(folder).count(), "files in the folder");
  }

  @Test
  void areUnpackedElsewhereWhereTheCacheCannotBeWritten() throws IOException {
    Path file = Files.writeString(cache.resolve("file"), "not a folder");
    Path folder = JcudaNatives.unpack(file);
    assertFalse(folder.startsWith(cache), folder.toString());
    assertTrue(Files.isRegularFile(folder.resolve(LIBRARY)));
    Files.delete(folder.resolve(LIBRARY));
    Files.delete(folder);
  }

  @Test
  void areNotAskedForWithoutADriver() {
    assumeFalse(Libcuda.isFound(), "this machine has a driver library");
    assumeTrue(System.getProperty("os.name").equals("Linux"), "GPUs are served on Linux only");
    CudaException e = assertThrows(CudaException.class, () -> JcudaDriver.open(0));
    assertEquals(
        "no NVIDIA driver: %s was not found; install NVIDIA's driver, or start the container with its GPUs"
            .formatted(Libcuda.NAME),
        e.getMessage());
    assertEquals("NO_DRIVER", e.code());
  }
}
