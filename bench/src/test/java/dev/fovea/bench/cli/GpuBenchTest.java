package dev.fovea.bench.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.bench.gpu.GpuRun;
import dev.fovea.bench.report.Effort;
import dev.fovea.bench.report.Extra;
import dev.fovea.bench.report.Result;
import dev.fovea.bench.report.Results;
import dev.fovea.bench.report.Table;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.vit.cli.EvidenceFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What a run on the PTX machine becomes as results and as a table. */
class GpuBenchTest {
  @Test
  void theHostsTimeStandsBesideTheEvents(@TempDir Path folder) throws IOException {
    assumeTrue(new KernelBinary("random").ptx() != null, "the build found no nvcc, so there are no GPU kernels to run");
    int exit = new CommandLine(new GpuRun())
        .execute("--device=ptx", "--families=random", "--only=random.keep 256 ", "--stages=times", "--out=" + folder);
    assertEquals(0, exit, () -> log(folder));
    EvidenceFile evidence = EvidenceFile.read(folder.resolve("ptx-machine.json"));
    Results results = GpuBench.results(evidence, Effort.QUICK, Probe.environment(List.of()));
    results.write(folder);
    Results read = Results.read(folder);
    Result ours = read.of("random").getFirst();
    assertTrue(ours.isMeasured() && ours.extra(Extra.HOST_MICROS) > 0, ours.toString());
    Table table = new Table(read, read.suites().getFirst());
    assertEquals(List.of("", "time", "±", "rate", "of limit", "host time", "to PyTorch"), table.head());
    String host = table.cells().getFirst().get(5);
    assertTrue(host.endsWith("s"), host);
  }

  private static String log(Path folder) {
    try {
      return Files.readString(folder.resolve("ptx-machine.log"));
    } catch (IOException e) {
      return e.toString();
    }
  }
}
