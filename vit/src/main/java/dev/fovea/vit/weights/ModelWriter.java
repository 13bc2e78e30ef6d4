package dev.fovea.vit.weights;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.AtomicFile;
import dev.fovea.tensor.io.Safetensors;
import dev.fovea.vit.model.Resampling;
import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Writes a model folder: {@code config.json} and {@code model.safetensors}. A new folder appears as a whole; in a
 * folder that is there, each file is replaced as a whole, the configuration last.
 */
public final class ModelWriter {
  private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** What transformers and others want to see in a file of tensors. */
  private static final Map<String, String> FORMAT = Map.of("format", "pt");

  private ModelWriter() {}

  /**
   * Writes a model so that timm reads it, or, where timm has no such model, in Fovea's own form.
   *
   * @param parameters by our names
   */
  public static void save(Path folder, VitConfig config, Map<String, Tensor> parameters, Notes notes)
      throws IOException {
    TimmArguments timm = TimmArguments.of(config).orElse(null);
    if (timm != null) {
      writeTimm(folder, config, timm, parameters, notes);
      return;
    }
    ObjectNode description = JSON.createObjectNode();
    description.set("fovea", JSON.readTree(config.toJson()));
    description.setAll(notes.settings());
    write(folder, description, parameters, notes);
  }

  /**
   * Writes a model in timm's names.
   *
   * @throws IllegalArgumentException if timm has no such model
   */
  public static void saveTimm(Path folder, VitConfig config, Map<String, Tensor> parameters, Notes notes)
      throws IOException {
    TimmArguments timm = TimmArguments.of(config)
        .orElseThrow(() -> new IllegalArgumentException(
            "model: got one that timm has not, expected one that some architecture of timm and model_args make: "
                + config));
    writeTimm(folder, config, timm, parameters, notes);
  }

  private static void writeTimm(
      Path folder, VitConfig config, TimmArguments timm, Map<String, Tensor> parameters, Notes notes)
      throws IOException {
    ObjectNode description = JSON.createObjectNode();
    description.put("architecture", timm.architecture());
    description.put("num_classes", config.classes());
    description.put("num_features", config.width());
    if (!timm.arguments().isEmpty()) {
      description.set("model_args", timm.arguments());
    }
    if (config.resampling() != Resampling.BICUBIC_ANTIALIAS) {
      // timm resamples positions in one way; of what it does not know it takes no notice.
      description.putObject("fovea").put("resampling", config.resampling().name());
    }
    description.setAll(notes.settings());
    ObjectNode pretrained = description.withObject("/pretrained_cfg");
    pretrained
        .putArray("input_size")
        .add(config.channels())
        .add(config.imageHeight())
        .add(config.imageWidth());
    pretrained.put("num_classes", config.classes());
    try (Scope scope = Scope.open()) {
      write(folder, description, WeightMap.timm(config, Set.of()).export(parameters), notes);
    }
  }

  private static void write(Path folder, ObjectNode description, Map<String, Tensor> tensors, Notes notes)
      throws IOException {
    Path target = folder.toAbsolutePath();
    if (Files.exists(target)) {
      fill(target, description, tensors, notes);
      return;
    }
    Path parent = target.getParent();
    if (parent == null) {
      throw new IOException(folder + ": is no place for a folder");
    }
    Files.createDirectories(parent);
    Path part = Files.createTempDirectory(parent, ".fovea-");
    try {
      Path inner = Files.createDirectory(part.resolve("model"));
      fill(inner, description, tensors, notes);
      Files.move(inner, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      delete(part);
    }
  }

  private static void fill(Path folder, ObjectNode description, Map<String, Tensor> tensors, Notes notes)
      throws IOException {
    Safetensors.write(folder.resolve("model.safetensors"), tensors, FORMAT);
    for (Map.Entry<String, byte[]> file : notes.files().entrySet()) {
      write(folder.resolve(file.getKey()), file.getValue());
    }
    write(folder.resolve("config.json"), JSON.writeValueAsBytes(description));
  }

  private static void write(Path file, byte[] content) throws IOException {
    AtomicFile.write(file, (WritableByteChannel channel) -> {
      ByteBuffer bytes = ByteBuffer.wrap(content);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    });
  }

  private static void delete(Path folder) throws IOException {
    List<Path> inside;
    try (Stream<Path> all = Files.walk(folder)) {
      inside = all.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : inside) {
      Files.delete(path);
    }
  }
}
