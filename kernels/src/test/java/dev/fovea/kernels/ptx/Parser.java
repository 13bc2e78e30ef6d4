package dev.fovea.kernels.ptx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads PTX text: the module's directives and the bodies of its functions. */
final class Parser {
  private final Tokens tokens;
  private final PtxModule module;
  private final Declarations declarations;
  private final Map<Integer, String> files = new HashMap<>();

  /** Locations name files by number, and files are declared at the end: filled in afterwards. */
  private final List<PtxModule.Function> bodies = new ArrayList<>();

  private PtxModule.@Nullable Function function;
  private Scope scope = new Scope(null);
  private Statement.@Nullable Location location;

  Parser(String name, String text) {
    tokens = new Tokens(name, text);
    module = new PtxModule(name);
    declarations = new Declarations(tokens);
    scanFiles(text);
  }

  PtxModule module() {
    while (!tokens.end()) {
      directive();
    }
    return module;
  }

  /** The files' names, which nvcc writes after the code that refers to them. */
  private void scanFiles(String text) {
    for (String line : (Iterable<String>) text.lines()::iterator) {
      if (line.stripLeading().startsWith(".file")) {
        Tokens words = new Tokens("", line);
        words.next();
        files.put(words.number(), words.next().text());
      }
    }
  }

  private void directive() {
    if (tokens.take(";")) {
      return;
    }
    String word = tokens.peek().text();
    switch (word) {
      case ".version", ".target", ".address_size", ".file" -> tokens.skipLine();
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
    made.defined = true;
    function = made;
    bodies.add(made);
    Scope module = scope;
    scope = new Scope(module);
    location = null;
    for (Variable variable : returns) {
      scope.variable(variable);
    }
    for (Variable variable : parameters) {
      variable.framed = !entry;
      scope.variable(variable);
    }
    for (Variable variable : returns) {
      variable.framed = true;
    }
    block(made);
    scope = module;
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
    }
  }

  private void block(PtxModule.Function function) {
    tokens.expect("{");
    Scope outer = scope;
    scope = new Scope(outer);
    declareLabels();
    while (!tokens.take("}")) {
      if (tokens.end()) {
        throw tokens.error("the body of " + function.name + " does not end");
      }
      line(function);
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

  private void line(PtxModule.Function function) {
    if (tokens.take(";")) {
      return;
    }
    if (tokens.is("{")) {
      block(function);
      return;
    }
    String word = tokens.peek().text();
    switch (word) {
      case ".reg" -> declarations.registers(scope);
      case ".param", ".local", ".shared", ".const", ".global" -> {
        Variable variable = declarations.variable();
        variable.framed = variable.space == Variable.Space.PARAM || variable.space == Variable.Space.LOCAL;
        function.variables.add(variable);
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
          function.statements.add(
              new Statement("", List.of(), null, label, tokens.peek().line(), location));
        } else {
          function.statements.add(instruction());
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
    if (function != null && module.functions.containsKey(name)) {
      return new Operand.Callee(name);
    }
    throw tokens.error("unknown name " + name);
  }
}
