/** A program that uses Fovea, as anybody would write it. */
module org.example.consumer {
  requires dev.fovea.vit;
}
