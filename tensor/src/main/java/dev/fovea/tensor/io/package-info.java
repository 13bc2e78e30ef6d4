/**
 * Files of tensors: safetensors (single and sharded), npy and npz.
 *
 * {@snippet :
 * try (Scope scope = Scope.open();
 *     TensorFile file = TensorFile.open(Path.of("model.safetensors"))) {
 *   Tensor weight = file.load("head.weight", DType.F32);
 * }
 * }
 *
 * <p>{@link dev.fovea.tensor.io.TensorFile#open} recognises a file by its name;
 * {@link dev.fovea.tensor.io.Safetensors}, {@link dev.fovea.tensor.io.ShardedSafetensors} and
 * {@link dev.fovea.tensor.io.Npz} open one kind, {@link dev.fovea.tensor.io.Npy} handles the one-tensor files.
 *
 * <p>Files are read through a memory mapping, tensor by tensor, and are not trusted: every length, offset and shape is
 * checked against the length of the file before anything of that size is allocated, and whatever does not fit is one
 * {@link dev.fovea.tensor.io.MalformedFileException} that names file, tensor, what was found and what was expected.
 * Files are written beside their target, forced to the disk and then renamed: the target is the old file or the whole
 * new one, never a part.
 */
@NullMarked
package dev.fovea.tensor.io;

import org.jspecify.annotations.NullMarked;
