import { expect, test } from "vitest";
import { decodeManifest } from "./manifest-pods.ts";

test.each([
  ["{apiVersion: v1, kind: PodList, items: [{metadata: {name: a}, spec: {containers: [{name: c, image: i}]}}]}", ["a"]],
  ["apiVersion: v1\nkind: Pod\nmetadata: {name: yaml}\nspec: {containers: [{name: c, image: i}]}\n", ["yaml"]],
])("%s is a manifest", (text, want) => {
  expect(decodeManifest(text).map(({ metadata }) => metadata.name)).toEqual(want);
});

const pod = (spec: string): string =>
  `{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: i}], ${spec}}}`;

test.each([
  ["", "the manifest holds no object"],
  ["{apiVersion: v1, kind: Service, metadata: {name: a}}", "Service"],
  [pod("restartPolicy: Sometimes"), "invalid pod: spec.restartPolicy"],
  [pod("serviceAccountName: x"), "static pods may not reference serviceaccounts"],
  [pod("volumes: [{name: v, secret: {secretName: s}}]"), "static pods may not reference secrets"],
  [pod("volumes: [{name: v, projected: {sources: [{configMap: {name: m}}]}}]"), "static pods may not reference configmaps"],
  [pod("volumes: [{name: v, persistentVolumeClaim: {claimName: m}}]"), "static pods may not reference persistentvolumeclaims"],
])("%s is refused", (text, message) => {
  expect(() => decodeManifest(text)).toThrow(message);
});
