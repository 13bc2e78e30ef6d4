package dev.fovea.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Several threads at once. */
class ThreadTest {
  private static final int THREADS = 4;

  private static void parallel(Runnable work) throws InterruptedException, ExecutionException {
    try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        all.add(threads.submit(work));
      }
      for (Future<?> one : all) {
        one.get();
      }
    }
  }

  @Test
  void eachHasItsOwnScopes() throws Exception {
    try (CpuDevice device = Device.cpu(1)) {
      parallel(() -> {
        for (int round = 0; round < 300; round++) {
          try (Scope _ = Scope.open(device)) {
            Tensor tensor = Tensor.of(new int[] {round, -round}, 2);
            try (Scope inner = Scope.open()) {
              Tensor view = inner.keep(tensor.narrow(1, 1));
              tensor.close();
              assertEquals(-round, view.item());
            }
          }
        }
      });
      assertEquals(0, device.memory().current());
    }
  }

  @Test
  void viewsOnSharedMemoryComeAndGo() throws Exception {
    try (CpuDevice device = Device.cpu(1);
        Scope model = Scope.unbound(device)) {
      Tensor weight;
      try (Scope _ = Scope.open(device)) {
        weight = model.adopt(Tensor.of(new int[] {1, 2, 3, 4}, 4));
      }
      parallel(() -> {
        for (int round = 0; round < 300; round++) {
          try (Scope _ = Scope.open(device)) {
            assertEquals(3, weight.narrow(2, 1).item());
            assertEquals(16, weight.segment().byteSize());
          }
        }
      });
      assertEquals(16, device.memory().current());
    }
  }

  @Test
  void readersRaceWithTheLastClose() throws Exception {
    try (CpuDevice device = Device.cpu(CpuOptions.defaults().withThreads(1).withPoison(true))) {
      int[] sevens = new int[64];
      Arrays.fill(sevens, 7);
      for (int round = 0; round < 100; round++) {
        Tensor tensor;
        try (Scope scope = Scope.open(device)) {
          tensor = scope.keep(Tensor.of(sevens, 64));
        }
        AtomicInteger turn = new AtomicInteger();
        parallel(() -> {
          try {
            if (turn.getAndIncrement() == 2) {
              tensor.close();
            }
            for (long value : tensor.toLongs()) {
              assertEquals(7, value);
            }
          } catch (IllegalStateException e) {
            // closed meanwhile: the alternative to the right values
          }
        });
      }
      assertEquals(0, device.memory().current());
    }
  }
}
