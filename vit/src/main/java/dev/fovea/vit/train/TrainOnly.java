package dev.fovea.vit.train;

import dev.fovea.vit.model.VitConfig;
import java.util.function.Predicate;

/** Which parameters are trained. The others get neither gradients nor state, and less is kept of the forward pass. */
public enum TrainOnly {
  /** All. */
  ALL {
    @Override
    Predicate<String> names(VitConfig config) {
      return name -> true;
    }
  },
  /**
   * Projections of the blocks' attentions, with norms of queries and keys, learned positions and the classifier (Three
   * things, section 3 and its code): a third of a sequential model.
   */
  ATTENTION {
    @Override
    Predicate<String> names(VitConfig config) {
      if (config.block() == VitConfig.Block.PARALLEL) {
        throw new IllegalArgumentException("train_only: got attention for a model whose blocks multiply attention and"
            + " MLP by one matrix, expected all or head");
      }
      return name ->
          name.startsWith("blocks.") && name.contains(".attn.") || name.equals("positions") || name.startsWith(HEADS);
    }
  },
  /** The classifier: a linear probe. */
  HEAD {
    @Override
    Predicate<String> names(VitConfig config) {
      return name -> name.startsWith(HEADS);
    }
  };

  private static final String HEADS = "head.";

  /** Which names those are in a model. */
  abstract Predicate<String> names(VitConfig config);
}
