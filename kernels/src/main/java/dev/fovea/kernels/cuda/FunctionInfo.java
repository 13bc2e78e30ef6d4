package dev.fovea.kernels.cuda;

/**
 * What a compiled kernel needs.
 *
 * @param registers of one thread
 * @param sharedBytes of one block, known when it was compiled; dynamic shared memory comes on top
 * @param localBytes of one thread: arrays and spilled registers
 * @param maxThreads most threads of one block
 */
public record FunctionInfo(int registers, int sharedBytes, int localBytes, int maxThreads) {}
