package dev.fovea.bench.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/**
 * What a report says of a suite.
 *
 * @param name as on the command line
 * @param title what it measures, in a line
 * @param axis the parameter, {@code "threads"} included, that curves run along; null where speeds are bars
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record SuiteNote(String name, String title, @Nullable String axis) {}
