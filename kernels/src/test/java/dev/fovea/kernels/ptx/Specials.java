package dev.fovea.kernels.ptx;

import java.util.Set;

/** The special registers. */
final class Specials {
  private static final Set<String> CLOCKS =
      Set.of("%clock", "%clock_hi", "%clock64", "%globaltimer", "%globaltimer_lo", "%globaltimer_hi");

  private Specials() {}

  /** Whether it changes while a kernel runs, so that it cannot be a register filled at the start. */
  static boolean clock(String name) {
    return CLOCKS.contains(name);
  }

  /** Fails for a name that this machine does not know. */
  static boolean known(String name) {
    return CLOCKS.contains(name) || NAMES.contains(name);
  }

  private static final Set<String> NAMES = Set.of(
      "%tid.x",
      "%tid.y",
      "%tid.z",
      "%ntid.x",
      "%ntid.y",
      "%ntid.z",
      "%ctaid.x",
      "%ctaid.y",
      "%ctaid.z",
      "%nctaid.x",
      "%nctaid.y",
      "%nctaid.z",
      "%laneid",
      "%warpid",
      "%nwarpid",
      "%smid",
      "%nsmid",
      "%gridid",
      "%lanemask_eq",
      "%lanemask_lt",
      "%lanemask_le",
      "%lanemask_gt",
      "%lanemask_ge",
      "%dynamic_smem_size",
      "%total_smem_size",
      "%clusterid.x",
      "%clusterid.y",
      "%clusterid.z",
      "%nclusterid.x",
      "%nclusterid.y",
      "%nclusterid.z",
      "%cluster_ctaid.x",
      "%cluster_ctaid.y",
      "%cluster_ctaid.z",
      "%cluster_nctaid.x",
      "%cluster_nctaid.y",
      "%cluster_nctaid.z",
      "%cluster_ctarank",
      "%cluster_nctarank");

  static long value(String name, Warp warp, int lane) {
    Block block = warp.block;
    Block.Launch launch = block.launch;
    int thread = warp.thread(lane);
    return switch (name) {
      case "%tid.x" -> thread % launch.blockX();
      case "%tid.y" -> thread / launch.blockX() % launch.blockY();
      case "%tid.z" -> thread / launch.blockX() / launch.blockY();
      case "%ntid.x" -> launch.blockX();
      case "%ntid.y" -> launch.blockY();
      case "%ntid.z" -> launch.blockZ();
      case "%ctaid.x", "%clusterid.x" -> block.x();
      case "%ctaid.y", "%clusterid.y" -> block.y();
      case "%ctaid.z", "%clusterid.z" -> block.z();
      case "%nctaid.x", "%nclusterid.x" -> launch.gridX();
      case "%nctaid.y", "%nclusterid.y" -> launch.gridY();
      case "%nctaid.z", "%nclusterid.z" -> launch.gridZ();
      case "%laneid" -> lane;
      case "%warpid" -> warp.index;
      case "%nwarpid" -> block.warpCount;
      case "%nsmid", "%cluster_nctaid.x", "%cluster_nctaid.y", "%cluster_nctaid.z", "%cluster_nctarank" -> 1;
      case "%lanemask_eq" -> 1L << lane;
      case "%lanemask_lt" -> (1L << lane) - 1;
      case "%lanemask_le" -> (2L << lane) - 1;
      case "%lanemask_gt" -> 0xffff_ffffL & -(2L << lane);
      case "%lanemask_ge" -> 0xffff_ffffL & -(1L << lane);
      case "%dynamic_smem_size" -> launch.dynamicShared();
      case "%total_smem_size" -> block.kernel.staticShared + launch.dynamicShared();
      default -> 0;
    };
  }
}
