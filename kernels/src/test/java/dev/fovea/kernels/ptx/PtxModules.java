package dev.fovea.kernels.ptx;

import dev.fovea.kernels.cuda.CudaException;
import dev.fovea.kernels.cuda.FunctionInfo;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.cuda.Launch;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Modules that are loaded on the machine and the kernels that were looked up in them, and what a launch may ask of
 * these.
 */
final class PtxModules {
  private static final int FREE_SHARED = 48 << 10;

  /** What the build made: parsed and compiled once, whoever loads it. */
  private static final Map<String, PtxModule> FAMILIES = new ConcurrentHashMap<>();

  private final PtxOptions options;
  private final GlobalMemory memory;
  private final Map<Long, Image> images = new HashMap<>();
  private final Map<Long, Loaded> functions = new HashMap<>();
  private long next = 1;

  /** A kernel of a loaded module. */
  private static final class Loaded {
    final long image;
    final Kernel kernel;
    int shared = FREE_SHARED;

    Loaded(long image, Kernel kernel) {
      this.image = image;
      this.kernel = kernel;
    }
  }

  PtxModules(PtxOptions options, GlobalMemory memory) {
    this.options = options;
    this.memory = memory;
  }

  /** Loads what the build made of a family. */
  long load(KernelBinary binary) {
    return place(() -> FAMILIES.computeIfAbsent(binary.family(), family -> {
      byte[] ptx = binary.ptx();
      if (ptx == null) {
        throw new CudaException(
            "CUDA_ERROR_NO_BINARY_FOR_GPU",
            "load: there is no PTX of the kernel family " + family + "; the build needs nvcc to make it");
      }
      return PtxModule.parse(family + ".ptx", new String(ptx, StandardCharsets.UTF_8));
    }));
  }

  /** Loads PTX text; messages call it by this name. */
  long load(String name, String ptx) {
    return place(() -> PtxModule.parse(name, ptx));
  }

  private long place(Supplier<PtxModule> parsed) {
    try {
      PtxModule module = parsed.get();
      if (!module.runsOn(options.major())) {
        throw new CudaException(
            "CUDA_ERROR_NO_BINARY_FOR_GPU",
            "load: %s is for %s, this device has compute capability %d.0"
                .formatted(module.name, module.target, options.major()));
      }
      images.put(next, new Image(module, memory));
      return next++;
    } catch (PtxException e) {
      throw new CudaException("CUDA_ERROR_INVALID_PTX", e.getMessage(), e);
    }
  }

  void unload(long module) {
    Image image = images.remove(module);
    if (image == null) {
      throw new CudaException("CUDA_ERROR_INVALID_HANDLE", "unload: module " + module + " is not loaded");
    }
    functions.values().removeIf(function -> function.image == module);
    image.unload();
  }

  long function(long module, String name) {
    Image image = images.get(module);
    if (image == null) {
      throw new CudaException("CUDA_ERROR_INVALID_HANDLE", "function: module " + module + " is not loaded");
    }
    if (!image.module.functions.containsKey(name)) {
      throw new CudaException("CUDA_ERROR_NOT_FOUND", "function: " + image.module.name + " has no kernel " + name);
    }
    try {
      functions.put(next, new Loaded(module, image.kernel(name)));
      return next++;
    } catch (PtxException e) {
      throw new CudaException("CUDA_ERROR_INVALID_PTX", e.getMessage(), e);
    }
  }

  private Loaded loaded(long function) {
    Loaded found = functions.get(function);
    if (found == null) {
      throw new CudaException("CUDA_ERROR_INVALID_HANDLE", "function " + function + " is not loaded");
    }
    return found;
  }

  FunctionInfo info(long function) {
    Kernel kernel = loaded(function).kernel;
    return new FunctionInfo(
        Math.min(255, kernel.registers),
        kernel.staticShared,
        kernel.localBytes,
        kernel.maxThreads == 0 ? 1024 : kernel.maxThreads);
  }

  void allowShared(long function, int bytes) {
    Loaded loaded = loaded(function);
    if (bytes < 0 || bytes + loaded.kernel.staticShared > options.sharedBytes()) {
      throw invalid(
          "allowShared",
          loaded.kernel,
          bytes + " bytes of shared memory besides " + loaded.kernel.staticShared + ", the device has "
              + options.sharedBytes());
    }
    loaded.shared = Math.max(FREE_SHARED, bytes);
  }

  private static CudaException invalid(String operation, Kernel kernel, String message) {
    return new CudaException("CUDA_ERROR_INVALID_VALUE", operation + " of kernel " + kernel.name + ": " + message);
  }

  /** A kernel that was looked up. */
  Kernel kernel(long function) {
    return loaded(function).kernel;
  }

  /** What a launch of a kernel computes from, its arguments as they are now; fails for what the machine has not. */
  Block.Launch prepare(long function, Launch launch) {
    Loaded loaded = loaded(function);
    Kernel kernel = loaded.kernel;
    if (launch.sharedBytes() < 0 || launch.sharedBytes() > loaded.shared) {
      throw invalid(
          "launch",
          kernel,
          launch.sharedBytes() + " bytes of dynamic shared memory, allowed are " + loaded.shared
              + " (allowShared lets it use more)");
    }
    if (launch.clusterX() * launch.clusterY() * launch.clusterZ() != 1) {
      throw invalid(
          "launch",
          kernel,
          options.major() < 9
              ? "clusters need compute capability 9.0, this device has " + options.major() + ".0"
              : "clusters of several blocks, which the PTX machine does not know");
    }
    if (launch.argumentBytes() != kernel.parameterBytes) {
      throw invalid(
          "launch", kernel, "got " + launch.argumentBytes() + " bytes of arguments, it takes " + kernel.parameterBytes);
    }
    int[] parameters = new int[(kernel.parameterBytes + 7) / 8 * 2];
    MemorySegment.copy(launch.arguments(), 0, MemorySegment.ofArray(parameters), 0, kernel.parameterBytes);
    return new Block.Launch(
        launch.gridX(),
        launch.gridY(),
        launch.gridZ(),
        launch.blockX(),
        launch.blockY(),
        launch.blockZ(),
        launch.sharedBytes(),
        parameters,
        memory,
        options.checks());
  }
}
