import type { ValidatingAdmissionPolicy } from "#api/generated/admissionregistration/v1.ts";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { formatGroupVersion, type GroupVersionKind, parseGroupVersion } from "#apimachinery/meta/api-object.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { Discovery } from "../../framework/discovery.ts";
import { VALIDATING_ADMISSION_POLICIES } from "../../framework/resources.ts";
import { checkedKinds } from "./checked-kinds.ts";
import { kindSchema, type OpenApiDocument } from "./open-api-schema.ts";
import { type Action, type CheckedKind, type Observed, reconcile } from "./reconcile.ts";

const NAME = "validatingadmissionpolicy-status-controller";

/** How old the list of served resources may be. */
const DISCOVERY_AGE_MS = 1000;

/** Tells authors of ValidatingAdmissionPolicies where their expressions do not fit what they are about. */
export const validatingAdmissionPolicyStatusController: ControllerDefinition = {
  name: NAME,
  create({ client, informers, clock }) {
    const policies = informers.informer<ValidatingAdmissionPolicy>(VALIDATING_ADMISSION_POLICIES);
    const discovery = new Discovery(client, clock);

    async function schemaOf(kind: GroupVersionKind): Promise<CheckedKind[]> {
      const path = kind.group === "" ? "api" : "apis";
      try {
        const document = await client.raw(`/openapi/v3/${path}/${formatGroupVersion(kind.group, kind.version)}`);
        const schema = kindSchema(document as OpenApiDocument, kind);
        return schema === undefined ? [] : [{ kind, schema }];
      } catch {
        // What has no schema is not checked.
        return [];
      }
    }

    return controller<Observed, Action>({
      sources: [source(policies, ({ object }) => [keyOf(object)])],
      async observe(key) {
        const policy = policies.lister.get("", splitKey(key).name);
        const { generation = 0 } = policy?.metadata ?? {};
        if (policy?.spec === undefined || generation <= (policy.status?.observedGeneration ?? 0)) return undefined;
        const { resources } = await discovery.discover(DISCOVERY_AGE_MS);
        const kinds = await Promise.all(checkedKinds(policy.spec, resources).map(schemaOf));
        const { apiVersion = "", kind = "" } = policy.spec.paramKind ?? {};
        const params = kind === "" ? [] : await schemaOf({ ...parseGroupVersion(apiVersion), kind });
        return { policy, kinds: kinds.flat(), params: params[0]?.schema, cel: await loadKubernetesCel() };
      },
      reconcile,
      async execute(actions) {
        for (const { name, status } of actions) {
          const patch = {
            apiVersion: "admissionregistration.k8s.io/v1",
            kind: "ValidatingAdmissionPolicy",
            metadata: { name },
            status,
          };
          const options = { fieldManager: NAME, force: true, subresource: "status" };
          await client.patch(VALIDATING_ADMISSION_POLICIES, "", name, "application/apply-patch+yaml", patch, options);
        }
      },
    });
  },
};
