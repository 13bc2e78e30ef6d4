package dev.fovea.kernels.ptx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads PTX text: the module's directives and the bodies of its functions. */
final class Parser {
  private final PtxModule module;
  private final String text;
  private final Tokens tokens;
  private final Declarations declarations;

  /** Locations name files by number. */
  private final Map<Integer, String> files;

  private Scope scope;
  private Statement.@Nullable Location location;

  Parser(String name, String text) {
    this(new PtxModule(name), text, new Tokens(name, text, 0, 1), new Scope(null), files(text));
  }

  private Parser(PtxModule module, String text, Tokens tokens, Scope scope, Map<Integer, String> files) {
    this.module = module;
    this.text = text;
    this.tokens = tokens;
    this.scope = scope;
    this.files = files;
    declarations = new Declarations(tokens);
  }

  PtxModule module() {
    while (!tokens.end()) {
      directive();
    }
    return module;
  }

  /** The files' names, which nvcc writes after the code that refers to them. */
  private static Map<Integer, String> files(String text) {
    Map<Integer, String> files = new HashMap<>();
    for (int at = text.indexOf(".file"); at >= 0; at = text.indexOf(".file", at + 1)) {
      Tokens words = new Tokens("", text, at, 1);
      if (words.next().is(".file") && words.peek().kind() == Lexer.Kind.NUMBER) {
        files.put(words.number(), words.next().text());
      }
    }
    return files;
  }

  private void directive() {
    if (tokens.take(";")) {
      return;
    }
    String word = tokens.peek().text();
    switch (word) {
      case ".target" -> {
        tokens.next();
        module.target = tokens.name();
        while (tokens.take(",")) {
          tokens.next();
        }
      }
      case ".version", ".address_size", ".file" -> tokens.skipLine();
      case ".section" -> {
        tokens.next();
        tokens.name();
        tokens.skipBraces();
      }
      case ".visible", ".extern", ".weak", ".common" -> tokens.next();
      case ".entry", ".func" -> function();
      case ".global", ".const", ".shared" -> {
        Variable variable = declarations.variable();
        module.variables.put(variable.name, variable);
        scope.variable(variable);
      }
      default -> throw tokens.error("unknown directive '" + word + "'");
    }
  }

  private void function() {
    boolean entry = tokens.next().is(".entry");
    List<Variable> returns = !entry && tokens.is("(") ? parameters() : List.of();
    String name = tokens.name();
    PtxModule.Function made = module.functions.computeIfAbsent(name, n -> new PtxModule.Function(n, entry));
    List<Variable> parameters = tokens.is("(") ? parameters() : List.of();
    while (!tokens.is("{") && !tokens.is(";")) {
      attribute(made);
    }
    if (tokens.take(";")) {
      return;
    }
    made.returns.addAll(returns);
    made.parameters.addAll(parameters);
    for (Variable variable : returns) {
      variable.framed = true;
    }
    for (Variable variable : parameters) {
      variable.framed = !entry;
    }
    Lexer.Token open = tokens.peek();
    made.define(statements -> body(made, open, statements));
    tokens.skipBraces();
  }

  /** Reads the body of a function, which begins at this bracket. */
  private void body(PtxModule.Function function, Lexer.Token open, List<Statement> statements) {
    Scope inner = new Scope(scope);
    function.returns.forEach(inner::variable);
    function.parameters.forEach(inner::variable);
    Tokens own = new Tokens(module.name, text, open.offset(), open.line());
    new Parser(module, text, own, inner, files).block(statements);
  }

  private List<Variable> parameters() {
    List<Variable> parameters = new ArrayList<>();
    tokens.expect("(");
    while (!tokens.take(")")) {
      parameters.add(declarations.parameter());
      tokens.take(",");
    }
    return parameters;
  }

  private void attribute(PtxModule.Function function) {
    String word = tokens.name();
    int product = 1;
    boolean any = false;
    while (tokens.peek().kind() == Lexer.Kind.NUMBER) {
      product *= tokens.number();
      any = true;
      tokens.take(",");
    }
    if (any && (word.equals(".maxntid") || word.equals(".reqntid"))) {
      function.maxThreads = product;
    } else if (any && word.equals(".minnctapersm")) {
      function.minBlocks = product;
    } else if (any && word.equals(".maxnreg")) {
      function.maxRegisters = product;
    }
  }

  private void block(List<Statement> statements) {
    tokens.expect("{");
    Scope outer = scope;
    scope = new Scope(outer);
    declareLabels();
    while (!tokens.take("}")) {
      if (tokens.end()) {
        throw tokens.error("the body of a function does not end");
      }
      line(statements);
    }
    scope = outer;
  }

  /** Labels are used before they are declared: finds those of this block, not of blocks inside it. */
  private void declareLabels() {
    int depth = 0;
    for (int ahead = 0; depth >= 0; ahead++) {
      Lexer.Token token = tokens.peek(ahead);
      if (token.kind() == Lexer.Kind.END) {
        return;
      }
      depth += token.is("{") ? 1 : token.is("}") ? -1 : 0;
      if (depth == 0
          && token.kind() == Lexer.Kind.NAME
          && tokens.peek(ahead + 1).is(":")) {
        scope.label(token.text());
      }
    }
  }

