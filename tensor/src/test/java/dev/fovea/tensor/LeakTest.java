package dev.fovea.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LeakTest {
  private final List<String> warnings = Collections.synchronizedList(new ArrayList<>());
  private final Logger logger = Logger.getLogger("dev.fovea.tensor");
  private final Handler handler = new Handler() {
    @Override
    public void publish(LogRecord line) {
      assertEquals(Level.WARNING, line.getLevel());
      warnings.add(line.getMessage());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  };

  private final CpuDevice device = Device.cpu(1);

  @BeforeEach
  void listen() {
    logger.setUseParentHandlers(false);
    logger.addHandler(handler);
  }

  @AfterEach
  void restore() {
    logger.removeHandler(handler);
    logger.setUseParentHandlers(true);
    device.close();
  }

  private void leak() {
    try (Scope scope = Scope.open(device).label("images")) {
      scope.keep(Tensor.zeros(Shape.of(25), DType.F32));
    }
  }

  /** Collects garbage until so much is in use. */
  private void collect(long expected) throws InterruptedException {
    for (int i = 0; i < 100 && device.memory().current() != expected; i++) {
      System.gc();
      Thread.sleep(10);
    }
    assertEquals(expected, device.memory().current());
  }

  @Test
  void reportsAndFreesWhatBecameUnreachable() throws InterruptedException {
    leak();
    collect(0);
    assertEquals(1, warnings.size());
    String warning = warnings.getFirst();
    assertTrue(
        warning.startsWith(
            "leaked 100 bytes of %s memory (images), never closed; made\n\tat ".formatted(device.name())),
        warning);
    assertTrue(warning.contains("LeakTest.leak(LeakTest.java:"), warning);
    assertTrue(warning.contains("LeakTest.reportsAndFreesWhatBecameUnreachable(LeakTest.java:"), warning);
  }

  @Test
  void reportsScopesOfThreadsThatEnded() throws InterruptedException {
    Thread.ofPlatform()
        .start(() -> {
          Scope.open(device);
          Tensor.zeros(Shape.of(10), DType.I64);
        })
        .join();
    collect(0);
    assertEquals(1, warnings.size());
  }

  @Test
  void saysNothingAboutWhatWasClosed() throws InterruptedException {
    try (Scope _ = Scope.open(device)) {
      Tensor.zeros(Shape.of(25), DType.F32).close();
      Tensor.zeros(Shape.of(25), DType.F32);
    }
    leak();
    collect(0);
    assertEquals(1, warnings.size());
  }

  @Test
  void aSegmentKeepsItsMemory() throws InterruptedException {
    MemorySegment segment = leakedSegment();
    leak();
    collect(100);
    assertEquals(1, warnings.size());
    assertEquals(7, segment.get(ValueLayout.JAVA_FLOAT, 96));
    segment = MemorySegment.NULL;
    collect(0);
    assertEquals(2, warnings.size());
  }

  private MemorySegment leakedSegment() {
    try (Scope scope = Scope.open(device)) {
      float[] values = new float[25];
      values[24] = 7;
      return scope.keep(Tensor.of(values, 25)).segment();
    }
  }

  @Test
  void countsThoseWithoutStackTogether() {
    List<Allocation> leaks = new ArrayList<>();
    for (String label : List.of("b", "a", "b")) {
      try (Memory memory = device.allocate(10, label)) {
        var request = new Allocation.Request(10, label, null);
        leaks.add(new Allocation(
            memory, new java.lang.ref.ReferenceQueue<>(), MemoryPool.of(device), new Block(0, 64), request));
      }
    }
    Leaks.report(device, leaks);
    assertEquals(
        List.of("leaked 30 bytes of %s memory in 3 pieces (a, b), never closed; ".formatted(device.name())
            + "run with -Dfovea.leaks=all to see where they were made"),
        warnings);
  }

  @Test
  void samplesOneIn128() {
    int sampled = 0;
    for (int i = 0; i < 128 * 100; i++) {
      sampled += Origin.sampled(Origin.Mode.SAMPLED) == null ? 0 : 1;
      assertNull(Origin.sampled(Origin.Mode.OFF));
    }
    assertTrue(sampled > 35 && sampled < 165, sampled + " of 12800"); // 100, and 6.5 standard deviations of 10
    assertEquals("at a place not recorded: run with -Dfovea.leaks=all", Origin.site(Origin.sampled(Origin.Mode.OFF)));
  }

  @Test
  void modes() {
    assertEquals(Origin.Mode.ALL, Origin.MODE);
    assertEquals(Origin.Mode.OFF, Origin.mode("off"));
    assertEquals(Origin.Mode.SAMPLED, Origin.mode("sampled"));
    assertEquals(Origin.Mode.ALL, Origin.mode("all"));
    assertEquals(List.of(), warnings);
    assertEquals(Origin.Mode.SAMPLED, Origin.mode("ALWAYS"));
    assertEquals(1, warnings.size());
  }
}
