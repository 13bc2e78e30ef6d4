package dev.fovea.bench.peer.libraries;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import dev.fovea.bench.peer.Peer;
import dev.fovea.bench.peer.Work;
import dev.fovea.bench.peer.Work.Operand;
import dev.fovea.bench.report.Unavailable;
import dev.fovea.kernels.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** PyTorch's own operators, called as TorchScript through DJL. */
final class DjlPeer implements Peer {
  private final NDManager manager;
  private final ParameterStore parameters;

  DjlPeer(Engine engine) {
    manager = engine.newBaseManager();
    parameters = new ParameterStore(manager, false);
  }

  @Override
  public Call prepare(Work work) {
    return switch (work.operation()) {
      case LINEAR -> script("x, w", "return torch.linear(x, w)", work);
      case ATTENTION -> script("qkv", """
          q, k, v, = torch.unbind(torch.permute(qkv, [2, 0, 3, 1, 4]))
          out = torch.scaled_dot_product_attention(q, k, v)
          return torch.contiguous(torch.transpose(out, 1, 2))
          """, work);
      case LAYER_NORM ->
        script(
            "x, w, b",
            "return torch.layer_norm(x, [%d], w, b, 9.9999999999999995e-07)"
                .formatted(work.output().shape().getLast()),
            work);
      case GELU -> script("x", "return torch.gelu(x)", work);
      case GELU_TANH -> script("x", "return torch.gelu(x, approximate=\"tanh\")", work);
      case ADD -> script("x, y", "return torch.add(x, y)", work);
      case SOFTMAX -> script("x", "return torch.softmax(x, 1)", work);
      case SUM -> script("x", "return torch.sum(x)", work);
      case CROSS_ENTROPY -> script("x, y", "return torch.cross_entropy_loss(x, y, None, 0)", work);
      case ADAMW -> script("p, g, m, v, step", """
          params = [p]
          torch._fused_adamw_(params, [g], [m], [v], annotate(List[Tensor], []), [step], lr=%s, beta1=0.9, \
          beta2=0.999, weight_decay=0., eps=1e-08, amsgrad=False, maximize=False)
          return params[0]
          """.formatted(Work.LEARNING_RATE), work);
      case OTHER -> throw new Unavailable("DJL is not asked for this kernel");
    };
  }

  private Call script(String arguments, String body, Work work) {
    NDList inputs = new NDList();
    work.inputs().forEach(input -> inputs.add(array(input)));
    if (work.operation() == Work.Operation.ADAMW) {
      inputs.add(manager.create(1f));
    }
    try {
      Path folder = Files.createTempDirectory("fovea-torchscript");
      Path file = folder.resolve("peer.pt");
      TorchScript.write(file, arguments, body);
      Model model = Model.newInstance("peer", "PyTorch");
      model.load(folder, "peer");
      Files.delete(file);
      Files.delete(folder);
      boolean inPlace = work.inputs().contains(work.output());
      return new Script(model, parameters, inputs, inPlace);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (MalformedModelException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public Call model(Path folder, Operand pixels) {
    if (!Files.exists(folder.resolve("model.pt"))) {
      throw new Unavailable(folder + " has no model.pt: bench/peers/export.py writes it");
    }
    Model model = Model.newInstance("model", "PyTorch");
    try {
      model.load(folder, "model");
    } catch (IOException | MalformedModelException e) {
      throw new IllegalStateException(e);
    }
    return new Script(model, parameters, new NDList(array(pixels)), false);
  }

  private NDArray array(Operand operand) {
    Shape shape = new Shape(operand.shape());
    float[] values = operand.values();
    if (operand.span().dtype() == DType.F32) {
      return manager.create(values, shape);
    }
    long[] integers = new long[values.length];
    for (int i = 0; i < values.length; i++) {
      integers[i] = (long) values[i];
    }
    return manager.create(integers, shape);
  }

  /** Keeps the last result, so that it can be looked at. */
  private static final class Script implements Call {
    /** Holds the native module, which goes when this is collected. */
    private final Model model;

    private final ParameterStore parameters;
    private final NDList inputs;
    private final boolean inPlace;
    private @Nullable NDList result;

    Script(Model model, ParameterStore parameters, NDList inputs, boolean inPlace) {
      this.model = model;
      this.parameters = parameters;
      this.inputs = inputs;
      this.inPlace = inPlace;
    }

    @Override
    public void run() {
      if (result != null) {
        result.close();
      }
      result = model.getBlock().forward(parameters, inputs, false);
    }

    @Override
    public float[] answer() {
      List<NDArray> arrays = inPlace ? inputs : Objects.requireNonNull(result);
      return arrays.getFirst().toFloatArray();
    }
  }
}
