/** Messages that the visitor must not miss; read out at once, and put away by hand. */
import { byId, create } from './dom.ts';

/** @param action a button beside the message */
export function showNotice(message: string, action?: { label: string; run: () => void }): void {
  const notices = byId('notices', HTMLElement);
  const isShown = [...notices.children].some((notice) => notice.firstChild?.textContent === message);
  if (isShown) return;
  const notice = create('div', { className: 'notice' }, create('p', { className: 'notice-text' }, message));
  if (action) notice.append(create('button', { type: 'button', onclick: action.run }, action.label));
  const close = create(
    'button',
    { type: 'button', className: 'quiet', onclick: () => notice.remove() },
    'Dismiss',
  );
  notice.append(close);
  notices.append(notice);
}

export function clearNotices(): void {
  byId('notices', HTMLElement).replaceChildren();
}

/** What was thrown, in words. */
export function reason(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
