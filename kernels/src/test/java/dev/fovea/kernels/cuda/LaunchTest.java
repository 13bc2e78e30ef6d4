package dev.fovea.kernels.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** A launch lays its argument out as a C++ compiler does. */
class LaunchTest {
  private final Launch launch = new Launch();

  @Test
  void alignsFields() {
    launch.i32(1).pointer(2).f32(3);
    assertEquals(24, launch.argumentBytes());
    assertEquals(1, launch.arguments().get(JAVA_INT, 0));
    assertEquals(2, launch.arguments().get(JAVA_LONG, 8));
    assertEquals(3, launch.arguments().get(JAVA_FLOAT, 16));
    launch.bytes(MemorySegment.ofArray(new byte[] {9}), 64);
    assertEquals(128, launch.argumentBytes());
    assertEquals(9, launch.arguments().get(JAVA_BYTE, 64));
    assertEquals(0, launch.reset().argumentBytes());
    assertEquals(8, launch.i32(1).align(8).argumentBytes());
    assertEquals(24, launch.skip(16).argumentBytes());
  }

  @Test
  void refusesWhatNoGpuTakes() {
    rejects("grid x: got 0, expected 1 to 2147483647", () -> launch.grid(0, 1, 1));
    rejects("grid y: got 65536, expected 1 to 65535", () -> launch.grid(1, 65536, 1));
    rejects("block x: got 1025, expected 1 to 1024", () -> launch.block(1025, 1, 1));
    rejects("cluster z: got 17, expected 1 to 16", () -> launch.cluster(1, 1, 17));
    rejects(
        "arguments: got more than 32764 bytes, expected at most that",
        () -> launch.bytes(MemorySegment.ofArray(new byte[32_765]), 1));
  }

  private static void rejects(String message, Runnable call) {
    assertEquals(
        message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }
}
