package dev.fovea.bench.peer.libraries;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes a TorchScript archive with one function, so that PyTorch's own operators can be called where a binding has
 * none for them: a zip of the function's source and of a pickled module without parameters.
 */
final class TorchScript {
  private TorchScript() {}

  /**
   * Writes a module.
   *
   * @param arguments names of tensors, with commas between
   * @param body statements in TorchScript's serialised form, which names operators as {@code torch.gelu}
   */
  static void write(Path file, String arguments, String body) throws IOException {
    StringBuilder typed = new StringBuilder("self: __torch__.Peer");
    for (String argument : arguments.split(", ", -1)) {
      typed.append(",\n    ").append(argument).append(": Tensor");
    }
    String code = """
        class Peer(Module):
          __parameters__ = []
          __buffers__ = []
          training : bool
          def forward(%s) -> Tensor:
        %s\
        """.formatted(typed, body.indent(4));
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      zip.setMethod(ZipOutputStream.STORED);
      put(zip, "peer/data.pkl", module());
      put(zip, "peer/code/__torch__.py", code.getBytes(StandardCharsets.UTF_8));
      put(zip, "peer/constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
      put(zip, "peer/version", "10\n".getBytes(StandardCharsets.UTF_8));
    }
  }

  private static void put(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    CRC32 check = new CRC32();
    check.update(bytes);
    entry.setSize(bytes.length);
    entry.setCrc(check.getValue());
    zip.putNextEntry(entry);
    zip.write(bytes);
    zip.closeEntry();
  }

  /** Pickle's protocol 2: an object of the class with {@code {"training": False}} as its state. */
  private static byte[] module() throws IOException {
    var bytes = new ByteArrayOutputStream();
    var out = new DataOutputStream(bytes);
    out.write(new byte[] {(byte) 0x80, 2});
    out.writeBytes("c__torch__\nPeer\n");
    out.write(new byte[] {')', (byte) 0x81, '}', '(', 'X'});
    out.writeInt(Integer.reverseBytes("training".length()));
    out.writeBytes("training");
    out.write(new byte[] {(byte) 0x89, 'u', 'b', '.'});
    return bytes.toByteArray();
  }
}
