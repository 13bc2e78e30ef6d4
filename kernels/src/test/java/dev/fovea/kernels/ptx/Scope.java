package dev.fovea.kernels.ptx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The names that a block of a function declares; inner blocks hide outer ones. */
final class Scope {
  /** {@code .reg .b32 %r<10>;} declares {@code %r0} to {@code %r9}. */
  private record Family(Type type, String prefix, int count) {}

  final @Nullable Scope outer;
  private final Map<String, Operand.Register> registers = new HashMap<>();
  private final List<Family> families = new ArrayList<>();
  private final Map<String, Variable> variables = new HashMap<>();
  private final Map<String, Operand.Label> labels = new HashMap<>();

  Scope(@Nullable Scope outer) {
    this.outer = outer;
  }

  void register(Type type, String name) {
    registers.put(name, new Operand.Register(type, name));
  }

  void registers(Type type, String prefix, int count) {
    families.add(new Family(type, prefix, count));
  }

  void variable(Variable variable) {
    variables.put(variable.name, variable);
  }

  void label(String name) {
    labels.put(name, new Operand.Label(name));
  }

  Operand.@Nullable Register findRegister(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      Operand.Register found = scope.own(name);
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  @Nullable
  Variable findVariable(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      Variable found = scope.variables.get(name);
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  Operand.@Nullable Label findLabel(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      Operand.Label found = scope.labels.get(name);
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  private Operand.@Nullable Register own(String name) {
    Operand.Register known = registers.get(name);
    if (known != null) {
      return known;
    }
    for (Family family : families) {
      if (name.startsWith(family.prefix) && numbered(name, family.prefix.length(), family.count)) {
        Operand.Register register = new Operand.Register(family.type, name);
        registers.put(name, register);
        return register;
      }
    }
    return null;
  }

  private static boolean numbered(String name, int from, int count) {
    if (from == name.length() || name.length() - from > 9) {
      return false;
    }
    int number = 0;
    for (int i = from; i < name.length(); i++) {
      int digit = name.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return false;
      }
      number = number * 10 + digit;
    }
    return number < count;
  }
}
