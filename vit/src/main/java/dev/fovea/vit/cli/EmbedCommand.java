package dev.fovea.vit.cli;

import dev.fovea.tensor.io.AtomicFile;
import dev.fovea.vit.Vit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Writes one vector for each picture. */
@Command(
    name = "embed",
    sortOptions = false,
    description = {
      "Turn pictures into vectors: what a model says about each before its classifier.",
      "Pictures that cannot be read are named on standard error, the others are still embedded, and the exit code is"
          + " 1.",
      ""
    })
final class EmbedCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = {
        "Where to write, once all is done, in the order of the pictures:",
        "  .npy          float32 [pictures, width]; names beside it in FILE.txt, one on each line",
        "  .safetensors  the tensor \"embeddings\"; names as a JSON array in the note \"names\"",
        "  .jsonl        a line {\"file\", \"embedding\"} for each picture"
      })
  private Path out = Path.of("");

  @Mixin
  private PictureArguments pictures = new PictureArguments();

  @Override
  public Integer call() throws IOException {
    EmbeddingFile.Format format = EmbeddingFile.Format.of(out)
        .orElseThrow(() -> new ParameterException(
            spec.commandLine(), "--out: got " + out + ", expected a name that ends in .npy, .safetensors or .jsonl"));
    AtomicFile.check(out);
    List<Path> files = pictures.files();
    try (Vit vit = pictures.load();
        Progress progress = new Progress(spec.commandLine().getErr(), "embed", files.size())) {
      EmbeddingFile written = new EmbeddingFile();
      var failures = new Failures(progress::say) {
        @Override
        public void accept(Path file, float[] values) {
          written.add(file.toString(), values);
          progress.step();
        }
      };
      vit.inference().embed(files, pictures.options(), failures);
      String speed = "%.1f s, %s".formatted(progress.seconds(), progress.speed());
      progress.close();
      if (written.size() == 0) {
        spec.commandLine().getErr().println("fovea: nothing to write: no picture could be read");
        return failures.exitCode(files.size());
      }
      written.write(out, format);
      spec.commandLine()
          .getOut()
          .printf("embedded %d pictures, %d numbers each, in %s: %s%n", written.size(), written.width(), speed, out);
      return failures.exitCode(files.size());
    }
  }
}
