package dev.fovea.vit.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.Npz;
import dev.fovea.tensor.io.Safetensors;
import dev.fovea.vit.model.ParameterShapes;
import dev.fovea.vit.model.Resampling;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.model.VitConfig.Norm;
import dev.fovea.vit.model.VitConfig.Pool;
import dev.fovea.vit.model.VitConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random models of many shapes, written in each family's names and layout, are recognised again with the configuration
 * and the parameters that they had. The numbers that such files compute are another test's.
 */
final class FamilyTest {
  private static final Norm LAYER = Norm.layer(1e-6f);

  @TempDir
  Path folder;

  private static VitConfigBuilder small() {
    return VitConfig.builder()
        .image(32)
        .patch(8)
        .shape(24, 2, 40, 3)
        .activation(Activation.GELU_ERF)
        .resampling(Resampling.BICUBIC)
        .pool(Pool.CLASS)
        .classToken(true)
        .prefixPositions(true);
  }

  /** Writes, reads, compares. */
  private void roundTrip(VitConfig config, List<Piece> pieces, String json, Extra... extras) throws IOException {
    try (Scope scope = Scope.open()) {
      Map<String, Tensor> parameters = new TreeMap<>();
      ParameterShapes.of(config)
          .forEach((name, shape) -> parameters.put(name, Tensor.normal(shape, DType.F32, 1, name.hashCode())));
      WeightMap map = new WeightMap(config, pieces, name -> false);
      Map<String, Tensor> tensors = new LinkedHashMap<>(map.export(parameters));
      for (Extra extra : extras) {
        tensors.put(extra.name, Tensor.zeros(Shape.of(extra.shape), DType.F32));
      }
      Files.list(folder).forEach(file -> file.toFile().delete());
      Files.writeString(folder.resolve("config.json"), json);
      if (pieces.getFirst().source().contains("kernel")) {
        Npz.write(folder.resolve("any.npz"), new LinkedHashMap<>(tensors));
      } else {
        Safetensors.write(folder.resolve("model.safetensors"), tensors);
      }
      try (Checkpoint checkpoint = Checkpoint.open(folder)) {
        assertEquals(config, checkpoint.config());
        Map<String, Tensor> again = checkpoint.load(DType.F32);
        assertEquals(parameters.keySet(), again.keySet());
        parameters.forEach((name, values) ->
            assertArrayEquals(values.toFloats(), again.get(name).toFloats(), name));
      }
    }
  }

  private record Extra(String name, long... shape) {}

  private static String settings(VitConfig config, String more) {
    return """
        {"hidden_size": %d, "num_hidden_layers": %d, "num_attention_heads": %d, "intermediate_size": %d,
         "image_size": %d, "patch_size": %d, "num_channels": %d, %s}\
        """.formatted(
            config.width(),
            config.depth(),
            config.heads(),
            config.mlp(),
            config.imageHeight(),
            config.patchHeight(),
            config.channels(),
            more);
  }

  private static Names v4(String prefix, String... more) {
    return new Names(List.of(
        prefix + "embeddings.patch_embeddings.projection.weight",
        prefix + "encoder.layer.0.attention.attention.query.weight",
        prefix + "encoder.layer.0.attention.attention.key.weight",
        prefix + "encoder.layer.0.attention.attention.value.weight",
        prefix + "encoder.layer.0.attention.output.dense.weight",
        prefix + (more.length > 0 ? more[0] : "encoder.layer.0.intermediate.dense.weight"),
        prefix + (more.length > 0 ? more[1] : "encoder.layer.0.output.dense.weight"),
        prefix + (more.length > 0 ? "encoder.layer.0.norm1.weight" : "encoder.layer.0.layernorm_before.weight"),
        prefix + (more.length > 0 ? "encoder.layer.0.norm2.weight" : "encoder.layer.0.layernorm_after.weight")));
  }

