package dev.fovea.kernels.ptx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;

/** Parses declarations of registers, variables and parameters. */
final class Declarations {
  private final Tokens tokens;

  Declarations(Tokens tokens) {
    this.tokens = tokens;
  }

  /** {@code .reg .b32 %r<10>, %x;} */
  void registers(Scope scope) {
    tokens.expect(".reg");
    Type type = type();
    do {
      String name = tokens.name();
      if (tokens.take("<")) {
        scope.registers(type, name, tokens.number());
        tokens.expect(">");
      } else {
        scope.register(type, name);
      }
    } while (tokens.take(","));
    tokens.expect(";");
  }

  /** A parameter of a function, up to its comma or bracket. */
  Variable parameter() {
    if (tokens.is(".reg")) {
      throw tokens.error("parameters in registers are not supported");
    }
    return declared();
  }

  /** A variable with its initial value. */
  Variable variable() {
    Variable variable = declared();
    tokens.expect(";");
    return variable;
  }

  private Variable declared() {
    Variable.Space space = Variable.Space.valueOf(tokens.name().substring(1).toUpperCase(Locale.ROOT));
    int align = 0;
    Type type = null;
    int lanes = 1;
    while (tokens.peek().text().startsWith(".")) {
      String word = tokens.name();
      switch (word) {
        case ".align" -> align = tokens.number();
        case ".v2" -> lanes = 2;
        case ".v4" -> lanes = 4;
        // What a pointer parameter points at.
        case ".ptr", ".global", ".shared", ".const", ".local", ".managed", ".unified" -> {}
        default -> type = named(word);
      }
    }
    if (type == null) {
      throw tokens.error("a declaration without a type");
    }
    String name = tokens.name();
    long count = 1;
    boolean dynamic = false;
    while (tokens.take("[")) {
      dynamic = tokens.is("]");
      count *= dynamic ? 0 : tokens.number();
      tokens.expect("]");
    }
    byte[] initial = tokens.take("=") ? values(type, Math.toIntExact(type.bytes * lanes * count)) : null;
    int alignment = align == 0 ? type.bytes * lanes : align;
    return new Variable(space, name, type, alignment, type.bytes * lanes * count, dynamic, initial);
  }

  private byte[] values(Type type, int bytes) {
    ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    boolean list = tokens.take("{");
    do {
      if (list && tokens.is("}")) {
        break;
      }
      long bits = bits(type, tokens.constant());
      switch (type.bytes) {
        case 1 -> buffer.put((byte) bits);
        case 2 -> buffer.putShort((short) bits);
        case 4 -> buffer.putInt((int) bits);
        default -> buffer.putLong(bits);
      }
    } while (list && tokens.take(","));
    if (list) {
      tokens.expect("}");
    }
    return buffer.array();
  }

  /** The bits of a literal where this type is wanted. */
  static long bits(Type type, Operand.Constant constant) {
    if (!constant.decimal()) {
      return constant.bits();
    }
    double value = Double.longBitsToDouble(constant.bits());
    return type == Type.F32 ? Float.floatToRawIntBits((float) value) : constant.bits();
  }

  private Type type() {
    return named(tokens.name());
  }

  private Type named(String word) {
    Type type = Type.named(word.substring(1));
    if (type == null) {
      throw tokens.error("unknown type " + word);
    }
    return type;
  }
}
