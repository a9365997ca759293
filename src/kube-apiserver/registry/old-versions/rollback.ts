import { badRequest, invalid } from "#apimachinery/api-errors/errors.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { type FieldError, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateAnnotations } from "#apimachinery/validation/object-meta.ts";
import type { ConnectSubresource } from "#apiserver/registry/resource.ts";
import { nonNegativeErrors } from "../core/pod/validation/field-checks.ts";
import { deprecationWarning } from "../deprecation.ts";

/** The revision to go back to, which the deployment controller looks for. */
const ROLLBACK_TO = "deprecated.deployment.rollback.to";

/** The body of a rollback. */
interface Rollback {
  readonly name?: string;
  readonly updatedAnnotations?: Readonly<Record<string, string>>;
  readonly rollbackTo?: { readonly revision?: number };
}

/** POST of `deployments/NAME/rollback`: asks the deployment controller to go back to an earlier template. */
export function rollbackSubresource(group: string, version: string): ConnectSubresource<ApiObject> {
  const kind = { group, version, kind: "DeploymentRollback" };
  const warning = deprecationWarning(group, version, kind.kind);
  return {
    type: "connect",
    kind,
    verbs: ["create"],
    ...(warning !== undefined && { deprecationWarning: warning }),
    create: async (name, body, context, store, dryRun) => {
      const { rollbackTo, updatedAnnotations, name: inBody = "" } = body as unknown as Rollback;
      if (inBody !== name) throw badRequest("name in URL does not match name in DeploymentRollback object");
      const errors = rollbackErrors(body as unknown as Rollback);
      if (errors.length > 0) throw invalid({ group: "apps", kind: kind.kind }, inBody, errors);
      const change = (deployment: ApiObject): void => {
        if ((deployment.spec as { paused?: boolean } | undefined)?.paused) {
          throw plainError("cannot rollback a paused deployment; resume it first and try again");
        }
        const asked = { ...updatedAnnotations, [ROLLBACK_TO]: String(rollbackTo?.revision ?? 0) };
        deployment.metadata.annotations = { ...deployment.metadata.annotations, ...asked };
      };
      await store.update(context.info.namespace, name, (draft) => change(draft as ApiObject), context, { dryRun });
      const message = `rollback request for deployment ${JSON.stringify(name)} succeeded`;
      return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", message, code: 200 };
    },
  };
}

function rollbackErrors({ name, updatedAnnotations, rollbackTo }: Rollback): FieldError[] {
  return [
    ...validateAnnotations(updatedAnnotations ?? {}, FieldPath.of("updatedAnnotations")),
    ...(name ? [] : [required(FieldPath.of("name"), "name is required")]),
    ...nonNegativeErrors(rollbackTo?.revision, FieldPath.of("rollbackTo", "version")),
  ];
}
