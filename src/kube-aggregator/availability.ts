import type { APIService, APIServiceCondition } from "#api/generated/apiregistration/v1.ts";
import type { Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";

/** What is known of the Service behind an APIService. */
export interface ServiceState {
  readonly service: Service | undefined;
  readonly slices: readonly EndpointSlice[];
}

/** An `Available` condition without its time. */
export interface Verdict {
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

/** What an APIService that this server serves itself always says. */
export const LOCAL: Verdict = { status: "True", reason: "Local", message: "Local APIServices are always available" };

/** What one says whose server answers. */
export const PASSED: Verdict = { status: "True", reason: "Passed", message: "all checks passed" };

const HTTPS_PORT = 443;

/** Why nobody need ask the server (upstream's `AvailableConditionController`); undefined when it is to be asked. */
export function verdictOfService({ spec }: APIService, { service, slices }: ServiceState): Verdict | undefined {
  const { name = "", namespace = "", port = HTTPS_PORT } = spec.service ?? {};
  const place = `service/${name} in ${goQuote(namespace)}`;
  const no = (reason: string, message: string): Verdict => ({ status: "False", reason, message });
  if (service === undefined) return no("ServiceNotFound", `${place} is not present`);
  if ((service.spec?.type ?? "ClusterIP") !== "ClusterIP") return undefined;
  const servicePort = service.spec?.ports?.find((each) => each.port === port);
  if (servicePort === undefined) return no("ServicePortError", `${place} is not listening on port ${port}`);
  if (slices.length === 0) return no("EndpointsNotFound", `cannot find endpointslices for ${place}`);
  const portName = servicePort.name ?? "";
  if (!slices.some((slice) => hasEndpoint(slice, portName))) {
    return no("MissingEndpoints", `endpointslices for ${place} have no addresses with port name ${goQuote(portName)}`);
  }
  return undefined;
}

function hasEndpoint({ endpoints, ports }: EndpointSlice, portName: string): boolean {
  const ready = (endpoints ?? []).some((endpoint) => endpoint.conditions?.ready !== false);
  return ready && (ports ?? []).some(({ name, port }) => (name ?? "") === portName && port !== undefined);
}

/** The conditions with this verdict; the very `old` ones when they say so already. `now` is the time of a change. */
export function withVerdict(
  old: readonly APIServiceCondition[] | undefined,
  verdict: Verdict,
  now: string,
): readonly APIServiceCondition[] {
  const conditions = old ?? [];
  const before = conditions.find(({ type }) => type === "Available");
  if (before?.status === verdict.status && before.reason === verdict.reason && before.message === verdict.message)
    return conditions;
  const lastTransitionTime = before?.status === verdict.status ? (before.lastTransitionTime ?? now) : now;
  const made: APIServiceCondition = { type: "Available", lastTransitionTime, ...verdict };
  return before === undefined ? [...conditions, made] : conditions.map((each) => (each === before ? made : each));
}