  private static Names v5(String prefix) {
    return new Names(List.of(
        prefix + "embeddings.patch_embeddings.projection.weight",
        prefix + "layers.0.attention.q_proj.weight",
        prefix + "layers.0.attention.k_proj.weight",
        prefix + "layers.0.attention.v_proj.weight",
        prefix + "layers.0.attention.o_proj.weight",
        prefix + "layers.0.mlp.fc1.weight",
        prefix + "layers.0.mlp.fc2.weight",
        prefix + "layers.0.layernorm_before.weight",
        prefix + "layers.0.layernorm_after.weight"));
  }

  @Test
  void transformersVit() throws IOException {
    Norm norm = Norm.layer(1e-12f);
    VitConfig bare = small().norm(norm).finalNorm(norm).preLogits(24).build();
    String json = settings(bare, "\"model_type\": \"vit\"");
    roundTrip(bare, TransformersNames.of(bare, v4("")), json);
    roundTrip(bare, TransformersNames.of(bare, v4("vit.")), json, new Extra("vit.embeddings.mask_token", 1, 1, 24));
    roundTrip(bare, TransformersNames.of(bare, v5("")), json);
    VitConfig classifier = small()
        .norm(Norm.layer(1e-5f))
        .finalNorm(Norm.layer(1e-5f))
        .qkvBias(false)
        .activation(Activation.GELU_QUICK)
        .classes(4)
        .build();
    String quick = settings(
        classifier,
        "\"model_type\": \"vit\", \"layer_norm_eps\": 1e-5, \"hidden_act\": \"quick_gelu\", \"qkv_bias\": false");
    roundTrip(classifier, TransformersNames.of(classifier, v4("vit.")), quick);
    roundTrip(classifier, TransformersNames.of(classifier, v5("vit.")), quick);
    VitConfig wide =
        small().imageWidth(48).norm(norm).finalNorm(norm).channels(1).build();
    roundTrip(
        wide,
        TransformersNames.of(wide, v5("")),
        settings(wide, "\"model_type\": \"vit\"").replace("\"image_size\": 32", "\"image_size\": [32, 48]"));
  }

  @Test
  void transformersDinov2() throws IOException {
    VitConfigBuilder dino = small().shape(24, 2, 96, 3).layerScale(true).dynamicSize(true);
    String[] plain = {"encoder.layer.0.mlp.fc1.weight", "encoder.layer.0.mlp.fc2.weight"};
    VitConfig base = dino.build();
    roundTrip(
        base,
        TransformersNames.of(base, v4("", plain)),
        settings(base, "\"model_type\": \"dinov2\""),
        new Extra("embeddings.mask_token", 1, 24));
    VitConfig both = dino.pool(Pool.CLASS_AND_MEAN).classes(5).build();
    roundTrip(
        both,
        TransformersNames.of(both, v4("dinov2.", plain)),
        settings(both, "\"model_type\": \"dinov2\", \"use_mask_token\": false"));
    VitConfig registers = dino.pool(Pool.CLASS)
        .classes(0)
        .registers(3)
        .prefixPositions(false)
        .resampling(Resampling.BICUBIC_ANTIALIAS)
        .build();
    roundTrip(
        registers,
        TransformersNames.of(registers, v4("", plain)),
        settings(registers, "\"model_type\": \"dinov2_with_registers\", \"num_register_tokens\": 3"));
    // 24 * 4 * 2 / 3 = 64, a multiple of 8, twice.
    VitConfig gated =
        registers.toBuilder().gated(true).activation(Activation.SILU).mlp(128).build();
    String[] swiglu = {"encoder.layer.0.mlp.weights_in.weight", "encoder.layer.0.mlp.weights_out.weight"};
    roundTrip(
        gated,
        TransformersNames.of(gated, v4("", swiglu)),
        settings(
            gated, "\"model_type\": \"dinov2_with_registers\", \"num_register_tokens\": 3, \"use_swiglu_ffn\": true"));
    Names halves = v4("", "encoder.layer.0.mlp.gate_proj.weight", "encoder.layer.0.mlp.down_proj.weight");
    roundTrip(
        gated,
        TransformersNames.of(gated, halves),
        settings(
            gated, "\"model_type\": \"dinov2_with_registers\", \"num_register_tokens\": 3, \"use_swiglu_ffn\": true"));
    roundTrip(
        base,
        TransformersNames.of(base, v4("", plain)),
        settings(base, "\"model_type\": \"dinov2_with_registers\", \"num_register_tokens\": 0"),
        new Extra("embeddings.register_tokens", 1, 0, 24));
    VitConfig odd = gated.toBuilder().mlp(96).build();
    roundTrip(
        odd,
        TransformersNames.of(odd, v4("", swiglu)),
        settings(
            odd,
            "\"model_type\": \"dinov2_with_registers\", \"num_register_tokens\": 3, \"use_swiglu_ffn\": true,"
                + " \"mlp_ratio\": 2.6"));
  }

