package dev.fovea.kernels.cuda;

import java.util.Map;
import java.util.Set;
import jcuda.driver.JCudaDriver;

/** The driver's error codes in words, with what to do about them. */
final class CudaErrors {
  static final int OUT_OF_MEMORY = 2;
  static final int GRAPH_UPDATE_FAILURE = 910;

  /** After these nothing works any more in this process: they come from a kernel that ran, not from the call. */
  private static final Set<Integer> STICKY = Set.of(214, 220, 226, 700, 702, 710, 714, 715, 716, 717, 718, 719, 721);

  private static final Map<Integer, String> ADVICE = Map.ofEntries(
      Map.entry(2, "other processes may use the GPU too: see nvidia-smi"),
      Map.entry(34, "the library found is the toolkit's stub: put the driver's libcuda.so.1 before it"),
      Map.entry(46, "another process uses it alone: see nvidia-smi, compute mode"),
      Map.entry(200, "the fat binaries need a newer driver: update it, or build with the toolkit of its CUDA version"),
      Map.entry(209, "the fat binaries hold nothing for this GPU: build with a toolkit that knows it"),
      Map.entry(218, "the fat binaries need a newer driver: update it, or build with the toolkit of its CUDA version"),
      Map.entry(221, "the driver's compiler, libnvidia-ptxjitcompiler.so.1, is missing: reinstall the driver"),
      Map.entry(222, "the fat binaries need a newer driver: update it, or build with the toolkit of its CUDA version"),
      Map.entry(701, "a block needs more registers or shared memory than a multiprocessor has"),
      Map.entry(702, "the system stops long kernels on a GPU that also drives a display"),
      Map.entry(802, "the fabric manager of this machine's GPUs is not up yet: nvidia-smi tells"),
      Map.entry(803, "the driver was updated while it was running: restart the machine"),
      Map.entry(804, "the driver is older than its library: update it"));

  private CudaErrors() {}

  /** Whether the device is lost to this process. */
  static boolean isSticky(int error) {
    return STICKY.contains(error);
  }

  /** The driver's name of an error. */
  static String name(int error) {
    String[] name = new String[1];
    JCudaDriver.cuGetErrorName(error, name);
    return name[0] == null ? "CUDA error " + error : name[0];
  }

  /** What failed, as an exception. */
  static CudaException failed(int error, String operation) {
    String advice = ADVICE.get(error);
    return new CudaException(name(error), operation + ": " + describe(error) + (advice == null ? "" : "; " + advice));
  }

  /** Name and meaning. */
  static String describe(int error) {
    String[] text = new String[1];
    JCudaDriver.cuGetErrorString(error, text);
    return name(error) + (text[0] == null ? "" : ", " + text[0]);
  }
}
