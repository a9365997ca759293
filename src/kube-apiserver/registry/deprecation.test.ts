import { expect, test } from "vitest";
import { deprecationWarning } from "./deprecation.ts";

test.each([
  [
    "extensions",
    "v1beta1",
    "Ingress",
    "extensions/v1beta1 Ingress is deprecated in v1.14+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress",
  ],
  ["policy", "v1beta1", "Eviction", "policy/v1beta1 Eviction is deprecated in v1.22+, unavailable in v1.25+"],
  [
    "networking.k8s.io",
    "v1beta1",
    "IPAddress",
    "networking.k8s.io/v1beta1 IPAddress is deprecated in v1.34+, unavailable in v1.37+",
  ],
  [
    "storage.k8s.io",
    "v1beta1",
    "VolumeAttributesClass",
    "storage.k8s.io/v1beta1 VolumeAttributesClass is deprecated in v1.34+, unavailable in v1.37+; use storage.k8s.io/v1 VolumeAttributesClass",
  ],
  ["resource.k8s.io", "v1beta2", "DeviceTaintRule", undefined],
  ["certificates.k8s.io", "v1beta1", "ClusterTrustBundle", undefined],
  ["rbac.authorization.k8s.io", "v1alpha1", "Role", undefined],
  ["apps", "v1", "Deployment", undefined],
  ["autoscaling", "v1", "HorizontalPodAutoscaler", undefined],
])("%s/%s %s", (group, version, kind, want) => {
  expect(deprecationWarning(group, version, kind)).toBe(want);
});
