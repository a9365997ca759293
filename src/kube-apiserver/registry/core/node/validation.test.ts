import { expect, test } from "vitest";
import type { Node } from "#api/generated/core/v1.ts";
import type { StatusSubresource } from "#apiserver/registry/resource.ts";
import { nodes } from "./node.ts";
import { validateNode, validateNodeChange } from "./validation.ts";

const TAINTS = "scheduler.alpha.kubernetes.io/taints";
const AVOID = "scheduler.alpha.kubernetes.io/preferAvoidPods";
const node = ({ annotations, ...rest }: Partial<Node> & { readonly annotations?: Record<string, string> }): Node => ({
  metadata: { name: "n", ...(annotations && { annotations }) },
  spec: {},
  ...rest,
});
const features = (...declaredFeatures: string[]): Partial<Node> => ({ status: { declaredFeatures } });

test.each<[string, Node, string[]]>([
  ["taints as an annotation", node({ annotations: { [TAINTS]: '[{"key":"a","effect":"NoSchedule"}]' } }), []],
  [
    "an annotation that is no list",
    node({ annotations: { [TAINTS]: "{}" } }),
    [`metadata.annotations: Invalid value: "${TAINTS}": json: cannot unmarshal object into Go value of type []core.Taint`],
  ],
  [
    "an annotated taint without effect",
    node({ annotations: { [TAINTS]: '[{"key":"a"}]' } }),
    [`metadata.annotations.${TAINTS}[0].effect: Required value`],
  ],
  [
    "pods to avoid without a controller",
    node({ annotations: { [AVOID]: '{"preferAvoidPods":[{}]}' } }),
    [`metadata.annotations.${AVOID}[0].PodSignature: Required value`],
  ],
  [
    "swap of no size",
    node({ status: { nodeInfo: { swap: { capacity: 0 } } as never } }),
    ["metadata.nodeSwapStatus.capacity: Invalid value: 0: must be greater than zero"],
  ],
  [
    "features out of order",
    node(features("B", "A", "A")),
    [
      'status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically',
      'status.declaredFeatures[2]: Duplicate value: "A"',
    ],
  ],
])("a node with %s", (_, object, want) => {
  expect(validateNode(object).map(({ field, message }) => `${field}: ${message}`)).toEqual(want);
});

const map = { namespace: "a", name: "b", kubeletConfigKey: "k" };

test.each<[string, Node, string[]]>([
  ["nothing", node({}), []],
  ["features out of order", node(features("B", "A")), ["status.declaredFeatures[1]"]],
  ["a configuration from nowhere", node({ spec: { configSource: {} } }), ["spec.configSource"]],
  [
    "a configuration of one state",
    node({ spec: { configSource: { configMap: { ...map, uid: "u" } } } }),
    ["spec.configSource.configMap.uid"],
  ],
  [
    "a configuration of no state in use",
    node({ status: { config: { active: { configMap: { ...map, name: "", uid: "u" } } } } }),
    ["status.config.active.configMap.resourceVersion", "status.config.active.configMap.name"],
  ],
])("a change to %s", (_, object, want) => {
  expect(validateNodeChange(object, node({})).map(({ field }) => field)).toEqual(want);
});

test("the configuration out of a ConfigMap is taken of old nodes only", () => {
  const configured = (): Node => node({ spec: { configSource: { configMap: map } }, status: { config: { error: "e" } } });
  const plain = node({ spec: {}, status: {} });
  const { strategy, subresources } = nodes({} as never);
  const after = (prepare: ((object: Node, old: Node, context: never) => void) | undefined, old: Node): unknown[] => {
    const object = configured();
    prepare?.(object, old, {} as never);
    return [object.spec?.configSource?.configMap?.name, object.status?.config?.error];
  };
  const create = (object: Node): void => strategy?.prepareForCreate?.(object as never, {} as never);
  expect(after(create, plain)).toEqual([undefined, undefined]);
  expect(after(strategy?.prepareForUpdate as never, plain)).toEqual([undefined, "e"]);
  expect(after(strategy?.prepareForUpdate as never, configured())).toEqual(["b", "e"]);
  const status = subresources?.status as StatusSubresource<Node>;
  expect(after(status.prepareForUpdate as never, plain)).toEqual([undefined, undefined]);
  expect(after(status.prepareForUpdate as never, configured())).toEqual(["b", "e"]);
});
