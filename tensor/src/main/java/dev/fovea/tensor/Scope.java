package dev.fovea.tensor;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Owns tensors and closes them together.
 *
 * <p>{@link #open} puts a scope on the calling thread's stack; every tensor that this thread makes belongs to the
 * innermost open scope, whatever scope its operands belong to. A tensor leaves through {@link #keep}:
 *
 * <pre>{@code
 * try (Scope scope = Scope.open(Device.cpu())) {
 *   Tensor result;
 *   try (Scope inner = Scope.open()) {
 *     Tensor scratch = Tensor.zeros(Shape.of(2, 768), DType.F32);
 *     result = inner.keep(Tensor.of(new float[] {1, 2}, 2)); // now belongs to scope
 *   } // closes scratch
 *   System.out.println(result);
 * } // closes result
 * }</pre>
 *
 * <table class="striped"><caption>Kinds of scopes</caption>
 * <tr><th>made by<th>on a stack<th>closed by<th>owns
 * <tr><td>{@link #open}<td>yes, innermost<td>its thread, before any scope opened earlier<td>what the thread makes
 * <tr><td>{@link #unbound}<td>no<td>any thread<td>what is {@linkplain #adopt adopted}
 * </table>
 */
public final class Scope implements AutoCloseable {
  private static final ThreadLocal<Scope> INNERMOST = new ThreadLocal<>();

  private final Device device;
  private final Origin origin = Origin.line();

  /** Whose stack it is on; null when unbound. */
  private final @Nullable Thread thread;

  private final @Nullable Scope enclosing;

  // Guarded by this. A tensor knows its place in the list.
  private final ArrayList<Handle> tensors = new ArrayList<>();
  private boolean closed;

  private volatile String label;

  private Scope(Device device, @Nullable Thread thread, @Nullable Scope enclosing) {
    this.device = device;
    this.thread = thread;
    this.enclosing = enclosing;
    this.label = enclosing == null ? "unlabelled" : enclosing.label;
  }

  /** Opens a scope on the device of the innermost open one, or on {@link Device#cpu()}. */
  public static Scope open() {
    Scope enclosing = INNERMOST.get();
    return open(enclosing == null ? Device.cpu() : enclosing.device);
  }

  /** Opens a scope whose tensors are made on this device. */
  public static Scope open(Device device) {
    var scope = new Scope(device, Thread.currentThread(), INNERMOST.get());
    INNERMOST.set(scope);
    return scope;
  }

  /** A scope on no thread's stack, such as a model's parameters need. */
  public static Scope unbound(Device device) {
    return new Scope(device, null, null);
  }

  /**
   * The innermost scope open on this thread.
   *
   * @throws IllegalStateException if there is none
   */
  public static Scope current() {
    Scope scope = INNERMOST.get();
    if (scope == null) {
      throw new IllegalStateException(Check.text(
          "no scope is open on thread %s: tensors need one, as in %s",
          Thread.currentThread().getName(), "try (Scope scope = Scope.open()) { ... }"));
    }
    return scope;
  }

  static @Nullable Scope innermost() {
    return INNERMOST.get();
  }

  /** Where its tensors are made. */
  public Device device() {
    return device;
  }

  /**
   * Names what is made in here from now on, as {@link MemoryStats#byLabel} counts it; scopes opened inside inherit it.
   */
  public Scope label(String label) {
    this.label = label;
    return this;
  }

  String label() {
    return label;
  }

  /**
   * Lets a tensor outlive this scope: it then belongs to the enclosing scope, or to nobody if there is none, and the
   * caller closes it. A tensor of an outer or {@linkplain #unbound unbound} scope, or of nobody, stays where it is.
   *
   * @return the tensor
   * @throws IllegalStateException if this scope or the tensor is closed
   * @throws WrongThreadException if this is not the thread of the scopes involved
   */
  public Tensor keep(Tensor tensor) {
    checkUsable();
    Scope owner = tensor.owner();
    if (owner == null || owner.thread == null || isEnclosedBy(owner)) {
      tensor.span(); // throws if closed
      return tensor;
    }
    owner.checkThread("used");
    tensor.moveTo(enclosing);
    return tensor;
  }

  /** {@linkplain #keep(Tensor) Keeps} several tensors. */
  public <C extends Collection<Tensor>> C keep(C tensors) {
    tensors.forEach(this::keep);
    return tensors;
  }

  /**
   * Takes a tensor over, from whichever scope or from the caller.
   *
   * @return the tensor
   * @throws IllegalStateException if this scope or the tensor is closed
   * @throws IllegalArgumentException if the tensor is on another device
   * @throws WrongThreadException if the tensor belongs to a scope of another thread
   */
  public Tensor adopt(Tensor tensor) {
    checkUsable();
    if (tensor.device() != device) {
      throw Check.bad("tensor", "one on " + tensor.device().name(), "one on " + device.name() + " as the scope");
    }
    Scope owner = tensor.owner();
    if (owner != null) {
      owner.checkThread("used");
    }
    tensor.moveTo(this);
    return tensor;
  }

  /**
   * Closes the tensors that belong to it.
   *
   * @throws IllegalStateException if it was closed before, or if scopes opened later are still open; they are then
   *     closed too
   * @throws WrongThreadException if it is on another thread's stack
   */
  @Override
  public void close() {
    checkThread("closed");
    synchronized (this) {
      checkOpen("closed twice");
    }
    if (thread == null) {
      rethrow(closeTensors(null));
      return;
    }
    Scope innermost = current();
    if (enclosing == null) {
      INNERMOST.remove();
    } else {
      INNERMOST.set(enclosing);
    }
    RuntimeException failure = null;
    if (innermost != this) {
      failure = new IllegalStateException(Check.text(
          "scope (opened %s) closed before a scope inside it (opened %s)",
          Origin.site(origin), Origin.site(innermost.origin)));
      for (Scope inner = innermost; inner != null && inner != this; inner = inner.enclosing) {
        failure = inner.closeTensors(failure);
      }
    }
    rethrow(closeTensors(failure));
  }

  private static void rethrow(@Nullable RuntimeException failure) {
    if (failure != null) {
      throw failure;
    }
  }

  /** Closes them all, also where one fails; returns the first failure, the others added to it. */
  private @Nullable RuntimeException closeTensors(@Nullable RuntimeException before) {
    List<Handle> own;
    synchronized (this) {
      checkOpen("closed twice");
      closed = true;
      own = List.copyOf(tensors);
      tensors.clear();
    }
    RuntimeException failure = before;
    for (Handle tensor : own) {
      try {
        tensor.closeBy(this);
      } catch (IllegalStateException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    return failure;
  }

  /** Enters a tensor; only tensors call this. */
  synchronized void add(Handle tensor) {
    checkOpen("used after close");
    tensor.place = tensors.size();
    tensors.add(tensor);
  }

  /** Forgets a tensor that was entered; only tensors call this. */
  synchronized void remove(Handle tensor) {
    if (closed) {
      return;
    }
    Handle last = tensors.removeLast();
    if (last != tensor) {
      tensors.set(tensor.place, last);
      last.place = tensor.place;
    }
  }

  private boolean isEnclosedBy(Scope outer) {
    for (Scope scope = enclosing; scope != null; scope = scope.enclosing) {
      if (scope == outer) {
        return true;
      }
    }
    return false;
  }

  private void checkUsable() {
    checkThread("used");
    synchronized (this) {
      checkOpen("used after close");
    }
  }

  private void checkOpen(String how) {
    if (closed) {
      throw Check.state("scope " + how, "opened", origin);
    }
  }

  private void checkThread(String how) {
    if (thread != null && !thread.equals(Thread.currentThread())) {
      throw new WrongThreadException(Check.text(
          "scope of thread %s (opened %s) %s by thread %s (%s)",
          thread.getName(), Origin.site(origin), how, Thread.currentThread().getName(), Origin.site(Origin.line())));
    }
  }

  @Override
  public String toString() {
    return Check.text("scope (opened %s)", Origin.site(origin));
  }
}
