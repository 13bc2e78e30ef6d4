package dev.fovea.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.cuda.Driver;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.kernels.ptx.PtxOptions;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Values on their way to a GPU that does what it is asked as late as it may: none is overwritten before it was copied,
 * or read before it has arrived. Without any one of the waits that see to it, the wrong values are found.
 */
final class UploadTest {
  private static final int COUNT = 5;
  private static final int BATCHES = 9;

  /** Batches that arrive before a wait is left out: memory that was never written to would be an error by itself. */
  private static final int SOUND = 2;

  /** A wait that an upload needs. */
  private enum Wait {
    /** The host's, before it writes to pinned memory again. */
    FOR_PINNED_MEMORY,
    /** The copies', before they write to the GPU's memory again. */
    FOR_READERS,
    /** The computations', before they read. */
    FOR_ARRIVAL
  }

  /** A driver that leaves out one kind of wait while it is asked to. */
  private static final class Careless {
    private final PtxDriver driver =
        new PtxDriver(PtxOptions.standard().withThreads(1).withDeferred(true));
    private Wait without;
    private long computing;

    Driver driver() {
      Object made =
          Proxy.newProxyInstance(Driver.class.getClassLoader(), new Class<?>[] {Driver.class}, (_, method, args) -> {
            boolean left = switch (method.getName()) {
              case "synchronizeEvent" -> without == Wait.FOR_PINNED_MEMORY;
              case "await" -> without == ((Long) args[0] == computing ? Wait.FOR_ARRIVAL : Wait.FOR_READERS);
              default -> false;
            };
            try {
              Object result = left ? null : method.invoke(driver, args);
              if (method.getName().equals("createStream") && computing == 0) {
                computing = (Long) result;
              }
              return result;
            } catch (InvocationTargetException e) {
              throw e.getCause();
            }
          });
      return (Driver) made;
    }
  }

  /** What computations found, batch by batch, the next one being on its way already. */
  private static float[] found(Wait without) {
    Careless careless = new Careless();
    try (CudaDevice device = CudaDevice.over(careless.driver())) {
      try (Scope _ = Scope.open(device);
          Upload upload = new Upload(device, DType.F32, COUNT)) {
        Tensor input = Tensor.zeros(Shape.of(COUNT), DType.F32);
        Tensor all = Tensor.zeros(Shape.of(BATCHES, COUNT), DType.F32);
        float[] values = new float[COUNT];
        for (int batch = 0; batch <= BATCHES; batch++) {
          careless.without = batch > SOUND ? without : null;
          if (batch < BATCHES) {
            Arrays.fill(values, batch + 1);
            upload.send(values);
            Arrays.fill(values, -1);
          }
          if (batch > 0) {
            upload.receive(input);
            all.narrow(batch - 1, 1).reshape(COUNT).copyFrom(input);
          }
        }
        careless.without = null;
        return all.toFloats();
      }
    }
  }

  private static float[] expected() {
    float[] expected = new float[BATCHES * COUNT];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = i / COUNT + 1;
    }
    return expected;
  }

  @Test
  void everyBatchIsFoundAsItWasSent() {
    assertArrayEquals(expected(), found(null));
  }

  @ParameterizedTest
  @EnumSource
  void everyWaitIsNeeded(Wait wait) {
    assertFalse(Arrays.equals(expected(), found(wait)), "no batch was lost without the wait " + wait);
  }

  @Test
  void whatIsOutOfTurnIsSaid() {
    try (CudaDevice device = CudaDevice.over(new PtxDriver(PtxOptions.standard().withThreads(1)));
        Upload upload = new Upload(device, DType.I32, 2)) {
      try (Scope _ = Scope.open(device)) {
        Tensor input = Tensor.zeros(Shape.of(2), DType.I32);
        assertEquals(
            "upload: got nothing to receive, expected values to be sent first",
            assertThrows(IllegalStateException.class, () -> upload.receive(input))
                .getMessage());
      }
      upload.send(new int[] {1, 2});
      upload.send(new int[] {3, 4});
      assertEquals(
          "upload: got a third send, expected one of the two before to be received first",
          assertThrows(IllegalStateException.class, () -> upload.send(new int[2]))
              .getMessage());
      assertThrows(IllegalArgumentException.class, () -> upload.send(new int[3]));
      assertThrows(IllegalArgumentException.class, () -> new Upload(device, DType.BF16, 2));
    }
  }
}
