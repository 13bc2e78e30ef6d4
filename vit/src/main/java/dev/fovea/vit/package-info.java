@org.jspecify.annotations.NullMarked
package dev.fovea.vit;
