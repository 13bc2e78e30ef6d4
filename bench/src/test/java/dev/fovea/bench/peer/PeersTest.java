package dev.fovea.bench.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.bench.peer.Work.Operand;
import dev.fovea.bench.report.Answers;
import dev.fovea.bench.report.Unavailable;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.CpuKernels;
import java.net.URL;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whatever a peer computes is compared with ours before it is timed, and a peer that is not here leaves a blank. */
class PeersTest {
  @Test
  void anAnswerLikeOursPasses() {
    Peer.Call call = checked(work(3), 3, 1);
    call.run();
    assertEquals(5000, call.answer().length);
  }

  @Test
  void anAnswerUnlikeOursIsNotTimed() {
    assertThrows(Answers.WrongAnswer.class, () -> checked(work(3), 3, 1.0001f));
    assertThrows(Answers.WrongAnswer.class, () -> checked(work(3), 3.001f, 1));
    assertThrows(Answers.WrongAnswer.class, () -> checked(work(3), Float.NaN, 1));
  }

  @Test
  void aPeerHasOperandsOfItsOwnBeforeOursChangesThem() {
    Span x = Matrices.random(100, 1);
    Operand operand = Operand.of(x, 100);
    Work inPlace = new Work(
        Work.Operation.ADD, List.of(operand), operand, set -> set.elementwise().combine(2, x, 0, null, x), 0, 0);
    try (CpuKernels kernels = CpuKernels.create(1)) {
      Peer.Call call = Peers.checked("copies", new Combining(2, 0), inPlace, kernels);
      assertArrayEquals(operand.values(), call.answer());
    }
  }

  @Test
  void aMissingLibraryIsUnavailableWithItsReason() {
    URL library = PeersTest.class.getResource("/org/nd4j/linalg/factory/Nd4j.class");
    assumeTrue(library == null, "this build has the peers");
    Unavailable reason = assertThrows(Unavailable.class, () -> Peers.open("nd4j", 1));
    assertTrue(reason.getMessage().contains("nd4j"), reason.getMessage());
  }

  @Test
  void aNameThatIsNoPeersIsAnError() {
    var error = assertThrows(IllegalArgumentException.class, () -> Peers.open("numpy", 1));
    assertEquals("by: got numpy, expected fovea, openblas, mkl, djl or nd4j", error.getMessage());
  }

  @Test
  void operandsHaveAsManyElementsAsTheirShapeSays() {
    assertThrows(IllegalArgumentException.class, () -> Operand.of(Matrices.zeros(6), 2, 4));
    assertEquals(List.of(2L, 3L), Operand.of(Matrices.zeros(6), 2, 3).shape());
  }

  private static Peer.Call checked(Work work, float alpha, float beta) {
    try (CpuKernels kernels = CpuKernels.create(1)) {
      return Peers.checked("combining", new Combining(alpha, beta), work, kernels);
    }
  }

  /** {@code factor x + y}. */
  private static Work work(float factor) {
    Span x = Matrices.random(5000, 1);
    Span y = Matrices.random(5000, 2);
    Span z = Matrices.zeros(5000);
    return new Work(
        Work.Operation.ADD,
        List.of(Operand.of(x, 5000), Operand.of(y, 50, 100)),
        Operand.of(z, 5000),
        set -> set.elementwise().combine(factor, x, 1, y, z),
        0,
        0);
  }

  /** {@code alpha x + beta y} on the heap. */
  private record Combining(float alpha, float beta) implements Peer {
    @Override
    public Call prepare(Work work) {
      float[] x = work.inputs().getFirst().values();
      float[] y = work.inputs().getLast().values();
      float[] z = new float[x.length];
      return new Call() {
        @Override
        public void run() {
          for (int i = 0; i < z.length; i++) {
            z[i] = alpha * x[i] + beta * y[i];
          }
        }

        @Override
        public float[] answer() {
          return z;
        }
      };
    }
  }
}
