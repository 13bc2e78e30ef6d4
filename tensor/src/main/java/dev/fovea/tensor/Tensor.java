package dev.fovea.tensor;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.GemmKernels;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Span;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Numbers of one dtype in a shape, row-major and without gaps, in memory of one device.
 *
 * <p>A tensor is a handle: it belongs to the {@link Scope} that was innermost where it was made, and is closed with it,
 * or earlier by {@link #close}. Views ({@link #reshape}, {@link #narrow}) are tensors of their own that share memory,
 * which lives until the last handle on it is closed. Every method of a closed tensor but {@link #dtype},
 * {@link #shape}, {@link #device} and {@link #toString} throws {@link IllegalStateException}.
 *
 * <p>Any thread may read a tensor. Writing is up to the threads to order.
 */
public final class Tensor extends Handle {
  private final long firstByte;
  private final DType dtype;
  private final Shape shape;

  /** Made when first asked for: memory may be {@linkplain Memory#promised promised} only. */
  private @Nullable Span span;

  /** What a tape knows this as, if it is the result of a recorded operation. */
  private @Nullable Variable variable;

  /** What gradients know this as, if it is trainable. */
  private Variable.@Nullable Leaf leaf;

  /** Whether the memory holds what {@link dev.fovea.kernels.GemmKernels#pack} made of a matrix of this shape. */
  private boolean packed;

  /** Takes over one reference to the memory, and enters the scope; null for none. */
  private Tensor(
      @Nullable Scope scope, Memory memory, long firstByte, DType dtype, Shape shape, @Nullable Origin origin) {
    super(memory, origin);
    this.firstByte = firstByte;
    this.dtype = dtype;
    this.shape = shape;
    moveTo(scope);
  }

  private static Tensor make(Shape shape, DType dtype, boolean zeroed) {
    Scope scope = Scope.current();
    Origin origin = Origin.sampled();
    Memory memory = MemoryPool.of(scope.device()).allocate(Elements.bytes(shape, dtype), scope.label(), zeroed, origin);
    return new Tensor(scope, memory, 0, dtype, shape, origin);
  }

  /** A tensor that gets memory, and is filled by {@code fill}, when somebody first looks at it, or never. */
  static Tensor promised(Shape shape, DType dtype, Runnable fill) {
    Scope scope = Scope.current();
    Memory memory = Memory.promised(scope.device(), Elements.bytes(shape, dtype), scope.label(), fill);
    return new Tensor(scope, memory, 0, dtype, shape, Origin.sampled());
  }

  /**
   * A tensor whose elements are undefined, for something to write to.
   *
   * @throws IllegalStateException if no scope is open on this thread (as all that make tensors)
   * @throws OutOfDeviceMemoryException if there is not enough memory (as all that make tensors)
   */
  public static Tensor empty(Shape shape, DType dtype) {
    return make(shape, dtype, false);
  }

  /** A tensor of zeros. */
  public static Tensor zeros(Shape shape, DType dtype) {
    return make(shape, dtype, true);
  }

  /** A tensor of one value, rounded to the dtype. */
  public static Tensor full(Shape shape, DType dtype, double value) {
    Tensor tensor = empty(shape, dtype);
    if (shape.count() > 0) {
      tensor.device().kernels().elementwise().fill(tensor.span(), value);
    }
    return tensor;
  }

  /**
   * A tensor of normal numbers around 0, the same on every device for the same seed; F32 or BF16.
   *
   * @param deviation their standard deviation
   */
  public static Tensor normal(Shape shape, DType dtype, float deviation, long seed) {
    Tensor tensor = empty(shape, dtype);
    if (shape.count() > 0) {
      tensor.device().kernels().random().normal(tensor.span(), 0, deviation, seed, 0);
    }
    return tensor;
  }

  /** A single F32 number, of rank 0. */
  public static Tensor scalar(float value) {
    return of(new float[] {value});
  }

  /**
   * An F32 tensor of these values.
   *
   * @param shape as many elements as values; nothing for a single number of rank 0
   * @throws IllegalArgumentException if shape and values do not fit
   */
  public static Tensor of(float[] values, long... shape) {
    return of(MemorySegment.ofArray(values), values.length, DType.F32, Shape.of(shape));
  }

  /** An I32 tensor of these values. */
  public static Tensor of(int[] values, long... shape) {
    return of(MemorySegment.ofArray(values), values.length, DType.I32, Shape.of(shape));
  }

  /** An I64 tensor of these values. */
  public static Tensor of(long[] values, long... shape) {
    return of(MemorySegment.ofArray(values), values.length, DType.I64, Shape.of(shape));
  }

  /** A U8 tensor of these values, taken as 0 to 255. */
  public static Tensor of(byte[] values, long... shape) {
    return of(MemorySegment.ofArray(values), values.length, DType.U8, Shape.of(shape));
  }

  private static Tensor of(MemorySegment values, long count, DType dtype, Shape shape) {
    Check.values("values", count, shape);
    Tensor tensor = empty(shape, dtype);
    tensor.raw().write(values, tensor.span().address());
    return tensor;
  }

  /**
   * A tensor on memory of the caller's, without copying. The segment is kept reachable, and not freed; if its arena is
   * closed the tensor can no longer be used. A tensor on a read-only segment is read-only.
   *
   * @param segment native memory (off the Java heap, or mapped from a file) of the shape's size, at a multiple of the
   *     dtype's size
   * @throws IllegalArgumentException if it is heap memory, of another size, or not aligned
   */
  public static Tensor wrap(MemorySegment segment, DType dtype, Shape shape) {
    Scope scope = Scope.current();
    if (!(scope.device() instanceof CpuDevice)) {
      throw Check.bad("wrap", "a scope on " + scope.device().name(), "one on the CPU, where the segment is");
    }
    Elements.checkWrap(segment, dtype, shape);
    Memory memory = Memory.wrap(scope.device(), segment);
    return new Tensor(scope, memory, 0, dtype, shape, Origin.sampled());
  }

  /** How elements are stored. */
  public DType dtype() {
    return dtype;
  }

  /** Sizes of the axes. */
  public Shape shape() {
    return shape;
  }

  /** Where it lies. */
  public Device device() {
    return memory.device();
  }

  /**
   * The elements, as kernels take them. Valid until the tensor is closed; whoever uses it past the last use of the
   * tensor keeps that reachable.
   */
  public Span span() {
    checkPlain();
    return elements();
  }

  private Span elements() {
    checkUsable();
    Span made = span;
    if (made == null) {
      made = new Span(memory.address() + firstByte, packed ? memory.bytes() : Elements.bytes(shape, dtype), dtype);
      span = made;
    }
    return made;
  }

  /**
   * This weight [out, in] of linear layers, in the order that the device multiplies by fastest, for inference: nothing
   * else can be done with the tensor that is returned, and no gradient passes it. As it is where the device, or the
   * dtype, has no such order.
   *
   * @throws IllegalArgumentException if it is not of rank 2
   */
  public Tensor packed() {
    if (shape.rank() != 2) {
      throw Check.bad("packed", "a tensor of shape " + shape, "[out, in]");
    }
    int out = Math.toIntExact(shape.dim(0));
    int in = Math.toIntExact(shape.dim(1));
    GemmKernels gemm = device().kernels().gemm();
    long bytes = packed || dtype != DType.F32 || shape.count() == 0 ? 0 : gemm.packedBytes(Layout.NT, out, in);
    if (bytes == 0) {
      return view(0, shape);
    }
    Span from = span();
    Scope scope = Scope.current();
    Origin origin = Origin.sampled();
    Memory panels = MemoryPool.of(device()).allocate(bytes, scope.label(), false, origin);
    var made = new Tensor(scope, panels, 0, dtype, shape, origin);
    made.packed = true;
    gemm.pack(Layout.NT, out, in, from, in, made.elements());
    return made;
  }

  /** Whether this is what {@link #packed} made. */
  public boolean isPacked() {
    return packed;
  }

  /** The memory of a {@linkplain #packed packed} weight, as {@link dev.fovea.kernels.Gemm#packedB} takes it. */
  public Span packedSpan() {
    if (!packed) {
      throw new IllegalStateException("packedSpan: got a tensor that is not packed, expected what packed() made");
    }
    return elements();
  }

  private void checkPlain() {
    if (packed) {
      throw new IllegalStateException(
          "a packed weight %s was to be read or written, expected only linear layers of inference".formatted(shape));
    }
  }

  /** Whether writing is forbidden, because memory was wrapped that is read-only. */
  public boolean isReadOnly() {
    return memory.isReadOnly();
  }

  /**
   * The elements, for a kernel to write.
   *
   * @throws IllegalStateException if the tensor is read-only
   */
  Span writable() {
    checkWritable();
    return span();
  }

  Memory memory() {
    return memory;
  }

  RawMemory raw() {
    return MemoryPool.of(memory.device()).raw();
  }

  /**
   * The same elements in another shape.
   *
   * @param shape the sizes; at most one may be -1, and is what remains
   * @throws IllegalArgumentException if the number of elements differs
   */
  public Tensor reshape(long... shape) {
    return view(0, this.shape.reshaped(shape));
  }

  /**
   * The same elements in another shape.
   *
   * @throws IllegalArgumentException if the number of elements differs
   */
  public Tensor reshape(Shape shape) {
    if (shape.count() != this.shape.count()) {
      throw Check.bad("shape", shape, "as many elements as " + this.shape);
    }
    return view(0, shape);
  }

  /** The same elements on a single axis. */
  public Tensor flatten() {
    return view(0, Shape.of(shape.count()));
  }

  /**
   * A part of the first axis.
   *
   * @throws IllegalArgumentException if the part is not inside
   */
  public Tensor narrow(long first, long count) {
    if (shape.rank() == 0) {
      throw Check.bad("narrow", "a tensor of shape []", "at least one axis");
    }
    checkUntracked("narrow", "Ops.slice");
    long rows = shape.dim(0);
    if (first < 0 || count < 0 || first > rows - count) {
      throw Check.bad("narrow", Check.text("%d from %d on", count, first), "a part of the first axis of " + shape);
    }
    Shape part = shape.with(0, count);
    return view(rows == 0 ? 0 : shape.count() / rows * first, part);
  }

  /** A tensor of this dtype on the same memory, {@code first} elements on. */
  private Tensor view(long first, Shape shape) {
    return share(Scope.current(), first, shape);
  }

  /** As {@link #view}, owned by no scope: the caller closes it. */
  Tensor alias(Shape shape) {
    return share(null, 0, shape);
  }

  private Tensor share(@Nullable Scope scope, long first, Shape shape) {
    checkUsable();
    if (!shape.equals(this.shape)) {
      checkPlain();
    }
    memory.retain();
    Tensor view = new Tensor(scope, memory, firstByte + first * dtype.bytes(), dtype, shape, Origin.sampled());
    if (shape.count() == this.shape.count()) {
      view.variable = variable;
      view.leaf = leaf;
      view.packed = packed;
    }
    return view;
  }

  /**
   * Makes this a tensor that gradients are computed for ({@link Tape}).
   *
   * @return this
   * @throws IllegalArgumentException if it is not of dtype F32, BF16 or F64
   */
  public Tensor trainable() {
    checkPlain();
    Check.dtype("trainable", dtype, DType.F32, DType.BF16, DType.F64);
    if (leaf == null) {
      leaf = new Variable.Leaf(this);
    }
    return this;
  }

  /** Whether gradients are computed for this. */
  public boolean isTrainable() {
    return leaf != null;
  }

  /** What would silently lose the gradient is refused while a tape records. */
  private void checkUntracked(String method, String instead) {
    if ((variable != null || leaf != null) && Tape.current() != null) {
      throw new IllegalStateException(
          "%s: got a tensor that a tape follows, expected none; use %s".formatted(method, instead));
    }
  }

  /** Makes this the value of a variable of a tape. */
  void track(Variable variable) {
    this.variable = variable;
  }

  @Nullable
  Variable variable() {
    return variable;
  }

  Variable.@Nullable Leaf leaf() {
    return leaf;
  }

  /** All elements as float, rounded if they are of an integer dtype. */
  public float[] toFloats() {
    return read(() -> Elements.floats(raw(), span()));
  }

  /**
   * All elements as long.
   *
   * @throws IllegalArgumentException if they are of a floating-point dtype
   */
  public long[] toLongs() {
    if (dtype().isFloating()) {
      throw Check.bad("toLongs", dtype(), "an integer dtype");
    }
    return read(() -> Elements.longs(raw(), span()));
  }

  /**
   * The only element. Exact for all but I64 beyond 2^53.
   *
   * @throws IllegalArgumentException if there is not exactly one
   */
  public double item() {
    if (shape.count() != 1) {
      throw Check.bad("item", "a tensor of shape " + shape, "exactly one element");
    }
    return read(() -> dtype().isFloating() ? Elements.floats(raw(), span())[0] : Elements.longs(raw(), span())[0]);
  }

  /** Reads while no other thread can free the memory. */
  private <T> T read(Supplier<T> reading) {
    checkUsable();
    memory.retain();
    try {
      return reading.get();
    } finally {
      memory.release();
    }
  }

  /**
   * The elements as a segment, for reading and writing. It is bounded, and accessible until the memory is freed: until
   * this tensor and those that share memory with it are closed.
   *
   * @throws IllegalStateException if the tensor is not on the CPU; {@link #copyTo} and {@link #copyFrom(MemorySegment)}
   *     work on every device
   */
  public MemorySegment segment() {
    checkPlain();
    checkUsable();
    return memory.segment().asSlice(firstByte, Elements.bytes(shape, dtype));
  }

  /**
   * Overwrites all elements, rounding to nearest even.
   *
   * @return this
   * @throws IllegalArgumentException if there are not as many values as elements, or the dtype is not floating
   */
  public Tensor copyFrom(float[] values) {
    Check.floating("copyFrom", dtype());
    Check.values("values", values.length, shape);
    Elements.write(values, raw(), writable());
    return this;
  }

  /**
   * Overwrites all elements with the bytes of a segment, on the Java heap or off it.
   *
   * @return this
   * @throws IllegalArgumentException if it is not of the tensor's size
   */
  public Tensor copyFrom(MemorySegment bytes) {
    Span to = writable();
    Check.bytes("bytes", bytes, to);
    raw().write(bytes, to.address());
    return this;
  }

  /**
   * Copies all elements, as they are stored, into a segment on the Java heap or off it.
   *
   * @throws IllegalArgumentException if it is not of the tensor's size
   */
  public void copyTo(MemorySegment bytes) {
    Check.bytes("bytes", bytes, span());
    read(() -> {
      raw().read(span().address(), bytes);
      return bytes;
    });
  }

  /**
   * Overwrites all elements with those of a tensor of the same shape, which may lie on another device if it is of the
   * same dtype, and is converted if it is not.
   *
   * @return this
   */
  public Tensor copyFrom(Tensor source) {
    Check.shape("source", source, shape);
    Span to = writable();
    Span from = source.span();
    if (from.dtype() == to.dtype()) {
      Transfer.copy(source, this);
    } else {
      Check.sameDevice("source", source, "target", this);
      Elements.cast(device(), from, to);
    }
    return this;
  }

  /**
   * The elements converted, rounded to nearest even: between floating dtypes, and from integers to F32. A view if the
   * dtype is this one already.
   */
  public Tensor to(DType dtype) {
    if (dtype == dtype()) {
      return view(0, shape);
    }
    checkUntracked("to", "Ops.cast");
    Elements.checkCast(dtype(), dtype);
    Span from = span();
    Tensor converted = empty(shape, dtype);
    Elements.cast(device(), from, converted.span());
    return converted;
  }

  /**
   * The elements on a device, in the current scope whatever its device is. A view if they are there already.
   *
   * @throws IllegalStateException if a tape follows this tensor: gradients stay on one device
   */
  public Tensor to(Device device) {
    if (device == device()) {
      return view(0, shape);
    }
    checkUntracked("to", "tensors of one device while a tape records");
    Scope scope = Scope.current();
    Origin origin = Origin.sampled();
    Memory copy = MemoryPool.of(device).allocate(Elements.bytes(shape, dtype), scope.label(), false, origin);
    var moved = new Tensor(scope, copy, 0, dtype, shape, origin);
    Transfer.copy(this, moved);
    return moved;
  }

  /** Dtype, shape, device and the first values: for example {@code F32 [2, 3] on cpu: 1.0, 2.0, 3.0, 4.0, ...}. */
  @Override
  public String toString() {
    String head = Check.text("%s %s on %s", dtype(), shape, device().name());
    try {
      return head + ": " + read(() -> Elements.first(raw(), span()));
    } catch (IllegalStateException e) {
      return head + (isClosed() ? " (closed)" : packed ? " (packed)" : " (its memory is closed)");
    }
  }
}
