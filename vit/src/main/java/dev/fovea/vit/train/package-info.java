/** Training: schedules, losses, optimizers, the trainer, its checkpoints and its run folder. */
@NullMarked
package dev.fovea.vit.train;

import org.jspecify.annotations.NullMarked;
