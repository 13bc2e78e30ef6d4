package dev.fovea.tensor;

import static dev.fovea.tensor.Messages.assertState;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.ElementwiseKernels;
import dev.fovea.kernels.KernelSet;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.contract.HostCaseMemory;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What tensors have kernels do: filling and converting, here with the plainest possible kernels. */
class ConversionTest {
  private int launches;
  private final ElementwiseKernels elementwise = proxy(ElementwiseKernels.class, (proxy, method, arguments) -> {
    launches++;
    switch (method.getName()) {
      case "fill" -> {
        Span x = (Span) arguments[0];
        for (long i = 0; i < x.count(); i++) {
          HostCaseMemory.set(x, i, (double) arguments[1]);
        }
      }
      case "cast" -> {
        Span x = (Span) arguments[0];
        Span y = (Span) arguments[1];
        for (long i = 0; i < x.count(); i++) {
          HostCaseMemory.set(y, i, HostCaseMemory.get(x, i));
        }
      }
      default -> throw new UnsupportedOperationException(method.getName());
    }
    return null;
  });
  private final CpuDevice device =
      CpuDevice.with(proxy(KernelSet.class, (proxy, method, arguments) -> elementwise), "plain");
  private Scope scope;

  private static <T> T proxy(Class<T> type, InvocationHandler handler) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }

  @BeforeEach
  void open() {
    scope = Scope.open(device);
  }

  @AfterEach
  void close() {
    scope.close();
    device.close();
  }

  @Test
  void fills() {
    assertArrayEquals(
        new float[] {0.5f, 0.5f, 0.5f}, Tensor.full(Shape.of(3), DType.F32, 0.5).toFloats());
    assertArrayEquals(
        new float[] {1.0078125f}, Tensor.full(Shape.of(1), DType.BF16, 1.0079).toFloats());
    assertArrayEquals(
        new long[] {-3, -3}, Tensor.full(Shape.of(2, 1), DType.I64, -3).toLongs());
    assertArrayEquals(new long[] {200}, Tensor.full(Shape.of(1), DType.U8, 200).toLongs());
    assertEquals(4, launches);
    assertEquals(0, Tensor.full(Shape.of(0, 3), DType.F32, 1).toFloats().length);
    assertEquals(4, launches);
  }

  @Test
  void converts() {
    Tensor tensor = Tensor.of(new float[] {1, -2.5f, 1.00390625f, Float.NaN}, 2, 2);
    Tensor small = tensor.to(DType.BF16);
    assertEquals(DType.BF16, small.dtype());
    assertEquals(Shape.of(2, 2), small.shape());
    assertArrayEquals(new float[] {1, -2.5f, 1, Float.NaN}, small.toFloats());
    tensor.close();
    assertArrayEquals(
        new float[] {1, -2.5f, 1, Float.NaN}, small.to(DType.F16).to(DType.F32).toFloats());
    assertArrayEquals(
        new float[] {255, 0}, Tensor.of(new byte[] {-1, 0}, 2).to(DType.F32).toFloats());
    assertEquals(0, Tensor.zeros(Shape.of(0), DType.F32).to(DType.BF16).toFloats().length);
    assertEquals(4, launches);
  }

  @Test
  void convertsOnlyIfNeeded() {
    Tensor tensor = Tensor.of(new float[] {1, 2}, 2);
    Tensor same = tensor.to(DType.F32);
    same.copyFrom(new float[] {3, 4});
    assertArrayEquals(new float[] {3, 4}, tensor.toFloats());
    assertEquals(8, device.memory().current());
    assertEquals(0, launches);
  }

  @Test
  void copiesAcrossDtypes() {
    Tensor tensor = Tensor.zeros(Shape.of(2, 2), DType.BF16);
    tensor.narrow(1, 1).copyFrom(Tensor.of(new float[] {1, 1.00390625f}, 1, 2));
    assertArrayEquals(new float[] {0, 0, 1, 1}, tensor.toFloats());
    assertEquals(1, launches);
  }

  @Test
  void failuresLeaveNothingBehind() {
    Tensor closed = Tensor.zeros(Shape.of(2), DType.F32);
    closed.close();
    assertState("tensor used after close (made SITE)", () -> closed.to(DType.BF16));
    assertThrows(IllegalArgumentException.class, () -> Tensor.of(new float[3], 2));
    assertEquals(0, device.memory().current());
  }
}
