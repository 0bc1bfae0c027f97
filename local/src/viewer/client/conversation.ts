import { startPage } from './common.js';
import { copyFrom, copyText } from './copying.js';
import { Fresh } from './fresh.js';
import { moveFocus } from './keys.js';
import { listen } from './live.js';
import { announce, byId, elementsOf, fetchPage } from './markup.js';
import { localizeTimes } from './times.js';

// Nearer to the end than this, the reader follows what is said.
const END_PX = 120;

const list = byId<HTMLOListElement>('messages');
const fresh = new Fresh('message', 'messages', () => (behind ? location.reload() : scrollToEnd()));
let behind = false;

const messages = () => [...document.querySelectorAll<HTMLElement>('#messages .message')];

startPage({
  j: () => moveFocus(messages(), 1),
  k: () => moveFocus(messages(), -1),
  u: () => byId('back')?.click(),
  c: () => byId('copy')?.click(),
  n: () => (document.querySelector('.fresh:not([hidden])') ? byId('fresh')?.click() : scrollToEnd()),
  '/': () => location.assign('/#q'),
});
equip(document);
startPaging();
showPlace();
if (list?.dataset.events) {
  const on = { messages: receive, about: renewAbout, reset, gone };
  listen({ url: list.dataset.events, seq: Number(list.dataset.seq), on });
}
document.addEventListener('scroll', () => isAtEnd() && !behind && fresh.clear(), { passive: true });

function receive(html: string): void {
  const follow = isAtEnd();
  let added = 0;
  for (const message of elementsOf(html)) {
    equip(message);
    message.classList.add('new');
    const known = byId(message.id);
    if (known) known.replaceWith(message);
    else {
      list?.append(message);
      added++;
    }
  }
  if (added === 0) return;
  announce(added === 1 ? 'A new message' : `${added} new messages`);
  if (follow) scrollToEnd();
  else fresh.add(added);
}

function renewAbout(html: string): void {
  // The charts stand above what is read: their place must not change while it is.
  byId('about')?.replaceChildren(...elementsOf(html));
  const about = byId('about');
  if (about) localizeTimes(about);
}

/** Somebody was forgotten, who may stand on this page. */
function gone(): void {
  location.reload();
}

function reset(): void {
  behind = true;
  fresh.reload();
}

function isAtEnd(): boolean {
  return innerHeight + scrollY >= document.documentElement.scrollHeight - END_PX;
}

function scrollToEnd(): void {
  scrollTo({ top: document.documentElement.scrollHeight });
  if (!behind) fresh.clear();
}

/** Where a page begins: at the message that was looked for, or, of a conversation that goes on, at its end. */
function showPlace(): void {
  const at = list?.dataset.at === undefined ? undefined : byId(`m${list.dataset.at}`);
  if (at) {
    at.classList.add('sought');
    at.scrollIntoView({ block: 'center' });
    at.focus({ preventScroll: true });
  } else if (list?.dataset.events && location.hash === '' && byId('earlier')) scrollToEnd();
}

/** Earlier and later messages come into the page, around what is read. Without this they are pages of their own. */
function startPaging(): void {
  document.addEventListener('click', async event => {
    const link = (event.target as Element).closest<HTMLAnchorElement>('#earlier, #later');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const page = await fetchPage(link.href);
    const more = page?.querySelector('#messages');
    if (!page || !more || !list) return location.assign(link.href);
    const added = [...more.children].filter(element => element instanceof HTMLElement && !byId(element.id));
    for (const element of added) equip(element);
    const earlier = link.id === 'earlier';
    const nav = link.parentElement;
    const next = page.querySelector(`#${link.id}`)?.parentElement;
    const before = document.documentElement.scrollHeight - scrollY;
    if (earlier) list.prepend(...added);
    else list.append(...added);
    nav?.replaceChildren(...(next?.childNodes ?? []));
    if (earlier) scrollTo({ top: document.documentElement.scrollHeight - before });
    announce(`${added.length} ${earlier ? 'earlier' : 'later'} messages`);
    // What comes from now on belongs at the end, so only a page that has the end listens for it.
    const events = more.getAttribute('data-events');
    if (earlier || events === null) return;
    listen({
      url: events,
      seq: Number(more.getAttribute('data-seq')),
      on: { messages: receive, about: renewAbout, reset, gone },
    });
  });
}

/** Gives the buttons of a part of the page their work, and its code blocks a button to copy them. */
function equip(part: ParentNode): void {
  localizeTimes(part);
  for (const link of part.querySelectorAll<HTMLAnchorElement>('a[data-copy], a#copy'))
    link.addEventListener('click', event => {
      event.preventDefault();
      void copyFrom(link);
    });
  for (const link of part.querySelectorAll<HTMLAnchorElement>('a[data-raw]'))
    link.addEventListener('click', event => {
      event.preventDefault();
      void toggleRaw(link);
    });
  for (const caption of part.querySelectorAll('figure.code figcaption')) {
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Copy' });
    button.addEventListener('click', () => {
      const code = caption.parentElement?.querySelector('code')?.textContent ?? '';
      void copyText(code, button);
    });
    caption.append(button);
  }
}

async function toggleRaw(link: HTMLAnchorElement): Promise<void> {
  const article = link.closest('article');
  const open = article?.querySelector('pre.raw');
  link.setAttribute('aria-expanded', String(!open));
  if (open) return open.remove();
  const response = await fetch(link.href);
  const json = document.createElement('pre');
  json.className = 'raw';
  json.tabIndex = 0;
  json.textContent = response.ok
    ? JSON.stringify(await response.json(), null, 2)
    : `The server said ${response.status}`;
  article?.append(json);
}
