package dev.fovea.kernels.cuda;

import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The last launches, for the message about a kernel that failed: the driver says so only later, and not which it was.
 * Threads that launch at the same moment may overwrite each other's entry.
 */
final class LaunchLog {
  private static final int KEPT = 16;

  private final Map<Long, String> names = new ConcurrentHashMap<>();
  private final long[] functions = new long[KEPT];
  private int next;

  /** Gives a function its name in messages. */
  void name(long function, String name) {
    names.put(function, name);
  }

  String name(long function) {
    return names.getOrDefault(function, "function 0x" + Long.toHexString(function));
  }

  void add(long function) {
    int at = next;
    functions[at & KEPT - 1] = function;
    next = at + 1;
  }

  /** Newest first; the same kernel several times in a row with how often. */
  @Override
  public String toString() {
    var text = new StringJoiner(", ");
    int end = next;
    for (int i = 1; i <= KEPT; i++) {
      long function = functions[end - i & KEPT - 1];
      if (function == 0) {
        break;
      }
      int times = 1;
      while (i < KEPT && functions[end - i - 1 & KEPT - 1] == function) {
        times++;
        i++;
      }
      text.add(times == 1 ? name(function) : times + " x " + name(function));
    }
    return text.length() == 0 ? "none" : text.toString();
  }
}
