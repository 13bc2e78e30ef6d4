package dev.fovea.bench.report;

import dev.fovea.bench.plot.Chart;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Writes what people look at: a page that needs nothing but itself, and the plots as pictures. */
public final class Report {
  /** The page's name in a run's folder. */
  public static final String FILE = "report.html";

  private Report() {}

  /** Writes both. */
  public static void write(Results run, Path folder) throws IOException {
    Files.createDirectories(folder);
    Path part = folder.resolve(FILE + ".part");
    Files.writeString(part, new Page(run).render());
    Files.move(part, folder.resolve(FILE), StandardCopyOption.REPLACE_EXISTING);
    for (Chart chart : new Figures(run).all()) {
      chart.png(folder.resolve(chart.name() + ".png"));
    }
  }
}
