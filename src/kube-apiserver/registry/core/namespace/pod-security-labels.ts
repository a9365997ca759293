import type { Namespace } from "#api/generated/core/v1.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";

const MODES = ["enforce", "audit", "warn"];
const LEVELS = ["privileged", "baseline", "restricted"];
const VERSION = /^v1\.(0|[1-9][0-9]*)$/;

/** The labels of pod security: one of three levels, and the release whose idea of them holds (KEP-2579). */
export function podSecurityLabelErrors({ metadata }: Namespace): FieldError[] {
  const labels = metadata.labels ?? {};
  return MODES.flatMap((mode) => {
    const name = `pod-security.kubernetes.io/${mode}`;
    const errors: FieldError[] = [];
    const level = labels[name];
    if (level !== undefined && !LEVELS.includes(level)) {
      errors.push(invalid(labelPath(name), level, `must be one of ${LEVELS.join(", ")}`));
    }
    const version = labels[`${name}-version`];
    if (version !== undefined && version !== "latest" && !VERSION.test(version)) {
      errors.push(invalid(labelPath(`${name}-version`), version, 'must be "latest" or "v1.x"'));
    }
    return errors;
  });
}

function labelPath(name: string): FieldPath {
  return FieldPath.of("metadata", "labels").key(name);
}
