package dev.fovea.bench.gpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.bench.report.Unavailable;
import dev.fovea.kernels.cuda.StubLibrary;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bindings and vendor libraries of other versions, all compiled here. */
class VendorLibraryTest {
  @TempDir
  Path folder;

  @BeforeEach
  void needsACompiler() {
    assumeTrue(StubLibrary.canCompile(), "there is no C compiler cc here to make libraries of");
  }

  @Test
  void aBindingOfAnOlderVersionRunsOnTheNewerLibrary() throws Throwable {
    VendorLibrary vendor = new VendorLibrary("libvendora.so", 12, "vendora", 15);
    Path binding = binding(vendor);
    // The newer version has lost a function.
    compile(folder.resolve("libvendora.so.13"), "int vendoraAdd(int a, int b) { return 1000 + a + b; }", "-O1");
    String found = vendor.load(binding, List.of(folder), Files.createDirectory(folder.resolve("made")));
    assertTrue(found.endsWith("libvendora.so.13 by way of a forwarding libvendora.so.12"), found);
    assertEquals(1005, call(binding, "bindingAdd"));
    assertEquals(15, call(binding, "bindingGone"));
  }

  @Test
  void theVersionAskedForIsTakenAsItIs() throws Throwable {
    VendorLibrary vendor = new VendorLibrary("libvendorb.so", 12, "vendorb", 15);
    Path binding = binding(vendor);
    versioned(vendor, folder.resolve("libvendorb.so.12"), 100);
    String found = vendor.load(binding, List.of(folder), folder);
    assertEquals(folder.resolve("libvendorb.so.12").toString(), found);
    assertEquals(105, call(binding, "bindingAdd"));
  }

  @Test
  void whatIsNotThereIsUnavailableWithTheReason() throws Exception {
    VendorLibrary vendor = new VendorLibrary("libvendorc.so", 12, "vendorc", 15);
    Path binding = binding(vendor);
    Unavailable reason = assertThrows(Unavailable.class, () -> vendor.load(binding, List.of(folder), folder));
    assertTrue(reason.getMessage().startsWith("libvendorc.so.12 was found neither by the loader nor in"));
  }

  /** As in a virtual environment: only its own python3 knows where its packages are. */
  @Test
  void pythonSaysWhereItsPackagesAre() throws Exception {
    Path python = Files.writeString(folder.resolve("python3"), "#!/bin/sh\necho /a/site-packages\necho /b\n");
    assertTrue(python.toFile().setExecutable(true));
    assertEquals(List.of("/a/site-packages", "/b"), VendorLibrary.searchedBy(python.toString()));
    assertEquals(List.of(), VendorLibrary.searchedBy(folder.resolve("absent").toString()));
    assertEquals(List.of(), VendorLibrary.searchedBy("false"));
  }

  @Test
  void undefinedSymbolsAreReadFromTheLibrary() throws Exception {
    VendorLibrary vendor = new VendorLibrary("libvendord.so", 12, "vendord", 15);
    assertEquals(
        List.of("vendordAdd", "vendordGone"),
        Elf.undefined(binding(vendor), "vendord").stream().sorted().toList());
    Path text = Files.writeString(folder.resolve("text"), "not a library");
    assertThrows(IOException.class, () -> Elf.undefined(text, ""));
  }

  /** Linked with version 12, whose file is gone afterwards. */
  private Path binding(VendorLibrary vendor) throws Exception {
    Path old = folder.resolve(vendor.soname());
    versioned(vendor, old, 0);
    Path binding = folder.resolve("lib" + vendor.prefix() + "binding.so");
    String source = """
        int PREFIXAdd(int, int);
        int PREFIXGone(void);
        int bindingAdd(void) { return PREFIXAdd(2, 3); }
        int bindingGone(void) { return PREFIXGone(); }
        """.replace("PREFIX", vendor.prefix());
    compile(binding, source, old.toString());
    Files.delete(old);
    return binding;
  }

  private void versioned(VendorLibrary vendor, Path library, int bias) throws Exception {
    Path versions = Files.writeString(folder.resolve("versions"), vendor.soname() + " { global: *; };\n");
    String source = """
        int PREFIXAdd(int a, int b) { return %d + a + b; }
        int PREFIXGone(void) { return 0; }
        """.formatted(bias).replace("PREFIX", vendor.prefix());
    compile(library, source, "-Wl,-soname," + vendor.soname(), "-Wl,--version-script=" + versions);
  }

  private static void compile(Path library, String source, String... arguments) throws Exception {
    Path file = Files.writeString(Path.of(library + ".c"), source);
    List<String> command =
        new ArrayList<>(List.of("cc", "-shared", "-fPIC", "-o", library.toString(), file.toString()));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
  }

  private static int call(Path library, String function) throws Throwable {
    return (int) Linker.nativeLinker()
        .downcallHandle(
            SymbolLookup.libraryLookup(library, Arena.global()).findOrThrow(function), FunctionDescriptor.of(JAVA_INT))
        .invokeExact();
  }
}
