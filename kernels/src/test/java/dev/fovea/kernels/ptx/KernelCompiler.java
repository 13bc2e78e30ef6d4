package dev.fovea.kernels.ptx;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Compiles a kernel's statements into operations on registers of warps. */
final class KernelCompiler {
  final PtxModule module;
  final PtxModule.Function function;
  final List<Statement> statements;
  final List<Op> ops = new ArrayList<>();
  final List<Integer> guards = new ArrayList<>();
  final Frame frame;

  /** The registers of wgmma. */
  private final Set<Operand.Register> products;

  private KernelCompiler(PtxModule module, PtxModule.Function function, ToLongFunction<Variable> globals) {
    this.module = module;
    this.function = function;
    Flattener flat = new Flattener(module);
    statements = flat.flatten(function);
    frame = new Frame(function, statements, globals);
    RegisterAllocation.allocate(statements, flat, frame);
    products = RegisterAllocation.products(statements);
    for (Statement statement : statements) {
      Operand.Reg guard = statement.guard();
      int number = guard == null ? 0 : frame.predicate(guard.register()) + 1;
      guards.add(guard != null && guard.negated() ? -number : number);
      Op op = compile(new Operands(module, statement, frame, flat));
      ops.add(products.isEmpty() ? op : watched(statement, op));
    }
  }

  /** Compiles a kernel; the module's variables are where {@code globals} says. */
  static Kernel compile(PtxModule module, String name, ToLongFunction<Variable> globals) {
    PtxModule.Function function = module.functions.get(name);
    if (function == null || !function.entry || !function.defined()) {
      throw new PtxException(module.name + " has no kernel " + name);
    }
    return new Kernel(new KernelCompiler(module, function, globals));
  }

  private static Op compile(Operands o) {
    Op op = family(o);
    if (op == null) {
      throw o.error("is an instruction that the PTX machine does not know");
    }
    return op;
  }

  private static @Nullable Op family(Operands o) {
    return switch (o.name) {
      case "mov" -> Moves.compile(o);
      case "add",
          "sub",
          "mul",
          "mad",
          "div",
          "rem",
          "abs",
          "neg",
          "min",
          "max",
          "fma",
          "sqrt",
          "rsqrt",
          "rcp",
          "ex2",
          "lg2",
          "tanh",
          "sin",
          "cos",
          "copysign",
          "testp" -> arithmetic(o);
      case "addc", "subc", "madc", "mul24", "mad24", "sad" -> Integers.compile(o);
      case "and",
          "or",
          "xor",
          "not",
          "cnot",
          "lop3",
          "shl",
          "shr",
          "shf",
          "bfe",
          "bfi",
          "prmt",
          "popc",
          "clz",
          "brev",
          "bfind",
          "bmsk",
          "dp4a" -> o.type() == Type.PRED ? Selections.logic(o) : Bits.compile(o);
      case "setp", "set", "selp", "slct" -> Selections.compile(o);
      case "cvt", "cvta", "isspacep" -> Conversions.compile(o);
      case "ld", "ldu", "st" -> Loads.compile(o);
      case "atom", "red" -> Atomics.compile(o);
      case "bra",
          "brx",
          "exit",
          "ret",
          "call",
          "trap",
          "brkpt",
          "nanosleep",
          "griddepcontrol",
          "mapa",
          "getctarank",
          "prefetch",
          "prefetchu",
          "createpolicy",
          "discard",
          "applypriority",
          "pmevent",
          "membar",
          "fence" -> Control.compile(o);
      case "bar", "barrier" -> Barriers.compile(o);
      case "shfl", "vote", "match", "redux", "activemask", "elect" -> Shuffles.compile(o);
      case "mma" -> Matrices.compile(o);
      case "ldmatrix", "stmatrix", "movmatrix" -> MatrixMoves.compile(o);
      case "cp" -> o.has("bulk") ? BulkCopies.compile(o) : AsyncQueue.compile(o);
      case "mbarrier" -> Mbarriers.compile(o);
      case "wgmma" -> WarpGroupMatrices.compile(o);
      case "setmaxnreg" -> RegisterPool.compile(o);
      default -> null;
    };
  }

  private static @Nullable Op arithmetic(Operands o) {
    return switch (o.type()) {
      case F32, F64 -> Floats.compile(o);
      case F16, F16X2, BF16, BF16X2 -> Halves.compile(o);
      default -> Integers.compile(o);
    };
  }

  /** Has an instruction say that it uses registers of wgmma, if it does. */
  private Op watched(Statement statement, Op op) {
    if (statement.operation().startsWith("wgmma")) {
      return op;
    }
    int[] slots = RegisterAllocation.registers(statement).stream()
        .filter(products::contains)
        .mapToInt(frame::slot)
        .toArray();
    if (slots.length == 0) {
      return op;
    }
    return (w, m) -> {
      w.products().touch(m, slots);
      op.run(w, m);
    };
  }

  /** Whether it has wgmma. */
  boolean products() {
    return statements.stream().anyMatch(statement -> statement.operation().startsWith("wgmma"));
  }

  /** Whether shared memory is used by instructions that work by themselves. */
  boolean async() {
    return statements.stream()
        .map(Statement::operation)
        .anyMatch(name -> name.startsWith("mbarrier") || name.startsWith("cp.async.bulk") || name.startsWith("wgmma"));
  }

  /** The narrowest access to shared memory. */
  int sharedGrain() {
    int grain = 4;
    for (Statement statement : statements) {
      String name = statement.operation();
      boolean memory =
          name.startsWith("ld.") || name.startsWith("st.") || name.startsWith("atom") || name.startsWith("red.");
      if (!memory) {
        continue;
      }
      Operands o = new Operands(module, statement, frame, new Flattener(module));
      if (o.space() == Operands.Space.SHARED || o.space() == Operands.Space.GENERIC) {
        grain = Math.min(grain, o.type().bytes);
      }
    }
    return grain;
  }
}
