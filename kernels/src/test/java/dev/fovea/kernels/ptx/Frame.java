package dev.fovea.kernels.ptx;

import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToLongFunction;

/** Where a kernel's registers, constants and variables are. */
final class Frame {
  /** Addresses of a kernel's own parameters begin here, above those of a thread's frame. */
  static final long PARAMETERS = 1 << 24;

  private final Map<Operand.Register, Integer> slots = new IdentityHashMap<>();
  private final Map<Operand.Register, Integer> predicates = new IdentityHashMap<>();
  private final Map<Long, Integer> constants = new HashMap<>();
  private final Map<String, Integer> specials = new HashMap<>();
  private final Map<Variable, Long> addresses = new IdentityHashMap<>();
  private int registers;
  private int sharedBytes;
  private int localBytes;
  private int parameterBytes;
  private boolean placed;

  /**
   * Lays out the variables of a kernel and of its flat statements; those of the module are where {@code globals} says.
   */
  Frame(PtxModule.Function kernel, List<Statement> statements, ToLongFunction<Variable> globals) {
    for (Variable parameter : kernel.parameters) {
      parameterBytes = aligned(parameterBytes, parameter.align);
      addresses.put(parameter, PARAMETERS + parameterBytes);
      parameterBytes += (int) parameter.bytes;
    }
    for (Statement statement : statements) {
      statement.operands().forEach(o -> variable(o).ifPresent(v -> place(v, globals)));
    }
    sharedBytes = aligned(sharedBytes, 16);
    // Dynamic shared memory comes behind the declared one: as many names as like share it.
    for (Statement statement : statements) {
      statement.operands().forEach(o -> variable(o).filter(v -> v.dynamic).ifPresent(this::placeDynamic));
    }
    localBytes = aligned(localBytes, 16);
  }

  /** Gives a register the slot that the allocation chose for it. */
  void assign(Operand.Register register, int slot) {
    slots.put(register, slot * Warp.LANES);
    registers = Math.max(registers, slot + 1);
  }

  private static Optional<Variable> variable(Operand operand) {
    return switch (operand) {
      case Operand.Symbol symbol -> Optional.of(symbol.variable());
      case Operand.Address address -> variable(address.base());
      default -> Optional.empty();
    };
  }

  private void place(Variable variable, ToLongFunction<Variable> globals) {
    if (addresses.containsKey(variable) || variable.dynamic) {
      return;
    }
    if (variable.space == Variable.Space.SHARED) {
      sharedBytes = aligned(sharedBytes, variable.align);
      addresses.put(variable, (long) sharedBytes);
      sharedBytes += (int) variable.bytes;
    } else if (variable.framed) {
      localBytes = aligned(localBytes, variable.align);
      addresses.put(variable, (long) localBytes);
      localBytes += (int) variable.bytes;
    } else {
      addresses.put(variable, globals.applyAsLong(variable));
      placed = true;
    }
  }

  private void placeDynamic(Variable variable) {
    sharedBytes = aligned(sharedBytes, variable.align);
    addresses.put(variable, (long) sharedBytes);
  }

  static int aligned(int bytes, int align) {
    return (bytes + align - 1) / align * align;
  }

  /** The offset of a register's lanes. */
  int slot(Operand.Register register) {
    return slots.get(register);
  }

  int predicate(Operand.Register register) {
    return predicates.computeIfAbsent(register, r -> predicates.size());
  }

  /** The offset of a register that always holds this value. */
  int constant(long value) {
    return constants.computeIfAbsent(value, v -> Warp.LANES * registers++);
  }

  int special(String name) {
    return specials.computeIfAbsent(name, n -> Warp.LANES * registers++);
  }

  /** An offset that nothing reads. */
  int sink() {
    return special("_");
  }

  long address(Variable variable) {
    return addresses.get(variable);
  }

  int registers() {
    return registers;
  }

  int predicates() {
    return predicates.size();
  }

  Kernel.Fixed[] fixed() {
    return constants.entrySet().stream()
        .map(e -> new Kernel.Fixed(e.getValue(), e.getKey()))
        .toArray(Kernel.Fixed[]::new);
  }

  Kernel.Special[] specials() {
    return specials.entrySet().stream()
        .filter(e -> !e.getKey().equals("_"))
        .map(e -> new Kernel.Special(e.getValue(), e.getKey()))
        .toArray(Kernel.Special[]::new);
  }

  int sharedBytes() {
    return sharedBytes;
  }

  int localBytes() {
    return localBytes;
  }

  /** Whether it knows the address of a variable of the module. */
  boolean placed() {
    return placed;
  }

  int parameterBytes() {
    return parameterBytes;
  }
}
