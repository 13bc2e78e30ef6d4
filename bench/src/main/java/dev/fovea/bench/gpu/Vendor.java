package dev.fovea.bench.gpu;

import static dev.fovea.kernels.DType.BF16;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.bench.report.Answers;
import dev.fovea.bench.report.Unavailable;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.contract.KernelCase;
import dev.fovea.kernels.cuda.CudaKernels;
import dev.fovea.kernels.cuda.Driver;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasOperation;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnDataType;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnSoftmaxAlgorithm;
import jcuda.jcudnn.cudnnSoftmaxMode;
import jcuda.jcudnn.cudnnTensorDescriptor;
import jcuda.jcudnn.cudnnTensorFormat;

/**
 * Times products of cuBLAS and softmax of cuDNN, through JCublas and JCudnn, where the host has these libraries. It has
 * never run on a GPU. What cuDNN has beyond that is reached through PyTorch: JCudnn's classes end before its attention.
 */
final class Vendor {
  /** Products that nothing is fused into: cuBLAS is asked for no more. */
  private static final Pattern PRODUCT = Pattern.compile("(NN|NT|TN) (\\d+)x(\\d+)x(\\d+)(?: (\\w+)\\*\\5=\\5)?");

  private static final Pattern SOFTMAX = Pattern.compile("(\\d+)x(\\d+) of [^,]*, F32 to F32");
  private static final double F32_TOLERANCE = 1e-4;
  private static final double BF16_TOLERANCE = 2e-2;

  /** The one that the driver, cuBLAS and cuDNN take unless told otherwise. */
  private static final long STREAM = 0;

  private Vendor() {}

  /** Those of the timed cases that these libraries have. */
  static Stream<KernelCase> cases() {
    return Stream.concat(
        CaseFamily.GEMM.timed().filter(test -> PRODUCT.matcher(test.shape()).matches()),
        CaseFamily.LOSS
            .timed()
            .filter(test -> test.kernel().equals("loss.softmax"))
            .filter(test -> SOFTMAX.matcher(test.shape()).matches()));
  }

