import type { WebhookClientConfig } from "#api/generated/admissionregistration/v1.ts";
import { type FieldError, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { validateWebhookService, validateWebhookUrl } from "#apimachinery/validation/webhook.ts";

/** Where a webhook is called: by URL or by Service. */
export function validateClientConfig(config: WebhookClientConfig | undefined, path: FieldPath): FieldError[] {
  const { url, service } = config ?? {};
  if ((url === undefined) === (service === undefined)) return [required(path, "exactly one of url or service is required")];
  if (url !== undefined) return validateWebhookUrl(url, path.child("url"));
  return service ? validateWebhookService(service, path.child("service")) : [];
}
