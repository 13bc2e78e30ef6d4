package dev.fovea.vit.data;

import dev.fovea.vit.image.Picture;
import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Pictures in one folder for each class. */
final class ImageFolder {
  private static final List<String> TRAINING = List.of("train", "training");
  private static final List<String> VALIDATION = List.of("val", "valid", "validation", "test");

  /** The class of pictures whose classes do not matter. */
  private static final String ANY = "any";

  private final int side;
  private final Remarks remarks;

  private ImageFolder(int side, Remarks remarks) {
    this.side = side;
    this.remarks = remarks;
  }

  static Split open(Path folder, long seed, int side, Remarks remarks) throws IOException {
    ImageFolder reader = new ImageFolder(side, remarks);
    Path training = inside(folder, TRAINING);
    Path validation = training == null ? null : inside(folder, VALIDATION);
    NavigableMap<String, List<Path>> found = reader.classes(training == null ? folder : training);
    if (found.isEmpty()) {
      throw new IllegalArgumentException(
          folder + ": holds no folders of pictures, no CSV, MNIST or CIFAR files: expected a folder for each class");
    }
    List<String> classes = List.copyOf(found.keySet());
    Labelled learned = reader.pictures(found, classes);
    Labelled unseen = validation == null ? null : reader.pictures(reader.classes(validation), classes);
    return Split.of(folder, "picture files", learned, unseen, seed, remarks);
  }

  /** All pictures below a folder as one class; null if there are none. */
  static @Nullable Split unlabelled(Path folder, long seed, int side) throws IOException {
    ImageFolder reader = new ImageFolder(side, new Remarks());
    Path training = inside(folder, TRAINING);
    Path validation = training == null ? null : inside(folder, VALIDATION);
    List<Path> files = reader.files(training == null ? folder : training);
    if (files.isEmpty()) {
      return null;
    }
    List<String> classes = List.of(ANY);
    Labelled learned = reader.pictures(new TreeMap<>(Map.of(ANY, files)), classes);
    Labelled unseen =
        validation == null ? null : reader.pictures(new TreeMap<>(Map.of(ANY, reader.files(validation))), classes);
    return Split.of(folder, "picture files", learned, unseen, seed, reader.remarks);
  }

  private static @Nullable Path inside(Path folder, List<String> names) {
    return names.stream()
        .map(folder::resolve)
        .filter(Files::isDirectory)
        .findFirst()
        .orElse(null);
  }

  private NavigableMap<String, List<Path>> classes(Path folder) throws IOException {
    List<Path> folders;
    try (Stream<Path> all = Files.list(folder)) {
      folders = all.filter(path -> Files.isDirectory(path) && !isHidden(path)).toList();
    }
    NavigableMap<String, List<Path>> classes = new TreeMap<>();
    for (Path each : folders) {
      List<Path> files = files(each);
      if (files.isEmpty()) {
        remarks.add(each + ": holds no pictures: left out");
      } else {
        classes.put(each.getFileName().toString(), files);
      }
    }
    return classes;
  }

  /** All pictures below a folder, in the order of their names. */
  private List<Path> files(Path folder) throws IOException {
    List<Path> files = new ArrayList<>();
    Files.walkFileTree(folder, EnumSet.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, new SimpleFileVisitor<>() {
      @Override
      public FileVisitResult preVisitDirectory(Path at, BasicFileAttributes attributes) {
        return isHidden(at) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
      }

      @Override
      public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
        if (isHidden(file)) {
          return FileVisitResult.CONTINUE;
        }
        if (attributes.isRegularFile() && Picture.isNamedLikeOne(file)) {
          files.add(file);
        } else {
          remarks.add(file + ": is not named like a picture: left out");
        }
        return FileVisitResult.CONTINUE;
      }

      @Override
      public FileVisitResult visitFileFailed(Path file, IOException e) {
        remarks.add("%s: cannot be read (%s): left out".formatted(file, e.getMessage()));
        return FileVisitResult.CONTINUE;
      }
    });
    Collections.sort(files);
    return files;
  }

  private static boolean isHidden(Path path) {
    return String.valueOf(path.getFileName()).startsWith(".");
  }

  private PictureFiles pictures(NavigableMap<String, List<Path>> found, List<String> classes) {
    found.keySet().stream()
        .filter(name -> !classes.contains(name))
        .forEach(name -> remarks.add("%s: a class to evaluate on but not to train on: left out".formatted(name)));
    List<Path> files = new ArrayList<>();
    List<Integer> labels = new ArrayList<>();
    for (int c = 0; c < classes.size(); c++) {
      Collection<Path> its = found.getOrDefault(classes.get(c), List.of());
      files.addAll(its);
      labels.addAll(Collections.nCopies(its.size(), c));
    }
    int[] numbers = labels.stream().mapToInt(Integer::intValue).toArray();
    return new PictureFiles(files, numbers, classes, side);
  }
}
