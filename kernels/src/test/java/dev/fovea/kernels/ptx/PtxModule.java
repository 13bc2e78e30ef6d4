package dev.fovea.kernels.ptx;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A parsed PTX text: its variables and functions. */
final class PtxModule {
  /** A kernel or a device function. */
  static final class Function {
    final String name;
    final boolean entry;
    final List<Variable> returns = new ArrayList<>();
    final List<Variable> parameters = new ArrayList<>();
    final List<Statement> statements = new ArrayList<>();

    /** Variables declared in the body: shared, local, and the parameter areas of calls. */
    final List<Variable> variables = new ArrayList<>();

    /** The most threads of a block ({@code .maxntid}, {@code .reqntid}), or 0. */
    int maxThreads;

    boolean defined;

    Function(String name, boolean entry) {
      this.name = name;
      this.entry = entry;
    }
  }

  final String name;
  final Map<String, Function> functions = new LinkedHashMap<>();
  final Map<String, Variable> variables = new LinkedHashMap<>();

  PtxModule(String name) {
    this.name = name;
  }

  /** The text of a file of this name. */
  static PtxModule parse(String name, String text) {
    return new Parser(name, text).module();
  }
}
