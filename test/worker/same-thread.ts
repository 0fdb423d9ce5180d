import type { Host } from '../../src/worker/host.ts';
import type { HostEnd, SpawnedWorker } from '../../src/worker/link.ts';

/** A host without a worker of its own. What crosses is cloned, and answers come after what was said before them. */
export function inThisThread(host: Host): SpawnedWorker {
  const end: HostEnd = {
    open: (...given) => host.open(...given),
    restore: (...given) => host.restore(...given),
    call: async (id, call) => {
      const answer = await host.call(id, structuredClone(call));
      await hop();
      return answer;
    },
    abort: async (id) => host.abort(id),
    suspend: async () => host.suspend(),
    resume: async () => host.resume(),
    close: async () => {
      const answer = await host.close();
      await hop();
      return answer;
    },
  };
  return { host: end, onFailure: () => {}, terminate: () => {} };
}

function hop(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
