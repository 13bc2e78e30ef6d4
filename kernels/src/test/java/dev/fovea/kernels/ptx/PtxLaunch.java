package dev.fovea.kernels.ptx;

import java.util.List;

/**
 * A kernel that ran.
 *
 * @param kernel its name
 * @param grid blocks along x, y, z
 * @param block threads along x, y, z
 * @param sharedBytes dynamic shared memory of a block
 * @param instructions executed, counted per thread
 */
public record PtxLaunch(String kernel, List<Integer> grid, List<Integer> block, int sharedBytes, long instructions) {}
