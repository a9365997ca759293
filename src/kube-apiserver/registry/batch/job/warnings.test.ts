import { expect, test } from "vitest";
import type { JobSpec } from "#api/generated/batch/v1.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { jobSpecWarnings } from "./warnings.ts";

const LARGE: JobSpec = { completionMode: "Indexed", completions: 100_001, parallelism: 10_001, template: {} };

test.each<{ name: string; spec: JobSpec; warns: boolean }>([
  { name: "many indexes, many at once", spec: LARGE, warns: true },
  { name: "many indexes, few at once", spec: { ...LARGE, parallelism: 10_000 }, warns: false },
  { name: "fewer indexes", spec: { ...LARGE, completions: 100_000 }, warns: false },
  { name: "no indexes", spec: { ...LARGE, completionMode: "NonIndexed" }, warns: false },
])("$name: warns $warns", ({ spec, warns }) => {
  expect(jobSpecWarnings(spec, FieldPath.of("spec")).length).toBe(warns ? 1 : 0);
});
