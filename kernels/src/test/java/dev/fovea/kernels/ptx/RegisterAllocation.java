package dev.fovea.kernels.ptx;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * Gives the virtual registers of a kernel, of which PTX uses thousands, few slots: those that are never alive together
 * share one, so that a warp's registers fit into a cache. Linear scan over the ranges in which each may be read again.
 */
final class RegisterAllocation {
  /** Instructions that write no register. */
  private static final Set<String> WITHOUT_RESULT = Set.of(
      "st",
      "red",
      "bra",
      "exit",
      "ret",
      "call",
      "trap",
      "brkpt",
      "nanosleep",
      "griddepcontrol",
      "prefetch",
      "prefetchu",
      "discard",
      "applypriority",
      "pmevent",
      "setmaxnreg",
      "membar",
      "fence",
      "cp",
      "wgmma",
      "stmatrix");

  private final List<Statement> statements;
  private final Flattener flat;
  private final Map<Operand.Register, Integer> numbers = new IdentityHashMap<>();
  private final List<Operand.Register> registers = new ArrayList<>();

  /** Per statement: the registers that it reads, and those that it writes. */
  private final List<int[]> uses = new ArrayList<>();

  private final List<int[]> definitions = new ArrayList<>();
  private final int[] first;
  private final int[] last;

  private RegisterAllocation(List<Statement> statements, Flattener flat) {
    this.statements = statements;
    this.flat = flat;
    for (Statement statement : statements) {
      read(statement);
    }
    first = new int[registers.size()];
    last = new int[registers.size()];
    Arrays.fill(first, Integer.MAX_VALUE);
    Arrays.fill(last, -1);
  }

  /** Tells the frame where each register is. */
  static void allocate(List<Statement> statements, Flattener flat, Frame frame) {
    RegisterAllocation allocation = new RegisterAllocation(statements, flat);
    allocation.findRanges();
    allocation.assign(frame);
  }

  /** All registers of a statement. */
  static Set<Operand.Register> registers(Statement statement) {
    Set<Operand.Register> found = Collections.newSetFromMap(new IdentityHashMap<>());
    statement.operands().forEach(operand -> add(operand, found));
    return found;
  }

  private static void add(Operand operand, Set<Operand.Register> to) {
    switch (operand) {
      case Operand.Reg(var register, boolean negated) -> to.add(register);
      case Operand.Address(var base, long offset, var coordinates) -> {
        add(base, to);
        if (coordinates != null) {
          add(coordinates, to);
        }
      }
      case Operand.Vector(var elements) -> elements.forEach(element -> add(element, to));
      case Operand.Pair(var one, var two) -> {
        add(one, to);
        add(two, to);
      }
      default -> {}
    }
  }

