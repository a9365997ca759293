import { internalError } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceId, WatchEvent, WatchOptions } from "#client/client.ts";
import { deleteBody, listQuery, resourcePath, writeQuery } from "#client/resource-path.ts";
import type { AuthorizationAttributes } from "../authorization/authorizer.ts";
import type { UserInfo } from "../request/request-info.ts";
import type { AuditedRequest } from "./audited-request.ts";
import type { Auditor } from "./auditor.ts";

/** What {@link auditedClient} works with. */
export interface AuditedClientModules {
  readonly auditor: Auditor;
  readonly user: UserInfo;
  readonly clock: Clock;
  readonly random: Random;
}

interface Question {
  readonly verb: string;
  readonly id: ResourceId;
  readonly namespace: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly query?: string;
  readonly body?: unknown;
}

const JSON_TYPE = "application/json";
const CREATED = 201;
const OK = 200;

/** A client inside the server's own process whose requests are written down like those that come from outside. */
export function auditedClient(inner: Client, modules: AuditedClientModules): Client {
  async function audited<R>(question: Question, run: () => Promise<R>): Promise<R> {
    const request = begin(modules, question);
    if (request === undefined) return run();
    if (!(await request.stored)) throw internalError("failed to store audit event");
    try {
      const answer = await run();
      request.annotate("authorization.k8s.io/decision", "allow");
      const code = question.verb === "create" ? CREATED : OK;
      await request.complete(code, () => (answer === undefined ? undefined : JSON.stringify(answer)), JSON_TYPE);
      return answer;
    } catch (error) {
      await fail(request, error);
      throw error;
    }
  }
  return {
    get: (id, namespace, name) => audited({ verb: "get", id, namespace, name }, () => inner.get(id, namespace, name)),
    list: (id, namespace, options) =>
      audited({ verb: "list", id, namespace, query: listQuery(options ?? {}) }, () => inner.list(id, namespace, options)),
    watch: (id, namespace, options) => auditedWatch(inner, modules, id, namespace, options),
    create: (id, namespace, object, options = {}) => {
      const { name = "", subresource = "" } = options;
      const question = { verb: "create", id, namespace, name, subresource, query: writeQuery(options), body: object };
      return audited(question, () => inner.create(id, namespace, object, options));
    },
    update: (id, namespace, name, object, options = {}) => {
      const { subresource = "" } = options;
      const question = { verb: "update", id, namespace, name, subresource, query: writeQuery(options), body: object };
      return audited(question, () => inner.update(id, namespace, name, object, options));
    },
    patch: (id, namespace, name, type, patch, options = {}) => {
      const { subresource = "" } = options;
      const question = { verb: "patch", id, namespace, name, subresource, query: writeQuery(options), body: patch };
      return audited(question, () => inner.patch(id, namespace, name, type, patch, options));
    },
    delete: (id, namespace, name, options) =>
      audited({ verb: "delete", id, namespace, name, body: deleteBody(options ?? {}) }, () =>
        inner.delete(id, namespace, name, options),
      ),
    deleteCollection: (id, namespace, options) =>
      audited({ verb: "deletecollection", id, namespace, query: listQuery(options ?? {}) }, () =>
        inner.deleteCollection(id, namespace, options),
      ),
    raw: (path) => inner.raw(path),
  };
}

function begin(modules: AuditedClientModules, question: Question): AuditedRequest | undefined {
  const { auditor, user, clock, random } = modules;
  const { verb, id, namespace, name = "", subresource = "", query = "", body } = question;
  const attributes: AuthorizationAttributes = {
    user,
    verb,
    isResourceRequest: true,
    namespace,
    apiGroup: id.group,
    apiVersion: id.version,
    resource: id.resource,
    subresource,
    name,
    path: "",
  };
  const url = resourcePath(id, namespace, name, subresource) + query;
  const source = { url, headers: {}, remoteAddress: "127.0.0.1" };
  const request = auditor.begin(source, random.uuid(), attributes, clock.now());
  if (request !== undefined && body !== undefined) request.requestBody(Buffer.from(JSON.stringify(body)), JSON_TYPE);
  return request;
}

function fail(request: AuditedRequest, error: unknown): Promise<unknown> | undefined {
  const status = error instanceof StatusError ? error.status : undefined;
  const code = status?.code ?? 500;
  request.annotate("authorization.k8s.io/decision", code === 403 ? "forbid" : "allow");
  return request.complete(code, () => (status === undefined ? undefined : JSON.stringify(status)), JSON_TYPE);
}

function auditedWatch<T extends object>(
  inner: Client,
  modules: AuditedClientModules,
  id: ResourceId,
  namespace: string,
  options: WatchOptions,
): AsyncIterable<readonly WatchEvent<T>[]> {
  const { signal: _, ...asked } = options;
  const request = begin(modules, { verb: "watch", id, namespace, query: listQuery(asked, { watch: "true" }) });
  const watch = inner.watch<T>(id, namespace, options);
  if (request === undefined) return watch;
  return {
    async *[Symbol.asyncIterator]() {
      request.annotate("authorization.k8s.io/decision", "allow");
      request.started(OK);
      try {
        yield* watch;
      } catch (error) {
        await fail(request, error);
        throw error;
      } finally {
        await request.complete(OK, () => undefined);
      }
    },
  };
}
