import type { Pod } from "#api/generated/core/v1.ts";
import { type AdmissionAttributes, type AdmissionPluginFactory, admissionForbidden } from "#apiserver/admission/admission.ts";
import type { AnsweredReview } from "#apiserver/webhook/review-webhook.ts";

/** How the webhook is asked, and how long its answers hold. */
export interface ImagePolicyOptions {
  /** Posts an ImageReview. Rejects where the webhook does not answer. */
  readonly post: (review: object) => Promise<AnsweredReview>;
  readonly allowTtlMs: number;
  readonly denyTtlMs: number;
  /** Whether images are taken when the webhook does not answer. */
  readonly defaultAllow: boolean;
}

interface Answer {
  readonly allowed: boolean;
  readonly reason: string;
  readonly until: number;
}

const ANSWERS_MAX = 1024;
const API_VERSION = "imagepolicy.k8s.io/v1alpha1";

/** Asks a webhook about the images of pods (`imagepolicy.k8s.io/v1alpha1`). */
export function imagePolicyWebhook(options: ImagePolicyOptions): AdmissionPluginFactory {
  return ({ clock }) => {
    const known = new Map<string, Answer>();
    const ask = async (spec: object): Promise<Answer> => {
      const key = JSON.stringify(spec);
      const last = known.get(key);
      if (last !== undefined && clock.elapsed() < last.until) return last;
      const { status } = await options.post({ apiVersion: API_VERSION, kind: "ImageReview", spec });
      const { allowed = false, reason = "" } = (status ?? {}) as { allowed?: boolean; reason?: string };
      const answer = { allowed, reason, until: clock.elapsed() + (allowed ? options.allowTtlMs : options.denyTtlMs) };
      known.delete(key);
      known.set(key, answer);
      const oldest = known.size > ANSWERS_MAX ? known.keys().next().value : undefined;
      if (oldest !== undefined) known.delete(oldest);
      return answer;
    };
    return {
      name: "ImagePolicyWebhook",
      validate: async (attributes) => {
        if (!concerns(attributes)) return;
        let answer: Answer;
        try {
          answer = await ask(reviewOf(attributes));
        } catch (error) {
          if (options.defaultAllow) return;
          throw admissionForbidden(attributes, (error as Error).message);
        }
        if (answer.allowed) return;
        const text =
          answer.reason === ""
            ? "one or more images rejected by webhook backend"
            : `image policy webhook backend denied one or more images: ${answer.reason}`;
        throw admissionForbidden(attributes, text);
      },
    };
  };
}

function concerns({ operation, group, resource, subresource }: AdmissionAttributes): boolean {
  if (group !== "" || resource !== "pods" || (operation !== "CREATE" && operation !== "UPDATE")) return false;
  return subresource === "" || subresource === "ephemeralcontainers";
}

function reviewOf({ object, namespace, subresource }: AdmissionAttributes): object {
  const { metadata, spec } = object as unknown as Pod;
  const containers =
    subresource === "ephemeralcontainers"
      ? (spec?.ephemeralContainers ?? [])
      : [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const own = Object.entries(metadata?.annotations ?? {}).filter(([name]) => name.includes(".image-policy.k8s.io/"));
  return {
    containers: containers.map(({ image = "" }) => ({ image })),
    ...(own.length > 0 && { annotations: Object.fromEntries(own) }),
    namespace,
  };
}