  /** The registers that wgmma work on by themselves: sums, and operands that are no descriptors. */
  static Set<Operand.Register> products(List<Statement> statements) {
    Set<Operand.Register> found = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Statement statement : statements) {
      if (statement.operation().startsWith("wgmma")) {
        statement.operands().stream().filter(Operand.Vector.class::isInstance).forEach(o -> add(o, found));
      }
    }
    return found;
  }

  private void read(Statement statement) {
    List<Integer> read = new ArrayList<>();
    List<Integer> written = new ArrayList<>();
    String name = statement.operation().split("\\.", 2)[0];
    boolean arrival =
        (name.equals("bar") || name.equals("barrier")) && !statement.operation().contains(".red");
    boolean result = !WITHOUT_RESULT.contains(name) && !arrival;
    for (int i = 0; i < statement.operands().size(); i++) {
      collect(statement.operands().get(i), i == 0 && result ? written : read, read);
    }
    if (statement.guard() != null) {
      // Lanes that the guard leaves out keep what they had.
      read.addAll(written);
    }
    uses.add(read.stream().mapToInt(i -> i).toArray());
    definitions.add(written.stream().mapToInt(i -> i).toArray());
  }

  private void collect(Operand operand, List<Integer> into, List<Integer> read) {
    switch (operand) {
      case Operand.Reg(var register, boolean negated) when register.type != Type.PRED -> into.add(number(register));
      case Operand.Address(var base, long offset, var coordinates) -> {
        collect(base, read, read);
        if (coordinates != null) {
          collect(coordinates, read, read);
        }
      }
      case Operand.Vector(var elements) -> elements.forEach(element -> collect(element, into, read));
      case Operand.Pair(var one, var two) -> {
        collect(one, into, read);
        collect(two, into, read);
      }
      default -> {}
    }
  }

  private int number(Operand.Register register) {
    return numbers.computeIfAbsent(register, r -> {
      registers.add(r);
      return registers.size() - 1;
    });
  }

  /** A run of statements that is entered at its start and left at its end only. */
  private static final class Run {
    final int from;
    int to;
    final BitSet uses = new BitSet();
    final BitSet definitions = new BitSet();
    final BitSet in = new BitSet();
    final List<Run> before = new ArrayList<>();
    final List<Run> after = new ArrayList<>();
    boolean queued;

    Run(int from) {
      this.from = from;
    }
  }

  private List<Run> runs() {
    BitSet starts = new BitSet();
    starts.set(0);
    for (int i = 0; i < statements.size(); i++) {
      String operation = statements.get(i).operation();
      if (operation.startsWith("bra")) {
        starts.set(target(i));
        starts.set(i + 1);
      } else if (operation.startsWith("exit") || operation.startsWith("ret")) {
        starts.set(i + 1);
      }
    }
    List<Run> runs = new ArrayList<>();
    Run[] at = new Run[statements.size() + 1];
    for (int i = 0; i < statements.size(); i++) {
      if (starts.get(i)) {
        Run run = new Run(i);
        at[i] = run;
        runs.add(run);
      }
      runs.getLast().to = i + 1;
    }
    for (Run run : runs) {
      link(run, at);
    }
    return runs;
  }

  private int target(int i) {
    return flat.target(((Operand.Target) statements.get(i).operands().getFirst()).label());
  }

  private void link(Run run, Run[] at) {
    int end = run.to - 1;
    Statement statement = statements.get(end);
    boolean branch = statement.operation().startsWith("bra");
    boolean leaves = branch
        || statement.operation().startsWith("exit")
        || statement.operation().startsWith("ret");
    if (branch) {
      connect(run, at[target(end)]);
    }
    if ((!leaves || statement.guard() != null) && run.to < statements.size()) {
      connect(run, at[run.to]);
    }
    for (int i = end; i >= run.from; i--) {
      for (int d : definitions.get(i)) {
        run.definitions.set(d);
        run.uses.clear(d);
      }
      for (int u : uses.get(i)) {
        run.uses.set(u);
      }
    }
    run.in.or(run.uses);
  }

  private static void connect(Run from, Run to) {
    from.after.add(to);
    to.before.add(from);
  }

  /** Which registers are alive where: backwards until nothing changes. */
  private void findRanges() {
    List<Run> runs = runs();
    ArrayDeque<Run> queue = new ArrayDeque<>(runs.reversed());
    runs.forEach(run -> run.queued = true);
    while (!queue.isEmpty()) {
      Run run = queue.poll();
      run.queued = false;
      BitSet out = out(run);
      out.andNot(run.definitions);
      out.or(run.uses);
      if (!out.equals(run.in)) {
        run.in.or(out);
        for (Run before : run.before) {
          if (!before.queued) {
            before.queued = true;
            queue.add(before);
          }
        }
      }
    }
    for (Run run : runs) {
      run.in.stream().forEach(register -> extend(register, run.from));
      out(run).stream().forEach(register -> extend(register, run.to - 1));
    }
    for (Operand.Register register : products(statements)) {
      // They change when a wgmma ends, wherever that is.
      extend(number(register), 0);
      extend(number(register), statements.size());
    }
    for (int i = 0; i < statements.size(); i++) {
      for (int register : uses.get(i)) {
        extend(register, i);
      }
      for (int register : definitions.get(i)) {
        extend(register, i);
      }
    }
  }

  private static BitSet out(Run run) {
    BitSet out = new BitSet();
    for (Run after : run.after) {
      out.or(after.in);
    }
    return out;
  }

  private void extend(int register, int at) {
    first[register] = Math.min(first[register], at);
    last[register] = Math.max(last[register], at);
  }

  private void assign(Frame frame) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < registers.size(); i++) {
      order.add(i);
    }
    order.sort(Comparator.comparingInt(i -> first[i]));
    int[] slots = new int[registers.size()];
    PriorityQueue<Integer> active = new PriorityQueue<>(Comparator.comparingInt((Integer i) -> last[i]));
    PriorityQueue<Integer> free = new PriorityQueue<>();
    int count = 0;
    for (int register : order) {
      // A register that is read for the last time does not give its slot to what the same instruction writes.
      while (!active.isEmpty() && last[active.peek()] < first[register]) {
        free.add(slots[active.poll()]);
      }
      slots[register] = free.isEmpty() ? count++ : free.poll();
      active.add(register);
      frame.assign(registers.get(register), slots[register]);
    }
  }
}
