package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.DType.F16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.I32;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.ImageKernels;
import dev.fovea.kernels.ImageKernels.Patches;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.contract.ImageCases;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class ImageContractTest {
  private static final ImageKernels IMAGE = CpuKernels.create(1).image();

  @TestFactory
  Stream<DynamicTest> contract() {
    return Devices.contract(ImageCases.all());
  }

  @TestFactory
  Stream<DynamicTest> sameBitsOnAnyNumberOfThreads() {
    return Launches.sameBits(ImageCases.all());
  }

  @Test
  void allocatesNothing() {
    Launches.allocatesNothing(ImageCases.all());
  }

  @Test
  void specialsPassThrough() {
    try (var memory = new HostCaseMemory(0)) {
      double[] values = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0x1p-149, 3, -3};
      Patches patches = new Patches(1, 3, 1, 2, 1, 1, true);
      Span out = memory.workspace(F32, 6);
      IMAGE.patchify(patches, memory.values(F32, values), null, null, out);
      Span back = memory.workspace(F32, 6);
      IMAGE.unpatchify(patches, out, back);
      for (int i = 0; i < 6; i++) {
        assertEquals(values[i], HostCaseMemory.get(out, i));
        assertEquals(values[i], HostCaseMemory.get(back, i));
      }
    }
  }

  @Test
  void patchesSayWhatIsWrong() {
    Launches.rejects(
        "patches: got 1 x 3 x 8 x 8 in patches of 9 x 8, expected at least one patch",
        () -> new Patches(1, 3, 8, 8, 9, 8, false));
    Launches.rejects(
        "patches: got 0 x 3 x 8 x 8 in patches of 8 x 8, expected at least one patch",
        () -> new Patches(0, 3, 8, 8, 8, 8, false));
  }

  @Test
  void saysWhatIsWrong() {
    try (var memory = new HostCaseMemory(0)) {
      Patches p = new Patches(1, 2, 4, 5, 2, 2, false);
      Span pictures = memory.normal(F32, 40, 1);
      Span rows = memory.workspace(F32, 32);
      Span two = memory.workspace(F32, 2);
      Span one = memory.workspace(F32, 1);
      Span half = memory.workspace(F16, 40);
      Span integers = memory.workspace(I32, 40);
      Launches.rejects("pictures: got F16, expected F32, BF16 or U8", () -> IMAGE.patchify(p, half, null, null, rows));
      Launches.rejects(
          "pictures: got 32 elements, expected at least 40", () -> IMAGE.patchify(p, rows, null, null, pictures));
      Launches.rejects("scale: got 1 elements, expected at least 2", () -> IMAGE.patchify(p, pictures, one, two, rows));
      Launches.rejects("shift: got I32, expected F32", () -> IMAGE.patchify(p, pictures, two, integers, rows));
      Launches.rejects("out: got 2 elements, expected at least 32", () -> IMAGE.patchify(p, pictures, null, null, two));
      Launches.rejects(
          "out: overlaps pictures, expected its own memory", () -> IMAGE.patchify(p, pictures, null, null, pictures));
      Launches.rejects("rows: got 2 elements, expected at least 32", () -> IMAGE.unpatchify(p, two, pictures));
      Launches.rejects("pictures: got I32, expected F32 or BF16", () -> IMAGE.unpatchify(p, rows, integers));
      Patches large = new Patches(1, 1 << 20, 1 << 10, 1, 1 << 10, 1, false);
      Launches.rejects(
          "patches: got 1073741824 values in a patch, expected at most 268435456",
          () -> IMAGE.unpatchify(large, rows, pictures));
    }
  }
}
