package dev.fovea.tensor;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.KernelSet;
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
    Output output = new Output(this, value);
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
}
