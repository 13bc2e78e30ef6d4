package dev.fovea.kernels.cuda;

/** One compiled kernel, looked up in its module when it is first launched. Safe to use from several threads. */
final class CudaKernel {
  private final CudaFamily family;
  private final String name;
  private final int sharedBytes;
  private volatile long function;

  CudaKernel(CudaFamily family, String name, int sharedBytes) {
    this.family = family;
    this.name = name;
    this.sharedBytes = sharedBytes;
  }

  String name() {
    return name;
  }

  /** Most dynamic shared memory that it is launched with. */
  int sharedBytes() {
    return sharedBytes;
  }

  /** What the driver knows it by. */
  long function() {
    long found = function;
    if (found == 0) {
      found = family.load(this);
      function = found;
    }
    return found;
  }

  /** What it needs. */
  FunctionInfo info() {
    return family.info(this);
  }

  void forget() {
    function = 0;
  }
}
