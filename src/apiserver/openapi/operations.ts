import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { Descriptions } from "./descriptions.ts";
import type { Body, Content, Operation, Parameter } from "./operation.ts";
import { nameParameter, namespaceParameter, prettyParameter, queryParameters } from "./parameters.ts";
import type { OperationKind, ServedResource, ServedSubresource } from "./served-resource.ts";

const OBJECTS = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/cbor"];
const STREAMS = [
  ...OBJECTS,
  "application/json;stream=watch",
  "application/vnd.kubernetes.protobuf;stream=watch",
  "application/cbor-seq",
];
const PATCHES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
  "application/apply-patch+cbor",
];
const ANY = ["*/*"];
const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const OLD_WATCH = "old form of a list with `watch`";

/** `Core`, `RbacAuthorization`: a group in operation ids. */
export function groupTitle(group: string): string {
  const words = group === "" ? ["core"] : group.replace(/\.k8s\.io$/, "").split(/[^\p{L}\p{N}_]+/u);
  return words.map(capitalised).join("");
}

/** `core_v1`, `rbacAuthorization_v1`: a group, and a version when there is one, as operations are tagged. */
export function groupTag(group: string, version?: string): string {
  const title = groupTitle(group);
  const tag = `${title.charAt(0).toLowerCase()}${title.slice(1)}`;
  return version === undefined ? tag : `${tag}_${version}`;
}

/** The word with its first letter in upper case, as in operation ids. */
export function capitalised(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}

/** Writes the operations of one resource, by path, into `paths`. */
export function addResourceOperations(
  paths: Map<string, Operation[]>,
  resource: ServedResource,
  texts: Descriptions["parameters"],
): void {
  new ResourceOperations(paths, resource, texts).add();
}

interface Action {
  readonly method: string;
  readonly verb: string;
  readonly action: string;
  readonly query: string;
  readonly description: string;
  readonly produces?: readonly string[];
  readonly codes?: readonly number[];
  readonly content: Content;
  readonly body?: Body;
  readonly kind?: OperationKind;
  /** Of the id, after the prefix. */
  readonly name: string;
  readonly pretty?: boolean;
  readonly nameKind?: string;
  readonly extra?: readonly Parameter[];
}

class ResourceOperations {
  readonly #paths: Map<string, Operation[]>;
  readonly #resource: ServedResource;
  readonly #texts: Descriptions["parameters"];
  readonly #prefix: string;
  readonly #root: string;

  constructor(paths: Map<string, Operation[]>, resource: ServedResource, texts: Descriptions["parameters"]) {
    this.#paths = paths;
    this.#resource = resource;
    this.#texts = texts;
    const { group, version } = resource;
    this.#prefix = `${groupTitle(group)}${capitalised(version)}`;
    this.#root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  }

  add(): void {
    const { plural, namespaced } = this.#resource;
    const scope = namespaced ? "namespaces/{namespace}/" : "";
    this.#collection(`${this.#root}/${scope}${plural}`);
    if (namespaced) this.#allNamespaces();
    this.#item(`${this.#root}/${scope}${plural}/{name}`);
    this.#watches(scope);
    for (const subresource of this.#resource.subresources)
      this.#subresource(`${this.#root}/${scope}${plural}/{name}`, subresource);
  }

  get #kind(): OperationKind {
    const { group, version, kind } = this.#resource;
    return { group, version, kind };
  }

  get #scoped(): string {
    return `${this.#resource.namespaced ? "Namespaced" : ""}${this.#resource.kind}`;
  }

