package dev.fovea.kernels.cuda;

import jcuda.driver.CUcontext;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import org.jspecify.annotations.Nullable;

/** JCuda's handles, with the number that they hold. */
final class JcudaHandles {
  private JcudaHandles() {}

  static final class Context extends CUcontext {
    long address() {
      return getNativePointer();
    }
  }

  static final class Module extends CUmodule {
    long address() {
      return getNativePointer();
    }
  }

  static final class Function extends CUfunction {
    long address() {
      return getNativePointer();
    }
  }

  static final class Stream extends CUstream {
    long address() {
      return getNativePointer();
    }
  }

  static final class Event extends CUevent {
    long address() {
      return getNativePointer();
    }
  }

  static final class Graph extends CUgraph {
    long address() {
      return getNativePointer();
    }
  }

  static final class Executable extends CUgraphExec {
    long address() {
      return getNativePointer();
    }
  }

  /** The handle that was looked up, if there was one. */
  static <T> T known(@Nullable T handle, String kind) {
    if (handle == null) {
      throw new IllegalArgumentException(kind + ": got one that is not this driver's or was given back");
    }
    return handle;
  }
}
