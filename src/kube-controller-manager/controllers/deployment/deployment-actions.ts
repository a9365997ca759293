import type { Deployment, DeploymentStatus, ReplicaSet } from "#api/generated/apps/v1.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/api-errors/errors.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { Clock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { referenceTo } from "#client/event-target.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import type { Expectations } from "../../framework/expectations.ts";
import { isNamespaceTerminating } from "../../framework/namespace-terminating.ts";
import { DEPLOYMENT } from "../../framework/owner-kinds.ts";
import { writeClaims } from "../../framework/ownership.ts";
import { DEPLOYMENTS, REPLICA_SETS } from "../../framework/resources.ts";
import { REVISION, withReplicas } from "./annotations.ts";
import { hasProgressDeadline, newCondition, setCondition } from "./conditions.ts";
import type { Action, Observed } from "./reconcile.ts";
import { equalIgnoringHash, replicasOf } from "./replica-sets.ts";

/** What {@link DeploymentActions} works with. */
export interface DeploymentActionsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  /** Of ReplicaSets, by the Deployment's uid. */
  readonly setsWritten: Expectations;
  /** By uid. */
  readonly deploymentsWritten: Expectations;
}

/** Carries out what `reconcile` decided about Deployments, and tells users of it. */
export class DeploymentActions {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #recorder: EventRecorder;
  readonly #setsWritten: Expectations;
  readonly #deploymentsWritten: Expectations;

