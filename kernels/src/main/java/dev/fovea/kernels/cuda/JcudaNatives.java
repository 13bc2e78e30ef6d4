package dev.fovea.kernels.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import jcuda.driver.JCudaDriver;

/**
 * Unpacks JCuda's native library into a folder that belongs to this user and to this version, and has JCuda load it
 * from there. Left to itself, JCuda loads whatever has the library's name in the common temporary folder.
 */
final class JcudaNatives {
  private static final String LIBRARY = "libJCudaDriver-12.6.0-linux-x86_64.so";
  private static final String TEMPORARY = "java.io.tmpdir";

  private static boolean loaded;

  private JcudaNatives() {}

  /** Loads the library, once. */
  static synchronized void load() {
    if (loaded) {
      return;
    }
    Path folder;
    try {
      folder = unpack(cache());
    } catch (IOException e) {
      throw new CudaException("NO_DRIVER", "JCuda's native library cannot be unpacked: " + e.getMessage(), e);
    }
    // Where JCuda looks for it: a file that is there is loaded as it is.
    String before = System.setProperty(TEMPORARY, folder.toString());
    try {
      JCudaDriver.setExceptionsEnabled(false);
    } catch (LinkageError e) {
      throw new CudaException("NO_DRIVER", "JCuda cannot be loaded: " + e.getMessage(), e);
    } finally {
      if (before == null) {
        System.clearProperty(TEMPORARY);
      } else {
        System.setProperty(TEMPORARY, before);
      }
    }
    loaded = true;
  }

  /** Below the user's cache folder. */
  private static Path cache() {
    String cache = System.getenv("XDG_CACHE_HOME");
    Path base = cache != null && !cache.isEmpty() ? Path.of(cache) : Path.of(System.getProperty("user.home"), ".cache");
    return base.resolve("fovea");
  }

  /**
   * The folder with the library as it is in JCuda's jar: below {@code cache}, or a new temporary one where that cannot
   * be written to.
   */
  static Path unpack(Path cache) throws IOException {
    byte[] library = library();
    Path folder = cache.resolve("jcuda-" + digest(library));
    Path file = folder.resolve(LIBRARY);
    try {
      if (Files.isRegularFile(file) && Arrays.equals(Files.readAllBytes(file), library)) {
        return folder;
      }
      Files.createDirectories(folder);
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
      Path part = Files.createTempFile(folder, "part", null);
      Files.write(part, library);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      return folder;
    } catch (IOException e) {
      Path temporary = Files.createTempDirectory("fovea"); // this user's alone
      Files.write(temporary.resolve(LIBRARY), library);
      temporary.toFile().deleteOnExit();
      temporary.resolve(LIBRARY).toFile().deleteOnExit();
      return temporary;
    }
  }

  private static byte[] library() throws IOException {
    try (InputStream in = JcudaNatives.class.getClassLoader().getResourceAsStream("lib/" + LIBRARY)) {
      if (in == null) {
        throw new IOException("jcuda-natives-12.6.0-linux-x86_64.jar is not on the class path");
      }
      return in.readAllBytes();
    }
  }

  private static String digest(byte[] bytes) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes))
          .substring(0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
