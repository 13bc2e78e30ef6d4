package dev.fovea.kernels.ptx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A statement as the compilers of instructions read it: the parts of its name, and where its operands are. */
final class Operands {
  final Statement statement;
  final String name;
  private final PtxModule module;
  private final Frame frame;
  private final Flattener flat;
  private final String[] parts;
  private final List<Type> types = new ArrayList<>();

  Operands(PtxModule module, Statement statement, Frame frame, Flattener flat) {
    this.module = module;
    this.statement = statement;
    this.frame = frame;
    this.flat = flat;
    parts = statement.operation().split("\\.");
    name = parts[0];
    for (int i = 1; i < parts.length; i++) {
      Type type = Type.named(parts[i]);
      if (type != null) {
        types.add(type);
      }
    }
  }

  /** Whether the instruction's name has this part. */
  boolean has(String part) {
    return Arrays.asList(parts).contains(part);
  }

  /** The part at this place of the name, or nothing. */
  String part(int i) {
    return i < parts.length ? parts[i] : "";
  }

  int parts() {
    return parts.length;
  }

  /** The instruction's type: the last it names. */
  Type type() {
    return types.isEmpty() ? Type.B32 : types.getLast();
  }

  /** The types that the name has, from left to right. */
  Type type(int i) {
    if (i >= types.size()) {
      throw error("lacks a type");
    }
    return types.get(i);
  }

  int typeCount() {
    return types.size();
  }

  int count() {
    return statement.operands().size();
  }

  Operand operand(int i) {
    if (i >= count()) {
      throw error("lacks an operand");
    }
    return statement.operands().get(i);
  }

  /** The offset of the lanes of an operand. */
  int reg(int i) {
    return reg(operand(i));
  }

  int reg(Operand operand) {
    return switch (operand) {
      case Operand.Reg(var register, boolean negated) -> frame.slot(register);
      case Operand.Constant constant -> frame.constant(Declarations.bits(type(), constant));
      case Operand.Symbol(var variable, long offset) -> frame.constant(frame.address(variable) + offset);
      case Operand.Sink() -> frame.sink();
      case Operand.Special(String special) when !Specials.clock(special) -> frame.special(special);
      case Operand.Vector(var elements) when elements.size() == 1 -> reg(elements.getFirst());
      default -> throw error("cannot use this operand");
    };
  }

  /** The offsets of the lanes of a vector's elements; of a lone register, just its own. */
  int[] regs(int i) {
    return operand(i) instanceof Operand.Vector(var elements)
        ? elements.stream().mapToInt(this::reg).toArray()
        : new int[] {reg(i)};
  }

  /** The number of an operand that is a predicate without complement; a sink's is -1. */
  int pred(int i) {
    return pred(operand(i));
  }

  int pred(Operand operand) {
    if (operand instanceof Operand.Sink) {
      return -1;
    }
    if (operand instanceof Operand.Reg(var register, boolean negated) && register.type == Type.PRED && !negated) {
      return frame.predicate(register);
    }
    throw error("needs a predicate");
  }

  boolean isPred(int i) {
    return i < count() && operand(i) instanceof Operand.Reg(var register, var n) && register.type == Type.PRED;
  }

  /** A predicate to read: number + 1, or -(number + 1) for the complement. */
  int source(int i) {
    if (operand(i) instanceof Operand.Reg(var register, boolean negated)) {
      int number = frame.predicate(register) + 1;
      return negated ? -number : number;
    }
    if (operand(i) instanceof Operand.Constant constant) {
      return constant.bits() == 0 ? 0 : Integer.MIN_VALUE;
    }
    throw error("needs a predicate");
  }

  /** The value of what {@link #source} gave. */
  static int value(Warp warp, int source) {
    if (source == 0) {
      return 0;
    }
    return source == Integer.MIN_VALUE ? -1 : source > 0 ? warp.p[source - 1] : ~warp.p[-source - 1];
  }

  /** The register of an address; constant parts of other bases are in it already. */
  int base(int i) {
    Operand.Address address = address(i);
    return switch (address.base()) {
      case Operand.Reg(var register, boolean negated) -> frame.slot(register);
      case Operand.Symbol(var variable, long offset) ->
        frame.constant(frame.address(variable) + offset + address.offset());
      case Operand.Constant constant -> frame.constant(constant.bits() + address.offset());
      default -> throw error("cannot use this address");
    };
  }

  /** What is to be added to the register of an address. */
  long offset(int i) {
    Operand.Address address = address(i);
    return address.base() instanceof Operand.Reg ? address.offset() : 0;
  }

  /** The registers of a tensor's coordinates. */
  int[] coordinates(int i) {
    Operand.Vector coordinates = address(i).coordinates();
    if (coordinates == null) {
      throw error("lacks coordinates");
    }
    return coordinates.elements().stream().mapToInt(this::reg).toArray();
  }

  /** The address if no register is in it, otherwise -1. */
  long fixedAddress(int i) {
    Operand.Address address = address(i);
    return address.base() instanceof Operand.Symbol(var variable, long offset)
        ? frame.address(variable) + offset + address.offset()
        : -1;
  }

  private Operand.Address address(int i) {
    if (operand(i) instanceof Operand.Address address) {
      return address;
    }
    throw error("needs an address");
  }

  /** The value of an operand that must be written as a number. */
  int number(int i) {
    if (operand(i) instanceof Operand.Constant constant) {
      return (int) constant.bits();
    }
    throw error("needs a constant");
  }

  int target(int i) {
    if (operand(i) instanceof Operand.Target(var label)) {
      return flat.target(label);
    }
    throw error("needs a label");
  }

  /** The memory space that the name says, or generic. */
  Space space() {
    for (String part : parts) {
      Space space = Space.named(part);
      if (space != null) {
        return space;
      }
    }
    return Space.GENERIC;
  }

  PtxException error(String message) {
    return new PtxException(module.name + ":" + statement.line() + ": `" + statement + "` " + message
        + (statement.location() == null ? "" : " (" + statement.location() + ")"));
  }

  /** A memory space. */
  enum Space {
    GENERIC,
    GLOBAL,
    SHARED,
    LOCAL,
    CONST,
    PARAM;

    static @Nullable Space named(String part) {
      return switch (part) {
        case "global" -> GLOBAL;
        case "shared", "shared::cta", "shared::cluster" -> SHARED;
        case "local" -> LOCAL;
        case "const" -> CONST;
        case "param", "param::entry", "param::func" -> PARAM;
        default -> null;
      };
    }
  }
}
