package dev.fovea.kernels.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * One family of kernels as the build compiled it: a fat binary (machine code for several GPUs, and PTX for later ones)
 * that a GPU loads, and the PTX that tests execute. Either may be absent: without {@code nvcc} the build makes neither,
 * and a published jar has no PTX beside its fat binaries.
 *
 * @param family the name of the source file in {@code src-cuda}, without ending
 */
public record KernelBinary(String family) {
  /** The fat binary, or null if the build made none. */
  public byte @Nullable [] fatBinary() {
    return resource(family + ".fatbin");
  }

  /** Whether the build made a fat binary. */
  public boolean hasFatBinary() {
    return KernelBinary.class.getResource(family + ".fatbin") != null;
  }

  /** The PTX, or null if it is not there. */
  public byte @Nullable [] ptx() {
    return resource("/dev/fovea/kernels/ptx/" + family + ".ptx");
  }

  private static byte @Nullable [] resource(String name) {
    try (InputStream in = KernelBinary.class.getResourceAsStream(name)) {
      return in == null ? null : in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read resource " + name, e);
    }
  }
}
