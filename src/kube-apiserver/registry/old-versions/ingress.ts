import type { IngressBackend } from "#api/generated/networking/v1.ts";
import type { ApiObject, Draft } from "#apimachinery/meta/api-object.ts";

/** A backend of `v1beta1`, whose service stands in it. */
type OldBackend = { serviceName?: string; servicePort?: number | string; resource?: object };

/** Either form, as far as backends lie in it. */
interface IngressShape<B> {
  readonly spec?: {
    backend?: B;
    defaultBackend?: B;
    readonly rules?: readonly { readonly http?: { readonly paths?: readonly { backend?: B; pathType?: string }[] } }[];
  };
}

/** Paths of `v1beta1` mean what the controller makes of them, where nothing is said. */
export function oldIngressDefaults(object: ApiObject, today: (object: ApiObject) => void): void {
  for (const path of pathsOf(object as unknown as IngressShape<OldBackend>)) path.pathType ??= "ImplementationSpecific";
  today(object);
}

/** From `v1beta1`: upstream's `Convert_v1beta1_IngressBackend_To_networking_IngressBackend`. */
export function fromOldIngress(object: ApiObject): ApiObject {
  const { spec } = object as unknown as IngressShape<OldBackend>;
  if (spec?.backend !== undefined) {
    spec.defaultBackend = today(spec.backend) as OldBackend;
    delete spec.backend;
  }
  for (const path of pathsOf(object as unknown as IngressShape<OldBackend>)) {
    if (path.backend !== undefined) path.backend = today(path.backend) as OldBackend;
  }
  return object;
}

/** To `v1beta1`. */
export function toOldIngress(object: ApiObject): ApiObject {
  const { spec } = object as unknown as IngressShape<object>;
  if (spec?.defaultBackend !== undefined) {
    spec.backend = old(spec.defaultBackend);
    delete spec.defaultBackend;
  }
  for (const path of pathsOf(object as unknown as IngressShape<object>)) {
    if (path.backend !== undefined) path.backend = old(path.backend);
  }
  return object;
}

function pathsOf<B>({ spec }: IngressShape<B>): { backend?: B; pathType?: string }[] {
  return (spec?.rules ?? []).flatMap((rule) => [...(rule.http?.paths ?? [])]);
}

function today({ serviceName = "", servicePort = 0, ...rest }: OldBackend): object {
  if (serviceName === "" && servicePort === 0) return rest;
  const name = typeof servicePort === "string" ? servicePort : "";
  const number = typeof servicePort === "number" ? servicePort : 0;
  const port = { ...(name !== "" && { name }), ...(number !== 0 && { number }) };
  return { ...rest, service: { name: serviceName, port } };
}

function old(backend: object): OldBackend {
  const { service, ...rest } = backend as Draft<IngressBackend>;
  if (service === undefined) return rest as OldBackend;
  return { ...rest, serviceName: service.name, servicePort: service.port?.name || (service.port?.number ?? 0) } as OldBackend;
}
