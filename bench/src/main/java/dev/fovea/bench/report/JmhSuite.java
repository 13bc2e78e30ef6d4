package dev.fovea.bench.report;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * The benchmarks of one JMH class. Its parameter {@code by} is the variant, its parameter {@code threads} the threads
 * of the kernels; where it has none, the threads are JMH's own if {@link #threaded}, else one.
 */
public final class JmhSuite implements Suite {
  private static final String VARIANT = "by";
  private static final String THREADS = "threads";

  private final Class<?> benchmark;
  private final Map<Effort, Map<String, List<String>>> choices = new EnumMap<>(Effort.class);
  private final List<String> jvmFlags = new ArrayList<>();
  private SuiteNote note;
  private Predicate<Subject> possible = subject -> true;
  private boolean methodsAreVariants;
  private boolean threaded;
  private ToDoubleFunction<Subject> secondsOfSetup = subject -> 0;
  private ToDoubleFunction<Subject> secondsOfWarmup = subject -> 2;
  private final Map<String, Script> scripts = new HashMap<>();
  private final Map<Effort, Predicate<Subject>> below = new EnumMap<>(Effort.class);
  private @Nullable Effort allThreads;

  private record Script(String file, Function<Subject, List<String>> arguments) {}

  private JmhSuite(Class<?> benchmark, SuiteNote note) {
    this.benchmark = benchmark;
    this.note = note;
  }

  /**
   * Every combination of the class's parameters.
   *
   * @param name as on the command line
   * @param title what it measures, in a line
   */
  public static JmhSuite of(String name, String title, Class<?> benchmark) {
    return new JmhSuite(benchmark, new SuiteNote(name, title, null));
  }

  /** Draws curves along a parameter, {@code "threads"} included. */
  public JmhSuite axis(String parameter) {
    note = new SuiteNote(note.name(), note.title(), parameter);
    return this;
  }

  /** The values of a parameter at an effort and those below it that choose none; else they are all of the class's. */
  public JmhSuite choose(Effort effort, String parameter, String... values) {
    choices.computeIfAbsent(effort, e -> new LinkedHashMap<>()).put(parameter, List.of(values));
    return this;
  }

  /** Leaves out combinations that make no sense. */
  public JmhSuite where(Predicate<Subject> subject) {
    possible = possible.and(subject);
    return this;
  }

  /** Leaves out more below an effort. */
  public JmhSuite whereBelow(Effort effort, Predicate<Subject> subject) {
    below.put(effort, subject);
    return this;
  }

  /** The class's methods are who computes. */
  public JmhSuite methodsAreVariants() {
    methodsAreVariants = true;
    return this;
  }

  /** Methods run on so many threads at once, each with a state of its own. */
  public JmhSuite threaded() {
    threaded = true;
    return this;
  }

  /** Flags that the measuring processes take after their usual ones. */
  public JmhSuite flags(String... flags) {
    jvmFlags.addAll(List.of(flags));
    return this;
  }

  /** Seconds that a process takes to make ready, beyond its start, and one call if that is longer than an iteration. */
  public JmhSuite setupTakes(double seconds) {
    return setupTakes(subject -> seconds);
  }

  /** The same for each subject. */
  public JmhSuite setupTakes(ToDoubleFunction<Subject> seconds) {
    secondsOfSetup = seconds;
    return this;
  }

  /** Seconds that Fovea's code runs before it is measured, at least: whole models are much to compile. */
  public JmhSuite warmsUp(double seconds) {
    return warmsUp(subject -> seconds);
  }

  /** The same for each subject. */
  public JmhSuite warmsUp(ToDoubleFunction<Subject> seconds) {
    secondsOfWarmup = seconds;
    return this;
  }

  /**
   * A variant that a script times, not JMH.
   *
   * @param variant its name
   * @param file of {@code bench/peers}
   * @param arguments which tell the script what to time
   */
  public JmhSuite script(String variant, String file, Function<Subject, List<String>> arguments) {
    scripts.put(variant, new Script(file, arguments));
    return this;
  }

