package dev.fovea.vit.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.fovea.kernels.DType;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.Safetensors;
import dev.fovea.vit.model.ParameterShapes;
import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a path may mean, and what is said about models that cannot be read. */
final class CheckpointTest {
  private static final String ARGS = """
      {"embed_dim": 24, "depth": 2, "num_heads": 3, "img_size": 32, "patch_size": 8}\
      """;
  private static final String CONFIG =
      "{\"architecture\": \"vit_tiny_patch16_224\", \"num_classes\": 3, \"model_args\": " + ARGS + "}";

  @TempDir
  Path folder;

  /** Tensors of a small timm model, by timm's names, in the current scope. */
  private static Map<String, Tensor> small() throws IOException {
    return tensors(TimmConfig.change(
            "vit_tiny_patch16_224",
            TimmConfig.of("vit_tiny_patch16_224"),
            Settings.of(new ObjectMapper().readTree(ARGS)))
        .toBuilder()
        .classes(3)
        .build());
  }

  private static Map<String, Tensor> tensors(VitConfig config) {
    Map<String, Tensor> parameters = new HashMap<>();
    ParameterShapes.of(config)
        .forEach((name, shape) -> parameters.put(name, Tensor.normal(shape, DType.F32, 1, name.hashCode())));
    return new TreeMap<>(WeightMap.timm(config, Set.of()).export(parameters));
  }

  private Path config(String json) throws IOException {
    return Files.writeString(folder.resolve("config.json"), json);
  }

  private static String fault(Class<? extends Exception> type, Path path) {
    Exception e = assertThrows(type, () -> {
      try (Checkpoint checkpoint = Checkpoint.open(path);
          Scope inside = Scope.open()) {
        checkpoint.load(DType.F32);
      }
    });
    return e.getMessage();
  }

  private static void contains(String message, String... parts) {
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
  }

  @Test
  void everythingThatIsWrongIsSaidAtOnce() throws IOException {
    try (Scope inside = Scope.open()) {
      Map<String, Tensor> tensors = small();
      tensors.remove("norm.bias");
      tensors.remove("blocks.1.attn.qkv.weight");
      tensors.put("extra.\u001b[31m", Tensor.zeros(Shape.of(2), DType.F32));
      tensors.put("head.weight", Tensor.zeros(Shape.of(4, 24), DType.F32));
      tensors.put("cls_token", Tensor.zeros(Shape.of(1, 1, 24), DType.I64));
      Safetensors.write(folder.resolve("model.safetensors"), tensors);
    }
    config(CONFIG);
    String message = fault(IllegalArgumentException.class, folder);
    contains(
        message,
        "model.safetensors",
        "missing: blocks.1.attn.qkv.weight [72, 24]",
        "missing: norm.bias [24]",
        "shape: head.weight is [4, 24], expected [3, 24]",
        "type: cls_token is I64",
        "unknown: extra.?[31m");
    assertEquals(6, message.lines().count(), message);
  }

