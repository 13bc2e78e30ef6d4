package dev.fovea.vit.weights;

import dev.fovea.tensor.io.Npz;
import dev.fovea.tensor.io.Safetensors;
import dev.fovea.tensor.io.ShardedSafetensors;
import dev.fovea.tensor.io.TensorFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finds the weights and the configuration that a path means: a file of weights, a folder that holds one, or a
 * repository in the cache of Hugging Face.
 *
 * @param weights a safetensors file, its index, or an npz file
 * @param config the {@code config.json} beside it, or null
 */
record ModelFiles(Path weights, @Nullable Path config) {
  private static final String INDEX = ".safetensors.index.json";
  private static final Pattern SHARD = Pattern.compile(".*-\\d+-of-\\d+\\.safetensors");
  private static final Pattern PICKLE = Pattern.compile(".*\\.(bin|pt|pth|ckpt|pkl)");

  static ModelFiles find(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new NoSuchFileException(path.toString(), null, "no such file or folder");
    }
    if (!Files.isDirectory(path)) {
      return beside(path);
    }
    return beside(weights(snapshot(path)));
  }

  private static ModelFiles beside(Path weights) {
    Path config = weights.resolveSibling("config.json");
    return new ModelFiles(weights, Files.isRegularFile(config) ? config : null);
  }

  /** The newest snapshot of a repository in a Hugging Face cache; other folders are what they are. */
  private static Path snapshot(Path folder) throws IOException {
    Path main = folder.resolve("refs/main");
    Path snapshots = folder.resolve("snapshots");
    if (Files.isRegularFile(main) && Files.isDirectory(snapshots)) {
      String commit = Files.readString(main).strip();
      if (commit.matches("[0-9a-zA-Z]+") && Files.isDirectory(snapshots.resolve(commit))) {
        return snapshots.resolve(commit);
      }
    }
    return folder;
  }

  private static Path weights(Path folder) throws IOException {
    for (String name : new String[] {"model.safetensors", "model" + INDEX}) {
      if (Files.isRegularFile(folder.resolve(name))) {
        return folder.resolve(name);
      }
    }
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files = all.filter(Files::isRegularFile).sorted().toList();
    }
    List<Path> models = new ArrayList<>();
    List<Path> others = new ArrayList<>();
    for (Path file : files) {
      if (mayHoldTensors(name(file))) {
        (isModel(file) ? models : others).add(file);
      }
    }
    if (models.size() == 1) {
      return models.getFirst();
    }
    if (models.size() > 1) {
      throw new IllegalArgumentException(
          "%s: got several models, %s, expected one: name the file".formatted(folder, models));
    }
    if (others.size() == 1) {
      // Opening it will say what is in it.
      return others.getFirst();
    }
    for (Path file : files) {
      if (PICKLE.matcher(name(file)).matches()) {
        throw pickle(file);
      }
    }
    throw new NoSuchFileException(
        folder.toString(),
        null,
        "no weights here, expected model.safetensors, its index, or an npz file of big_vision");
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }

  private static boolean mayHoldTensors(String name) {
    return name.endsWith(INDEX)
        || name.endsWith(".npz")
        || name.endsWith(".safetensors") && !SHARD.matcher(name).matches();
  }

  private static boolean isModel(Path file) throws IOException {
    try (TensorFile tensors = open(file)) {
      return Family.of(new Names(tensors.names())) != null;
    }
  }

  /** Opens a file of weights by what is in it, whatever its name. */
  static TensorFile open(Path file) throws IOException {
    if (name(file).endsWith(INDEX)) {
      return ShardedSafetensors.open(file);
    }
    byte[] start;
    try (InputStream in = Files.newInputStream(file)) {
      start = in.readNBytes(9);
    }
    boolean zip = start.length > 3 && start[0] == 'P' && start[1] == 'K';
    if (PICKLE.matcher(name(file)).matches() || start.length > 1 && start[0] == (byte) 0x80 && start[1] <= 5) {
      throw pickle(file);
    }
    if (zip) {
      return npz(file);
    }
    boolean header = start.length == 9
        && start[8] == '{'
        && ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong() > 0;
    if (header || name(file).endsWith(".safetensors")) {
      return Safetensors.open(file);
    }
    throw new IllegalArgumentException(file + ": is no file of weights, expected safetensors, its index, or npz");
  }

  /** PyTorch's own files are zip archives too, of one pickle and raw data. */
  private static TensorFile npz(Path file) throws IOException {
    Npz npz = Npz.open(file);
    if (npz.names().isEmpty()) {
      npz.close();
      throw pickle(file);
    }
    return npz;
  }

  private static IllegalArgumentException pickle(Path file) {
    return new IllegalArgumentException(file + ": is a pickle of PyTorch, which can run any code when it is read and"
        + " so is not read here: expected safetensors or npz (safetensors.torch.save_file converts it)");
  }
}