  @Test
  void siglip() throws IOException {
    VitConfig tower = small()
        .classToken(false)
        .prefixPositions(false)
        .pool(Pool.MAP)
        .activation(Activation.GELU_TANH)
        .build();
    Names alone = new Names(Set.of("embeddings.patch_embedding.weight", "encoder.layers.0.layer_norm1.weight"));
    Names inside = new Names(
        Set.of("vision_model.embeddings.patch_embedding.weight", "vision_model.encoder.layers.0.layer_norm1.weight"));
    String type = "\"model_type\": \"siglip_vision_model\"";
    roundTrip(tower, SiglipNames.of(tower, alone), settings(tower, type));
    roundTrip(tower, SiglipNames.of(tower, inside), settings(tower, type));
    String whole = "{\"model_type\": \"siglip\", \"text_config\": {\"hidden_size\": 7}, \"vision_config\": %s}"
        .formatted(settings(tower, type));
    roundTrip(
        tower,
        SiglipNames.of(tower, inside),
        whole,
        new Extra("text_model.encoder.layers.0.layer_norm1.weight", 7),
        new Extra("logit_scale", 1),
        new Extra("logit_bias", 1));
    VitConfig classifier = tower.toBuilder()
        .pool(Pool.MEAN)
        .poolHeads(0)
        .poolMlp(0)
        .poolActivation(Activation.NONE)
        .classes(3)
        .build();
    roundTrip(classifier, SiglipNames.of(classifier, inside), whole, new Extra("vision_model.head.probe", 1, 1, 24));
    VitConfig headless = classifier.toBuilder().classes(0).build();
    roundTrip(headless, SiglipNames.of(headless, alone), settings(headless, type + ", \"vision_use_head\": false"));
  }

  private static FlaxNames.Style flax(String prefix, boolean scan) {
    return new FlaxNames.Style(
        prefix,
        scan,
        false,
        "pos_embedding",
        "MAPHead_0/",
        "MultiHeadDotProductAttention_0/",
        "LayerNorm_1/",
        "MlpBlock_0/");
  }

  private static VitConfigBuilder flaxSmall() {
    return small()
        .activation(Activation.GELU_TANH)
        .resampling(Resampling.BILINEAR_CORNERS)
        .norm(LAYER)
        .prefixPositions(false);
  }

  @Test
  void bigVision() throws IOException {
    VitConfig cls = flaxSmall().classes(5).build();
    for (String prefix : new String[] {"", "params/", "params/img/", "opt/target/"}) {
      for (boolean scan : new boolean[] {false, true}) {
        Extra[] beside = prefix.isEmpty()
            ? new Extra[0]
            : new Extra[] {new Extra(prefix.contains("img") ? "params/txt/Embed_0/embedding" : "state/step", 3)};
        roundTrip(cls, FlaxNames.of(cls, flax(prefix, scan)), "{}", beside);
      }
    }
    VitConfig logits = cls.toBuilder().preLogits(10).build();
    roundTrip(logits, FlaxNames.of(logits, flax("params/", false)), "{\"rep_size\": 10}");
    VitConfig gap = cls.toBuilder().classToken(false).pool(Pool.MEAN).build();
    roundTrip(gap, FlaxNames.of(gap, flax("", true)), "{}");
    VitConfig fixed =
        gap.toBuilder().positions(VitConfig.Positions.SINCOS).imageHeight(40).build();
    roundTrip(
        fixed,
        FlaxNames.of(fixed, flax("", false)),
        "{\"image_size\": [40, 32], \"posemb\": \"sincos2d\", \"mlp_dim\": null}");
    VitConfig map = gap.toBuilder()
        .pool(Pool.MAP)
        .poolMlp(56)
        .poolHeads(2)
        .qkNorm(new Norm(true, false, 1e-6f))
        .qkvBias(false)
        .classes(0)
        .build();
    roundTrip(
        map.toBuilder().qkvBias(true).build(),
        FlaxNames.of(map.toBuilder().qkvBias(true).build(), flax("params/", true)),
        "{}");
  }