  /** Below an effort the most threads alone are measured. */
  public JmhSuite allThreadsFrom(Effort effort) {
    allThreads = effort;
    return this;
  }

  @Override
  public SuiteNote note() {
    return note;
  }

  @Override
  public List<Trial> trials(Effort effort, List<Integer> wanted) {
    List<Integer> threads = allThreads != null && effort.compareTo(allThreads) < 0
        ? List.of(wanted.stream().max(Comparator.naturalOrder()).orElse(1))
        : wanted;
    List<Map<String, String>> combinations = List.of(Map.of());
    for (Field field : parameters()) {
      List<Map<String, String>> longer = new ArrayList<>();
      for (Map<String, String> shorter : combinations) {
        for (String value : values(field, effort, threads)) {
          Map<String, String> combination = new LinkedHashMap<>(shorter);
          combination.put(field.getName(), value);
          longer.add(combination);
        }
      }
      combinations = longer;
    }
    List<Trial> trials = new ArrayList<>();
    for (Method method : methods()) {
      for (Map<String, String> combination : combinations) {
        for (int jmhThreads : threaded ? threads : List.of(1)) {
          Subject subject = subject(method, combination, jmhThreads);
          if (possible(effort).test(subject)) {
            trials.add(trial(subject, method, combination, jmhThreads));
          }
        }
      }
    }
    return trials;
  }

  private Predicate<Subject> possible(Effort effort) {
    return below.entrySet().stream()
        .filter(entry -> effort.compareTo(entry.getKey()) < 0)
        .map(Map.Entry::getValue)
        .reduce(possible, Predicate::and);
  }

  private Trial trial(Subject subject, Method method, Map<String, String> combination, int jmhThreads) {
    double setup = secondsOfSetup.applyAsDouble(subject);
    Script script = scripts.get(subject.variant());
    return script != null
        ? new ScriptTrial(subject, script.file, script.arguments.apply(subject), setup)
        : new JmhTrial(
            subject,
            benchmark.getName() + "." + method.getName(),
            combination,
            jmhThreads,
            List.copyOf(jvmFlags),
            setup,
            secondsOfWarmup.applyAsDouble(subject));
  }

  /** The variant last, so that it varies fastest. */
  private List<Field> parameters() {
    return Stream.<Class<?>>iterate(benchmark, type -> type != null, Class::getSuperclass)
        .flatMap(type -> Arrays.stream(type.getDeclaredFields()))
        .filter(field -> field.isAnnotationPresent(Param.class))
        .sorted(Comparator.comparing(field -> field.getName().equals(VARIANT)))
        .toList();
  }

  private List<Method> methods() {
    return Arrays.stream(benchmark.getMethods())
        .filter(method -> method.isAnnotationPresent(Benchmark.class))
        .sorted(Comparator.comparing((Method method) -> !method.getName().equals("fovea"))
            .thenComparing(Method::getName))
        .toList();
  }

  private List<String> values(Field field, Effort effort, List<Integer> threads) {
    for (Effort choice : Effort.values()) {
      List<String> chosen = choice.compareTo(effort) < 0
          ? null
          : choices.getOrDefault(choice, Map.of()).get(field.getName());
      if (chosen != null) {
        return chosen;
      }
    }
    return field.getName().equals(THREADS)
        ? threads.stream().map(String::valueOf).toList()
        : List.of(field.getAnnotation(Param.class).value());
  }

  private Subject subject(Method method, Map<String, String> combination, int jmhThreads) {
    Map<String, String> sizes = new LinkedHashMap<>(combination);
    @Nullable String by = sizes.remove(VARIANT);
    @Nullable String kernelThreads = sizes.remove(THREADS);
    String variant = methodsAreVariants ? method.getName() : by == null ? "fovea" : by;
    return new Subject(
        note.name(),
        methodsAreVariants ? "run" : method.getName(),
        sizes,
        variant,
        kernelThreads == null ? jmhThreads : Integer.parseInt(kernelThreads));
  }
}