  private void line(List<Statement> statements) {
    if (tokens.take(";")) {
      return;
    }
    if (tokens.is("{")) {
      block(statements);
      return;
    }
    String word = tokens.peek().text();
    switch (word) {
      case ".reg" -> declarations.registers(scope);
      case ".param", ".local", ".shared", ".const", ".global" -> {
        Variable variable = declarations.variable();
        variable.framed = variable.space == Variable.Space.PARAM || variable.space == Variable.Space.LOCAL;
        scope.variable(variable);
      }
      case ".loc" -> location = location();
      case ".pragma" -> {
        tokens.next();
        tokens.next();
        tokens.expect(";");
      }
      case ".branchtargets", ".calltargets", ".callprototype", ".alias" ->
        throw tokens.error("the directive " + word + " is not supported");
      default -> {
        if (tokens.peek(1).is(":")) {
          Operand.Label label = scope.findLabel(tokens.name());
          tokens.expect(":");
          statements.add(new Statement("", List.of(), null, label, tokens.peek().line(), location));
        } else {
          statements.add(instruction());
        }
      }
    }
  }

  /** {@code .loc file line column[, function_name label, inlined_at file line column]}. */
  private Statement.@Nullable Location location() {
    int line = tokens.next().line();
    String file = files.getOrDefault(tokens.number(), "?");
    int number = tokens.number();
    Statement.Location at = null;
    while (!tokens.end() && tokens.peek().line() == line) {
      if (tokens.next().is("inlined_at")) {
        at = new Statement.Location(files.getOrDefault(tokens.number(), "?"), tokens.number(), null);
      }
    }
    // Line 0 marks code that belongs to no line: the one before says more.
    return number == 0 ? location : new Statement.Location(file, number, at);
  }

  private Statement instruction() {
    int line = tokens.peek().line();
    Operand.Reg guard = null;
    if (tokens.take("@")) {
      boolean negated = tokens.take("!");
      guard = new Operand.Reg(register(tokens.name()), negated);
    }
    String operation = tokens.name();
    List<Operand> operands = new ArrayList<>();
    while (!tokens.take(";")) {
      operands.add(operand());
      if (!tokens.is(";")) {
        tokens.expect(",");
      }
    }
    return new Statement(operation, operands, guard, null, line, location);
  }

  private Operand.Register register(String name) {
    Operand.Register register = scope.findRegister(name);
    if (register == null) {
      throw tokens.error("unknown register " + name);
    }
    return register;
  }

  private Operand operand() {
    Operand first = single();
    return tokens.take("|") ? new Operand.Pair(first, single()) : first;
  }

  private Operand single() {
    if (tokens.take("!")) {
      return new Operand.Reg(register(tokens.name()), true);
    }
    if (tokens.is("{")) {
      return list("{", "}");
    }
    if (tokens.is("(")) {
      return list("(", ")");
    }
    if (tokens.take("[")) {
      return address();
    }
    if (tokens.peek().kind() == Lexer.Kind.NUMBER || tokens.is("-") || tokens.is("+")) {
      return tokens.constant();
    }
    Operand named = named(tokens.name());
    if (named instanceof Operand.Symbol(Variable variable, long offset) && (tokens.is("+") || tokens.is("-"))) {
      return new Operand.Symbol(variable, offset + tokens.signed());
    }
    return named;
  }

  private Operand.Vector list(String open, String close) {
    tokens.expect(open);
    List<Operand> elements = new ArrayList<>();
    while (!tokens.take(close)) {
      elements.add(single());
      if (!tokens.is(close)) {
        tokens.expect(",");
      }
    }
    return new Operand.Vector(elements);
  }

  private Operand address() {
    Operand base = tokens.peek().kind() == Lexer.Kind.NUMBER ? tokens.constant() : named(tokens.name());
    long offset = tokens.is("+") || tokens.is("-") ? tokens.signed() : 0;
    Operand.Vector coordinates = tokens.take(",") ? list("{", "}") : null;
    tokens.expect("]");
    return new Operand.Address(base, offset, coordinates);
  }

  private Operand named(String name) {
    if (name.equals("_")) {
      return new Operand.Sink();
    }
    if (name.equals("WARP_SZ")) {
      return new Operand.Constant(32, false);
    }
    Operand.Register register = scope.findRegister(name);
    if (register != null) {
      return new Operand.Reg(register, false);
    }
    Variable variable = scope.findVariable(name);
    if (variable != null) {
      return new Operand.Symbol(variable, 0);
    }
    Operand.Label label = scope.findLabel(name);
    if (label != null) {
      return new Operand.Target(label);
    }
    if (name.startsWith("%")) {
      if (!Specials.known(name)) {
        throw tokens.error("unknown register " + name);
      }
      return new Operand.Special(name);
    }
    if (module.functions.containsKey(name)) {
      return new Operand.Callee(name);
    }
    throw tokens.error("unknown name " + name);
  }
}
