import fc from "fast-check";
import { expect, test } from "vitest";
import { formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import { decodeProtobuf } from "#apimachinery/protobuf/decode.ts";
import { encodeMessage } from "#apimachinery/protobuf/encode.ts";
import { inEnvelope } from "#apimachinery/protobuf/envelope.ts";
import { decodeBody } from "#apimachinery/schema/decode-body.ts";
import { exactDecode } from "#apimachinery/schema/exact-decode.ts";
import { nodeOf } from "#apimachinery/schema/json-node.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import { formatYaml } from "#apiserver/endpoints/handlers/yaml.ts";
import { canonical, KINDS, objectsOf } from "./objects.ts";
import { runs } from "./runs.ts";

test("the kinds are all there", () => {
  expect(KINDS.length).toBeGreaterThan(200);
});

const RUNS = 3;

test.each(KINDS)("$group/$version $kind comes back from JSON, YAML and protobuf as it was", (of) => {
  const { group, version, kind, schema } = of;
  fc.assert(
    fc.property(objectsOf(of), (given) => {
      const object = canonical(of, given);
      expect(canonical(of, object), "canonical form").toEqual(object);
      const exact = exactDecode(schema, nodeOf(given)).object;
      expect(canonical(of, exact), "the decoder that finds faults").toEqual(object);
      const json = JSON.stringify(object);
      const bodies = {
        json,
        yaml: formatYaml(object),
        protobuf: inEnvelope(formatGroupVersion(group, version), kind, encodeMessage(schema, object)),
      };
      for (const format of ["json", "yaml", "protobuf"] as const) {
        const bytes = Buffer.from(bodies[format]);
        const body = decodeBody({ bytes, format, kind: { group, version, kind }, fieldValidation: "Strict" });
        expect(canonical(of, body.object), format).toEqual(object);
      }
      expect(canonical(of, decodeProtobuf(Buffer.from(bodies.protobuf), schemaFor))).toEqual(object);
    }),
    runs(RUNS),
  );
});
