package org.example.consumer;

import dev.fovea.kernels.cpu.CpuKernels;

/** Says what it runs on, and "ok" when the work is done. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    try (CpuKernels kernels = CpuKernels.create(2)) {
      System.out.println(kernels.description());
    }
    System.out.println("ok");
  }
}