  @Test
  void olderFlax() throws IOException {
    Function<String, FlaxNames.Style> style = positions -> new FlaxNames.Style(
        "", false, false, positions, "", "MultiHeadDotProductAttention_1/", "LayerNorm_2/", "MlpBlock_3/");
    VitConfig augreg =
        flaxSmall().prefixPositions(true).preLogits(24).classes(5).build();
    roundTrip(augreg, FlaxNames.of(augreg, style.apply("Transformer/posembed_input/pos_embedding")), "{}");
    VitConfig map = flaxSmall().classToken(false).pool(Pool.MAP).build();
    roundTrip(map, FlaxNames.of(map, style.apply("Transformer/pos_embedding")), "{}");
    VitConfig naflex = map.toBuilder().imageWidth(48).build();
    roundTrip(
        naflex,
        FlaxNames.of(
            naflex,
            new FlaxNames.Style(
                "params/img/",
                true,
                true,
                "pos_embedding",
                "MAPHead_0/",
                "MultiHeadDotProductAttention_0/",
                "LayerNorm_1/",
                "MlpBlock_0/")),
        "{}");
  }

  @Test
  void timm() throws IOException {
    Map<String, String> cases = new LinkedHashMap<>();
    String args = "\"embed_dim\": 24, \"num_heads\": 3, \"depth\": 2, \"img_size\": [28, 42], \"patch_size\": 14";
    for (String architecture : new String[] {
      "vit_small_patch16_36x1_224",
      "vit_base_patch16_18x2_224",
      "vit_base_patch16_xp_224",
      "vit_base_patch16_clip_quickgelu_224",
      "vit_giant_patch14_dinov2",
      "vit_base_patch14_reg4_dinov2",
      "vit_so150m_patch16_reg4_map_256",
      "vit_so400m_patch16_siglip_gap_256",
      "deit3_small_patch16_224",
      "deit_tiny_patch16_224"
    }) {
      cases.put(architecture, args);
    }
    cases.put(
        "vit_base_patch16_224",
        args + ", \"in_chans\": 1, \"qk_norm\": true, \"norm_layer\": \"rmsnorm\", \"act_layer\": \"gelu_tanh\","
            + " \"proj_bias\": false, \"init_values\": 0.1, \"pre_norm\": true, \"reg_tokens\": 2,"
            + " \"pos_embed\": \"none\", \"fc_norm\": true, \"mlp_ratio\": 2.7, \"drop_path_rate\": 0.1");
    for (Map.Entry<String, String> test : cases.entrySet()) {
      String json = "{\"architecture\": \"%s\", \"num_classes\": 3, \"model_args\": {%s}}"
          .formatted(test.getKey(), test.getValue());
      VitConfig config = TimmConfig.read(Files.writeString(folder.resolve("config.json"), json));
      assertEquals(24, config.width());
      assertEquals(6, config.patches());
      roundTrip(config, TimmNames.of(config, new Names(Set.of())), json);
    }
    String json = "{\"architecture\": \"vit_base_patch16_xp_224\", \"model_args\": {%s}}".formatted(args);
    VitConfig fused = TimmConfig.read(Files.writeString(folder.resolve("config.json"), json)).toBuilder()
        .projBias(false)
        .build();
    roundTrip(fused, TimmNames.of(fused, new Names(Set.of("blocks.0.out_proj.weight"))), json);
  }
}
