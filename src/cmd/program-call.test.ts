import { expect, test } from "vitest";
import { programCall } from "./program-call.ts";

test.each([
  { file: "/x/dist/cmd/kybern.js", args: ["up", "--nodes=2"], want: { name: "up", args: ["--nodes=2"], isHyperkube: false } },
  { file: "/usr/bin/kybern", args: [], want: { name: undefined, args: [], isHyperkube: false } },
  { file: "/hyperkube", args: ["apiserver", "--v=2"], want: { name: "kube-apiserver", args: ["--v=2"], isHyperkube: true } },
  { file: "/hyperkube", args: ["kube-scheduler"], want: { name: "kube-scheduler", args: [], isHyperkube: true } },
  { file: "/hyperkube", args: ["proxy"], want: { name: "kube-proxy", args: [], isHyperkube: true } },
  { file: "/usr/bin/kube-apiserver", args: ["--v=2"], want: { name: "kube-apiserver", args: ["--v=2"], isHyperkube: false } },
  { file: "/apiserver", args: ["--v=2"], want: { name: "kube-apiserver", args: ["--v=2"], isHyperkube: true } },
  { file: "/opt/bin/kubelet-wrapper", args: ["--v=2"], want: { name: "kubelet", args: ["--v=2"], isHyperkube: true } },
  { file: "/usr/bin/kubelet", args: [], want: { name: "kubelet", args: [], isHyperkube: false } },
])("$file $args", ({ file, args, want }) => {
  expect(programCall(file, args)).toEqual(want);
});
