package dev.fovea.kernels.ptx;

import org.jspecify.annotations.Nullable;

/** A declared variable: of the module, of a function's frame, or a parameter. */
final class Variable {
  /** Where a variable lives. */
  enum Space {
    GLOBAL,
    CONST,
    SHARED,
    LOCAL,
    PARAM
  }

  final Space space;
  final String name;
  final Type type;
  final int align;
  final long bytes;
  /** An {@code .extern} array without a size: the dynamic shared memory of a launch. */
  final boolean dynamic;

  final byte @Nullable [] initial;
  /** Declared in a function: thread-local, even a {@code .param} one (the arguments of a call). */
  boolean framed;

  Variable(Space space, String name, Type type, int align, long bytes, boolean dynamic, byte @Nullable [] initial) {
    this.space = space;
    this.name = name;
    this.type = type;
    this.align = align;
    this.bytes = bytes;
    this.dynamic = dynamic;
    this.initial = initial;
  }
}