  /** Checks the answer against our kernel's, and times. */
  static void time(KernelCase test, Driver driver, ObjectNode result) {
    try (CudaKernels kernels = CudaKernels.over(driver, STREAM);
        TimingMemory memory = new TimingMemory(driver, STREAM);
        GpuTimer timer = new GpuTimer(driver, STREAM)) {
      if (test.kernel().equals("loss.softmax")) {
        softmax(test, driver, kernels, memory, timer, result);
      } else {
        product(test, driver, kernels, memory, timer, result);
      }
    } catch (LinkageError e) {
      throw new UnsupportedOperationException(root(e), e);
    } catch (CudaException e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }

  private static void product(
      KernelCase test, Driver driver, CudaKernels kernels, TimingMemory memory, GpuTimer timer, ObjectNode result) {
    Matcher match = PRODUCT.matcher(test.shape());
    if (!match.matches()) {
      throw new IllegalArgumentException(test.shape());
    }
    Layout layout = Layout.valueOf(match.group(1));
    int m = Integer.parseInt(match.group(2));
    int n = Integer.parseInt(match.group(3));
    int k = Integer.parseInt(match.group(4));
    DType type = match.group(5) == null ? DType.F32 : DType.valueOf(match.group(5));
    Span a = memory.normal(type, (long) m * k, 1);
    Span b = memory.normal(type, (long) n * k, 1);
    Span ours = memory.workspace(type, (long) m * n);
    Span theirs = memory.workspace(type, (long) m * n);
    int lda = layout == Layout.TN ? m : k;
    int ldb = layout == Layout.NT ? k : n;
    kernels.gemm().run(new Gemm(layout, m, n, k).a(a, lda).b(b, ldb).c(ours, n));
    cublasHandle handle = Blas.HANDLE;
    int data = type == BF16 ? cudaDataType.CUDA_R_16BF : cudaDataType.CUDA_R_32F;
    // Column by column, our rows are the transposed product: C^T = B^T A^T.
    int opB = layout == Layout.NT ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
    int opA = layout == Layout.TN ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
    Pointer one = Pointer.to(new float[] {1});
    Pointer zero = Pointer.to(new float[] {0});
    Pointer x = new Address(a);
    Pointer y = new Address(b);
    Pointer z = new Address(theirs);
    int compute = cublasComputeType.CUBLAS_COMPUTE_32F;
    int algorithm = cublasGemmAlgo.CUBLAS_GEMM_DEFAULT;
    Runnable call = () -> JCublas2.cublasGemmEx(
        handle, opB, opA, n, m, k, one, y, data, ldb, x, data, lda, zero, z, data, n, compute, algorithm);
    call.run();
    Answers.check("cuBLAS", host(theirs, driver), host(ours, driver), type == BF16 ? BF16_TOLERANCE : F32_TOLERANCE);
    put("cuBLAS", Blas.FOUND, timer.time(call), result);
  }

  private static void softmax(
      KernelCase test, Driver driver, CudaKernels kernels, TimingMemory memory, GpuTimer timer, ObjectNode result) {
    Matcher match = SOFTMAX.matcher(test.shape());
    if (!match.matches()) {
      throw new IllegalArgumentException(test.shape());
    }
    int rows = Integer.parseInt(match.group(1));
    int classes = Integer.parseInt(match.group(2));
    Span x = memory.normal(DType.F32, (long) rows * classes, 1);
    Span ours = memory.workspace(DType.F32, x.count());
    Span theirs = memory.workspace(DType.F32, x.count());
    kernels.loss().softmax(rows, classes, x, ours);
    cudnnHandle handle = Dnn.HANDLE;
    cudnnTensorDescriptor shape = new cudnnTensorDescriptor();
    JCudnn.cudnnCreateTensorDescriptor(shape);
    JCudnn.cudnnSetTensor4dDescriptor(
        shape, cudnnTensorFormat.CUDNN_TENSOR_NCHW, cudnnDataType.CUDNN_DATA_FLOAT, rows, classes, 1, 1);
    Pointer one = Pointer.to(new float[] {1});
    Pointer zero = Pointer.to(new float[] {0});
    Pointer from = new Address(x);
    Pointer to = new Address(theirs);
    int algorithm = cudnnSoftmaxAlgorithm.CUDNN_SOFTMAX_ACCURATE;
    int mode = cudnnSoftmaxMode.CUDNN_SOFTMAX_MODE_INSTANCE;
    Runnable call = () -> JCudnn.cudnnSoftmaxForward(handle, algorithm, mode, one, shape, from, zero, shape, to);
    call.run();
    Answers.check("cuDNN", host(theirs, driver), host(ours, driver), F32_TOLERANCE);
    put("cuDNN", Dnn.FOUND, timer.time(call), result);
    JCudnn.cudnnDestroyTensorDescriptor(shape);
  }

  /** What a library's loading failed of, under what class loading wraps it in. */
  private static String root(Throwable e) {
    return e.getCause() == null ? String.valueOf(e.getMessage()) : root(e.getCause());
  }

  private static void put(String name, String found, GpuTimer.Times times, ObjectNode result) {
    result.putObject("peers").put(name, times.median());
    result.putObject("versions").put(name, found);
  }

  private static float[] host(Span span, Driver driver) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(span.bytes(), 64);
      driver.copyToHost(copy, span.address(), STREAM);
      driver.synchronize(STREAM);
      Span values = Span.of(copy, span.dtype());
      float[] floats = new float[Math.toIntExact(span.count())];
      for (int i = 0; i < floats.length; i++) {
        floats[i] = (float) HostCaseMemory.get(values, i);
      }
      return floats;
    }
  }

  /** The binding's native library out of its jar. */
  private static Path binding(String name, Path folder) {
    String resource = "/lib/lib%s-12.6.0-linux-x86_64.so".formatted(name);
    try (InputStream in = JCublas2.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new Unavailable(name + " has no native library on the class path: build with -Ppeers");
      }
      Path file = folder.resolve(name + ".so");
      Files.copy(in, file);
      return file;
    } catch (IOException e) {
      throw new Unavailable(name + ": " + e.getMessage(), e);
    }
  }

  private static String load(VendorLibrary library, String name) {
    try {
      Path folder = Files.createTempDirectory("fovea-vendor");
      return library.load(binding(name, folder), VendorLibrary.usualFolders(), folder);
    } catch (IOException e) {
      throw new Unavailable(name + ": " + e.getMessage(), e);
    }
  }

  /** A place in the GPU's memory. */
  private static final class Address extends Pointer {
    Address(Span span) {
      super(span.address());
    }
  }

  /** cuBLAS of this process. */
  private static final class Blas {
    static final String FOUND = load(VendorLibrary.CUBLAS, "JCublas2");
    static final cublasHandle HANDLE = new cublasHandle();

    static {
      JCublas2.setExceptionsEnabled(true);
      JCublas2.cublasCreate(HANDLE);
    }
  }

  /** cuDNN of this process. */
  private static final class Dnn {
    static final String FOUND = load(VendorLibrary.CUDNN, "JCudnn");
    static final cudnnHandle HANDLE = new cudnnHandle();

    static {
      JCudnn.setExceptionsEnabled(true);
      JCudnn.cudnnCreate(HANDLE);
    }
  }
}
