import { startPage } from './common.js';
import { Fresh } from './fresh.js';
import { moveFocus } from './keys.js';
import { listen } from './live.js';
import { announce, byId, elementsOf } from './markup.js';
import { localizeTimes } from './times.js';

// Further down than this, the reader reads: the list stays as it is until they ask.
const TOP_PX = 80;
// As the server's page has; what is pushed below is on the next one.
const MAX_ROWS = 200;

const rows = byId<HTMLOListElement>('rows');
const held = new Map<string, HTMLElement>();
const fresh = new Fresh('conversation', 'conversations', showHeld);

const links = () => [...document.querySelectorAll<HTMLElement>('#rows .opening')];
const move = (step: 1 | -1) => () => moveFocus(links(), step);

startPage({
  j: move(1),
  k: move(-1),
  ArrowDown: move(1),
  ArrowUp: move(-1),
  '/': () => byId<HTMLInputElement>('q')?.select(),
  n: () => byId('fresh')?.click(),
});
startFilters();
if (location.hash === '#q') byId('q')?.focus();
if (rows?.dataset.events) {
  const on = { row: receive, reset: () => fresh.reload(), gone: () => location.reload() };
  listen({ url: rows.dataset.events, seq: Number(rows.dataset.seq), on });
}

function receive(html: string): void {
  for (const row of elementsOf(html)) {
    localizeTimes(row);
    const isNew = !held.has(row.id);
    held.set(row.id, row);
    if (scrollY > TOP_PX && isNew) fresh.add(1);
  }
  if (scrollY <= TOP_PX) putHeld();
}

function showHeld(): void {
  // Without a row, the server said only that there are too many.
  if (held.size === 0) return location.reload();
  putHeld();
  scrollTo({ top: 0 });
}

/** Puts the rows that have come to the top, and leaves the focus where it was. */
function putHeld(): void {
  const focused = document.activeElement?.closest('.row')?.id;
  for (const [id, row] of held) {
    byId(id)?.remove();
    row.classList.add('new');
    rows?.prepend(row);
  }
  if (focused !== undefined && held.has(focused)) byId(focused)?.querySelector<HTMLElement>('a')?.focus();
  announce(held.size === 1 ? 'A conversation has something new' : `${held.size} conversations have something new`);
  held.clear();
  fresh.clear();
  while ((rows?.children.length ?? 0) > MAX_ROWS) rows?.lastElementChild?.remove();
  const nothing = byId('nothing');
  if (nothing) nothing.hidden = true;
}

/** A choice is a search; what is typed is one on Enter, and is helped with what the server knows. */
function startFilters(): void {
  const form = byId<HTMLFormElement>('filters');
  // An address is easier to read, and to send to somebody, without the fields that are empty.
  form?.addEventListener('formdata', ({ formData }) => {
    for (const [name, value] of [...formData]) if (value === '') formData.delete(name);
  });
  for (const select of form?.querySelectorAll('select') ?? [])
    select.addEventListener('change', () => form?.requestSubmit());
  for (const input of form?.querySelectorAll<HTMLInputElement>('[data-known]') ?? []) {
    input.addEventListener('focus', () => void suggest(input));
    input.addEventListener('input', () => void suggest(input));
    input.addEventListener('change', () => form?.requestSubmit());
  }
}

async function suggest(input: HTMLInputElement): Promise<void> {
  const text = input.value;
  const response = await fetch(`/known/${input.dataset.known}?text=${encodeURIComponent(text)}`);
  if (!response.ok || input.value !== text) return;
  const values = (await response.json()) as string[];
  const options = values.map(value => Object.assign(document.createElement('option'), { value }));
  input.list?.replaceChildren(...options);
}
