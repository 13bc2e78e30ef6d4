package dev.fovea.kernels.ptx;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Puts a kernel's statements in a row: functions it calls are written out where they are called. */
final class Flattener {
  private final PtxModule module;
  private final List<Statement> statements = new ArrayList<>();
  private final Map<Operand.Label, Integer> targets = new IdentityHashMap<>();
  private final Deque<String> calls = new ArrayDeque<>();

  Flattener(PtxModule module) {
    this.module = module;
  }

  /** The copies of one function's names in one place where it is written out. */
  private static final class Instance {
    final Map<Operand.Register, Operand.Register> registers = new IdentityHashMap<>();
    final Map<Operand.Label, Operand.Label> labels = new IdentityHashMap<>();
    final Map<Variable, Variable> variables = new IdentityHashMap<>();
    Operand.@Nullable Label end;
  }

  List<Statement> flatten(PtxModule.Function kernel) {
    write(kernel, new Instance());
    statements.add(new Statement("exit", List.of(), null, null, last(), null));
    return statements;
  }

  /** Where a label of the flat statements stands. */
  int target(Operand.Label label) {
    return targets.get(label);
  }

  private int last() {
    return statements.isEmpty() ? 0 : statements.getLast().line();
  }

  private void write(PtxModule.Function function, Instance instance) {
    if (calls.contains(function.name)) {
      throw new PtxException(module.name + ": " + function.name + " calls itself; recursion is not supported");
    }
    calls.push(function.name);
    for (Statement statement : function.statements()) {
      if (statement.label() != null) {
        targets.put(label(statement.label(), instance), statements.size());
      } else if (statement.operation().startsWith("call")) {
        call(renamed(statement, instance));
      } else if (statement.operation().startsWith("ret") && instance.end != null) {
        statements.add(renamed(
            new Statement(
                "bra",
                List.of(new Operand.Target(instance.end)),
                statement.guard(),
                null,
                statement.line(),
                statement.location()),
            instance));
      } else {
        statements.add(renamed(statement, instance));
      }
    }
    if (instance.end != null) {
      targets.put(label(instance.end, instance), statements.size());
    }
    calls.pop();
  }

  private void call(Statement call) {
    List<Operand> returns = List.of();
    List<Operand> arguments = List.of();
    String name = null;
    for (Operand operand : call.operands()) {
      if (operand instanceof Operand.Callee callee) {
        name = callee.name();
      } else if (operand instanceof Operand.Vector vector) {
        if (name == null) {
          returns = vector.elements();
        } else {
          arguments = vector.elements();
        }
      }
    }
    PtxModule.Function function = name == null ? null : module.functions.get(name);
    if (function == null || !function.defined()) {
      // What the CUDA runtime brings, such as __assertfail and vprintf: handled where it is executed.
      statements.add(call);
      return;
    }
    Operand.Label skip = new Operand.Label("after call");
    if (call.guard() != null) {
      Operand.Reg guard = call.guard();
      statements.add(new Statement(
          "bra",
          List.of(new Operand.Target(skip)),
          new Operand.Reg(guard.register(), !guard.negated()),
          null,
          call.line(),
          call.location()));
    }
    Instance instance = new Instance();
    instance.end = new Operand.Label("end of " + name);
    bind(instance, function.returns, returns);
    bind(instance, function.parameters, arguments);
    write(function, instance);
    targets.put(skip, statements.size());
  }

  private void bind(Instance instance, List<Variable> formal, List<Operand> actual) {
    for (int i = 0; i < formal.size(); i++) {
      if (!(actual.get(i) instanceof Operand.Symbol symbol)) {
        throw new PtxException(module.name + ": an argument of a call that is no .param variable");
      }
      instance.variables.put(formal.get(i), symbol.variable());
    }
  }

  private static Operand.Label label(Operand.Label label, Instance instance) {
    return instance.labels.computeIfAbsent(label, l -> new Operand.Label(l.name));
  }

  private static Statement renamed(Statement statement, Instance instance) {
    Operand.Reg guard = statement.guard();
    return new Statement(
        statement.operation(),
        statement.operands().stream().map(o -> renamed(o, instance)).toList(),
        guard == null ? null : (Operand.Reg) renamed(guard, instance),
        null,
        statement.line(),
        statement.location());
  }

  private static Operand renamed(Operand operand, Instance instance) {
    return switch (operand) {
      case Operand.Reg(var register, boolean negated) ->
        new Operand.Reg(
            instance.registers.computeIfAbsent(register, r -> new Operand.Register(r.type, r.name)), negated);
      case Operand.Symbol(var variable, long offset) ->
        new Operand.Symbol(instance.variables.getOrDefault(variable, variable), offset);
      case Operand.Address(var base, long offset, var coordinates) ->
        new Operand.Address(
            renamed(base, instance),
            offset,
            coordinates == null ? null : (Operand.Vector) renamed(coordinates, instance));
      case Operand.Vector(var elements) ->
        new Operand.Vector(elements.stream().map(o -> renamed(o, instance)).toList());
      case Operand.Pair(var first, var second) -> new Operand.Pair(renamed(first, instance), renamed(second, instance));
      case Operand.Target(var label) -> new Operand.Target(label(label, instance));
      case Operand.Constant c -> c;
      case Operand.Special s -> s;
      case Operand.Sink s -> s;
      case Operand.Callee c -> c;
    };
  }
}
