package dev.fovea.kernels.ptx;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A parsed PTX text: its variables and functions. */
final class PtxModule {
  /** A kernel or a device function. */
  static final class Function {
    final String name;
    final boolean entry;
    final List<Variable> returns = new ArrayList<>();
    final List<Variable> parameters = new ArrayList<>();
    private final List<Statement> statements = new ArrayList<>();
    private @Nullable Consumer<List<Statement>> body;

    /** The most threads of a block ({@code .maxntid}, {@code .reqntid}), or 0. */
    int maxThreads;

    /** The fewest blocks of a multiprocessor ({@code .minnctapersm}), or 0. */
    int minBlocks;

    /** The most registers of a thread ({@code .maxnreg}), or 0. */
    int maxRegisters;

    Function(String name, boolean entry) {
      this.name = name;
      this.entry = entry;
    }

    /** Says how the body is read when somebody asks for it. */
    void define(Consumer<List<Statement>> body) {
      this.body = body;
    }

    boolean defined() {
      return body != null;
    }

    /** The statements of the body; a file has far more functions than are run. */
    synchronized List<Statement> statements() {
      if (statements.isEmpty() && body != null) {
        body.accept(statements);
      }
      return statements;
    }
  }

  final String name;
  final Map<String, Function> functions = new LinkedHashMap<>();
  final Map<String, Variable> variables = new LinkedHashMap<>();

  /** Kernels that refer to no variable of the module, so that they are the same wherever it is loaded. */
  final Map<String, Kernel> kernels = new ConcurrentHashMap<>();

  /** What it is for: {@code sm_80}; with an "a" behind, for that device only. */
  String target = "sm_80";

  PtxModule(String name) {
    this.name = name;
  }

  /** Whether a device of this compute capability, a major version and 0, runs it. */
  boolean runsOn(int major) {
    String number = target.replaceAll("[^0-9]", "");
    int capability = Integer.parseInt(number);
    return target.endsWith("a") ? capability == 10 * major : capability <= 10 * major;
  }

  /** The text of a file of this name. */
  static PtxModule parse(String name, String text) {
    return new Parser(name, text).module();
  }
}
