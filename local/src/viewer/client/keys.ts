/** What a key does. */
export type Keys = Record<string, () => void>;

/** Listens for single keys, but not while somebody is typing. */
export function listenToKeys(keys: Keys): void {
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
    if (document.querySelector('dialog[open]')) return;
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, select, textarea, [contenteditable]');
}

/** Moves the focus to the next item, or the previous one; from outside, to the first one that is in sight. */
export function moveFocus(items: readonly HTMLElement[], step: 1 | -1): void {
  const current = items.findIndex(item => item.contains(document.activeElement));
  const top = document.querySelector('header.bar')?.getBoundingClientRect().bottom ?? 0;
  const inSight = items.findIndex(item => item.getBoundingClientRect().top >= top - 1);
  const target = items[current < 0 ? Math.max(0, inSight) : Math.min(items.length - 1, Math.max(0, current + step))];
  target?.focus({ preventScroll: true });
  target?.scrollIntoView({ block: 'nearest' });
}
