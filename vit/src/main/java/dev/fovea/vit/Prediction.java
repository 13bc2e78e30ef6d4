package dev.fovea.vit;

/**
 * One of the classes that a model sees in a picture.
 *
 * @param index of the class
 * @param label its name, as {@link Labels} has it
 * @param probability by the softmax over all classes
 */
public record Prediction(int index, String label, double probability) {}
