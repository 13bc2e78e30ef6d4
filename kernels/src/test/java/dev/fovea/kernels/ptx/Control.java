package dev.fovea.kernels.ptx;

import java.lang.invoke.VarHandle;

/** Branches, exits, calls of what the CUDA runtime brings, and hints. */
final class Control {
  private Control() {}

  static Op compile(Operands o) {
    return switch (o.name) {
      case "bra" -> branch(o);
      case "exit", "ret" -> Warp::exit;
      case "call" -> call(o);
      case "trap", "brkpt" ->
        (w, m) -> {
          throw w.fault(Integer.numberOfTrailingZeros(m), "executes " + o.name);
        };
      case "membar", "fence" -> fence(o);
      case "mapa" -> map(o);
      case "getctarank" -> policy(o);
      case "nanosleep" -> (w, m) -> w.pause();
      case "griddepcontrol", "prefetch", "prefetchu", "discard", "applypriority", "pmevent" -> (w, m) -> {};
      case "createpolicy" -> policy(o);
      default -> throw o.error("is an instruction that the PTX machine does not know");
    };
  }

  private static Op fence(Operands o) {
    boolean barriers = o.has("mbarrier_init");
    boolean async = o.has("proxy") && (o.has("async") || o.has("async::generic")) || o.has("async.shared::cta");
    if (barriers || async && !o.has("global")) {
      return (w, m) -> {
        w.block.mbarriers().fence(w, m);
        AsyncProxy proxy = w.block.shared.proxy;
        if (async && proxy != null) {
          proxy.fence(w, m);
        }
      };
    }
    return o.has("cta") || o.has("proxy") ? (w, m) -> VarHandle.fullFence() : (w, m) -> fence(w);
  }

  /** The address of shared memory of a block of the cluster, which has one. */
  private static Op map(Operands o) {
    int d = o.reg(0);
    int a = o.reg(1);
    int rank = o.reg(2);
    return (w, m) -> {
      for (; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        if (w.r[rank + lane] != 0) {
          throw w.fault(lane, "asks for shared memory of block " + w.r[rank + lane] + " of its cluster, which has one");
        }
        w.r[d + lane] = w.r[a + lane];
      }
    };
  }

  private static void fence(Warp w) {
    VarHandle.fullFence();
    if (w.block.order != null) {
      w.block.order.fence();
    }
  }

  private static Op branch(Operands o) {
    int target = o.target(0);
    return (w, m) -> w.branch(m, target);
  }

  /** Cache policies mean nothing here. */
  private static Op policy(Operands o) {
    int d = o.reg(0);
    return (w, m) -> {
      for (; m != 0; m &= m - 1) {
        w.r[d + Integer.numberOfTrailingZeros(m)] = 0;
      }
    };
  }

  private static Op call(Operands o) {
    String name = "a function";
    for (Operand operand : o.statement.operands()) {
      if (operand instanceof Operand.Callee callee) {
        name = callee.name();
      }
    }
    String called = name;
    return (w, m) -> {
      throw w.fault(
          Integer.numberOfTrailingZeros(m),
          called.equals("__assertfail") ? "an assertion fails" : "calls " + called + ", which is not in the module");
    };
  }
}
