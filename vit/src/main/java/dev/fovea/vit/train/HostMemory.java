package dev.fovea.vit.train;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Memory of this machine, or of the container that the process is in. */
final class HostMemory {
  private static final Path LINUX = Path.of("/proc/meminfo");
  private static final Pattern AVAILABLE = Pattern.compile("(?m)^MemAvailable:\\s+(\\d{1,15}) kB$");
  private static final int KIBI = 1024;

  private HostMemory() {}

  /** Bytes that can be had without paging: what the file cache holds can be. */
  static long available() {
    if (!(ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system)) {
      return Long.MAX_VALUE / 2;
    }
    long free = system.getFreeMemorySize();
    return Math.max(free, Math.min(linux().orElse(free), system.getTotalMemorySize()));
  }

  private static OptionalLong linux() {
    if (!Files.isReadable(LINUX)) {
      return OptionalLong.empty();
    }
    try {
      Matcher found = AVAILABLE.matcher(Files.readString(LINUX));
      return found.find() ? OptionalLong.of(KIBI * Long.parseLong(found.group(1))) : OptionalLong.empty();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
