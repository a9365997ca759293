import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { GroupVersionKind } from "#apimachinery/meta/api-object.ts";
import { bodyFormat, decodeBody, type FieldValidation } from "#apimachinery/schema/decode-body.ts";

const upstream = fileURLToPath(new URL("../../../shared/upstream", import.meta.url));
const TOLD_BY_DECODER = /cannot be handled as|provided is unrecognized|API version in the data/;
const STRICT_WARNING = /unknown field|duplicate field|already set/;

interface Step {
  readonly kind?: string;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly raw?: string;
  readonly rawBase64?: string;
}

interface Answer {
  readonly status: number;
  readonly body?: { readonly kind?: string; readonly message?: string };
  readonly warning?: string;
}

interface Sample {
  readonly name: string;
  readonly step: Step;
  readonly want: Answer;
  readonly kind: GroupVersionKind;
}

/** Kinds by `group/version/resource[/subresource]`. */
function readKinds(): Map<string, GroupVersionKind> {
  const kinds = new Map<string, GroupVersionKind>();
  const read = (
    file: string,
  ): { groupVersion: string; resources: { name: string; kind: string; group?: string; version?: string }[] } =>
    JSON.parse(readFileSync(join(upstream, "discovery", file), "utf8"));
  for (const file of readdirSync(join(upstream, "discovery"))) {
    if (!/^apis?__.*v\d\w*\.json$/.test(file)) continue;
    const { groupVersion, resources } = read(file);
    const [group, version] = groupVersion.includes("/") ? groupVersion.split("/") : ["", groupVersion];
    for (const r of resources) {
      const own = { group: group ?? "", version: version ?? "" };
      const kind =
        r.version === undefined ? { ...own, kind: r.kind } : { group: r.group ?? "", version: r.version, kind: r.kind };
      kinds.set(`${own.group}/${own.version}/${r.name}`, kind);
    }
  }
  return kinds;
}

function kindOf(kinds: Map<string, GroupVersionKind>, path: string): GroupVersionKind | undefined {
  const parts = (path.split("?", 1)[0] ?? "").split("/").filter((part) => part !== "");
  const [group, version, rest] =
    parts[0] === "api" ? ["", parts[1] ?? "", parts.slice(2)] : [parts[1] ?? "", parts[2] ?? "", parts.slice(3)];
  const [resource, , subresource] = rest[0] === "namespaces" && rest.length > 2 ? rest.slice(2) : rest;
  return kinds.get(`${group}/${version}/${subresource === undefined ? resource : `${resource}/${subresource}`}`);
}

/** POSTs and PUTs of built-in kinds whose answer tells what the decoder said. */
function readSamples(): Sample[] {
  const kinds = readKinds();
  const samples: Sample[] = [];
  for (const file of readdirSync(join(upstream, "recorded"))) {
    if (!/^(req-(write|err|sub)|kinds|ctl|ext-(plugins|psa|vap|limits)).*\.jsonl$/.test(file)) continue;
    for (const line of readFileSync(join(upstream, "recorded", file), "utf8")
      .trim()
      .split("\n")) {
      const recorded = JSON.parse(line) as { id: string; steps: Step[]; want: Answer[] };
      if (!Array.isArray(recorded.want)) continue;
      recorded.steps.forEach((step, index) => {
        const want = recorded.want[index];
        const kind = kindOf(kinds, step.path ?? "");
        if (want === undefined || kind === undefined || !isWrite(step)) return;
        if (/\/(exec|attach|portforward|proxy)/.test(step.path) || [401, 403, 404, 405, 413].includes(want.status)) return;
        samples.push({ name: `${recorded.id} #${index}`, step, want, kind });
      });
    }
  }
  return samples;
}

function isWrite(step: Step): boolean {
  const isRequest = step.kind === undefined || step.kind === "request";
  return isRequest && (step.method === "POST" || step.method === "PUT") && !JSON.stringify(step).includes("{{");
}

function timesHidden(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "<time>");
}

function run({ step, kind }: Sample): { message: string | undefined; warnings: string[] } {
  const bytes =
    step.rawBase64 === undefined
      ? Buffer.from(step.raw ?? (step.body === undefined ? "" : JSON.stringify(step.body)))
      : Buffer.from(step.rawBase64, "base64");
  const query = new URL(`http://x${step.path}`).searchParams.get("fieldValidation") ?? "Warn";
  const fieldValidation = (["Ignore", "Strict"].includes(query) ? query : "Warn") as FieldValidation;
  const contentType = step.headers?.["content-type"] ?? step.headers?.["Content-Type"];
  const warnings: string[] = [];
  try {
    const acceptsVersion = (group: string): boolean => group === "policy";
    decodeBody({
      bytes,
      format: bodyFormat(contentType),
      kind,
      fieldValidation,
      acceptsVersion,
      addWarning: (text) => warnings.push(text),
    });
    return { message: undefined, warnings };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { message: timesHidden(error.message), warnings };
  }
}

function expected({ want }: Sample): string | undefined {
  const message = want.body?.message ?? "";
  const told = want.status === 415 || (want.status === 400 && TOLD_BY_DECODER.test(message));
  return told ? message : undefined;
}

function quoted(warning: string): string {
  return `299 - "${warning.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

describe.runIf(existsSync(join(upstream, "recorded")))("recorded bodies", () => {
  const samples = existsSync(join(upstream, "recorded")) ? readSamples() : [];

  test("failures have upstream's texts", () => {
    const wrong = samples
      .map((sample) => ({ name: sample.name, got: run(sample).message, want: expected(sample) }))
      .filter(({ got, want }) => got !== want);
    expect(wrong).toEqual([]);
  });

  test("warnings are upstream's", () => {
    const wrong = samples
      .filter((sample) => sample.want.status < 300)
      .map((sample) => ({
        name: sample.name,
        got: run(sample).warnings.map(quoted),
        want: (sample.want.warning ?? "").split(/, (?=299)/).filter((text) => STRICT_WARNING.test(text)),
      }))
      .filter(({ got, want }) => got.join() !== want.join());
    expect(wrong).toEqual([]);
  });
});
