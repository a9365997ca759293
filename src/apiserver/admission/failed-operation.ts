import { applyJsonPatch } from "#apimachinery/patch/json-patch.ts";

/** An operation of a JSON patch that does not apply. */
export interface FailedOperation {
  readonly op: unknown;
  /** In the words of upstream's library. */
  readonly message: string;
}

/** The first operation that does not apply. */
export function failedOperation(before: unknown, patch: readonly Record<string, unknown>[]): FailedOperation | undefined {
  let document = before;
  for (const operation of patch) {
    try {
      document = applyJsonPatch(document, [operation], { strict: false });
    } catch {
      const { op, path } = operation;
      if (op === "test") return { op, message: `testing value ${path} failed: test failed` };
      if (op === "replace")
        return { op, message: `replace operation does not apply: doc is missing key: ${path}: missing value` };
      const message = `${op} operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`;
      return { op, message };
    }
  }
  return undefined;
}
