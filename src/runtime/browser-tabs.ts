import type { TabsPlatform } from '../worker/tab-protocol.ts';

/** Tabs of one origin, by broadcast channels and Web Locks. No SharedWorker, which some mobile browsers lack. */
export const browserTabs: TabsPlatform = {
  openChannel(name, onMessage) {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => onMessage(data);
    return { post: (message) => channel.postMessage(message), close: () => channel.close() };
  },

  holdLock(name, signal) {
    return new Promise((resolve) => {
      const held = () => new Promise<void>((release) => resolve(release));
      navigator.locks.request(name, { ...(signal && { signal }) }, held).catch(() => {}); // aborted
    });
  },
};
