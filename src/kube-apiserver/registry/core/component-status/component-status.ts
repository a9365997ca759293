import { notFound } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { VirtualResource } from "#apiserver/registry/resource.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";

/** Whether a component is well: throws, rejects, returns false or resolves to it when it is not. A text is what it said of itself. */
export type ComponentHealth = () => unknown;

const DEPRECATED = "v1 ComponentStatus is deprecated in v1.19+";

/** `componentstatuses`: asks each component whether it is well. Deprecated upstream, and still what `kubectl get cs` shows. */
export function componentStatuses(components: Readonly<Record<string, ComponentHealth>>): VirtualResource {
  const status = async (name: string, check: ComponentHealth): Promise<ApiObject> => {
    const condition = await conditionNow(check);
    return { apiVersion: "v1", kind: "ComponentStatus", metadata: { name }, conditions: [condition] };
  };
  const warn = (context: RequestContext): void => {
    context.warnings.push(DEPRECATED);
  };
  return {
    group: "",
    version: "v1",
    kind: "ComponentStatus",
    plural: "componentstatuses",
    singular: "componentstatus",
    shortNames: ["cs"],
    scope: "Cluster",
    columns: [
      {
        name: "Name",
        type: "string",
        format: "name",
        description: "Name of the component",
        cell: (object) => object.metadata.name ?? "",
      },
      { name: "Status", type: "string", description: "Healthy, Unhealthy or Unknown", cell: (object) => statusText(object) },
      {
        name: "Message",
        type: "string",
        description: "What the component answered",
        cell: (object) => conditionOf(object).message ?? "",
      },
      {
        name: "Error",
        type: "string",
        description: "Why it could not be asked",
        cell: (object) => conditionOf(object).error ?? "",
      },
    ],
    async get(name, context) {
      warn(context);
      const check = components[name];
      if (check === undefined) throw notFound({ group: "", resource: "componentstatus" }, name);
      return status(name, check);
    },
    async list(context) {
      warn(context);
      return Promise.all(Object.entries(components).map(([name, check]) => status(name, check)));
    },
  };
}

interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly message?: string;
  readonly error?: string;
}

function conditionOf(object: ApiObject): Condition {
  const conditions = (object.conditions ?? []) as readonly Condition[];
  return conditions.find((condition) => condition.type === "Healthy") ?? {};
}

function statusText(object: ApiObject): string {
  const { status } = conditionOf(object);
  return status === "True" ? "Healthy" : status === "False" ? "Unhealthy" : "Unknown";
}

async function conditionNow(check: ComponentHealth): Promise<Condition> {
  try {
    const answer = await check();
    if (answer === false) return unhealthy("not running");
    return { type: "Healthy", status: "True", message: typeof answer === "string" ? answer : "ok" };
  } catch (error) {
    return unhealthy(error instanceof Error ? error.message : String(error));
  }
}

function unhealthy(message: string): Condition {
  return { type: "Healthy", status: "False", message, error: "unhealthy" };
}
