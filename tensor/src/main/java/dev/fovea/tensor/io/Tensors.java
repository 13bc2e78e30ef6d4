package dev.fovea.tensor.io;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.CpuDevice;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Between tensors and the bytes of files. */
final class Tensors {
  private static final long ALIGNMENT = 64;

  private Tensors() {}

  /** Something that writes all bytes of a tensor. */
  interface Filler<E extends Exception> {
    void fill(MemorySegment target) throws E;
  }

  /** A new tensor in the current scope, with what {@code filler} writes. */
  static <E extends Exception> Tensor load(TensorInfo info, DType dtype, Filler<E> filler) throws E {
    Elements.requireLoadable(info, dtype);
    Tensor tensor = Tensor.empty(info.shape(), dtype);
    try {
      fill(tensor, filler);
      return tensor;
    } catch (Throwable e) {
      tensor.close();
      throw e;
    }
  }

  /** In place on the CPU; on other devices by way of the host. */
  private static <E extends Exception> void fill(Tensor tensor, Filler<E> filler) throws E {
    if (tensor.device() instanceof CpuDevice) {
      filler.fill(tensor.segment());
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(tensor.span().bytes(), ALIGNMENT);
      filler.fill(host);
      tensor.copyFrom(host);
    }
  }

  /** A tensor on {@code segment} itself. */
  static Tensor wrap(TensorInfo info, MemorySegment segment) {
    DType dtype = dtype(info);
    if (!info.type().isStoredAs(dtype)) {
      throw new IllegalArgumentException("tensor \"" + MalformedFileException.printable(info.name()) + "\" stored as "
          + info.type() + " cannot be used where it lies, expected a type that loads unconverted; load it instead");
    }
    if (segment.address() % dtype.bytes() != 0) {
      throw new IllegalArgumentException("tensor \"" + MalformedFileException.printable(info.name())
          + "\" cannot be used where it lies: got data not aligned to " + dtype.bytes() + " bytes; load it instead");
    }
    return Tensor.wrap(segment, dtype, info.shape());
  }

  /** What {@code info} loads as unless told otherwise. */
  static DType dtype(TensorInfo info) {
    return info.type()
        .dtype()
        .orElseThrow(() -> new IllegalArgumentException("tensor \""
            + MalformedFileException.printable(info.name()) + "\": got type " + info.type()
            + ", expected one that loads as a tensor"));
  }

  /** Tensors to be written, in the order of the map. */
  static List<TensorSource> sources(Map<String, Tensor> tensors) {
    List<TensorSource> sources = new ArrayList<>();
    tensors.forEach((name, tensor) -> sources.add(source(name, tensor)));
    return sources;
  }

  static TensorSource source(String name, Tensor tensor) {
    TensorInfo info = new TensorInfo(name, StoredType.of(tensor.dtype()), tensor.shape());
    return new TensorSource(info, () -> onHost(tensor));
  }

  /** The tensor's bytes: where they are on the CPU, otherwise a copy. */
  private static MemorySegment onHost(Tensor tensor) {
    if (tensor.device() instanceof CpuDevice) {
      return tensor.segment();
    }
    MemorySegment copy = Arena.ofAuto().allocate(tensor.span().bytes(), ALIGNMENT);
    tensor.copyTo(copy);
    return copy;
  }
}
