package dev.fovea.tensor;

import java.lang.System.Logger.Level;
import java.util.List;
import java.util.TreeSet;

/** Words for memory that became unreachable without being closed. */
final class Leaks {
  private Leaks() {}

  /** One warning for each leak whose stack is known, and one for all others. */
  static void report(Device device, List<Allocation> leaks) {
    if (Origin.MODE == Origin.Mode.OFF) {
      return;
    }
    System.Logger log = System.getLogger("dev.fovea.tensor");
    long others = 0;
    long bytes = 0;
    var labels = new TreeSet<String>();
    for (Allocation leak : leaks) {
      Origin origin = leak.origin();
      if (origin == null) {
        others++;
        bytes += leak.bytes();
        labels.add(leak.label());
      } else {
        log.log(
            Level.WARNING,
            Check.text(
                "leaked %d bytes of %s memory (%s), never closed; made%s",
                leak.bytes(), device.name(), leak.label(), origin.stack()));
      }
    }
    if (others > 0) {
      log.log(
          Level.WARNING,
          Check.text(
              "leaked %d bytes of %s memory in %d pieces (%s), never closed; %s",
              bytes,
              device.name(),
              others,
              String.join(", ", labels),
              "run with -Dfovea.leaks=all to see where they were made"));
    }
  }
}