  constructor(options: DeploymentActionsOptions) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#recorder = options.recorder;
    this.#setsWritten = options.setsWritten;
    this.#deploymentsWritten = options.deploymentsWritten;
  }

  /** Does them in order; what fails is thrown. */
  async execute(actions: readonly Action[], { deployment }: Observed): Promise<void> {
    const { namespace = "", uid = "" } = deployment.metadata;
    const target = referenceTo(DEPLOYMENT.apiVersion, DEPLOYMENT.kind, deployment);
    const latest = new Map<string, ReplicaSet>();
    for (const action of actions) {
      switch (action.type) {
        case "claim":
          await writeClaims(this.#client, DEPLOYMENT, deployment, REPLICA_SETS, action);
          break;
        case "createReplicaSet":
          await this.#createReplicaSet(deployment, action);
          break;
        case "updateReplicaSet":
          await this.#writeReplicaSet(uid, action.replicaSet, latest);
          break;
        case "scale":
          await this.#scale(deployment, action, latest);
          break;
        case "deleteReplicaSet":
          await this.#deleteReplicaSet(uid, action.replicaSet);
          break;
        case "updateStatus":
          await this.#updateStatus(deployment, action.status, action.revision);
          break;
        case "rollback": {
          const written = await this.#client.update<Deployment>(
            DEPLOYMENTS,
            namespace,
            deployment.metadata.name ?? "",
            action.deployment,
          );
          this.#deploymentsWritten.wrote(uid, written.metadata.resourceVersion);
          this.#recorder.event(target, action.eventType, action.reason, action.message);
          break;
        }
        case "event":
          this.#recorder.event(target, action.eventType, action.reason, action.message);
          break;
      }
    }
  }

  /** `latest` holds what this pass wrote already, by name. */
  async #writeReplicaSet(uid: string, replicaSet: ReplicaSet, latest: Map<string, ReplicaSet>): Promise<void> {
    const { namespace = "", name = "" } = replicaSet.metadata;
    const written = await this.#client.update<ReplicaSet>(REPLICA_SETS, namespace, name, replicaSet);
    this.#setsWritten.wrote(uid, written.metadata.resourceVersion);
    latest.set(name, written);
  }

  async #scale(
    deployment: Deployment,
    { replicaSet: seen, replicas }: Action & { type: "scale" },
    latest: Map<string, ReplicaSet>,
  ): Promise<void> {
    const name = seen.metadata.name ?? "";
    const replicaSet = latest.get(name) ?? seen;
    const from = replicasOf(replicaSet);
    const annotations = { ...withReplicas(replicaSet.metadata.annotations, deployment) };
    if (from === replicas && semanticEqual(annotations, replicaSet.metadata.annotations)) return;
    const metadata = { ...replicaSet.metadata, annotations };
    const scaled = { ...replicaSet, metadata, spec: { ...replicaSet.spec, replicas } };
    await this.#writeReplicaSet(deployment.metadata.uid ?? "", scaled, latest);
    if (from === replicas) return;
    const message = `Scaled ${from < replicas ? "up" : "down"} replica set ${name} from ${from} to ${replicas}`;
    const target = referenceTo(DEPLOYMENT.apiVersion, DEPLOYMENT.kind, deployment);
    this.#recorder.event(target, "Normal", "ScalingReplicaSet", message);
  }

  async #createReplicaSet(
    deployment: Deployment,
    { replicaSet, status, revision }: Action & { type: "createReplicaSet" },
  ): Promise<void> {
    const { namespace = "", uid = "" } = deployment.metadata;
    const name = replicaSet.metadata.name ?? "";
    const target = referenceTo(DEPLOYMENT.apiVersion, DEPLOYMENT.kind, deployment);
    try {
      const created = await this.#client.create<ReplicaSet>(REPLICA_SETS, namespace, replicaSet);
      this.#setsWritten.wrote(uid, created.metadata.resourceVersion);
    } catch (error) {
      if (isAlreadyExists(error)) return this.#resolveCollision(deployment, name);
      if (isNamespaceTerminating(error)) return;
      const message = `Failed to create new replica set "${name}": ${error instanceof Error ? error.message : error}`;
      if (hasProgressDeadline(deployment)) {
        const failed = newCondition("Progressing", "False", "ReplicaSetCreateError", message, this.#clock.now());
        const conditions = setCondition(deployment.status?.conditions ?? [], failed);
        await this.#updateStatus(deployment, { ...deployment.status, conditions }, revision);
      }
      this.#recorder.event(target, "Warning", "ReplicaSetCreateError", message);
      throw error;
    }
    const replicas = replicasOf(replicaSet);
    if (replicas > 0) {
      this.#recorder.event(target, "Normal", "ScalingReplicaSet", `Scaled up replica set ${name} from 0 to ${replicas}`);
    }
    await this.#updateStatus(deployment, status, revision);
  }

  /** Ours after all, when the mirror lagged; otherwise another name is tried. */
  async #resolveCollision(deployment: Deployment, name: string): Promise<void> {
    const { namespace = "", uid = "" } = deployment.metadata;
    const existing = await this.#client.get<ReplicaSet>(REPLICA_SETS, namespace, name);
    const ours = controllerOf(existing)?.uid === uid && equalIgnoringHash(existing.spec.template ?? {}, deployment.spec.template);
    if (ours) {
      this.#setsWritten.wrote(uid, existing.metadata.resourceVersion);
      return;
    }
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    await this.#updateStatus(deployment, { ...deployment.status, collisionCount }, undefined);
  }

  async #deleteReplicaSet(uid: string, replicaSet: ReplicaSet): Promise<void> {
    try {
      const { namespace = "", name = "" } = replicaSet.metadata;
      this.#setsWritten.deleting(uid, replicaSet);
      await this.#client.delete(REPLICA_SETS, namespace, name);
    } catch (error) {
      this.#setsWritten.notDeleting(uid, replicaSet);
      if (!isNotFound(error)) throw error;
    }
  }

  async #updateStatus(deployment: Deployment, status: DeploymentStatus, revision: number | undefined): Promise<void> {
    if (revision === undefined && sameStatus(deployment.status ?? {}, status)) return;
    const { namespace = "", name = "", uid = "" } = deployment.metadata;
    const annotations =
      revision === undefined ? {} : { annotations: { ...deployment.metadata.annotations, [REVISION]: String(revision) } };
    const next: Deployment = { ...deployment, metadata: { ...deployment.metadata, ...annotations }, status };
    try {
      const written = await this.#client.update<Deployment>(DEPLOYMENTS, namespace, name, next, { subresource: "status" });
      this.#deploymentsWritten.wrote(uid, written.metadata.resourceVersion);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** Numbers that are absent on the wire are zero. */
function sameStatus(a: DeploymentStatus, b: DeploymentStatus): boolean {
  return semanticEqual(withoutZeros(a), withoutZeros(b));
}

function withoutZeros(status: DeploymentStatus): Record<string, unknown> {
  const entries = Object.entries(status).filter(([name, value]) => value !== 0 || name === "terminatingReplicas");
  return Object.fromEntries(entries);
}
