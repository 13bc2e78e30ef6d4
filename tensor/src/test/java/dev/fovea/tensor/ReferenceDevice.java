package dev.fovea.tensor;

import dev.fovea.kernels.reference.ReferenceKernels;

/** Main memory and the float64 reference kernels. With tensors of dtype F64, operations are exact to about 1e-15. */
public final class ReferenceDevice {
  public static final Device INSTANCE = CpuDevice.with(new ReferenceKernels(), "reference");

  private ReferenceDevice() {}
}
