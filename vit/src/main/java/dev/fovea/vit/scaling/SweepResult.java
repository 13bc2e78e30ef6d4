package dev.fovea.vit.scaling;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;

/**
 * How a model of a sweep did.
 *
 * @param run its name
 * @param heads of attention
 * @param parameters of the model
 * @param gflops of one picture's forward pass
 * @param pictures that it was trained on, each time counted
 * @param compute gflops times pictures, as Getting ViT in Shape accounts for it: without the backward pass
 * @param error share of pictures of the validation set that it is wrong about; half a picture if it is about none
 * @param valLoss its loss there
 * @param seconds that training took, as far as it was not interrupted
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record SweepResult(
    String run,
    int width,
    int depth,
    int mlp,
    int heads,
    long steps,
    int trainSize,
    long parameters,
    double gflops,
    long pictures,
    double compute,
    double error,
    double valLoss,
    double seconds) {
  private static final JsonMapper JSON = new JsonMapper();
  private static final String COLUMNS =
      "run,width,depth,mlp,heads,steps,train_size,parameters,gflops,pictures,compute,error,val_loss,seconds";

  static SweepResult read(Path file) throws IOException {
    return JSON.readValue(file.toFile(), SweepResult.class);
  }

  void write(Path file) throws IOException {
    replace(file, JSON.writeValueAsString(this) + "\n");
  }

  /** Writes a table as {@link RunTable} reads it; the file appears whole. */
  static void write(List<SweepResult> results, Path file) throws IOException {
    StringBuilder text = new StringBuilder(
        "# compute: billions of operations of a forward pass, times pictures; error: of the validation set\n");
    text.append(COLUMNS).append('\n');
    results.forEach(result -> text.append(result.row()).append('\n'));
    replace(file, text.toString());
  }

  private String row() {
    return String.format(
        Locale.ROOT,
        "%s,%d,%d,%d,%d,%d,%d,%d,%.6g,%d,%.6g,%.6g,%.6g,%.1f",
        run,
        width,
        depth,
        mlp,
        heads,
        steps,
        trainSize,
        parameters,
        gflops,
        pictures,
        compute,
        error,
        valLoss,
        seconds);
  }

  private static void replace(Path file, String text) throws IOException {
    Path aside = file.resolveSibling(file.getFileName() + ".part");
    Files.writeString(aside, text);
    Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
