package dev.fovea.kernels.ptx;

import java.util.Arrays;

/**
 * A kernel in the form that is executed. Registers of a warp lie in one {@code long[]}, 32 lanes beside each other;
 * constants, addresses and special registers are registers that are filled before the first instruction. A predicate is
 * an {@code int} of 32 bits.
 */
final class Kernel {
  /** The guard of an instruction without one. */
  static final int ALWAYS = 0;

  /** A register that holds the same in every block. */
  record Fixed(int slot, long value) {}

  /** A special register: filled per warp. */
  record Special(int slot, String name) {}

  final String name;
  final String module;
  final Op[] ops;

  /** Per instruction: 0, predicate + 1, or -(predicate + 1) for a complement. */
  final int[] guards;

  final Statement[] statements;
  final int registers;
  final int predicates;
  final Fixed[] fixed;
  final Special[] specials;

  /** Bytes of shared memory declared in the kernel, where the dynamic part begins. */
  final int staticShared;

  /** The width in bytes of the narrowest access to shared memory: what races are told apart by. */
  final int sharedGrain;

  /** Bytes of a thread's own memory. */
  final int localBytes;

  final int parameterBytes;

  /** The most threads of a block, or 0. */
  final int maxThreads;

  /** The fewest blocks of a multiprocessor ({@code .minnctapersm}), or 0. */
  final int minBlocks;

  /** The most registers of a thread ({@code .maxnreg}), or 0. */
  final int maxRegisters;

  /** Whether it has instructions of Hopper that work on shared memory by themselves. */
  final boolean async;

  /** Whether it has wgmma. */
  final boolean products;

  /** Whether addresses of the module's variables are in it. */
  final boolean placed;

  Kernel(KernelCompiler compiler) {
    name = compiler.function.name;
    module = compiler.module.name;
    ops = compiler.ops.toArray(new Op[0]);
    guards = compiler.guards.stream().mapToInt(i -> i).toArray();
    statements = compiler.statements.toArray(new Statement[0]);
    registers = compiler.frame.registers();
    predicates = compiler.frame.predicates();
    fixed = compiler.frame.fixed();
    specials = compiler.frame.specials();
    staticShared = compiler.frame.sharedBytes();
    sharedGrain = compiler.sharedGrain();
    localBytes = compiler.frame.localBytes();
    parameterBytes = compiler.frame.parameterBytes();
    maxThreads = compiler.function.maxThreads;
    minBlocks = compiler.function.minBlocks;
    maxRegisters = compiler.function.maxRegisters;
    products = compiler.products();
    async = compiler.async();
    placed = compiler.frame.placed();
  }

  /** Where an instruction stands in the PTX and in the source. */
  String place(int pc) {
    Statement statement = statements[Math.min(pc, statements.length - 1)];
    String source = statement.location() == null ? "" : " (" + statement.location() + ")";
    return module + ":" + statement.line() + " `" + statement + "`" + source;
  }

  @Override
  public String toString() {
    return name + " of " + module + Arrays.toString(new int[] {registers, predicates, ops.length});
  }
}