  @Test
  void aThousandFaultsAreNotAllListed() throws IOException {
    try (Scope inside = Scope.open()) {
      Safetensors.write(folder.resolve("model.safetensors"), small());
    }
    config(CONFIG.replace("\"depth\": 2", "\"depth\": 1000"));
    contains(fault(IllegalArgumentException.class, folder), "missing: blocks.2.norm1.weight", "more");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[]|no JSON object",
        "{|not valid JSON",
        "{\"a\": 1, \"a\": 2}|not valid JSON",
        "{\"architecture\": 3}|architecture: got 3, expected a string",
        "{\"architecture\": \"resnet50\"}|architecture: got resnet50, expected one of",
        "ARGS: {\"embed_dim\": -1}|embed_dim: got -1, expected a whole number from 1 to 65536",
        "ARGS: {\"embed_dim\": 1e99}|embed_dim: got",
        "ARGS: {\"embed_dim\": \"768\"}|embed_dim: got \"768\", expected a whole number",
        "ARGS: {\"depth\": 100000000}|depth: got 100000000, expected a whole number from 1 to 1024",
        "ARGS: {\"depth\": 2.5}|depth: got 2.5",
        "ARGS: {\"num_heads\": 5}|heads: got 5, expected a divisor of the width",
        "ARGS: {\"img_size\": [1, 2, 3]}|img_size: got [1,2,3], expected a number or [height, width]",
        "ARGS: {\"img_size\": 1000000}|img_size: got 1000000",
        "ARGS: {\"img_size\": 8}|imageHeight: got 8, expected at least 16",
        "ARGS: {\"qkv_bias\": 1}|qkv_bias: got 1, expected true or false",
        "ARGS: {\"mlp_ratio\": 1e9}|mlp_ratio: got",
        "ARGS: {\"global_pool\": \"avgmax\"}|global_pool: got \"avgmax\", expected one of [avg, map, token]",
        "ARGS: {\"class_token\": false}|pool: got CLASS without a class token",
        "ARGS: {\"attn_layer\": \"diff\"}|got attn_layer, expected one of",
        "ARGS: []|model_args: got [], expected an object",
        "{\"fovea\": {\"width\": \"768\"}}|width",
        "{\"fovea\": {\"width\": 1.5}}|width",
        "{\"fovea\": {\"width\": 1200000}}|width: got 1200000, expected at most 65536",
        "{\"fovea\": {\"flux\": 1}}|got a field flux, expected one of",
        "{\"fovea\": {\"depth\": -3}}|depth: got -3",
        "{\"fovea\": 3}|fovea: got 3, expected an object"
      })
  void configurationsAreNotTrusted(String json, String fault) throws IOException {
    try (Scope inside = Scope.open()) {
      Safetensors.write(folder.resolve("model.safetensors"), small());
    }
    config(
        json.startsWith("ARGS: ")
            ? "{\"architecture\": \"vit_tiny_patch16_224\", \"model_args\": " + json.substring(6) + "}"
            : json);
    contains(fault(IllegalArgumentException.class, folder), "config.json", fault);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"model_type\": \"beit\"}|model_type: got \"beit\", expected one of",
        "{\"model_type\": \"vit\", \"hidden_act\": \"relu\"}|hidden_act: got \"relu\", expected one of [gelu, ",
        "{\"model_type\": \"vit\", \"hidden_size\": 4000000000}|hidden_size: got 4000000000",
        "{\"model_type\": \"vit\", \"num_hidden_layers\": 0}|num_hidden_layers: got 0",
        "{\"model_type\": \"vit\", \"layer_norm_eps\": -1}|layer_norm_eps: got -1",
        "{\"model_type\": \"vit\", \"image_size\": {}}|image_size: got {}",
        "{\"model_type\": \"vit\", \"num_attention_heads\": 7}|heads: got 7, expected a divisor"
      })
  void configurationsOfTransformersAreNotTrusted(String json, String fault) throws IOException {
    try (Scope inside = Scope.open()) {
      Safetensors.write(
          folder.resolve("model.safetensors"),
          Map.of("embeddings.patch_embeddings.projection.weight", Tensor.zeros(Shape.of(24, 3, 8, 8), DType.F32)));
    }
    config(json);
    contains(fault(IllegalArgumentException.class, folder), "config.json", fault);
  }

  @ParameterizedTest
  @ValueSource(strings = {"pytorch_model.bin", "model.pth", "vit.pt"})
  void picklesAreNotRead(String name) throws IOException {
    Path file = Files.write(folder.resolve(name), new byte[] {(byte) 0x80, 2, '}', 'q', 0, '.', 0, 0, 0, 0});
    contains(fault(IllegalArgumentException.class, folder), name, "pickle", "safetensors");
    contains(fault(IllegalArgumentException.class, file), name, "pickle");
    Path renamed = Files.move(file, folder.resolve("model.weights"));
    contains(fault(IllegalArgumentException.class, renamed), "pickle");
  }

  @Test
  void pickledArchivesAreNotRead() throws IOException {
    Path file = folder.resolve("weights.zip");
    try (var zip = new ZipOutputStream(Files.newOutputStream(file))) {
      zip.putNextEntry(new ZipEntry("archive/data.pkl"));
      zip.write(1);
      zip.closeEntry();
    }
    contains(fault(IllegalArgumentException.class, file), "weights.zip", "pickle");
  }

  @Test
  void whatIsNoModelIsSaid() throws IOException {
    contains(fault(NoSuchFileException.class, folder.resolve("nothing")), "nothing", "no such file or folder");
    contains(fault(NoSuchFileException.class, folder), "no weights here");
    Path text = Files.writeString(folder.resolve("notes.txt"), "not a model at all");
    contains(fault(IllegalArgumentException.class, text), "notes.txt", "is no file of weights");
    try (Scope inside = Scope.open()) {
      Safetensors.write(
          folder.resolve("model.safetensors"), Map.of("lstm.weight", Tensor.zeros(Shape.of(2), DType.F32)));
    }
    contains(fault(IllegalArgumentException.class, folder), "no known kind of model (lstm.weight)");
    Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"lstm\"}");
    contains(fault(IllegalArgumentException.class, folder), "no known kind of model, lstm (lstm.weight)");
  }

  @Test
  void modelsOfOtherKindsAreNamed() throws IOException {
    Path clip = folder.resolve("open_clip_model.safetensors");
    try (Scope inside = Scope.open()) {
      Safetensors.write(clip, Map.of("visual.trunk.pos_embed", Tensor.zeros(Shape.of(2), DType.F32)));
    }
    // Though nothing in the folder is a model that is known here.
    contains(fault(IllegalArgumentException.class, folder), clip.toString(), "open_clip's (visual.trunk.pos_embed)");
    Path rotary = folder.resolve("model.safetensors");
    try (Scope inside = Scope.open()) {
      Safetensors.write(rotary, Map.of("patch_embed.proj.weight", Tensor.zeros(Shape.of(8, 3, 16, 16), DType.F32)));
    }
    contains(fault(IllegalArgumentException.class, rotary), "got no pos_embed", "rotary");
  }

  @Test
  void aFolderOrFileOrCacheMeansTheSame() throws IOException {
    Path snapshot = Files.createDirectories(folder.resolve("models--timm--x/snapshots/0af3"));
    Files.createDirectories(folder.resolve("models--timm--x/refs"));
    Files.writeString(folder.resolve("models--timm--x/refs/main"), "0af3\n");
    Files.writeString(snapshot.resolve("config.json"), CONFIG);
    Path file = snapshot.resolve("model.safetensors");
    try (Scope inside = Scope.open()) {
      Safetensors.write(file, small());
    }
    for (Path path : new Path[] {folder.resolve("models--timm--x"), snapshot, file}) {
      try (Checkpoint checkpoint = Checkpoint.open(path)) {
        assertEquals(Family.TIMM, checkpoint.family());
        assertEquals(24, checkpoint.config().width());
        assertEquals(file, checkpoint.file());
      }
    }
    Path other = Files.move(file, snapshot.resolve("weights-of-mine"));
    try (Checkpoint checkpoint = Checkpoint.open(other)) {
      assertEquals(3, checkpoint.config().classes());
    }
    Path third = Files.move(other, snapshot.resolve("mine.safetensors"));
    try (Scope inside = Scope.open()) {
      Safetensors.write(snapshot.resolve("input.safetensors"), Map.of("x", Tensor.zeros(Shape.of(1), DType.F32)));
    }
    try (Checkpoint checkpoint = Checkpoint.open(snapshot)) {
      assertEquals(third, checkpoint.file());
    }
  }

  @Test
  void shardsAreOneModel() throws IOException {
    Map<String, float[]> whole = new HashMap<>();
    try (Scope inside = Scope.open()) {
      Map<String, Tensor> first = new TreeMap<>();
      Map<String, Tensor> second = new TreeMap<>();
      StringBuilder index = new StringBuilder();
      small().forEach((name, tensor) -> {
        boolean odd = name.length() % 2 == 1;
        (odd ? first : second).put(name, tensor);
        index
            .append(index.isEmpty() ? "" : ",")
            .append("\"%s\": \"model-0000%d-of-00002.safetensors\"".formatted(name, odd ? 1 : 2));
        whole.put(name, tensor.toFloats());
      });
      Safetensors.write(folder.resolve("model-00001-of-00002.safetensors"), first);
      Safetensors.write(folder.resolve("model-00002-of-00002.safetensors"), second);
      Files.writeString(folder.resolve("model.safetensors.index.json"), "{\"weight_map\": {" + index + "}}");
    }
    config(CONFIG);
    try (Checkpoint checkpoint = Checkpoint.open(folder);
        Scope inside = Scope.open()) {
      Map<String, Tensor> loaded = checkpoint.load(DType.F32);
      assertArrayEquals(whole.get("norm.weight"), loaded.get("norm.weight").toFloats());
      assertEquals(whole.size(), loaded.size());
    }
  }

  @Test
  void tensorsAloneAreRecognisedWhereTheyTellEnough() throws IOException {
    VitConfig tiny =
        TimmConfig.of("vit_tiny_patch16_224").toBuilder().classes(2).build();
    Path file = folder.resolve("tiny.safetensors");
    try (Scope inside = Scope.open()) {
      Safetensors.write(file, tensors(tiny));
    }
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      assertEquals(tiny, checkpoint.config());
    }
    try (Scope inside = Scope.open()) {
      Safetensors.write(file, small());
    }
    contains(fault(IllegalArgumentException.class, file), "tiny.safetensors", "do not tell norm_layer", "config.json");
    // The same shapes with either kind of GELU: the file's name decides.
    VitConfig quick = TimmConfig.of("vit_base_patch16_clip_quickgelu_224");
    var shapes = new Found(new Shapes(quick));
    assertEquals(quick, TimmShapes.of(shapes, "/models/vit_base_patch16_clip_quickgelu_224.openai/model.safetensors"));
    var unsure = assertThrows(IllegalArgumentException.class, () -> TimmShapes.of(shapes, "/models/a.safetensors"));
    contains(unsure.getMessage(), "do not tell act_layer, which may be any of");
  }

  @Test
  void shapesOfEveryArchitectureAreFoundAgainUnlessTwoShareThem() throws IOException {
    for (String name : TimmConfig.architectures()) {
      VitConfig config = TimmConfig.of(name);
      VitConfig square = config.toBuilder().dynamicSize(false).build();
      VitConfig found = TimmShapes.of(new Found(new Shapes(config)), "/models/" + name + "/model.safetensors");
      assertEquals(square.heads(), found.heads(), name);
      assertEquals(square.activation(), found.activation(), name);
      assertEquals(square.norm(), found.norm(), name);
      assertEquals(square.pool(), found.pool(), name);
      assertEquals(square.grid(), found.grid(), name);
      assertEquals(ParameterShapes.of(square), ParameterShapes.of(found), name);
    }
  }
}
