package dev.fovea.tensor;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Records the operations of this thread so that they can be differentiated.
 *
 * <pre>{@code
 * try (Tape tape = Tape.record(Recompute.SELECTIVE)) {
 *   Tensor loss = model(images);
 *   try (Gradients gradients = tape.backward(loss)) {
 *     optimizer.step(gradients);
 *   }
 * }
 * }</pre>
 *
 * <p>An operation is recorded if one of its operands is {@link Tensor#trainable} or came from such. The tape holds what
 * backward passes read, beyond the scopes it was made in, and lets go of it as soon as it has been read. A tape is
 * confined to its thread; tapes do not nest.
 */
public final class Tape implements AutoCloseable {
  private static final ThreadLocal<@Nullable Tape> CURRENT = new ThreadLocal<>();

  private enum Mode {
    RECORD,
    /** Inside a block whose replay will record: only uses of parameters are counted. */
    SUSPENDED,
    /** Recording a block again during the backward pass. */
    REPLAY
  }

  private final Recompute policy;
  private final Map<Variable.Leaf, Variable> leaves = new IdentityHashMap<>();
  private List<Operation> operations = new ArrayList<>();
  private Mode mode = Mode.RECORD;
  private @Nullable Offload offload;
  private boolean touched;
  private boolean closed;

  private Tape(Recompute policy) {
    this.policy = policy;
  }

  /**
   * Starts recording on this thread.
   *
   * @throws IllegalStateException if a tape is recording on this thread already
   */
  public static Tape record(Recompute policy) {
    if (CURRENT.get() != null) {
      throw new IllegalStateException("a tape is recording on this thread already; close it first");
    }
    Tape tape = new Tape(policy);
    CURRENT.set(tape);
    return tape;
  }

  /** The tape of this thread, or null. */
  static @Nullable Tape current() {
    return CURRENT.get();
  }

  /**
   * Runs {@code body} on {@code x} as one unit of recomputation: under {@link Recompute#BLOCK} and
   * {@link Recompute#OFFLOAD} only x is kept, and the body runs again when its gradient is due. The body must do the
   * same each time. Temporaries are freed when it returns.
   */
  public static Tensor block(Tensor x, UnaryOperator<Tensor> body) {
    Tape tape = CURRENT.get();
    if (tape == null || !tape.policy.replays() || tape.mode != Mode.RECORD) {
      try (Scope scope = Scope.open(x.device())) {
        return scope.keep(body.apply(x));
      }
    }
    return new Block(x, body).apply(tape);
  }

  /** The policy that this tape was started with. */
  public Recompute policy() {
    return mode == Mode.REPLAY ? Recompute.NONE : policy;
  }

  /**
   * The gradients of {@code loss}, a tensor of one element, with respect to every trainable tensor that it depends on.
   * Afterwards the tape is empty and can record again.
   *
   * @throws IllegalArgumentException if loss has more than one element or does not depend on a trainable tensor
   */
  public Gradients backward(Tensor loss) {
    Gradients gradients = new Gradients();
    backward(loss, gradients);
    return gradients;
  }

  /**
   * As {@link #backward(Tensor)} for a result of any shape, starting from a given gradient of it: for losses that are
   * computed elsewhere.
   *
   * @param gradient in the shape of {@code result}
   */
  public Gradients backward(Tensor result, Tensor gradient) {
    Gradients gradients = new Gradients();
    differentiate(result, gradient, gradients, null);
    return gradients;
  }

  /** As {@link #backward(Tensor)}, adding to {@code gradients}. */
  public void backward(Tensor loss, Gradients gradients) {
    differentiate(loss, null, gradients, null);
  }

  /**
   * As {@link #backward(Tensor)}, handing out each gradient as soon as it is complete and freeing it afterwards, so
   * that only a few exist at a time.
   */
  public void backward(Tensor loss, GradientSink sink) {
    differentiate(loss, null, null, sink);
  }

  /** As {@link #backward(Tensor, GradientSink)} for a result of any shape, starting from a given gradient of it. */
  public void backward(Tensor result, Tensor gradient, GradientSink sink) {
    differentiate(result, gradient, null, sink);
  }

  /** What consumes gradients as they become complete. */
  @FunctionalInterface
  public interface GradientSink {
    /** {@code gradient} is F32 in the parameter's shape and is freed when this returns. */
    void accept(Tensor parameter, Tensor gradient);
  }

  private void differentiate(
      Tensor result, @Nullable Tensor start, @Nullable Gradients gradients, @Nullable GradientSink sink) {
    Variable variable = result.variable();
    if (start == null && result.shape().count() != 1) {
      throw new IllegalArgumentException("loss: got shape " + result.shape() + ", expected one element");
    }
    if (start != null && !start.shape().equals(result.shape())) {
      throw new IllegalArgumentException("gradient: got %s, expected %s".formatted(start.shape(), result.shape()));
    }
    if (variable == null || variable.tape != this) {
      throw new IllegalArgumentException("loss: got a tensor that depends on no trainable tensor through this tape");
    }
    if (gradients != null) {
      leaves.forEach((leaf, v) -> v.gradient = gradients.take(leaf));
    }
    try {
      try (Scope scope = Scope.open(result.device())) {
        variable.set(start != null ? start : Tensor.full(result.shape(), result.dtype(), 1));
      }
      List<Operation> recorded = operations;
      operations = new ArrayList<>();
      unwind(recorded, sink);
      if (gradients != null) {
        leaves.forEach((leaf, v) -> {
          if (v.gradient != null) {
            gradients.put(leaf, v.gradient);
            v.gradient = null;
          }
        });
      }
    } finally {
      clear();
    }
  }

  private void unwind(List<Operation> recorded, @Nullable GradientSink sink) {
    try {
      while (!recorded.isEmpty()) {
        Operation operation = recorded.removeLast();
        try (Scope scope = Scope.open(operation.device())) {
          if (operation instanceof Block block) {
            block.fetch(this);
          }
          if (operation.reached()) {
            if (operation instanceof Block block) {
              block.unwind(sink);
            } else {
              operation.backward();
            }
          }
        } finally {
          operation.release();
        }
        if (!(operation instanceof Block)) {
          finish(operation, sink);
        }
      }
    } finally {
      recorded.forEach(Operation::release);
    }
  }

  /** Hands out the gradients that no further operation adds to. */
  private static void finish(Operation operation, @Nullable GradientSink sink) {
    for (Input input : operation.inputs()) {
      Variable v = input.variable;
      if (v != null && v.leaf != null && --v.uses == 0 && sink != null && v.gradient != null) {
        try (Scope scope = Scope.open(operation.device())) {
          sink.accept(v.leaf.tensor, v.gradient.reshape(v.leaf.tensor.shape()));
        }
        v.clear();
      }
    }
  }

  boolean records() {
    return mode != Mode.SUSPENDED;
  }

  boolean replays() {
    return mode == Mode.REPLAY;
  }

  void add(Operation operation) {
    operations.add(operation);
  }

  /** What the tensor is to this tape: a result of it, a leaf, or null for a constant. */
  @Nullable
  Variable variableOf(Tensor value) {
    Variable variable = value.variable();
    if (variable != null) {
      return variable.tape == this ? variable : null;
    }
    Variable.Leaf leaf = value.leaf();
    return leaf == null ? null : leaves.computeIfAbsent(leaf, l -> new Variable(this, null, l));
  }

  void countUses(List<Input> inputs, boolean recording) {
    for (Input input : inputs) {
      Variable v = input.variable;
      if (v == null) {
        continue;
      }
      touched = true;
      boolean counts = v.leaf == null ? recording : mode != Mode.REPLAY;
      if (counts) {
        v.uses++;
      }
    }
  }

  /** Where inputs of blocks are put away, or null if they stay where they are. */
  private @Nullable Offload offload(Device device) {
    if (offload == null && policy == Recompute.OFFLOAD && device instanceof CudaDevice gpu) {
      offload = new Offload(gpu);
    }
    return offload;
  }

  private void clear() {
    operations.forEach(Operation::release);
    operations.clear();
    if (offload != null) {
      offload.close();
    }
    leaves.values().forEach(Variable::clear);
    leaves.clear();
  }

  /** Stops recording and lets go of everything. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    if (CURRENT.get() != this) {
      throw new IllegalStateException("a tape is closed by the thread that started it");
    }
    closed = true;
    CURRENT.remove();
    clear();
  }

  /** A part of the forward pass of which only the input is kept. */
  private static final class Block extends Operation {
    private final Input x;
    private final UnaryOperator<Tensor> body;
    private @Nullable Output y;

    Block(Tensor x, UnaryOperator<Tensor> body) {
      super(x);
      this.x = input(x).keep();
      this.body = body;
    }

    Tensor apply(Tape tape) {
      Tensor result;
      tape.mode = Mode.SUSPENDED;
      tape.touched = false;
      try (Scope scope = Scope.open(device())) {
        result = scope.keep(body.apply(x.value()));
      } finally {
        tape.mode = Mode.RECORD;
      }
      if (tape.touched) {
        if (x.variable != null && x.variable.leaf == null) {
          x.variable.uses++;
        }
        y = output(result);
        record(tape);
        Offload away = tape.offload(device());
        if (away != null) {
          away.push(x.take());
        }
      }
      return result;
    }

    @Override
    protected void forward() {
      throw new AssertionError("a block runs when it is made");
    }

    @Override
    protected void backward() {
      throw new AssertionError("a block is unwound, not differentiated");
    }

    /** Brings the input back if it was put away. */
    void fetch(Tape tape) {
      Offload away = tape.offload(device());
      if (away != null) {
        x.put(away.pop());
      }
    }

    /** Runs the body again, now recording, and differentiates what it recorded. */
    void unwind(@Nullable GradientSink sink) {
      Tape tape = Objects.requireNonNull(CURRENT.get());
      Output outer = Objects.requireNonNull(y);
      List<Operation> recorded = tape.operations;
      tape.mode = Mode.REPLAY;
      tape.operations = new ArrayList<>();
      try {
        Variable replayed;
        try (Scope scope = Scope.open(device())) {
          Tensor input = x.value().alias(x.shape());
          scope.adopt(input);
          if (x.variable != null) {
            x.variable.uses -= x.variable.leaf == null ? 1 : 0;
            input.track(x.variable);
          }
          replayed = body.apply(input).variable();
        }
        if (replayed != null && replayed.producer != null) {
          replayed.producer.seed(outer.gradient());
          outer.drop();
          tape.unwind(tape.operations, sink);
        }
      } finally {
        tape.operations.forEach(Operation::release);
        tape.operations = recorded;
        tape.mode = Mode.RECORD;
      }
    }
  }
}
