package dev.fovea.kernels.cuda;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;

/** Kernels on a GPU: modules that were loaded, and the functions that were looked up in them. */
final class JcudaModules {
  private final JcudaCalls calls;
  private final Map<Long, CUmodule> modules = new ConcurrentHashMap<>();
  private final Map<Long, CUfunction> functions = new ConcurrentHashMap<>();

  JcudaModules(JcudaCalls calls) {
    this.calls = calls;
  }

  /** Loads a family's kernels. */
  long load(KernelBinary binary) {
    byte[] image = binary.fatBinary();
    if (image == null) {
      throw new CudaException(
          "NO_KERNELS",
          "%s kernels were not built: nvcc was not found when this Fovea was built".formatted(binary.family()));
    }
    calls.enter();
    JcudaHandles.Module module = new JcudaHandles.Module();
    // A direct buffer: of an array, JCuda would hold up garbage collection while the driver compiles.
    ByteBuffer direct = ByteBuffer.allocateDirect(image.length).put(image).flip();
    int error = JCudaDriver.cuModuleLoadDataEx(module, Pointer.to(direct), 0, new int[0], Pointer.to(new int[0]));
    if (error != 0) {
      throw calls.failed(error, "load of %s kernels%s".formatted(binary.family(), calls.ofNewerToolkit()));
    }
    modules.put(module.address(), module);
    return module.address();
  }

  /** Lets go of them. */
  void unload(long module) {
    calls.enter();
    calls.check(JCudaDriver.cuModuleUnload(JcudaHandles.known(modules.remove(module), "module")), "unload of kernels");
  }

  /** Finds a kernel. */
  long function(long module, String name) {
    calls.enter();
    JcudaHandles.Function function = new JcudaHandles.Function();
    calls.check(
        JCudaDriver.cuModuleGetFunction(function, JcudaHandles.known(modules.get(module), "module"), name),
        "look-up of kernel " + name);
    functions.put(function.address(), function);
    calls.log().name(function.address(), name);
    return function.address();
  }

  /** What a kernel takes of a multiprocessor. */
  FunctionInfo info(long function) {
    calls.enter();
    CUfunction known = JcudaHandles.known(functions.get(function), "function");
    return new FunctionInfo(
        attribute(known, CUfunction_attribute.CU_FUNC_ATTRIBUTE_NUM_REGS),
        attribute(known, CUfunction_attribute.CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES),
        attribute(known, CUfunction_attribute.CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES),
        attribute(known, CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK));
  }

  private int attribute(CUfunction function, int attribute) {
    int[] value = new int[1];
    calls.check(JCudaDriver.cuFuncGetAttribute(value, attribute, function), "attribute of a kernel");
    return value[0];
  }

  /** Lets a kernel use more dynamic shared memory. */
  void allowShared(long function, int bytes) {
    calls.enter();
    int attribute = CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
    calls.check(
        JCudaDriver.cuFuncSetAttribute(JcudaHandles.known(functions.get(function), "function"), attribute, bytes),
        "%,d bytes of shared memory for %s".formatted(bytes, calls.log().name(function)));
  }
}