  #has(verb: ServedResource["verbs"][number]): boolean {
    return this.#resource.verbs.includes(verb);
  }

  #emit(path: string, action: Action): void {
    const kind = action.kind ?? this.#kind;
    const parameters: Parameter[] = [...queryParameters(action.query, this.#texts), ...(action.extra ?? [])];
    if (path.includes("{namespace}")) parameters.push(namespaceParameter(this.#texts));
    if (path.includes("{name}")) parameters.push(nameParameter(kind.kind));
    if (action.pretty !== false) parameters.push(prettyParameter(this.#texts));
    const operations = this.#paths.get(path) ?? [];
    operations.push({
      method: action.method,
      id: `${action.verb}${this.#prefix}${action.name}`,
      description: action.description,
      tag: groupTag(this.#resource.group, this.#resource.version),
      action: action.action,
      kind,
      parameters,
      ...(action.body === undefined ? {} : { body: action.body }),
      consumes: action.body?.consumes ?? ANY,
      produces: action.produces ?? OBJECTS,
      codes: action.codes ?? [200],
      content: action.content,
    });
    this.#paths.set(path, operations);
  }

  #list(path: string, name: string): void {
    const { kind } = this.#resource;
    const how = this.#has("watch") ? "list or watch" : "list";
    const content = { type: typeName({ ...this.#kind, kind: `${kind}List` }) };
    const description = `${how} ${kind} objects`;
    this.#emit(path, {
      method: "get",
      verb: "list",
      action: "list",
      query: "list",
      description,
      produces: STREAMS,
      content,
      name,
    });
  }

  #collection(path: string): void {
    const { kind } = this.#resource;
    if (this.#has("list")) this.#list(path, this.#scoped);
    if (this.#has("create")) this.#create(path, this.#scoped, this.#kind, `create${article(kind)} ${kind}`);
    if (this.#has("deletecollection")) {
      this.#emit(path, {
        method: "delete",
        verb: "delete",
        action: "deletecollection",
        query: "deletecollection",
        description: `delete collection of ${kind}`,
        content: { type: `${META}Status` },
        body: deleteBody(),
        name: `Collection${this.#scoped}`,
      });
    }
  }

  #create(path: string, name: string, kind: OperationKind, description: string): void {
    const type = typeName(kind);
    this.#emit(path, {
      method: "post",
      verb: "create",
      action: "post",
      query: "post",
      description,
      codes: [200, 201, 202],
      content: { type },
      body: { type, required: true, consumes: ANY },
      kind,
      name,
    });
  }

  #allNamespaces(): void {
    if (this.#has("list")) this.#list(`${this.#root}/${this.#resource.plural}`, `${this.#resource.kind}ForAllNamespaces`);
  }

  #item(path: string): void {
    const { kind, returnsDeleted } = this.#resource;
    if (this.#has("delete")) {
      this.#emit(path, {
        method: "delete",
        verb: "delete",
        action: "delete",
        query: "delete",
        description: `delete${article(kind)} ${kind}`,
        codes: [200, 202],
        content: { type: returnsDeleted ? typeName(this.#kind) : `${META}Status` },
        body: deleteBody(),
        name: this.#scoped,
      });
    }
    const verbs = (["get", "update", "patch"] as const).filter((verb) => this.#has(verb));
    this.#objectVerbs(path, verbs, this.#kind, this.#scoped, "");
  }

  /** get, put and patch of an object; `what` is empty or `status of ` and the like. */
  #objectVerbs(
    path: string,
    verbs: readonly ("get" | "update" | "patch")[],
    kind: OperationKind,
    name: string,
    what: string,
  ): void {
    const type = typeName(kind);
    const target = `${what}the specified ${this.#resource.kind}`;
    const common = { content: { type }, kind, name };
    if (verbs.includes("get")) {
      this.#emit(path, { ...common, method: "get", verb: "read", action: "get", query: "get", description: `read ${target}` });
    }
    if (verbs.includes("patch")) {
      const body = { type: `${META}Patch`, required: true, consumes: PATCHES };
      const description = `patch ${target}`;
      this.#emit(path, {
        ...common,
        method: "patch",
        verb: "patch",
        action: "patch",
        query: "patch",
        description,
        codes: [200, 201],
        body,
      });
    }
    if (verbs.includes("update")) {
      const body = { type, required: true, consumes: ANY };
      this.#emit(path, {
        ...common,
        method: "put",
        verb: "replace",
        action: "put",
        query: "put",
        description: `replace ${target}`,
        codes: [200, 201],
        body,
      });
    }
  }

  /** The paths of before `watch=true`. */
  #watches(scope: string): void {
    if (!this.#has("watch")) return;
    const { kind, plural, namespaced } = this.#resource;
    const common = { method: "get", verb: "watch", query: "list", produces: STREAMS, content: { type: `${META}WatchEvent` } };
    const list = { ...common, action: "watchlist", description: `watch objects of kind ${kind}: ${OLD_WATCH}` };
    this.#emit(`${this.#root}/watch/${scope}${plural}`, { ...list, name: `${this.#scoped}List` });
    if (namespaced) this.#emit(`${this.#root}/watch/${plural}`, { ...list, name: `${kind}ListForAllNamespaces` });
    if (!this.#has("get")) return;
    const description = `watch one object of kind ${kind}: ${OLD_WATCH} and a field selector`;
    this.#emit(`${this.#root}/watch/${scope}${plural}/{name}`, { ...common, action: "watch", description, name: this.#scoped });
  }

  #subresource(item: string, subresource: ServedSubresource): void {
    const path = `${item}/${subresource.name}`;
    const name = `${this.#scoped}${capitalised(subresource.name)}`;
    switch (subresource.type) {
      case "object":
        this.#objectVerbs(path, subresource.verbs, subresource.kind, name, `${subresource.name} of `);
        break;
      case "create": {
        const { kind } = this.#resource;
        this.#create(path, name, subresource.kind, `create ${subresource.name} of${article(kind)} ${kind}`);
        break;
      }
      case "log": {
        const description = `read log of the specified ${this.#resource.kind}`;
        const produces = ["text/plain", ...OBJECTS];
        this.#emit(path, {
          method: "get",
          verb: "read",
          action: "get",
          query: "log",
          description,
          produces,
          content: "string",
          name,
        });
        break;
      }
      case "connect":
        this.#connect(path, subresource, name);
    }
  }

  #connect(path: string, subresource: ServedSubresource, name: string): void {
    const isProxy = subresource.name === "proxy";
    const methods = isProxy ? ["delete", "get", "head", "options", "patch", "post", "put"] : ["get", "post"];
    const variants = isProxy
      ? [
          { path, name },
          { path: `${path}/{path}`, name: `${name}WithPath` },
        ]
      : [{ path, name }];
    for (const variant of variants) {
      const extra: Parameter[] =
        variant.path === path ? [] : [{ name: "path", in: "path", type: "string", description: "path on the other side" }];
      for (const method of methods) {
        this.#emit(variant.path, {
          method,
          verb: "connect",
          action: "connect",
          query: subresource.name,
          description: `pass ${method.toUpperCase()} requests on to ${subresource.name} of a ${this.#resource.kind}`,
          produces: ANY,
          content: "string",
          kind: subresource.kind,
          name: variant.name.replace(/^/, capitalised(method)),
          pretty: false,
          extra,
        });
      }
    }
  }
}

function deleteBody(): Body {
  return { type: `${META}DeleteOptions`, required: false, consumes: ANY };
}

function typeName(kind: OperationKind): string {
  return schemaFor(kind.group, kind.version, kind.kind)?.name ?? `${META}Status`;
}

/** How texts go on before a kind: " a", " an", or nothing before a plural. */
export function article(noun: string): string {
  if (noun.endsWith("s") && !noun.endsWith("ss")) return "";
  return /^[AEIOU]/.test(noun) ? " an" : " a";
}
