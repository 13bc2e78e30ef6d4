package dev.fovea.tensor;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.KernelSet;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One differentiable operation: what it reads, what it makes, how it computes, and how it sends a gradient back.
 *
 * <p>A subclass registers its operands in its constructor with {@link #input} and its results with {@link #output},
 * marks with {@code keep()} what its backward pass will read, and calls {@link #run}. If a {@link Tape} is recording
 * and an operand wants a gradient, the operation goes on the tape; otherwise it computes and is forgotten, and nothing
 * is kept.
 *
 * <pre>{@code
 * final class Square extends Operation {
 *   private final Input x;
 *   private final Output y;
 *
 *   Square(Tensor value) {
 *     super(value);
 *     x = input(value).keep();
 *     y = output(value.shape(), value.dtype());
 *   }
 *
 *   Tensor apply() {
 *     run();
 *     return y.result();
 *   }
 *
 *   protected void forward() {
 *     kernels().elementwise().multiply(x.span(), x.span(), y.span());
 *   }
 *
 *   protected void backward() {
 *     Tensor dx = Tensor.empty(x.shape(), x.dtype());
 *     kernels().elementwise().multiply(x.span(), y.gradient().span(), dx.span());
 *     kernels().elementwise().combine(2, dx.span(), 0, null, dx.span());
 *     x.add(dx);
 *   }
 * }
 * }</pre>
 */
public abstract class Operation {
  private final Device device;
  private final @Nullable Tape tape;
  private final List<Input> inputs = new ArrayList<>();
  private final List<Output> outputs = new ArrayList<>();
  private boolean forwarded;

  /** An operation on the device of {@code first}. */
  protected Operation(Tensor first) {
    device = first.device();
    tape = Tape.current();
  }

  /** Computes the outputs from the inputs. */
  protected abstract void forward();

  /**
   * Reads {@link Output#gradient} and hands each input that {@link Input#wantsGradient} its share. Runs in a scope of
   * its own.
   */
  protected abstract void backward();

  /**
   * Whether {@link #recompute} can make this output again, with the same bits and at little cost, from what the
   * operation keeps. {@link Recompute#SELECTIVE} asks.
   */
  protected boolean recomputes(Output output) {
    return false;
  }

  /** Makes an output again; see {@link #recomputes}. */
  protected void recompute(Output output, Tensor into) {
    throw new AssertionError("recomputes() said yes without recompute()");
  }

  /**
   * Says that this output is {@code f(pre)} and that its gradient may arrive as that of {@code pre}. The operation that
   * reads the output can then apply {@code f'} where it makes the gradient.
   */
  protected @Nullable PreActivation preActivation(Output output) {
    return null;
  }

  protected final Device device() {
    return device;
  }

  protected final KernelSet kernels() {
    return device.kernels();
  }

  /**
   * Registers an operand.
   *
   * @throws IllegalArgumentException if it is on another device
   */
  protected final Input input(Tensor value) {
    if (value.device() != device) {
      throw new IllegalArgumentException(
          "operand: got a tensor on %s, expected %s".formatted(value.device().name(), device.name()));
    }
    Input input = new Input(value, tape == null ? null : tape.variableOf(value));
    inputs.add(input);
    return input;
  }

  /** Whether this operation will be differentiated; to be asked after the last {@link #input}. */
  protected final boolean recording() {
    return tape != null && tape.records() && inputs.stream().anyMatch(Input::wantsGradient);
  }

  /** Registers a result, allocated in the current scope. */
  protected final Output output(Shape shape, DType dtype) {
    return add(
        tape != null && tape.replays() && recording()
            ? Tensor.promised(shape, dtype, this::forwardOnce)
            : Tensor.empty(shape, dtype));
  }

  /** Registers a result that exists already. */
  final Output output(Tensor value) {
    return add(value);
  }

  private Output add(Tensor value) {
    Output output = new Output(value);
    outputs.add(output);
    return output;
  }

  /** Computes, and records if the operation is to be differentiated. */
  protected final void run() {
    Tape on = tape;
    if (on == null) {
      forwardOnce();
      return;
    }
    boolean recording = recording();
    on.countUses(inputs, recording);
    if (!recording || !on.replays()) {
      forwardOnce();
    }
    if (recording) {
      record(on);
    }
  }

  /** Puts the operation on the tape: from here on it holds what it keeps and nothing else. */
  final void record(Tape tape) {
    for (Output output : outputs) {
      output.record(tape);
    }
    for (Input input : inputs) {
      input.record(tape);
    }
    tape.add(this);
  }

  private void forwardOnce() {
    if (!forwarded) {
      forwarded = true;
      forward();
    }
  }

  final List<Input> inputs() {
    return inputs;
  }

  final boolean reached() {
    return outputs.stream().anyMatch(Output::hasGradient);
  }

  /** Lets go of all that is kept, and of the outputs' gradients. */
  final void release() {
    inputs.forEach(Input::release);
    outputs.forEach(Output::release);
  }

  /** An operand of an operation. */
  public static final class Input {
    private final Shape shape;
    private final DType dtype;
    final @Nullable Variable variable;
    private @Nullable Tensor value;
    private @Nullable Output rebuilt;
    private boolean kept;

    private Input(Tensor value, @Nullable Variable variable) {
      this.value = value;
      this.variable = variable;
      this.shape = value.shape();
      this.dtype = value.dtype();
    }

    /** Marks the value as one that the backward pass reads. */
    public Input keep() {
      kept = true;
      return this;
    }

    public Shape shape() {
      return shape;
    }

    public DType dtype() {
      return dtype;
    }

    /** The value: always during the forward pass, and in the backward pass if kept. */
    public Tensor value() {
      if (rebuilt != null) {
        return rebuilt.rebuild();
      }
      if (value == null) {
        throw new IllegalStateException("this operand was not kept for the backward pass");
      }
      return value;
    }

    /** Hands the value that is kept over to the caller. */
    Tensor take() {
      Tensor taken = value();
      value = null;
      return taken;
    }

    /** Gives the value back that was taken; the handle is taken over. */
    void put(Tensor back) {
      value = back;
    }

    public Span span() {
      return value().span();
    }

    /** Whether a gradient of this operand is of any use. */
    public boolean wantsGradient() {
      return variable != null;
    }

    /** Adds to this operand's gradient; {@code dx} may live on as part of it and must not be written afterwards. */
    public void add(Tensor dx) {
      if (variable != null) {
        variable.add(dx);
      }
    }

    /** For a kernel that adds to what it finds: the gradient so far, and where to write the sum. */
    public Gathered gathered() {
      return variable == null ? new Gathered(null, Tensor.empty(shape, dtype)) : variable.gathered(shape, dtype);
    }

    /** Makes {@code total}, which includes what was gathered, this operand's gradient. */
    public void replace(Tensor total) {
      if (variable != null) {
        variable.replace(total);
      }
    }

    /**
     * Where a kernel puts its share of the gradient as F32 sums, in this operand's shape: the first share of all takes
     * the place of what is there, the others are added. The kernel must write every element. Only for an operand that
     * {@link #wantsGradient}.
     */
    public Sums sums() {
      if (variable == null) {
        throw new IllegalStateException("this operand wants no gradient");
      }
      return variable.sums(shape, dtype.accumulator());
    }

    /** What made this operand, if it takes the gradient before its activation and nobody else sends it one; or null. */
    public @Nullable PreActivation preActivation() {
      Output source = variable == null || variable.uses != 1 ? null : variable.producer;
      return source == null ? null : source.operation().preActivation(source);
    }

    /** Sends the gradient before the activation; only after {@link #preActivation} was not null. */
    public void addPre(Tensor dPre) {
      add(dPre);
      if (variable != null) {
        variable.beforeActivation = true;
      }
    }

    /** Keeps what was asked for; a replay keeps all, since it computes when somebody looks. */
    private void record(Tape tape) {
      if (!kept && !tape.replays()) {
        value = null;
        return;
      }
      Output source = variable == null ? null : variable.producer;
      if (source != null && tape.policy() == Recompute.SELECTIVE && source.recomputes()) {
        rebuilt = source;
        source.rebuilders++;
        value = null;
      } else {
        value = value().alias(shape);
      }
    }

    /**
     * Says in a backward pass that the value is not read any more, so that its memory may serve what is made next.
     * Everything is let go of at the end of the pass anyhow.
     */
    public void done() {
      release();
    }

    private void release() {
      if (rebuilt != null) {
        rebuilt.rebuildDone();
        rebuilt = null;
      } else if (value != null) {
        value.close();
        value = null;
      }
    }
  }

  /** A result of an operation. */
  public final class Output {
    private final Shape shape;
    private final DType dtype;
    private final Tensor made;
    private @Nullable Tensor kept;
    private @Nullable Variable variable;
    private @Nullable Tensor rebuilt;
    private int rebuilders;
    private boolean keep;

    private Output(Tensor made) {
      this.made = made;
      this.shape = made.shape();
      this.dtype = made.dtype();
    }

    /** Marks the value as one that the backward pass reads. */
    public Output keep() {
      keep = true;
      return this;
    }

    public Shape shape() {
      return shape;
    }

    public DType dtype() {
      return dtype;
    }

    /** The tensor to return to the caller, owned by the scope it was made in. */
    public Tensor result() {
      return made;
    }

    /** The value: during the forward pass, and in the backward pass if kept. */
    public Tensor value() {
      return kept != null ? kept : made;
    }

    public Span span() {
      return value().span();
    }

    /** As {@link Input#done}. */
    public void done() {
      if (kept != null) {
        kept.close();
        kept = null;
      }
    }

    /** Whether the gradient that arrived is that of {@link PreActivation#pre}. */
    public boolean gradientIsPre() {
      return variable != null && variable.beforeActivation;
    }

    /** Whether any operation sent this output a gradient. */
    public boolean hasGradient() {
      return variable != null && variable.gradient != null;
    }

    /** The gradient that arrived, in this output's shape and dtype; zeros if none did. */
    public Tensor gradient() {
      if (variable == null || variable.gradient == null) {
        Tensor zeros = Tensor.empty(shape, dtype);
        kernels().elementwise().fill(zeros.span(), 0);
        return zeros;
      }
      return variable.gradient.to(dtype).reshape(shape);
    }

    /** As {@link #gradient}, in memory that may be overwritten. */
    public Tensor ownGradient() {
      boolean shared = variable != null
          && variable.gradient != null
          && variable.gradient.dtype() == dtype
          && !variable.ownsGradient();
      Tensor gradient = gradient();
      if (!shared) {
        return gradient;
      }
      Tensor copy = Tensor.empty(shape, dtype);
      copy.copyFrom(gradient);
      return copy;
    }

    /** Lets go of the gradient. */
    void drop() {
      if (variable != null) {
        variable.clear();
      }
    }

    /** Gives a replayed output the gradient that its first life received. */
    void seed(Tensor gradient) {
      if (variable != null) {
        variable.set(gradient);
      }
    }

    Operation operation() {
      return Operation.this;
    }

    private boolean recomputes() {
      return Operation.this.recomputes(this);
    }

    private void record(Tape tape) {
      variable = new Variable(tape, this, null);
      made.track(variable);
      if (keep || tape.replays()) {
        kept = made.alias(shape);
      }
    }

    private Tensor rebuild() {
      if (rebuilt == null) {
        Tensor again = Tensor.empty(shape, dtype);
        recompute(this, again);
        // One handle only, or the scope of this backward pass would hold on to what is done with.
        rebuilt = again.alias(shape);
        again.close();
      }
      return rebuilt;
    }

    private void rebuildDone() {
      if (--rebuilders == 0 && rebuilt != null) {
        rebuilt.close();
        rebuilt = null;
      }
    }

    private void release() {
      if (variable != null) {
        variable.clear();
      }
      done();
    }
  }
}
