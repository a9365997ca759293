/**
 * The addresses after one more server has entered itself where as many as `count` have room: those that come next in the
 * order behind the new one make place (upstream's `masterCountEndpointReconciler`). Nobody who is dead is found out.
 */
export function addedToCount(present: readonly string[], ip: string, count: number): readonly string[] {
  const all = [...new Set([...present, ip])].sort();
  while (all.length > Math.max(1, count)) all.splice((all.indexOf(ip) + 1) % all.length, 1);
  return all;
}
