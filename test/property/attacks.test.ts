import { beforeAll, describe, expect, test } from "vitest";
import type { Secret } from "#api/generated/core/v1.ts";
import { compileJsonPath } from "#apiextensions-apiserver/custom-resource/json-path.ts";
import { matchesFormat } from "#apiextensions-apiserver/validation/formats.ts";
import { loadedPatterns, loadPatterns } from "#apiextensions-apiserver/validation/patterns.ts";
import { compileExpression } from "#apimachinery/cel/compile.ts";
import { type KubernetesCel, loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { compileProgram } from "#apimachinery/cel/program.ts";
import { parseFieldSelector } from "#apimachinery/fields/selector.ts";
import { parseGoDuration } from "#apimachinery/go-duration.ts";
import { parseLabelSelector } from "#apimachinery/labels/parse.ts";
import { applyJsonPatch } from "#apimachinery/patch/json-patch.ts";
import { canonicalQuantity } from "#apimachinery/resource/quantity.ts";
import { decodeBody } from "#apimachinery/schema/decode-body.ts";
import { canonicalMicroTime, canonicalTime } from "#apimachinery/schema/go-time.ts";
import { parseYaml } from "#apimachinery/schema/yaml.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { parseCidr, parseIp } from "#apimachinery/validation/ip.ts";
import * as names from "#apimachinery/validation/names.ts";
import { validateWebhookUrl } from "#apimachinery/validation/webhook.ts";
import { readToken } from "#apiserver/authentication/jws.ts";
import { decodeContinue } from "#apiserver/endpoints/handlers/continue-token.ts";
import { negotiate } from "#apiserver/endpoints/handlers/negotiation.ts";
import { formatYaml } from "#apiserver/endpoints/handlers/yaml.ts";
import { resolveRequestInfo } from "#apiserver/request/resolve-request-info.ts";
import { parseCertificateRequest } from "#component-helpers/certificates/certificate-request.ts";
import { parseCronSchedule } from "#component-helpers/cron/cron-schedule.ts";
import { behaviourOf } from "#cri/fake/behaviour.ts";
import { decodeMembers, encodeMember } from "#cri/fake/commands/tar-format.ts";
import { lastName, MemoryFiles, trimSlashes } from "#cri/fake/memory-files.ts";
import { calculate } from "#cri/fake/shell/arithmetic.ts";
import { parseScript } from "#cri/fake/shell/syntax.ts";
import { defaultPullPolicy } from "#kube-apiserver/registry/core/pod/image-tag.ts";
import { validateIscsi } from "#kube-apiserver/registry/core/pod/validation/volumes-legacy.ts";
import { tlsWarnings } from "#kube-apiserver/registry/core/secret/tls-warnings.ts";

/** Characters of a text; what takes a time that grows with their square takes seconds. */
const LENGTH = 40_000;
/** CPU time for one text. */
const MS_MAX = 800;

let cel: KubernetesCel;
beforeAll(async () => {
  [cel] = await Promise.all([loadKubernetesCel(), loadPatterns()]);
});

/** What is repeated: what expressions go through again and again when it is not followed by what they look for. */
const PUMPS = [
  ..."a0A .-_/:,;'\"\\@=([{<*+%~!\n\té$|#&?",
  ...[
    "a.",
    "a-",
    "0.",
    "1:",
    "a,",
    "a=b,",
    "''",
    "\\a",
    "a@",
    "{a",
    "[0",
    "a: ",
    "- ",
    "? ",
    "a\n",
    " a",
    "::",
    "1h",
    "%41",
    "(?",
    "a|",
    "()",
  ],
  ...[
    "-----BEGIN A-----",
    "iqn.2000-01.a",
    "@.",
    "..*",
    "a in (b),",
    "a;q=1,",
    "<<: *a\n",
    "&a ",
    "!!a ",
    "\\u00",
    "e+",
    "0x",
    "['a']",
    '["a"]',
    "a['b']",
  ],
];
const AROUND: readonly (readonly [string, string])[] = [
  ["", "!"],
  ["a", "\u{1f600}"],
];

function texts(): readonly string[] {
  return PUMPS.flatMap((pump) =>
    AROUND.map(([before, after]) => `${before}${pump.repeat(Math.ceil(LENGTH / pump.length))}${after}`),
  );
}

const FORMATS =
  "bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid isbn creditcard ssn hexcolor rgbcolor byte date duration datetime k8s-short-name k8s-long-name";
const secretOf = (text: string): Secret => {
  const data = {
    "tls.crt": Buffer.from(text).toString("base64"),
    "tls.key": Buffer.from("-----BEGIN A-----\n-----END A-----").toString("base64"),
  };
  return { type: "kubernetes.io/tls", metadata: {}, data } as unknown as Secret;
};
const podOf = (text: string): Uint8Array =>
  Buffer.from(JSON.stringify({ metadata: { name: text, creationTimestamp: text, labels: { [text]: text } } }));

const readers: Readonly<Record<string, (text: string) => unknown>> = {
  ...Object.fromEntries(FORMATS.split(" ").map((format) => [`format ${format}`, (text: string) => matchesFormat(format, text)])),
  ...Object.fromEntries(
    Object.entries(names)
      .filter(([name, check]) => /^is(?!ValidPortNum|InRange|ValidUserId|ValidGroupId)/.test(name) && typeof check === "function")
      .map(([name, check]) => [name, check as (text: string) => unknown]),
  ),
  "JSON path": (text) => compileJsonPath(text)?.({ a: 1 }),
  "JSON path's union": (text) => compileJsonPath(`.a[${text}]`),
  "JSON path's filter": (text) => compileJsonPath(`.a[?(${text})]`),
  "label selector": parseLabelSelector,
  "field selector": parseFieldSelector,
  duration: parseGoDuration,
  amount: canonicalQuantity,
  time: canonicalTime,
  "time to the microsecond": canonicalMicroTime,
  schedule: parseCronSchedule,
  address: parseIp,
  network: parseCidr,
  "webhook's URL": (text) => validateWebhookUrl(text, FieldPath.root),
  token: readToken,
  "continue token": (text) => decodeContinue(text, "/a/"),
  "Accept header": (text) => negotiate(text),
  path: (text) => resolveRequestInfo("GET", `/api/v1/${text}`, new URLSearchParams({ fieldSelector: `metadata.name=${text}` })),
  "JSON patch's path": (text) => applyJsonPatch({ a: 1 }, [{ op: "add", path: `/${text}`, value: 1 }]),
  "JSON body": (text) => decodeBody({ bytes: Buffer.from(text), format: "json", kind: POD, fieldValidation: "Strict" }),
  "texts in a body": (text) => decodeBody({ bytes: podOf(text), format: "json", kind: POD, fieldValidation: "Strict" }),
  "YAML body": (text) => decodeBody({ bytes: Buffer.from(text), format: "yaml", kind: POD, fieldValidation: "Strict" }),
  "YAML with a key twice": (text) => parseYaml(`a: 1\n? a${text.replaceAll(/[\n\0]/g, "")}\n: 2\n? a\n: 3`),
  "YAML answer": (text) => formatYaml({ [text.slice(0, 1000)]: text }),
  "certificate request": (text) => parseCertificateRequest(`-----BEGIN CERTIFICATE REQUEST-----${text}`),
  "TLS secret": (text) => tlsWarnings(secretOf(text)),
  "shell script": parseScript,
  "quotes in a shell script": (text) => parseScript(`echo "${text.replaceAll('"', "")}" \${a:-${text.replaceAll("}", "")}}`),
  "sum in a shell script": (text) => calculate(text, () => "1"),
  "container's command": (text) => behaviourOf({ name: "a", command: ["sh", "-c", text], args: [], labels: {}, annotations: {} }),
  archive: (text) => [...decodeMembers(archiveOf(text))],
  "path in a container": (text) => [lastName(`/${text}`), trimSlashes(text, true), new MemoryFiles(0).find(text.slice(0, 4096))],
  image: (text) => defaultPullPolicy(`0.A${text}`),
  "iSCSI name": (text) => validateIscsi({ iqn: `iqn${text}`, targetPortal: "a", lun: 1 }, FieldPath.root),
  pattern: (text) =>
    loadedPatterns()("^(a+)+(b|[a-z]*)*$") instanceof Error ||
    (loadedPatterns()("^(a+)+(b|[a-z]*)*$") as (text: string) => boolean)(text),
  expression: (text) => compileExpression(text, cel.environment, cel.regex),
  "text in an expression": (text) => evaluate(`${JSON.stringify(text.replaceAll(/[\0\\"\n]/g, "x"))}`),
};
/** An archive with POSIX's records of its member. */
const archiveOf = (text: string): Buffer => {
  const member = encodeMember({ name: "x", type: "file", mode: 0o644, mtimeMs: 0, data: Buffer.from(text) });
  member.write("x", 156, "latin1");
  return member;
};
const POD = { group: "", version: "v1", kind: "Pod" };

/** What functions of expressions do with a text. */
function evaluate(literal: string): void {
  for (const call of [
    "duration(x)",
    "timestamp(x)",
    "double(x)",
    "int(x)",
    "x.trim()",
    "quantity(x)",
    "isIP(x)",
    "isURL(x)",
    "isSemver(x)",
    "x.matches('^(a*)*$')",
    "x.split(',')",
    "x.replace('a', 'b')",
    "x.lowerAscii()",
    "x.charAt(5)",
  ]) {
    const compiled = compileExpression(call.replaceAll("x", literal), cel.environment, cel.regex);
    if ("issues" in compiled) continue;
    try {
      compileProgram(compiled.expr, cel.environment).run(() => undefined, 1_000_000);
    } catch {
      // A literal that cannot be converted.
    }
  }
}

describe("time grows with the length of what is read alone", () => {
  test.each(Object.entries(readers))("%s", (_name, read) => {
    for (const text of texts()) {
      const before = process.cpuUsage();
      try {
        read(text);
      } catch (error) {
        expect(error, text.slice(0, 20)).not.toBeInstanceOf(RangeError);
      }
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1000, JSON.stringify(`${text.slice(0, 20)}...${text.slice(-5)}`)).toBeLessThan(MS_MAX);
    }
  });
});
