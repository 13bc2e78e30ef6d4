package dev.fovea.vit.probe;

import dev.fovea.vit.image.Picture;
import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Pictures in a folder for each class.
 *
 * @param classes names of the folders, in alphabetical order
 * @param files all pictures, class by class
 * @param labels of the pictures
 */
public record ClassFolders(List<String> classes, List<Path> files, List<Integer> labels) {
  /** Copies the lists. */
  public ClassFolders {
    classes = List.copyOf(classes);
    files = List.copyOf(files);
    labels = List.copyOf(labels);
  }

  /**
   * Looks into a folder whose folders are the classes.
   *
   * @throws IOException if it has no folders with pictures, or cannot be read
   */
  public static ClassFolders of(Path folder) throws IOException {
    List<String> classes = folders(folder);
    return of(folder, classes, classes);
  }

  /**
   * The same for classes that are known already. A folder may lack some of them.
   *
   * @throws IOException if it has others, or none
   */
  public static ClassFolders of(Path folder, List<String> classes) throws IOException {
    return of(folder, folders(folder), classes);
  }

  private static ClassFolders of(Path folder, List<String> found, List<String> classes) throws IOException {
    List<Path> files = new ArrayList<>();
    List<Integer> labels = new ArrayList<>();
    for (String name : found) {
      int label = classes.indexOf(name);
      if (label < 0) {
        throw new IOException(
            "%s: got class \"%s\", expected the classes trained on, which are %s".formatted(folder, name, classes));
      }
      for (Path file : pictures(folder.resolve(name))) {
        files.add(file);
        labels.add(label);
      }
    }
    return new ClassFolders(classes, files, labels);
  }

  private static List<String> folders(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new NotDirectoryException(folder + ": is no folder, expected one that holds a folder for each class");
    }
    List<String> names = new ArrayList<>();
    try (Stream<Path> found = Files.list(folder)) {
      for (Path path : found.filter(Files::isDirectory).sorted().toList()) {
        if (!pictures(path).isEmpty()) {
          names.add(path.getFileName().toString());
        }
      }
    }
    if (names.isEmpty()) {
      throw new IOException(folder + ": holds no folder with pictures, expected one for each class");
    }
    return names;
  }

  private static List<Path> pictures(Path folder) throws IOException {
    try (Stream<Path> found = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
      return found
          .filter(Picture::isNamedLikeOne)
          .filter(Files::isRegularFile)
          .sorted()
          .toList();
    }
  }
}
