import type { OwnerKind } from "./ownership.ts";
import { CRON_JOBS, DAEMON_SETS, DEPLOYMENTS, JOBS, STATEFUL_SETS } from "./resources.ts";

/** The kinds that own what their controllers make. */
export const DEPLOYMENT: OwnerKind = { id: DEPLOYMENTS, apiVersion: "apps/v1", kind: "Deployment" };
export const DAEMON_SET: OwnerKind = { id: DAEMON_SETS, apiVersion: "apps/v1", kind: "DaemonSet" };
export const STATEFUL_SET: OwnerKind = { id: STATEFUL_SETS, apiVersion: "apps/v1", kind: "StatefulSet" };
export const JOB: OwnerKind = { id: JOBS, apiVersion: "batch/v1", kind: "Job" };
export const CRON_JOB: OwnerKind = { id: CRON_JOBS, apiVersion: "batch/v1", kind: "CronJob" };
