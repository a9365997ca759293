import { expect, test } from "vitest";
import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import { PVC_FINALIZER, reconcile } from "./reconcile.ts";

const NOW = "2026-01-01T00:00:00Z";
const finalizers = [PVC_FINALIZER];
const owner = { apiVersion: "v1", kind: "Pod", name: "p", uid: "u", controller: true };
const mount = { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "p-v" } }], containers: [] };
const ephemeral = { volumes: [{ name: "v", ephemeral: {} }], containers: [] };
const ended = { deletionTimestamp: NOW, deletionGracePeriodSeconds: 0 };
const pod = (spec: Pod["spec"], metadata: Pod["metadata"] = {}, phase = "Running"): Pod => ({
  metadata: { name: "p", namespace: "ns", uid: "u", ...metadata },
  spec,
  status: { phase },
});

test.each<[string, PersistentVolumeClaim["metadata"], Pod[], string[]]>([
  ["a claim without finalizer gets it", {}, [], ["protect"]],
  ["one that has it is left alone", { finalizers }, [], []],
  ["one that is to go and is used stays", { finalizers, deletionTimestamp: NOW }, [pod({ ...mount, nodeName: "n" })], []],
  ["a pod without node does not use it", { finalizers, deletionTimestamp: NOW }, [pod(mount)], ["letGo"]],
  ["nor is it used by nobody", { finalizers, deletionTimestamp: NOW }, [], ["letGo"]],
  ["without finalizer it goes by itself", { deletionTimestamp: NOW }, [], []],
  [
    "an ephemeral claim is used by its pod",
    { finalizers, deletionTimestamp: NOW, ownerReferences: [owner] },
    [pod({ ...ephemeral, nodeName: "n" })],
    [],
  ],
  ["not by another", { finalizers, deletionTimestamp: NOW }, [pod({ ...ephemeral, nodeName: "n" })], ["letGo"]],
  [
    "nor by one that is over",
    { finalizers, deletionTimestamp: NOW, ownerReferences: [owner] },
    [pod({ ...ephemeral, nodeName: "n" }, ended, "Succeeded")],
    ["letGo"],
  ],
])("%s", (_name, metadata, pods, want) => {
  const claim = { metadata: { name: "p-v", namespace: "ns", ...metadata }, spec: {} };
  expect(reconcile({ claim, pods }).map(({ type }) => type)).toEqual(want);
});
