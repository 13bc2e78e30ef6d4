package dev.fovea.bench.gpu;

import dev.fovea.bench.report.Unavailable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A library of NVIDIA's toolkit that a binding was linked with under one major version, while a host may have a newer
 * one: then a library of the old name is made here, whose functions jump to those of the new one. It takes the host's C
 * compiler, and nothing of it is shipped.
 *
 * @param name as in {@code "libcublas.so"}
 * @param version that the binding asks for, as in 12
 * @param prefix how the names of its functions begin
 * @param unsupported the status that a function returns which the newer library has no more
 */
record VendorLibrary(String name, int version, String prefix, int unsupported) {
  static final VendorLibrary CUBLAS = new VendorLibrary("libcublas.so", 12, "cublas", 15);
  static final VendorLibrary CUDNN = new VendorLibrary("libcudnn.so", 9, "cudnn", 3000);

  /** Major versions after the one asked for that are looked for. */
  private static final int NEWER = 8;

  String soname() {
    return name + "." + version;
  }

  /**
   * Sees to it that a library of the name asked for is loaded in this process, so that the binding finds it.
   *
   * @param binding the native library that asks for it
   * @param folders where to look, besides the loader's own places
   * @param work where a forwarding library is made
   * @return what was found, in words
   * @throws Unavailable if there is neither that version nor a newer one, or no compiler to bridge them
   */
  String load(Path binding, List<Path> folders, Path work) {
    Optional<String> same = found(soname(), folders);
    if (same.isPresent()) {
      SymbolLookup.libraryLookup(same.get(), Arena.global());
      return same.get();
    }
    String newer = IntStream.rangeClosed(1, NEWER)
        .mapToObj(more -> found(name + "." + (version + more), folders))
        .flatMap(Optional::stream)
        .findFirst()
        .orElseThrow(() -> new Unavailable(
            "%s was found neither by the loader nor in %s, and no newer version".formatted(soname(), folders)));
    try {
      System.load(forward(Elf.undefined(binding, prefix), newer, work).toString());
    } catch (IOException e) {
      throw new Unavailable(
          "%s is here, %s is not, and nothing could be made between them: %s"
              .formatted(newer, soname(), e.getMessage()),
          e);
    }
    return newer + " by way of a forwarding " + soname();
  }

  /** The name if the loader finds it, or its path in the first folder that has it. */
  private static Optional<String> found(String file, List<Path> folders) {
    return Stream.concat(
            Stream.of(file),
            folders.stream()
                .map(folder -> folder.resolve(file))
                .filter(Files::exists)
                .map(Path::toString))
        .filter(VendorLibrary::loads)
        .findFirst();
  }

  private static boolean loads(String library) {
    try {
      SymbolLookup.libraryLookup(library, Arena.global());
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** Compiles a library of the old name that has these functions and jumps to the new one's. */
  Path forward(List<String> functions, String target, Path work) throws IOException {
    Path library = work.resolve(soname());
    Path source = Files.writeString(work.resolve(prefix + "_forward.c"), source(functions));
    Path versions = Files.writeString(
        work.resolve(prefix + ".map"), "%s { global: %s*; local: *; };\n".formatted(soname(), prefix));
    List<String> command = List.of(
        "cc",
        "-O1",
        "-shared",
        "-fPIC",
        "-DTARGET=\"" + target + "\"",
        "-Wl,-soname," + soname(),
        "-Wl,--version-script=" + versions,
        "-o",
        library.toString(),
        source.toString(),
        "-ldl");
    Process compiler = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (compiler.waitFor() != 0) {
        throw new IOException("cc: " + output);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while compiling", e);
    }
    return library;
  }

  /** A table of addresses that is filled when the library loads, and a jump through it for each function. */
  private String source(List<String> functions) {
    StringBuilder jumps = new StringBuilder();
    for (int i = 0; i < functions.size(); i++) {
      jumps.append("JUMP(\"%s\", %d)\n".formatted(functions.get(i), 8 * i));
    }
    return """
        #include <dlfcn.h>
        #include <stdio.h>
        #include <stdlib.h>

        __attribute__((visibility("hidden"))) void *forward_table[%d];
        static const char *const names[] = {%s};

        static int unsupported(void) { return %d; }

        __attribute__((constructor)) static void fill(void) {
          void *target = dlopen(TARGET, RTLD_NOW | RTLD_GLOBAL);
          if (!target) fprintf(stderr, "%%s\\n", dlerror());
          for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
            void *function = target ? dlsym(target, names[i]) : 0;
            forward_table[i] = function ? function : (void *) unsupported;
          }
        }

        #define JUMP(name, offset) \\
          __asm__(".text\\n.globl " name "\\n.type " name ", @function\\n" name ":\\n" \\
                  "  jmp *forward_table+" #offset "(%%rip)\\n");
        %s\
        """.formatted(
            functions.size(),
            String.join(
                ", ", functions.stream().map(function -> '"' + function + '"').toList()),
            unsupported,
            jumps);
  }

  /** Where hosts keep these libraries when the loader does not know: toolkits, and Python's packages of them. */
  static List<Path> usualFolders() {
    List<Path> folders = new ArrayList<>();
    String given = System.getProperty("fovea.vendor.libraries", "");
    Arrays.stream(given.split(":"))
        .filter(path -> !path.isEmpty())
        .map(Path::of)
        .forEach(folders::add);
    folders.addAll(matching(Path.of("/usr/local"), "cuda*", "lib64"));
    for (String root :
        List.of("/usr/lib", "/usr/local/lib", "/opt/conda/lib", System.getProperty("user.home") + "/.local/lib")) {
      for (String packages : List.of("site-packages", "dist-packages")) {
        for (Path python : matching(Path.of(root), "python3*", packages + "/nvidia")) {
          folders.addAll(ofPackages(python));
        }
      }
    }
    for (String packages : searchedBy("python3")) {
      folders.addAll(ofPackages(Path.of(packages, "nvidia")));
    }
    return folders.stream().distinct().toList();
  }

  private static List<Path> ofPackages(Path nvidia) {
    return matching(nvidia, "{cublas,cudnn,cu1*}", "lib");
  }

  /** Where this Python looks for packages, which only it knows if it is one of a virtual environment; or nowhere. */
  static List<String> searchedBy(String python) {
    try {
      Process process = new ProcessBuilder(python, "-c", "import sys; print(*filter(None, sys.path), sep='\\n')")
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() == 0 ? output.lines().toList() : List.of();
    } catch (IOException e) {
      return List.of(); // there is no such Python
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return List.of();
    }
  }

  private static List<Path> matching(Path root, String pattern, String inside) {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(root)) {
      try (var entries = Files.newDirectoryStream(root, pattern)) {
        for (Path entry : entries) {
          Path folder = entry.resolve(inside);
          if (Files.isDirectory(folder)) {
            found.add(folder);
          }
        }
      } catch (IOException e) {
        return found; // A folder that cannot be read holds nothing for us.
      }
    }
    found.sort(null);
    return found;
  }
}
