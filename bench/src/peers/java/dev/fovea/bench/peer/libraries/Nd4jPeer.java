package dev.fovea.bench.peer.libraries;

import dev.fovea.bench.peer.Peer;
import dev.fovea.bench.peer.Work;
import dev.fovea.bench.peer.Work.Operand;
import dev.fovea.bench.report.Unavailable;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.impl.transforms.custom.SoftMax;
import org.nd4j.linalg.factory.Nd4j;

/** ND4J's operations, with results written into arrays that were made beforehand. */
final class Nd4jPeer implements Peer {
  @Override
  public Call prepare(Work work) {
    List<INDArray> inputs = work.inputs().stream().map(Nd4jPeer::array).toList();
    // Products want their result column by column.
    char order = work.operation() == Work.Operation.LINEAR ? 'f' : 'c';
    INDArray out = Nd4j.create(DataType.FLOAT, sizes(work.output()), order);
    return switch (work.operation()) {
      case LINEAR -> new Done(() -> Nd4j.gemm(inputs.get(0), inputs.get(1), out, false, true, 1, 0), out);
      case ADD -> new Done(() -> inputs.get(0).addi(inputs.get(1), out), out);
      case SOFTMAX -> custom(new SoftMax(inputs.get(0), out, 1), out);
      // Both of its GELUs are off by more than F32's rounding, its layer norm leaves out epsilon.
      default -> throw new Unavailable("ND4J has no such operation, or one that computes something else");
    };
  }

  private static Call custom(CustomOp operation, INDArray out) {
    return new Done(() -> Nd4j.exec(operation), out);
  }

  private static INDArray array(Operand operand) {
    return Nd4j.create(operand.values(), sizes(operand), 'c');
  }

  private static long[] sizes(Operand operand) {
    return operand.shape().stream().mapToLong(Long::longValue).toArray();
  }

  private record Done(Runnable work, INDArray result) implements Call {
    @Override
    public void run() {
      work.run();
    }

    @Override
    public float[] answer() {
      return result.dup('c').data().asFloat();
    }
  }
}
