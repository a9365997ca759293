import type {
  Container,
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  Lifecycle,
  Probe,
  SleepAction,
  TCPSocketAction,
} from "#api/generated/core/v1.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isHttpHeaderName } from "#apimachinery/validation/names.ts";
import { invalidEach, nonNegativeErrors } from "./field-checks.ts";
import { portNumberOrNameErrors } from "./ports.ts";

/** What probes and lifecycle hooks have in common. */
interface Handler {
  readonly exec?: ExecAction;
  readonly httpGet?: HTTPGetAction;
  readonly tcpSocket?: TCPSocketAction;
  readonly grpc?: GRPCAction;
  readonly sleep?: SleepAction;
}

/** The three probes of a container that may be restarted. `gracePeriod` is the pod's, in seconds. */
export function validateProbes(container: Container, gracePeriod: number | undefined, path: FieldPath): FieldError[] {
  const { livenessProbe, readinessProbe, startupProbe } = container;
  const errors: FieldError[] = [];
  if (livenessProbe) {
    const at = path.child("livenessProbe");
    errors.push(...probeErrors(livenessProbe, gracePeriod, at), ...mustBeOne(livenessProbe, at));
  }
  if (readinessProbe) {
    const at = path.child("readinessProbe");
    errors.push(...probeErrors(readinessProbe, gracePeriod, at));
    const seconds = readinessProbe.terminationGracePeriodSeconds;
    if (seconds !== undefined && seconds !== null) {
      errors.push(invalid(at.child("terminationGracePeriodSeconds"), seconds, "must not be set for readinessProbes"));
    }
  }
  if (startupProbe) {
    const at = path.child("startupProbe");
    errors.push(...probeErrors(startupProbe, gracePeriod, at), ...mustBeOne(startupProbe, at));
  }
  return errors;
}

function mustBeOne(probe: Probe, path: FieldPath): FieldError[] {
  const threshold = probe.successThreshold ?? 0;
  return threshold === 1 ? [] : [invalid(path.child("successThreshold"), threshold, "must be 1")];
}

function probeErrors(probe: Probe, gracePeriod: number | undefined, path: FieldPath): FieldError[] {
  const errors = handlerErrors(
    {
      ...(probe.exec && { exec: probe.exec }),
      ...(probe.httpGet && { httpGet: probe.httpGet }),
      ...(probe.tcpSocket && { tcpSocket: probe.tcpSocket }),
      ...(probe.grpc && { grpc: probe.grpc }),
    },
    gracePeriod,
    path,
  );
  errors.push(
    ...nonNegativeErrors(probe.initialDelaySeconds, path.child("initialDelaySeconds")),
    ...nonNegativeErrors(probe.timeoutSeconds, path.child("timeoutSeconds")),
    ...nonNegativeErrors(probe.periodSeconds, path.child("periodSeconds")),
    ...nonNegativeErrors(probe.successThreshold, path.child("successThreshold")),
    ...nonNegativeErrors(probe.failureThreshold, path.child("failureThreshold")),
  );
  const seconds = probe.terminationGracePeriodSeconds;
  if (seconds !== undefined && seconds !== null && seconds <= 0) {
    errors.push(invalid(path.child("terminationGracePeriodSeconds"), seconds, "must be greater than 0"));
  }
  return errors;
}

/** Hooks after start and before stop. `gracePeriod` is the pod's, in seconds. */
export function validateLifecycle(lifecycle: Lifecycle, gracePeriod: number | undefined, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (lifecycle.postStart) errors.push(...handlerErrors(lifecycle.postStart, gracePeriod, path.child("postStart")));
  if (lifecycle.preStop) errors.push(...handlerErrors(lifecycle.preStop, gracePeriod, path.child("preStop")));
  return errors;
}

function handlerErrors(handler: Handler, gracePeriod: number | undefined, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  let count = 0;
  const take = (name: string, present: boolean, check: (at: FieldPath) => FieldError[]): void => {
    if (!present) return;
    if (count > 0) errors.push(forbidden(path.child(name), "may not specify more than 1 handler type"));
    else {
      count++;
      errors.push(...check(path.child(name)));
    }
  };
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  take("exec", Boolean(exec), (at) => ((exec?.command ?? []).length === 0 ? [required(at.child("command"), "")] : []));
  take("httpGet", Boolean(httpGet), (at) => (httpGet ? httpGetErrors(httpGet, at) : []));
  take("tcpSocket", Boolean(tcpSocket), (at) => portNumberOrNameErrors(tcpSocket?.port, at.child("port")));
  take("grpc", Boolean(grpc), (at) => portNumberOrNameErrors(grpc?.port ?? 0, at.child("port")));
  take("sleep", Boolean(sleep), (at) => sleepErrors(sleep?.seconds ?? 0, gracePeriod, at));
  if (count === 0) errors.push(required(path, "must specify a handler type"));
  return errors;
}

const SCHEMES = ["HTTP", "HTTPS"];

function httpGetErrors(action: HTTPGetAction, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (!action.path) errors.push(required(path.child("path"), ""));
  errors.push(...portNumberOrNameErrors(action.port, path.child("port")));
  const scheme = action.scheme ?? "";
  if (!SCHEMES.includes(scheme)) errors.push(notSupported(path.child("scheme"), scheme, SCHEMES));
  for (const header of action.httpHeaders ?? []) {
    const name = header.name ?? "";
    errors.push(...invalidEach(path.child("httpHeaders"), name, isHttpHeaderName(name)));
  }
  return errors;
}

function sleepErrors(seconds: number, gracePeriod: number | undefined, path: FieldPath): FieldError[] {
  if (gracePeriod === undefined || (seconds >= 0 && seconds <= gracePeriod)) return [];
  return [invalid(path, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriod})`)];
}
