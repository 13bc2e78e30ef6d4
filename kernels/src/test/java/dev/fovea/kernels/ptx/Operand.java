package dev.fovea.kernels.ptx;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** An operand as the text has it, with its names resolved. */
sealed interface Operand {
  /** A virtual register. Identity counts: the same name in two scopes is two registers. */
  final class Register {
    final Type type;
    final String name;

    Register(Type type, String name) {
      this.type = type;
      this.name = name;
    }
  }

  /** A register, or its complement ({@code !%p1}). */
  record Reg(Register register, boolean negated) implements Operand {}

  /** A constant: an integer, the bits of a float ({@code 0f..., 0d...}), or a decimal fraction. */
  record Constant(long bits, boolean decimal) implements Operand {}

  /** A variable's address plus an offset. */
  record Symbol(Variable variable, long offset) implements Operand {}

  /** A special register such as {@code %tid.x}. */
  record Special(String name) implements Operand {}

  /** A memory operand {@code [base + offset]}; a tensor's has coordinates too. */
  record Address(Operand base, long offset, @Nullable Vector coordinates) implements Operand {}

  /** A braced list. */
  record Vector(List<Operand> elements) implements Operand {}

  /** Two destinations {@code d|p}. */
  record Pair(Operand first, Operand second) implements Operand {}

  /** A destination nobody wants: {@code _}. */
  record Sink() implements Operand {}

  /** A label; resolved where the function is laid out. */
  record Target(Label label) implements Operand {}

  /** The name of a function. */
  record Callee(String name) implements Operand {}

  /** A place in the code. */
  final class Label {
    final String name;

    Label(String name) {
      this.name = name;
    }
  }
}
