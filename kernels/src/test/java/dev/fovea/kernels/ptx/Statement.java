package dev.fovea.kernels.ptx;

import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** One statement of a function: an instruction, or (with a null operation) the place of a label. */
record Statement(
    String operation,
    List<Operand> operands,
    Operand.@Nullable Reg guard,
    Operand.@Nullable Label label,
    int line,
    @Nullable Location location) {

  /** A line of the source, and the line it was inlined at. */
  record Location(String file, int line, @Nullable Location inlinedAt) {
    @Override
    public String toString() {
      String here = file.substring(file.lastIndexOf('/') + 1) + ":" + line;
      return inlinedAt == null ? here : here + ", inlined at " + inlinedAt;
    }
  }

  @Override
  public String toString() {
    String guarded = guard == null ? "" : "@" + text(guard) + " ";
    String listed = operands.stream().map(Statement::text).collect(Collectors.joining(", "));
    return guarded + operation + (listed.isEmpty() ? "" : " " + listed);
  }

  private static String text(Operand operand) {
    return switch (operand) {
      case Operand.Reg(var register, boolean negated) -> (negated ? "!" : "") + register.name;
      case Operand.Constant(long bits, boolean decimal) -> decimal ? "" + Double.longBitsToDouble(bits) : "" + bits;
      case Operand.Symbol(var variable, long offset) -> variable.name + (offset == 0 ? "" : "+" + offset);
      case Operand.Special(String name) -> name;
      case Operand.Address(var base, long offset, var coordinates) ->
        "["
            + text(base)
            + (offset == 0 ? "" : "+" + offset)
            + (coordinates == null ? "" : ", " + text(coordinates))
            + "]";
      case Operand.Vector(var elements) ->
        elements.stream().map(Statement::text).collect(Collectors.joining(", ", "{", "}"));
      case Operand.Pair(var first, var second) -> text(first) + "|" + text(second);
      case Operand.Sink() -> "_";
      case Operand.Target(var label) -> label.name;
      case Operand.Callee(String name) -> name;
    };
  }
}
