package dev.fovea.vit.cli;

import dev.fovea.vit.Inference;
import dev.fovea.vit.Vit;
import dev.fovea.vit.image.Picture;
import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** A model, and the pictures that a command runs it on. */
final class PictureArguments {
  @Spec(Target.MIXEE)
  private CommandSpec spec;

  @Mixin
  private final ModelArgument model = new ModelArgument();

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "IMAGE|FOLDER",
      description = "Pictures (PNG, JPEG, WebP, BMP, GIF), or folders that are searched for them.")
  private List<Path> paths = List.of();

  @Mixin
  private final BatchOptions batch = new BatchOptions();

  @Option(
      names = "--image-size",
      paramLabel = "N",
      description = "Look at pictures of N x N pixels, with positions resampled (default: the model's own size).")
  private @Nullable Integer imageSize;

  @Mixin
  private final ComputeArguments compute = new ComputeArguments();

  Path model() {
    return model.path();
  }

  /** The model, for inference alone. */
  Vit load() throws IOException {
    Integer side = imageSize;
    Vit vit = compute.load(model.path());
    if (side == null) {
      return vit.frozen();
    }
    try {
      return vit.resized(side, side).frozen();
    } catch (IllegalArgumentException e) {
      vit.close();
      throw new ParameterException(spec.commandLine(), "--image-size: " + e.getMessage(), e);
    }
  }

  Inference.Options options() {
    return batch.options();
  }

  /** The files, those of a folder and of folders in it in alphabetical order. */
  List<Path> files() throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path path : paths) {
      if (Files.isDirectory(path)) {
        files.addAll(inside(path));
      } else {
        files.add(path);
      }
    }
    return files;
  }

  private static List<Path> inside(Path folder) throws IOException {
    try (Stream<Path> found = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
      List<Path> pictures = found
          .filter(Picture::isNamedLikeOne)
          .filter(Files::isRegularFile)
          .sorted()
          .toList();
      if (pictures.isEmpty()) {
        throw new NoSuchFileException(folder.toString(), null, "no pictures in this folder");
      }
      return pictures;
    }
  }
}
