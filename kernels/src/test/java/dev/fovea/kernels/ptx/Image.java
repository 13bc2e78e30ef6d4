package dev.fovea.kernels.ptx;

import java.lang.foreign.MemorySegment;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A module loaded into a device's memory: its variables have addresses, its kernels are compiled on first use. */
final class Image {
  final PtxModule module;
  private final Map<Variable, Long> addresses = new IdentityHashMap<>();
  private final Map<String, Kernel> kernels = new ConcurrentHashMap<>();
  private final GlobalMemory memory;

  Image(PtxModule module, GlobalMemory memory) {
    this.module = module;
    this.memory = memory;
    module.variables.values().forEach(this::place);
  }

  private void place(Variable variable) {
    boolean device = variable.space == Variable.Space.GLOBAL || variable.space == Variable.Space.CONST;
    if (!device || variable.bytes == 0) {
      return;
    }
    Allocation allocation = memory.allocate(variable.bytes, "variable " + variable.name);
    addresses.put(variable, allocation.base);
    // Variables begin as zeros where the text gives no value.
    byte[] bytes = new byte[(int) variable.bytes];
    byte[] initial = variable.initial;
    if (initial != null) {
      System.arraycopy(initial, 0, bytes, 0, initial.length);
    }
    memory.copyIn(allocation.base, MemorySegment.ofArray(bytes));
  }

  Kernel kernel(String name) {
    Kernel known = module.kernels.get(name);
    if (known != null) {
      return known;
    }
    Kernel kernel = kernels.computeIfAbsent(name, n -> KernelCompiler.compile(module, n, this::address));
    if (!kernel.placed) {
      module.kernels.put(name, kernel);
    }
    return kernel;
  }

  private long address(Variable variable) {
    Long address = addresses.get(variable);
    if (address == null) {
      throw new PtxException(module.name + ": the variable " + variable.name + " is not defined");
    }
    return address;
  }

  void unload() {
    addresses.values().forEach(memory::free);
    addresses.clear();
  }
}
