package dev.fovea.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** The last launches in words. */
class LaunchLogTest {
  private final LaunchLog log = new LaunchLog();

  @Test
  void namesTheNewestFirst() {
    assertEquals("none", log.toString());
    log.name(1, "gemm");
    log.name(2, "norm");
    log.add(1);
    log.add(2);
    log.add(2);
    log.add(0xff);
    assertEquals("function 0xff, 2 x norm, gemm", log.toString());
  }

  @Test
  void keepsSixteen() {
    for (int i = 1; i <= 40; i++) {
      log.name(i, "k" + i);
      log.add(i);
    }
    assertEquals("k40, k39, k38, k37, k36, k35, k34, k33, k32, k31, k30, k29, k28, k27, k26, k25", log.toString());
    for (int i = 0; i < 40; i++) {
      log.add(7);
    }
    assertEquals("16 x k7", log.toString());
  }
}
