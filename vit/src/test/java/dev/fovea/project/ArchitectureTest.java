package dev.fovea.project;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.GeneralCodingRules;
import org.junit.jupiter.api.Test;

/** Who may use whom: bench uses vit uses tensor uses kernels, and nothing points back. */
class ArchitectureTest {
  private static final String COMMAND_LINE = "dev.fovea.vit.cli..";

  private static final JavaClasses CLASSES = new ClassFileImporter()
      .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
      .withImportOption(location -> !location.contains("-tests.jar"))
      .importPackages("dev.fovea");

  @Test
  void everyModuleIsLookedAt() {
    for (String type : new String[] {"kernels.KernelSet", "kernels.cpu.CpuKernels", "vit.cli.Fovea"}) {
      assertTrue(CLASSES.contain("dev.fovea." + type), type);
    }
    assertTrue(
        CLASSES.get("dev.fovea.kernels.cpu.simd.VectorConvert").getDirectDependenciesFromSelf().stream()
            .anyMatch(use -> use.getTargetClass().getPackageName().equals("jdk.incubator.vector")),
        "the use of the Vector API is seen");
  }

  @Test
  void kernelsKnowNoTensors() {
    noClasses()
        .that()
        .resideInAPackage("dev.fovea.kernels..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.fovea.tensor..", "dev.fovea.vit..")
        .check(CLASSES);
  }

  @Test
  void tensorsKnowNoModels() {
    noClasses()
        .that()
        .resideInAPackage("dev.fovea.tensor..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.fovea.vit..")
        .allowEmptyShould(true)
        .check(CLASSES);
  }

  @Test
  void theContractKnowsNoBackEnd() {
    noClasses()
        .that()
        .resideInAPackage("dev.fovea.kernels")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.fovea.kernels.*..")
        .check(CLASSES);
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("dev.fovea.(**)").should().beFreeOfCycles().check(CLASSES);
  }

  /** The JVM may lack the module: whatever names it is loaded by name only. */
  @Test
  void onlyVectorClassesTouchTheVectorApi() {
    noClasses()
        .that()
        .haveSimpleNameNotStartingWith("Vector")
        .or()
        .resideOutsideOfPackage("dev.fovea.kernels.cpu.simd")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("jdk.incubator.vector..")
        .check(CLASSES);
  }

  @Test
  void onlyTheCommandLinePrintsOrExits() {
    noClasses()
        .that(not(resideInAPackage(COMMAND_LINE)))
        .should(GeneralCodingRules.ACCESS_STANDARD_STREAMS)
        .orShould()
        .callMethod(System.class, "exit", int.class)
        .because("a library reports through exceptions and System.Logger")
        .check(CLASSES);
    noClasses().should(GeneralCodingRules.USE_JAVA_UTIL_LOGGING).check(CLASSES);
  }
}
