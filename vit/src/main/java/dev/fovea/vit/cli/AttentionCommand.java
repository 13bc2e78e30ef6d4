package dev.fovea.vit.cli;

import dev.fovea.tensor.Scope;
import dev.fovea.tensor.io.AtomicFile;
import dev.fovea.vit.Vit;
import dev.fovea.vit.image.AttentionSheet;
import dev.fovea.vit.image.Picture;
import dev.fovea.vit.image.Preprocessor;
import dev.fovea.vit.model.AttentionMaps;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Draws where a model looks. */
@Command(
    name = "attention",
    sortOptions = false,
    description = {
      "Draw where a model looks in a picture: the attention of each layer and head, its flow through all layers"
          + " (rollout), and the pooling of models with a MAP head.",
      "Maps show where the class token looks or, in models without one, where patches look on average. Bright is much "
          + "attention; each map has a scale of its own.",
      ""
    })
final class AttentionCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Mixin
  private final ModelArgument model = new ModelArgument();

  @Parameters(index = "1", paramLabel = "IMAGE", description = "The picture (PNG, JPEG, WebP, BMP, GIF).")
  private Path image = Path.of("");

  @Option(names = "--out", required = true, paramLabel = "FILE.png", description = "The picture to write.")
  private Path out = Path.of("");

  @Option(names = "--layer", paramLabel = "N", description = "Only this layer, larger; from 1 on.")
  private @Nullable Integer layer;

  @Option(names = "--head", paramLabel = "N", description = "Only this head, larger; from 1 on.")
  private @Nullable Integer head;

  @Mixin
  private final ComputeArguments compute = new ComputeArguments();

  @Override
  public Integer call() throws IOException {
    if (!out.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
      throw new ParameterException(spec.commandLine(), "--out: got " + out + ", expected a name that ends in .png");
    }
    AtomicFile.check(out);
    Picture picture = Picture.read(image);
    try (Vit vit = compute.load(model.path());
        Scope scope = Scope.open(vit.device())) {
      Preprocessor preprocessor = vit.inference().preprocessor();
      AttentionMaps maps = vit.model().attention(preprocessor.apply(picture));
      var sheet = new AttentionSheet(preprocessor.crop(picture), maps, index(layer), index(head));
      write(sheet.draw());
      spec.commandLine()
          .getOut()
          .printf("%d layers of %d heads over %s patches: %s%n", maps.layers(), maps.heads(), maps.grid(), out);
    }
    return ExitCode.OK;
  }

  private static @Nullable Integer index(@Nullable Integer number) {
    return number == null ? null : number - 1;
  }

  private void write(BufferedImage drawn) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageIO.write(drawn, "png", bytes);
    AtomicFile.write(out, channel -> {
      ByteBuffer buffer = ByteBuffer.wrap(bytes.toByteArray());
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    });
  }
}
