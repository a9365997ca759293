import type { Ingress, IngressClass } from "#api/generated/networking/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import { defaultClass } from "./default-class.ts";

/** A new Ingress without a class gets the cluster's default one. */
export const defaultIngressClass: AdmissionPluginFactory = ({ stores }) => ({
  name: "DefaultIngressClass",
  mutate: ({ operation, group, resource, subresource, object }) => {
    if (operation !== "CREATE" || resource !== "ingresses" || group !== "networking.k8s.io" || subresource !== "") return;
    const ingress = object as unknown as Draft<Ingress>;
    if (ingress.spec?.ingressClassName !== undefined) return;
    if (ingress.metadata?.annotations?.["kubernetes.io/ingress.class"] !== undefined) return;
    const classes = stores.of<IngressClass>("networking.k8s.io", "ingressclasses").listCached("");
    const name = defaultClass(classes, ["ingressclass.kubernetes.io/is-default-class"])?.metadata?.name;
    if (name === undefined) return;
    ingress.spec ??= {};
    ingress.spec.ingressClassName = name;
  },
});
