package dev.fovea.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program that compiles src-cuda, on small sources of its own. */
class CudaBuildTest {
  private static final Path PROGRAM = Path.of("..", ".mvn", "cuda", "Cuda.java");
  private static final String KERNEL = """
      #include "%s.cuh"
      struct Args { float *x; };
      // limit %s*: 16 registers, 0 spilled bytes, 0 shared bytes
      extern "C" __global__ void %s(const __grid_constant__ Args args) { args.x[threadIdx.x] = VALUE; }
      """;

  @TempDir
  private Path folder;

  private record Result(int exit, String output) {}

  @BeforeEach
  void thereIsACompiler() {
    assumeTrue(KernelBuild.find() != null, "the build found no nvcc, so there is nothing to try it with");
  }

  private void write(String name, String text) throws IOException {
    Path file = folder.resolve("src").resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private Result build() throws IOException, InterruptedException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    ProcessBuilder command = new ProcessBuilder(
            java.toString(),
            "-XX:TieredStopAtLevel=1",
            PROGRAM.toString(),
            folder.resolve("src").toString(),
            folder.resolve("target").toString())
        .redirectErrorStream(true);
    command.environment().put("FOVEA_CUDA_CACHE", folder.resolve("cache").toString());
    Process process = command.start();
    String output = new String(process.getInputStream().readAllBytes());
    return new Result(process.waitFor(), output);
  }

  @Test
  void compilesWhatChangedAndNothingElse() throws Exception {
    for (String name : new String[] {"one", "two"}) {
      write(name + ".cu", KERNEL.formatted(name, name, name));
      write("include/" + name + ".cuh", "#define VALUE 1\n");
    }
    Result first = build();
    assertEquals(0, first.exit, first.output);
    assertTrue(first.output.contains("compiled 2 of 2 files"), first.output);
    Path classes = folder.resolve("target/classes/dev/fovea/kernels/cuda");
    assertTrue(Files.size(classes.resolve("one.fatbin")) > 0);
    String report = Files.readString(folder.resolve("target/cuda/report.json"));
    assertTrue(report.contains("\"kernel\": \"two\", \"target\": \"sm_80\", \"registers\": "), report);

    write("include/two.cuh", "#define VALUE 2\n");
    Files.delete(folder.resolve("src/one.cu"));
    write("three.cu", "int unused() { int never = 1; return 2; }\n__global__ void f() { int never = 1; }\n");
    Result second = build();
    assertEquals(1, second.exit, second.output);
    assertTrue(second.output.contains("three.cu does not compile"), second.output);
    assertTrue(second.output.contains("never"), "warnings are errors: " + second.output);
    assertFalse(Files.exists(classes.resolve("one.fatbin")), "what has no source any more is deleted");

    Files.delete(folder.resolve("src/three.cu"));
    Result third = build();
    assertEquals(0, third.exit, third.output);
    String ptx = Files.readString(folder.resolve("target/test-classes/dev/fovea/kernels/ptx/two.ptx"));
    assertTrue(ptx.contains("0f40000000") || ptx.contains("1073741824"), "2 as a float: the new header was read");
    assertFalse(ptx.contains(folder.toString()), "no place of this machine");
  }
}
