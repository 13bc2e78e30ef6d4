package dev.fovea.kernels.cuda;

/**
 * A GPU's memory at this moment, whoever uses it.
 *
 * @param freeBytes what could still be allocated
 * @param totalBytes all of it
 */
public record MemoryInfo(long freeBytes, long totalBytes) {}
