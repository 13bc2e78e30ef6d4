package dev.fovea.bench.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.contract.KernelCase;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What cuBLAS and cuDNN are asked for; that they answer takes a GPU. */
class VendorTest {
  @Test
  void onlyPlainProductsAndSoftmaxAreCompared() {
    List<KernelCase> cases = Vendor.cases().toList();
    assertEquals(
        1, cases.stream().filter(test -> test.kernel().equals("loss.softmax")).count());
    List<String> products = cases.stream()
        .filter(test -> test.kernel().equals("gemm.run"))
        .map(KernelCase::shape)
        .toList();
    assertTrue(products.contains("NT 8192x8192x8192 BF16*BF16=BF16"), products.toString());
    assertTrue(products.contains("NN 1024x1024x1024"), products.toString());
    assertTrue(products.stream().noneMatch(shape -> shape.contains("bias")), products.toString());
  }
}
